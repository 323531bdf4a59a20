package draw

import (
	"image"
	"math"

	"sharpie/envs"
)

// Point is a position on a canvas in pixels: x to the right, y down; the
// top-left pixel covers (0,0) to (1,1).
type Point struct{ X, Y float64 }

// Canvas is a picture of palette indices. Every shape has smooth edges and is
// cut at the canvas' border; coordinates that are no finite numbers draw nothing.
type Canvas struct {
	width, height int
	pix           []byte
	palette       *Palette
	touched       []image.Rectangle
}

// NewCanvas returns a canvas filled with one colour.
func NewCanvas(width, height int, palette *Palette, fill Color) *Canvas {
	c := &Canvas{width: width, height: height, pix: make([]byte, width*height), palette: palette}
	for i := range c.pix {
		c.pix[i] = byte(fill)
	}
	return c
}

// Clone returns a canvas with the same picture.
func (c *Canvas) Clone() *Canvas {
	return &Canvas{width: c.width, height: c.height, pix: append([]byte(nil), c.pix...), palette: c.palette}
}

// Frame is the picture; it shares the canvas' memory.
func (c *Canvas) Frame() envs.Frame {
	return envs.Frame{Width: c.width, Height: c.height, Index: c.pix, Palette: c.palette.rgb}
}

// Size is width and height in pixels.
func (c *Canvas) Size() (width, height int) { return c.width, c.height }

// Restore puts the background back wherever something was drawn since the last
// call, which is all that a moving scene needs. The background has the same size.
func (c *Canvas) Restore(background *Canvas) {
	for _, r := range c.touched {
		n := r.Dx()
		for y := r.Min.Y; y < r.Max.Y; y++ {
			at := y*c.width + r.Min.X
			copy(c.pix[at:at+n], background.pix[at:at+n])
		}
	}
	c.touched = c.touched[:0]
}

// box is the pixels of a shape that reaches from (x0,y0) to (x1,y1); it is noted
// for Restore. It is empty where the shape is outside or not finite.
func (c *Canvas) box(x0, y0, x1, y1 float64) image.Rectangle {
	if !(x0 < float64(c.width) && y0 < float64(c.height) && x1 > 0 && y1 > 0) {
		return image.Rectangle{}
	}
	r := image.Rect(
		int(math.Max(math.Floor(x0), 0)), int(math.Max(math.Floor(y0), 0)),
		int(math.Min(math.Ceil(x1), float64(c.width))), int(math.Min(math.Ceil(y1), float64(c.height))),
	)
	c.touched = append(c.touched, r)
	return r
}

// row covers the pixels of row y between x0 and x1 (exclusive) with colour k.
func (c *Canvas) row(y, x0, x1 int, k Color) {
	line := c.pix[y*c.width+x0 : y*c.width+x1]
	for i := range line {
		line[i] = byte(k)
	}
}

// over mixes coverage (0 to 1) of colour k into one pixel.
func (c *Canvas) over(x, y int, coverage float64, k Color) {
	if coverage <= 0 {
		return
	}
	s := int(coverage*steps + 0.5)
	if s > steps {
		s = steps
	}
	at := &c.pix[y*c.width+x]
	*at = byte(c.palette.blend[k][s][*at])
}
