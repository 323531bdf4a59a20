package frames

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"sharpie/actors/messages"
	"sharpie/envs"
)

// ErrFrame is returned for a frame whose pixels do not fit its size.
var ErrFrame = errors.New("frames: malformed frame")

// Encoder encodes the frames of one episode, one after the other, from one goroutine.
type Encoder struct {
	last envs.Frame
	some bool
}

// NewEncoder returns an encoder that has seen nothing.
func NewEncoder() *Encoder { return &Encoder{} }

// Encode returns the frame as a picture, or changed = false for the same pixels
// as before. data belongs to the caller.
func (e *Encoder) Encode(f envs.Frame) (codec messages.Codec, data []byte, changed bool, err error) {
	n := f.Width * f.Height
	if f.Index != nil {
		if len(f.Index) != n || len(f.Palette)%3 != 0 || len(f.Palette) == 0 {
			return 0, nil, false, fmt.Errorf("%w: %d indexes for %d×%d", ErrFrame, len(f.Index), f.Width, f.Height)
		}
	} else if len(f.RGB) != 3*n {
		return 0, nil, false, fmt.Errorf("%w: %d bytes for %d×%d", ErrFrame, len(f.RGB), f.Width, f.Height)
	}
	if e.some && bytes.Equal(e.last.Index, f.Index) && bytes.Equal(e.last.RGB, f.RGB) && bytes.Equal(e.last.Palette, f.Palette) {
		return 0, nil, false, nil
	}
	e.some = true
	e.last.Index = append(e.last.Index[:0], f.Index...)
	e.last.RGB = append(e.last.RGB[:0], f.RGB...)
	e.last.Palette = append(e.last.Palette[:0], f.Palette...)
	var out bytes.Buffer
	if f.Index != nil {
		var pal color.Palette
		for i := 0; i < len(f.Palette); i += 3 {
			pal = append(pal, color.RGBA{f.Palette[i], f.Palette[i+1], f.Palette[i+2], 255})
		}
		img := &image.Paletted{Pix: f.Index, Stride: f.Width, Rect: image.Rect(0, 0, f.Width, f.Height), Palette: pal}
		enc := png.Encoder{CompressionLevel: png.BestSpeed}
		if err := enc.Encode(&out, img); err != nil {
			return 0, nil, false, err
		}
		return messages.Codec_CODEC_PNG, out.Bytes(), true, nil
	}
	img := image.NewRGBA(image.Rect(0, 0, f.Width, f.Height))
	for i := range n {
		copy(img.Pix[4*i:4*i+3], f.RGB[3*i:3*i+3])
		img.Pix[4*i+3] = 255
	}
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 85}); err != nil {
		return 0, nil, false, err
	}
	return messages.Codec_CODEC_JPEG, out.Bytes(), true, nil
}
