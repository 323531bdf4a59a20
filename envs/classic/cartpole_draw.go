package classic

import (
	"math"
	"sync"

	"sharpie/envs"
	"sharpie/envs/draw"
)

// poleScene is what never moves, shared by all cart-poles.
type poleScene struct {
	background                     *draw.Canvas
	cart, pole, limit, joint, dark draw.Color
}

const (
	// poleScale is pixels per metre: the picture shows a little more than the
	// allowed 2.4 m to each side.
	poleScale = sceneWidth / (2 * (poleMaxX + 0.2))
	// trackY is the height of the track on the picture; the pole turns poleAxle
	// pixels above it.
	trackY   = 318.0
	poleAxle = 46.0
	// polePixels is the pole's length, drawn a little longer than to scale.
	polePixels = 170.0
)

var thePole = sync.OnceValue(func() *poleScene {
	var p draw.Palette
	s := &poleScene{}
	sky, ground := p.Add(draw.Paper), p.Add(0xCFE3D6)
	track := p.Add(draw.Green)
	s.limit, s.cart, s.pole = p.Add(0xD5DDE8), p.Add(draw.Blue), p.Add(draw.Vermilion)
	s.dark, s.joint = p.Add(draw.Ink), p.Add(draw.White)
	p.Ramp(sky, s.limit, s.cart, s.pole, s.dark)
	p.Ramp(s.limit, s.pole)
	p.Ramp(s.cart, s.pole, s.dark, s.joint)
	p.Ramp(s.dark, s.pole, s.joint, ground)
	palette := p.Done()

	b := draw.NewCanvas(sceneWidth, sceneHeight, palette, sky)
	b.Rect(0, trackY, sceneWidth, sceneHeight, ground)
	b.Rect(0, trackY-2, sceneWidth, trackY+2, track)
	for _, side := range [...]float64{-poleMaxX, poleMaxX} {
		x := sceneWidth/2 + side*poleScale
		b.Line(x, trackY, x, trackY-34, 6, s.dark)
	}
	s.background = b
	return s
})

func (p *cartPole) Draw() envs.Frame {
	s := thePole()
	if p.canvas == nil {
		p.canvas = s.background.Clone()
	}
	c := p.canvas
	c.Restore(s.background)

	x, y := sceneWidth/2+p.state.X*poleScale, trackY-poleAxle
	// the pole may lean until it touches one of these lines
	for _, angle := range [...]float64{-poleMaxAngle, poleMaxAngle} {
		sin, cos := math.Sincos(angle)
		c.Line(x, y, x+(polePixels+16)*sin, y-(polePixels+16)*cos, 2, s.limit)
	}
	c.Convex([]draw.Point{
		{X: x - 44, Y: trackY - 14}, {X: x + 44, Y: trackY - 14},
		{X: x + 44, Y: y + 4}, {X: x + 40, Y: y}, {X: x - 40, Y: y}, {X: x - 44, Y: y + 4},
	}, s.cart)
	for _, dx := range [...]float64{-26, 26} {
		c.Disc(x+dx, trackY-12, 11, s.dark)
		c.Disc(x+dx, trackY-12, 4, s.joint)
	}
	sin, cos := math.Sincos(p.state.Theta)
	c.Line(x, y, x+polePixels*sin, y-polePixels*cos, 13, s.pole)
	c.Disc(x, y, 8, s.dark)
	c.Disc(x, y, 3.5, s.joint)
	return c.Frame()
}
