package frames

import (
	"fmt"
	"image"
	"image/jpeg"
)

// Quality is the JPEG quality, 1 to 100. Colour has half the resolution in both
// directions (4:2:0), with either encoder.
const Quality = 85

// jpeg encodes RGB pixels: with libjpeg-turbo where it can be loaded, else with
// image/jpeg.
func (w *workspace) jpeg(width, height int, rgb []byte) ([]byte, error) {
	if w.turbo == nil {
		w.turbo = newTurbo()
	}
	if w.turbo.usable() {
		return w.turbo.encode(width, height, rgb)
	}
	return w.standardJPEG(width, height, rgb)
}

func (w *workspace) standardJPEG(width, height int, rgb []byte) ([]byte, error) {
	n := width * height
	if cap(w.rgba.Pix) < 4*n {
		w.rgba.Pix = make([]byte, 4*n)
	}
	w.rgba.Pix = w.rgba.Pix[:4*n]
	w.rgba.Stride, w.rgba.Rect = 4*width, image.Rect(0, 0, width, height)
	for i := range n {
		in, out := rgb[3*i:3*i+3:3*i+3], w.rgba.Pix[4*i:4*i+4:4*i+4]
		out[0], out[1], out[2], out[3] = in[0], in[1], in[2], 255
	}
	w.out = w.out[:0]
	if err := jpeg.Encode(&w.out, &w.rgba, &jpeg.Options{Quality: Quality}); err != nil {
		return nil, fmt.Errorf("jpeg: %w", err)
	}
	return append([]byte(nil), w.out...), nil
}
