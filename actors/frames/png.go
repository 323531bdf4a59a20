package frames

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/adler32"
	"hash/crc32"
)

// header is the part of a palette PNG before the pixels: signature, IHDR, PLTE.
// It is made anew when size or colours change.
type header struct {
	width, height int
	palette       []byte
	depth         int // bits per pixel: 1, 2, 4 or 8
	bytes         []byte
}

func (h *header) update(width, height int, palette []byte) {
	if h.bytes != nil && h.width == width && h.height == height && bytes.Equal(h.palette, palette) {
		return
	}
	h.width, h.height = width, height
	h.palette = append(h.palette[:0], palette...)
	switch colors := len(palette) / 3; {
	case colors <= 2:
		h.depth = 1
	case colors <= 4:
		h.depth = 2
	case colors <= 16:
		h.depth = 4
	default:
		h.depth = 8
	}
	var ihdr [13]byte
	binary.BigEndian.PutUint32(ihdr[0:], uint32(width))
	binary.BigEndian.PutUint32(ihdr[4:], uint32(height))
	ihdr[8], ihdr[9] = byte(h.depth), 3 // colour type: palette
	b := append(h.bytes[:0], "\x89PNG\r\n\x1a\n"...)
	b = appendChunk(b, "IHDR", ihdr[:])
	h.bytes = appendChunk(b, "PLTE", palette)
}

// appendChunk appends a PNG chunk: length, type, data, CRC of type and data.
func appendChunk(b []byte, kind string, data []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	from := len(b)
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[from:]))
}

// iend is the last chunk of every PNG.
const iend = "\x00\x00\x00\x00IEND\xae\x42\x60\x82"

// smallPicture is up to how many bytes of rows runs compresses, and beyond them
// flate. By benchmark, 64×64 pixels of 16 colours take 4 µs and 359 bytes instead
// of 8 µs and 282; large pictures gain no time, and double in size.
const smallPicture = 16 << 10

// png encodes indexes into a palette, after the PNG specification (third
// edition, W3C 2025). The index must fit the palette, as check has seen.
func (w *workspace) png(h *header, width, height int, index, palette []byte) ([]byte, error) {
	h.update(width, height, palette)
	stride := 1 + (width*h.depth+7)/8
	small := stride*height <= smallPicture
	w.rows(stride, h.depth, width, height, index, small)
	w.out = append(w.out[:0], 0, 0, 0, 0, 'I', 'D', 'A', 'T', 0x78, 0x01)
	if small {
		w.out = w.runs.deflate(w.out, w.raw, stride)
	} else if err := w.compress(); err != nil {
		return nil, fmt.Errorf("deflate: %w", err)
	}
	w.out = binary.BigEndian.AppendUint32(w.out, adler32.Checksum(w.raw))
	binary.BigEndian.PutUint32(w.out, uint32(len(w.out)-8))
	w.out = binary.BigEndian.AppendUint32(w.out, crc32.ChecksumIEEE(w.out[4:]))

	data := make([]byte, 0, len(h.bytes)+len(w.out)+len(iend))
	data = append(append(data, h.bytes...), w.out...)
	return append(data, iend...), nil
}

// compress appends the deflated rows to out.
func (w *workspace) compress() error {
	w.deflate.Reset(&w.out)
	if _, err := w.deflate.Write(w.raw); err != nil {
		return err
	}
	return w.deflate.Close()
}

// Filter types of a PNG row.
const (
	filterNone = 0
	filterUp   = 2
)

// rows packs the indexes into rows of depth bits per pixel. A row like the one
// above becomes a difference of zeros, unless plain, every other is left as it is:
// the usual filters blur the few values that a palette picture has.
func (w *workspace) rows(stride, depth, width, height int, index []byte, plain bool) {
	if cap(w.raw) < stride*height {
		w.raw = make([]byte, stride*height)
	}
	w.raw = w.raw[:stride*height]
	var above []byte
	for y := range height {
		row, out := index[y*width:(y+1)*width], w.raw[y*stride:(y+1)*stride]
		switch {
		case y > 0 && !plain && bytes.Equal(row, above):
			clear(out)
			out[0] = filterUp
		case y > 0 && bytes.Equal(row, above):
			copy(out, w.raw[(y-1)*stride:])
		default:
			out[0] = filterNone
			pack(out[1:], row, depth)
		}
		above = row
	}
}

// pack puts the indexes of a row into as many bits each, most significant first.
func pack(out, row []byte, depth int) {
	switch depth {
	case 8:
		copy(out, row)
	case 4:
		i := 0
		for ; i+8 <= len(row); i += 8 { // eight indexes at a time
			x := binary.LittleEndian.Uint64(row[i:])
			x = (x<<4 | x>>8) & 0x00FF00FF00FF00FF
			x = (x | x>>8) & 0x0000FFFF0000FFFF
			binary.LittleEndian.PutUint32(out[i/2:], uint32(x|x>>16))
		}
		for ; i+2 <= len(row); i += 2 {
			out[i/2] = row[i]<<4 | row[i+1]
		}
		if n := len(row); n%2 == 1 {
			out[n/2] = row[n-1] << 4
		}
	default:
		per := 8 / depth
		clear(out)
		for x, v := range row {
			out[x/per] |= v << (8 - depth - x%per*depth)
		}
	}
}
