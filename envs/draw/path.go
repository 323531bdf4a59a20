package draw

import (
	"image"
	"image/draw"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// Fill covers any closed polygon (non-zero winding). It is meant for
// backgrounds: it allocates.
func (c *Canvas) Fill(corners []Point, k Color) {
	if len(corners) < 3 {
		return
	}
	z := vector.NewRasterizer(c.width, c.height)
	for i, p := range corners {
		if i == 0 {
			z.MoveTo(float32(p.X), float32(p.Y))
		} else {
			z.LineTo(float32(p.X), float32(p.Y))
		}
	}
	z.ClosePath()
	mask := image.NewAlpha(image.Rect(0, 0, c.width, c.height))
	z.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	c.stamp(mask, 0, 0, k)
}

// Stroke covers a curve of the given width. It is meant for backgrounds: it allocates.
func (c *Canvas) Stroke(curve []Point, width float64, k Color) {
	n := len(curve)
	if n < 2 {
		return
	}
	outline := make([]Point, 2*n)
	for i, p := range curve {
		before, after := curve[max(i-1, 0)], curve[min(i+1, n-1)]
		dx, dy := after.X-before.X, after.Y-before.Y
		l := math.Hypot(dx, dy)
		if l == 0 {
			l = 1
		}
		nx, ny := -dy/l*width/2, dx/l*width/2
		outline[i] = Point{p.X + nx, p.Y + ny}
		outline[2*n-1-i] = Point{p.X - nx, p.Y - ny}
	}
	c.Fill(outline, k)
}

// Mask is a small shape to be stamped in any colour, such as a drawn text.
type Mask struct {
	alpha *image.Alpha
	// ascent is pixels from the top to the line that letters stand on.
	ascent int
}

// Size is width and height in pixels.
func (m Mask) Size() (width, height int) { return m.alpha.Rect.Dx(), m.alpha.Rect.Dy() }

// gobolds is the one parsed font.
var gobolds = sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(gobold.TTF) })

// NewText draws a line of text with letters of the given size in pixels, cut to
// its ink. An unusable size is a programmer's error and panics.
func NewText(text string, size float64) Mask {
	parsed, err := gobolds()
	if err != nil {
		panic("draw: the built-in font: " + err.Error())
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72})
	if err != nil {
		panic("draw: text: " + err.Error())
	}
	defer face.Close()
	ink, _ := font.BoundString(face, text)
	r := image.Rect(ink.Min.X.Floor(), ink.Min.Y.Floor(), ink.Max.X.Ceil(), ink.Max.Y.Ceil())
	alpha := image.NewAlpha(image.Rect(0, 0, r.Dx(), r.Dy()))
	d := font.Drawer{Dst: draw.Image(alpha), Src: image.Opaque, Face: face, Dot: fixed.P(-r.Min.X, -r.Min.Y)}
	d.DrawString(text)
	return Mask{alpha: alpha, ascent: -r.Min.Y}
}

// Stamp covers the mask, centred at (x, y).
func (c *Canvas) Stamp(m Mask, x, y float64, k Color) {
	w, h := m.Size()
	c.stamp(m.alpha, int(math.Round(x-float64(w)/2)), int(math.Round(y-float64(h)/2)), k)
}

// Write covers a text that begins at x and stands on the line y.
func (c *Canvas) Write(m Mask, x, y float64, k Color) {
	c.stamp(m.alpha, int(math.Round(x)), int(math.Round(y))-m.ascent, k)
}

func (c *Canvas) stamp(mask *image.Alpha, x0, y0 int, k Color) {
	w, h := mask.Rect.Dx(), mask.Rect.Dy()
	box := c.box(float64(x0), float64(y0), float64(x0+w), float64(y0+h))
	for y := box.Min.Y; y < box.Max.Y; y++ {
		line := mask.Pix[(y-y0)*mask.Stride:]
		for x := box.Min.X; x < box.Max.X; x++ {
			if a := line[x-x0]; a > 0 {
				c.over(x, y, float64(a)/255, k)
			}
		}
	}
}
