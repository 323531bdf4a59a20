package draw_test

import (
	"bytes"
	"math"
	"testing"

	"sharpie/envs/draw"
)

// sheet is a white canvas and black ink with a ramp between them.
func sheet(width, height int) (*draw.Canvas, draw.Color) {
	var p draw.Palette
	white, black := p.Add(draw.White), p.Add(0x000000)
	p.Ramp(white, black)
	return draw.NewCanvas(width, height, p.Done(), white), black
}

// ink is how much of the canvas is black: the sum of coverages, in pixels.
func ink(c *draw.Canvas) float64 {
	f := c.Frame()
	sum := 0.0
	for _, k := range f.Index {
		sum += 1 - float64(f.Palette[3*int(k)])/255
	}
	return sum
}

// TestShapesCoverTheirArea draws each shape at many places and angles: smooth
// edges must add up to the area of the shape.
func TestShapesCoverTheirArea(t *testing.T) {
	tests := []struct {
		name string
		area float64
		draw func(c *draw.Canvas, k draw.Color, dx, dy, turn float64)
	}{
		{"rect", 20 * 10.5, func(c *draw.Canvas, k draw.Color, dx, dy, _ float64) {
			c.Rect(10+dx, 10+dy, 30+dx, 20.5+dy, k)
		}},
		{"disc", math.Pi * 100, func(c *draw.Canvas, k draw.Color, dx, dy, _ float64) { c.Disc(32+dx, 32+dy, 10, k) }},
		{"ring", math.Pi * (144 - 81), func(c *draw.Canvas, k draw.Color, dx, dy, _ float64) { c.Ring(32+dx, 32+dy, 12, 3, k) }},
		{"line", 30*5 + math.Pi*2.5*2.5, func(c *draw.Canvas, k draw.Color, dx, dy, turn float64) {
			sin, cos := math.Sincos(turn)
			c.Line(32+dx-15*cos, 32+dy-15*sin, 32+dx+15*cos, 32+dy+15*sin, 5, k)
		}},
		{"square", 400, func(c *draw.Canvas, k draw.Color, dx, dy, turn float64) {
			corners := make([]draw.Point, 4)
			for i := range corners {
				sin, cos := math.Sincos(turn + float64(i)*math.Pi/2)
				corners[i] = draw.Point{X: 32 + dx + cos*10*math.Sqrt2, Y: 32 + dy + sin*10*math.Sqrt2}
			}
			c.Convex(corners, k)
		}},
		{"square the other way round", 400, func(c *draw.Canvas, k draw.Color, dx, dy, turn float64) {
			corners := make([]draw.Point, 4)
			for i := range corners {
				sin, cos := math.Sincos(turn - float64(i)*math.Pi/2)
				corners[i] = draw.Point{X: 32 + dx + cos*10*math.Sqrt2, Y: 32 + dy + sin*10*math.Sqrt2}
			}
			c.Convex(corners, k)
		}},
		{"filled arrow", 150, func(c *draw.Canvas, k draw.Color, dx, dy, _ float64) {
			c.Fill([]draw.Point{{X: 20 + dx, Y: 20 + dy}, {X: 40 + dx, Y: 30 + dy}, {X: 20 + dx, Y: 40 + dy}, {X: 25 + dx, Y: 30 + dy}}, k)
		}},
		{"stroke", 40 * 4, func(c *draw.Canvas, k draw.Color, dx, dy, _ float64) {
			c.Stroke([]draw.Point{{X: 10 + dx, Y: 30 + dy}, {X: 30 + dx, Y: 30 + dy}, {X: 50 + dx, Y: 30 + dy}}, 4, k)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			worst := 0.0
			for i := range 40 {
				c, k := sheet(64, 64)
				f := float64(i)
				tt.draw(c, k, math.Mod(f*0.37, 1), math.Mod(f*0.61, 1), f*0.23)
				worst = max(worst, math.Abs(ink(c)-tt.area))
			}
			// a shade is a quarter: edges are off by an eighth of a pixel at most
			if worst > 0.06*tt.area {
				t.Errorf("the ink is off by up to %.1f of %.1f pixels", worst, tt.area)
			}
		})
	}
}

func TestShapesAreCutAtTheBorder(t *testing.T) {
	c, k := sheet(32, 32)
	c.Disc(0, 16, 10, k)
	if got, want := ink(c), math.Pi*50; math.Abs(got-want) > 6 {
		t.Errorf("half a disc has %.1f pixels, want %.1f", got, want)
	}
	before := ink(c)
	for _, far := range []float64{-1e9, -50, 90, 1e9, math.NaN(), math.Inf(1), math.Inf(-1)} {
		c.Disc(far, 16, 10, k)
		c.Ring(16, far, 10, 2, k)
		c.Line(far, far, far, far+3, 4, k)
		c.Rect(far, far, far+2, far+2, k)
		c.Convex([]draw.Point{{X: far, Y: 1}, {X: far + 5, Y: 9}, {X: far + 9, Y: 1}}, k)
	}
	if got := ink(c); got != before {
		t.Errorf("shapes outside or nowhere changed the ink from %.1f to %.1f", before, got)
	}
}

func TestRestoreLeavesNothingBehind(t *testing.T) {
	background, k := sheet(64, 64)
	background.Line(3, 60, 60, 3, 5, k)
	background.Stamp(draw.NewText("goal", 18), 32, 50, k)
	c := background.Clone()
	for i := range 50 {
		f := float64(i)
		c.Restore(background)
		c.Disc(f*1.7-10, f*0.9, 7, k)
		c.Line(f, 64-f, f+20, 70-f, 3, k)
		c.Rect(f-3, 2, f+3, 9, k)
		c.Stamp(draw.NewText("A", 20), 60-f, f, k)
	}
	c.Restore(background)
	if !bytes.Equal(c.Frame().Index, background.Frame().Index) {
		t.Error("the picture is not the background again")
	}
}

func TestTextIsLegible(t *testing.T) {
	c, k := sheet(100, 40)
	text := draw.NewText("Hello", 24)
	w, h := text.Size()
	if w < 45 || w > 75 || h < 16 || h > 20 {
		t.Errorf("the word is %d×%d pixels", w, h)
	}
	c.Stamp(text, 50, 20, k)
	if got := ink(c); got < 200 || got > 600 {
		t.Errorf("the word has %.0f pixels of ink", got)
	}
	c2, _ := sheet(100, 40)
	c2.Write(text, 10, 30, k)
	if got, want := ink(c2), ink(c); got != want {
		t.Errorf("written it has %.0f pixels of ink, stamped %.0f", got, want)
	}
}

func TestPaletteIsBounded(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("257 colours fit into a palette")
		}
	}()
	var p draw.Palette
	for i := range uint32(257) {
		p.Add(i)
	}
}

func TestShapesDoNotAllocate(t *testing.T) {
	c, k := sheet(64, 64)
	background := c.Clone()
	text := draw.NewText("7", 20)
	got := testing.AllocsPerRun(100, func() {
		c.Restore(background)
		c.Rect(3, 3, 9, 9, k)
		c.Disc(32, 32, 9, k)
		c.Ring(32, 32, 20, 3, k)
		c.Line(5, 9, 50, 44, 4, k)
		c.Convex([]draw.Point{{X: 1, Y: 1}, {X: 30, Y: 9}, {X: 9, Y: 30}}, k)
		c.Stamp(text, 40, 20, k)
	})
	if got != 0 {
		t.Errorf("a scene allocates %v times", got)
	}
}
