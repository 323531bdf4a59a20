package frames

import (
	"image"
	"sync"

	"github.com/klauspost/compress/flate"
)

// workspace is the memory for encoding one picture. Encoders borrow one per
// picture: there are as many as pictures are encoded at once, not as sessions.
type workspace struct {
	deflate *flate.Writer
	runs    runs
	raw     []byte // filtered rows
	out     sink
	index   []byte
	palette []byte
	extra   int // colours beyond the palette's 256
	colors  [1024]place
	rgba    image.RGBA
	turbo   *turbo
}

// workspaces is shared by all encoders; it holds nothing but scratch memory.
var workspaces = sync.Pool{New: func() any {
	w := &workspace{palette: make([]byte, 0, 3*256)}
	// Level 1 by benchmark: levels 2 and 3 and Huffman only take up to twice the
	// time for the same bytes, and storing is ten times the bytes.
	w.deflate, _ = flate.NewWriter(&w.out, flate.BestSpeed) // the level is valid
	return w
}}

// sink is an io.Writer that appends to memory.
type sink []byte

func (s *sink) Write(b []byte) (int, error) { *s = append(*s, b...); return len(b), nil }
func (s *sink) WriteByte(b byte) error      { *s = append(*s, b); return nil }
