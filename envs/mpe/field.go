package mpe

import (
	"math"
	"strconv"

	"sharpie/envs/draw"
)

// The picture: a square field over a legend, in pixels.
const (
	fieldPixels  = 500
	legendPixels = 40
)

// view is what the picture shows: the square from -view to view.
const view = 1.15

// scale is pixels per unit.
const scale = fieldPixels / (2 * view)

// pixel is where a position is on the picture.
func pixel(p vec) (x, y float64) {
	return (p[0] + view) * scale, (view - p[1]) * scale
}

// field draws the ground: paper, and the square from -1 to 1 with a quiet grid.
func field(palette *draw.Palette, paper, ground, line draw.Color) *draw.Canvas {
	c := draw.NewCanvas(fieldPixels, fieldPixels+legendPixels, palette, paper)
	x0, y0 := pixel(vec{-1, 1})
	x1, y1 := pixel(vec{1, -1})
	c.Rect(x0, y0, x1, y1, ground)
	for _, p := range [...]float64{-1, -0.5, 0, 0.5, 1} {
		x, y := pixel(vec{p, p})
		c.Rect(x-1, y0-1, x+1, y1+1, line)
		c.Rect(x0-1, y-1, x1+1, y+1, line)
	}
	return c
}

// legendEntry is a symbol with its name.
type legendEntry struct {
	text   string
	symbol func(c *draw.Canvas, x, y float64)
}

// legend draws entries side by side under the field, centred.
func legend(c *draw.Canvas, ink draw.Color, entries ...legendEntry) {
	const symbolWidth, gap = 30, 34
	const y = fieldPixels + legendPixels/2 - 2
	masks := make([]draw.Mask, len(entries))
	width := -float64(gap)
	for i, e := range entries {
		masks[i] = draw.NewText(e.text, 18)
		w, _ := masks[i].Size()
		width += symbolWidth + float64(w) + gap
	}
	x := (fieldPixels - width) / 2
	for i, e := range entries {
		w, _ := masks[i].Size()
		e.symbol(c, x+symbolWidth/2-3, y)
		c.Write(masks[i], x+symbolWidth, y+6, ink)
		x += symbolWidth + float64(w) + gap
	}
}

// numbers are the labels of up to 20 bodies of a kind.
func numbers(size float64) [20]draw.Mask {
	var out [20]draw.Mask
	for i := range out {
		out[i] = draw.NewText(strconv.Itoa(i), size)
	}
	return out
}

// arrow marks at the border whoever has left the picture, and reports whether p has.
func arrow(c *draw.Canvas, p vec, size float64, k draw.Color) bool {
	x, y := pixel(p)
	reach := size * scale
	if x > -reach && x < fieldPixels+reach && y > -reach && y < fieldPixels+reach {
		return false
	}
	const margin, length = 20, 15
	cx, cy := min(max(x, margin), fieldPixels-margin), min(max(y, margin), fieldPixels-margin)
	sin, cos := math.Sincos(math.Atan2(y-cy, x-cx))
	tip := func(along, across float64) draw.Point {
		return draw.Point{X: cx + along*cos - across*sin, Y: cy + along*sin + across*cos}
	}
	head := [...]draw.Point{tip(length, 0), tip(-length*0.7, length*0.8), tip(-length*0.7, -length*0.8)}
	c.Convex(head[:], k)
	return true
}

// star draws a disc with eight points that reach a third beyond its radius.
func star(c *draw.Canvas, x, y, radius float64, k draw.Color) {
	for i := range 4 {
		var corners [4]draw.Point
		for j := range corners {
			// two opposite points and, between them, the width of the disc's core
			angle := math.Pi*float64(i)/4 + math.Pi*float64(j)/2
			r := radius * 1.42
			if j%2 == 1 {
				r = radius * 0.55
			}
			sin, cos := math.Sincos(angle)
			corners[j] = draw.Point{X: x + r*cos, Y: y + r*sin}
		}
		c.Convex(corners[:], k)
	}
	c.Disc(x, y, radius, k)
}
