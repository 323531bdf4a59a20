package toytext

import (
	"math"
	"sync"

	"sharpie/envs"
	"sharpie/envs/draw"
)

// lakeColors is the palette, shared by all lakes.
type lakeColors struct {
	palette                                                    *draw.Palette
	ice, line, shine, rim, water, deep, start, goal, pole, ink draw.Color
	belly, beak                                                draw.Color
}

var theLake = sync.OnceValue(func() *lakeColors {
	var p draw.Palette
	k := &lakeColors{
		ice: p.Add(0xE6F1FA), line: p.Add(0xC4D9EC), shine: p.Add(draw.White),
		rim: p.Add(0xA3C4E0), water: p.Add(0x2C6AA0), deep: p.Add(0x1B4A75),
		start: p.Add(draw.Green), goal: p.Add(draw.Amber), ink: p.Add(draw.Ink), beak: p.Add(draw.Vermilion),
	}
	k.pole, k.belly = k.ink, k.shine
	p.Ramp(k.ice, k.shine, k.rim, k.start, k.goal, k.ink, k.beak)
	p.Ramp(k.rim, k.water)
	p.Ramp(k.water, k.deep, k.ink, k.shine)
	p.Ramp(k.ink, k.shine, k.beak)
	p.Ramp(k.beak, k.shine)
	k.palette = p.Done()
	return k
})

// lakePicture is the picture's memory; made by the first Draw.
type lakePicture struct {
	background, canvas *draw.Canvas
}

// cell is the side of a cell in pixels: 96 on the small map, 64 on 8x8.
func (l *frozenLake) cell() int { return min(max(512/max(l.rows, l.columns), 16), 96) }

func (l *frozenLake) Draw() envs.Frame {
	k := theLake()
	pic := &l.picture
	if pic.canvas == nil {
		pic.background = l.ground(k)
		pic.canvas = pic.background.Clone()
	}
	c := pic.canvas
	c.Restore(pic.background)
	u := float64(l.cell())
	x := (float64(l.state.Cell%l.columns) + 0.5) * u
	y := (float64(l.state.Cell/l.columns) + 0.5) * u
	if l.cells[l.state.Cell] == 'H' {
		l.swimmer(c, k, x, y, u)
	} else {
		l.penguin(c, k, x, y, u)
	}
	return c.Frame()
}

// ground draws the map: ice, holes, start and goal.
func (l *frozenLake) ground(k *lakeColors) *draw.Canvas {
	u := float64(l.cell())
	c := draw.NewCanvas(l.columns*l.cell(), l.rows*l.cell(), k.palette, k.ice)
	for i := range l.cells {
		x0, y0 := float64(i%l.columns)*u, float64(i/l.columns)*u
		at := func(fx, fy float64) (x, y float64) { return x0 + fx*u, y0 + fy*u }
		c.Rect(x0, y0, x0+u, y0+1, k.line)
		c.Rect(x0, y0, x0+1, y0+u, k.line)
		switch l.cells[i] {
		case 'H':
			x, y := at(0.5, 0.5)
			c.Disc(x, y, 0.43*u, k.rim)
			c.Disc(x, y, 0.38*u, k.water)
			c.Disc(x, y+0.05*u, 0.29*u, k.deep)
		case 'G':
			x, y := at(0.36, 0.84)
			c.Line(x, y, x, y-0.66*u, 0.06*u, k.pole)
			c.Convex([]draw.Point{
				{X: x + 0.03*u, Y: y - 0.68*u}, {X: x + 0.44*u, Y: y - 0.51*u}, {X: x + 0.03*u, Y: y - 0.34*u},
			}, k.goal)
			c.Line(x-0.12*u, y, x+0.12*u, y, 0.06*u, k.pole)
		case 'S':
			x, y := at(0.5, 0.5)
			c.Ring(x, y, 0.44*u, 0.05*u, k.start)
		default:
			for _, s := range [...][4]float64{{0.18, 0.34, 0.34, 0.18}, {0.62, 0.84, 0.84, 0.62}, {0.72, 0.9, 0.9, 0.72}} {
				xa, ya := at(s[0], s[1])
				xb, yb := at(s[2], s[3])
				c.Line(xa, ya, xb, yb, 0.035*u, k.shine)
			}
		}
	}
	return c
}

// penguin draws who crosses the lake, looking to where it last wanted to go.
func (l *frozenLake) penguin(c *draw.Canvas, k *lakeColors, x, y, u float64) {
	dx, dy := 0.0, 0.0
	switch l.state.Facing {
	case left:
		dx = -1
	case right:
		dx = 1
	case up:
		dy = -1
	case down:
		dy = 1
	}
	u *= 1.15
	for _, side := range [...]float64{-1, 1} {
		c.Disc(x+side*0.11*u, y+0.29*u, 0.07*u, k.beak)
	}
	c.Line(x, y-0.08*u, x, y+0.1*u, 0.4*u, k.ink)
	if dy < 0 { // seen from behind
		return
	}
	c.Line(x+dx*0.05*u, y+0.04*u, x+dx*0.05*u, y+0.13*u, 0.25*u, k.belly)
	for _, side := range [...]float64{-1, 1} {
		ex := x + (dx*0.07+side*0.075)*u
		c.Disc(ex, y-0.14*u, 0.055*u, k.shine)
		c.Disc(ex+dx*0.02*u, y-0.135*u, 0.026*u, k.ink)
	}
	c.Convex([]draw.Point{
		{X: x + (dx*0.07-0.06)*u, Y: y - 0.075*u}, {X: x + (dx*0.07+0.06)*u, Y: y - 0.075*u},
		{X: x + dx*0.16*u, Y: y + 0.02*u},
	}, k.beak)
}

// swimmer draws who fell in: the head, and waves around it.
func (l *frozenLake) swimmer(c *draw.Canvas, k *lakeColors, x, y, u float64) {
	c.Ring(x, y+0.05*u, 0.31*u, 0.03*u, k.shine)
	c.Disc(x, y, 0.2*u, k.ink)
	for _, side := range [...]float64{-1, 1} {
		for _, turn := range [...]float64{1, -1} {
			d := 0.045 * u / math.Sqrt2
			ex, ey := x+side*0.085*u, y-0.04*u
			c.Line(ex-d, ey-turn*d, ex+d, ey+turn*d, 0.03*u, k.shine)
		}
	}
	c.Convex([]draw.Point{
		{X: x - 0.06*u, Y: y + 0.05*u}, {X: x + 0.06*u, Y: y + 0.05*u}, {X: x, Y: y + 0.13*u},
	}, k.beak)
	c.Rect(x-0.24*u, y+0.16*u, x+0.24*u, y+0.22*u, k.water)
}
