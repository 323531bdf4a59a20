package frames

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"

	"sharpie/actors/messages"
	"sharpie/envs"
)

// ErrFrame is returned for a frame whose pixels do not fit its size or palette.
var ErrFrame = errors.New("frames: malformed frame")

// maxSide bounds the width and height of a frame, in pixels.
const maxSide = 1 << 14

// Encoder encodes the frames of one episode, one after the other, from one
// goroutine. It remembers a fingerprint of the last picture, and little else: a
// copy would double what a session takes in memory, and the memory for
// compression is shared between all encoders.
type Encoder struct {
	seed  maphash.Seed
	last  fingerprint    // of the picture sent last
	codec messages.Codec // of that picture; 0 before the first
	slow  int            // pixels that take about a millisecond with that codec
	// head is the beginning of a palette PNG, the same while size and colours are.
	head header
}

// fingerprint tells pictures apart: two that differ have the same one once in
// 2^64, with a seed that nobody knows.
type fingerprint struct {
	width, height   int
	indexed         bool
	pixels, palette uint64
}

// NewEncoder returns an encoder that has seen nothing.
func NewEncoder() *Encoder { return &Encoder{seed: maphash.MakeSeed()} }

// Encode returns the frame as a picture, or changed = false for the same pixels
// as before. data belongs to the caller; the frame's memory is not kept. It
// returns ErrFrame for a frame that contradicts itself.
func (e *Encoder) Encode(f envs.Frame) (codec messages.Codec, data []byte, changed bool, err error) {
	now := e.fingerprint(f)
	if e.codec != 0 && now == e.last {
		return 0, nil, false, nil
	}
	if err := check(f); err != nil {
		return 0, nil, false, err
	}
	if codec, data, err = e.encode(f); err != nil {
		return 0, nil, false, err
	}
	e.last, e.codec = now, codec
	return codec, data, true, nil
}

func (e *Encoder) fingerprint(f envs.Frame) fingerprint {
	out := fingerprint{width: f.Width, height: f.Height, indexed: f.Index != nil}
	if out.indexed {
		out.pixels, out.palette = maphash.Bytes(e.seed, f.Index), maphash.Bytes(e.seed, f.Palette)
	} else {
		out.pixels = maphash.Bytes(e.seed, f.RGB)
	}
	return out
}

func (e *Encoder) encode(f envs.Frame) (messages.Codec, []byte, error) {
	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	e.slow = slowPNG
	if f.Index != nil {
		data, err := w.png(&e.head, f.Width, f.Height, f.Index, f.Palette)
		return messages.Codec_CODEC_PNG, data, err
	}
	if index, palette, ok := w.palettise(f.RGB); ok {
		data, err := w.png(&e.head, f.Width, f.Height, index, palette)
		return messages.Codec_CODEC_PNG, data, err
	}
	data, err := w.jpeg(f.Width, f.Height, f.RGB)
	if e.slow = slowJPEG; w.turbo.usable() {
		e.slow = slowTurbo
	}
	return messages.Codec_CODEC_JPEG, data, err
}

// Slow reports whether the next frame of this size should be encoded beside the
// environment's goroutine: the last one took more than about a millisecond.
func (e *Encoder) Slow() bool {
	return e.last.width*e.last.height > e.slow
}

// Pixels that take about a millisecond, by benchmark.
const (
	slowPNG   = 800_000
	slowJPEG  = 30_000
	slowTurbo = 150_000
)

// check finds a frame that contradicts itself.
func check(f envs.Frame) error {
	if f.Width < 1 || f.Height < 1 || f.Width > maxSide || f.Height > maxSide {
		return fmt.Errorf("%w: size is %d×%d, allowed are 1×1 to %d×%d", ErrFrame, f.Width, f.Height, maxSide, maxSide)
	}
	n := f.Width * f.Height
	switch {
	case f.Index == nil && f.RGB == nil:
		return fmt.Errorf("%w: neither RGB nor Index is set", ErrFrame)
	case f.Index != nil && f.RGB != nil:
		return fmt.Errorf("%w: both RGB and Index are set", ErrFrame)
	case f.RGB != nil && len(f.RGB) != 3*n:
		return fmt.Errorf("%w: %d bytes of RGB for %d×%d, want %d", ErrFrame, len(f.RGB), f.Width, f.Height, 3*n)
	case f.RGB != nil:
		return nil
	case len(f.Index) != n:
		return fmt.Errorf("%w: %d bytes of Index for %d×%d, want %d", ErrFrame, len(f.Index), f.Width, f.Height, n)
	case len(f.Palette) == 0 || len(f.Palette)%3 != 0 || len(f.Palette) > 3*256:
		return fmt.Errorf("%w: %d bytes of Palette, want 3 for each of 1 to 256 colours", ErrFrame, len(f.Palette))
	}
	if colors := len(f.Palette) / 3; !within(f.Index, colors) {
		return fmt.Errorf("%w: an Index of %d in a palette of %d colours", ErrFrame, slices.Max(f.Index), colors)
	}
	return nil
}

// within reports whether all indexes are below a number of colours, 1 to 256.
func within(index []byte, colors int) bool {
	if colors == 256 {
		return true
	}
	i := 0
	if colors <= 128 {
		// Eight at a time: no byte may have its top bit, nor get it by adding what
		// lifts the first bad index to 128. No byte carries into the next.
		const tops = 0x8080808080808080
		lift := uint64(128-colors) * 0x0101010101010101
		bad := uint64(0)
		for ; i+8 <= len(index); i += 8 {
			x := binary.LittleEndian.Uint64(index[i:])
			bad |= x | (x&^tops + lift)
		}
		if bad&tops != 0 {
			return false
		}
	}
	for _, x := range index[i:] {
		if int(x) >= colors {
			return false
		}
	}
	return true
}
