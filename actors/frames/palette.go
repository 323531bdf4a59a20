package frames

// palettise finds the colours of an RGB picture, if there are at most 256. The
// result lives in the workspace until its next use.
func (w *workspace) palettise(rgb []byte) (index, palette []byte, ok bool) {
	n := len(rgb) / 3
	if cap(w.index) < n {
		w.index = make([]byte, n)
	}
	index, palette = w.index[:n], w.palette[:0]
	clear(w.colors[:])
	const none = ^uint32(0)
	last, at := none, byte(0)
	for i := range index {
		p := rgb[3*i : 3*i+3 : 3*i+3]
		c := uint32(p[0])<<16 | uint32(p[1])<<8 | uint32(p[2])
		if c == last {
			index[i] = at
			continue
		}
		last = c
		// An open table of 1,024 places; a place holds colour+1 and index, 0 is free.
		h := (c + 1) * 2654435761 >> 22
		for w.colors[h].key != c+1 {
			if w.colors[h].key == 0 {
				if len(palette) == 3*256 {
					return nil, nil, false
				}
				w.colors[h] = place{key: c + 1, index: byte(len(palette) / 3)}
				palette = append(palette, p...)
				break
			}
			h = (h + 1) % uint32(len(w.colors))
		}
		at = w.colors[h].index
		index[i] = at
	}
	w.palette = palette
	return index, palette, true
}

// place is one place of the table of colours.
type place struct {
	key   uint32
	index byte
}
