package frames

import "encoding/binary"

// A picture of lines that are drawn smoothly may have some colours more than a palette
// holds. Up to so many of them become the nearest one that it holds, if that differs by
// no more than this in red, green and blue: less than JPEG changes at every edge.
const (
	extraColors = 128
	nearEnough  = 6
)

// palettise finds the colours of an RGB picture, if there are at most 256, or hardly more.
// The result lives in the workspace until its next use.
func (w *workspace) palettise(rgb []byte) (index, palette []byte, ok bool) {
	n := len(rgb) / 3
	if cap(w.index) < n {
		w.index = make([]byte, n)
	}
	index, w.palette = w.index[:n], w.palette[:0]
	clear(w.colors[:])
	w.extra = 0
	const none = ^uint32(0)
	last, at := none, byte(0)
	for i := 0; i < n; i++ {
		p := rgb[3*i : 3*i+3 : 3*i+3]
		c := uint32(p[0])<<16 | uint32(p[1])<<8 | uint32(p[2])
		if c != last {
			if at, ok = w.color(c, p); !ok {
				return nil, nil, false
			}
			last = c
			index[i] = at
			continue
		}
		index[i] = at
		for i+9 <= n && same(rgb[3*i:]) { // eight pixels at a time
			binary.LittleEndian.PutUint64(index[i+1:], uint64(at)*0x0101010101010101)
			i += 8
		}
	}
	return index, w.palette, true
}

// same reports whether eight pixels are all like the one before them, the first.
func same(rgb []byte) bool {
	rgb = rgb[: 3+24 : 3+24]
	a, b, c := binary.LittleEndian.Uint64(rgb), binary.LittleEndian.Uint64(rgb[8:]), binary.LittleEndian.Uint64(rgb[16:])
	x, y, z := binary.LittleEndian.Uint64(rgb[3:]), binary.LittleEndian.Uint64(rgb[11:]), binary.LittleEndian.Uint64(rgb[19:])
	return (a^x)|(b^y)|(c^z) == 0
}

// color is the index of a colour, new ones included; false where there are too many.
func (w *workspace) color(c uint32, p []byte) (index byte, ok bool) {
	// An open table of 1,024 places; a place holds colour+1 and index, 0 is free.
	h := (c + 1) * 2654435761 >> 22
	for w.colors[h].key != c+1 {
		if w.colors[h].key != 0 {
			h = (h + 1) % uint32(len(w.colors))
			continue
		}
		index = byte(len(w.palette) / 3)
		if len(w.palette) < 3*256 {
			w.palette = append(w.palette, p...)
		} else if index, ok = w.near(p); !ok {
			return 0, false
		}
		w.colors[h] = place{key: c + 1, index: index}
		return index, true
	}
	return w.colors[h].index, true
}

// near is the colour of a full palette that is nearest to another one, if it is near.
func (w *workspace) near(p []byte) (index byte, ok bool) {
	if w.extra++; w.extra > extraColors {
		return 0, false
	}
	least := nearEnough + 1
	for i := 0; i < len(w.palette); i += 3 {
		far := max(apart(w.palette[i], p[0]), apart(w.palette[i+1], p[1]), apart(w.palette[i+2], p[2]))
		if far < least {
			least, index = far, byte(i/3)
		}
	}
	return index, least <= nearEnough
}

func apart(a, b byte) int { return max(int(a)-int(b), int(b)-int(a)) }

// place is one place of the table of colours.
type place struct {
	key   uint32
	index byte
}
