package mpe

import (
	"sync"

	"sharpie/envs"
	"sharpie/envs/draw"
)

// spreadScene is what never moves and the colours, shared by all.
type spreadScene struct {
	background                 *draw.Canvas
	agents                     [4]draw.Color // agent i has colour i mod 4
	goal, covered, edge, label draw.Color
	numbers                    [20]draw.Mask
}

var theSpread = sync.OnceValue(func() *spreadScene {
	var p draw.Palette
	s := &spreadScene{numbers: numbers(26)}
	paper, ground, line := p.Add(draw.Mist), p.Add(draw.Paper), p.Add(0xEBF0F6)
	s.label, s.edge = p.Add(draw.White), p.Add(draw.Ink)
	s.goal, s.covered = p.Add(draw.Amber), p.Add(draw.Green)
	for i, rgb := range [...]uint32{draw.Blue, draw.Vermilion, draw.Purple, draw.Teal} {
		s.agents[i] = p.Add(rgb)
		p.Ramp(s.agents[i], ground, s.label, s.edge)
	}
	p.Ramp(ground, s.goal, s.covered, s.edge)
	p.Ramp(s.edge, paper, s.label)
	palette := p.Done()
	s.background = field(palette, paper, ground, line)
	legend(s.background, s.edge,
		legendEntry{"agent", func(c *draw.Canvas, x, y float64) {
			c.Disc(x, y, 13, s.edge)
			c.Disc(x, y, 11, s.agents[0])
		}},
		legendEntry{"goal", func(c *draw.Canvas, x, y float64) { s.target(c, x, y, 12, s.goal) }},
		legendEntry{"covered", func(c *draw.Canvas, x, y float64) { s.target(c, x, y, 12, s.covered) }},
	)
	return s
})

// target draws a landmark: a ring, within which an agent covers it, and a dot,
// which makes room for the agent's number once it is covered.
func (s *spreadScene) target(c *draw.Canvas, x, y, radius float64, k draw.Color) {
	c.Ring(x, y, radius+2, 8, s.label)
	c.Ring(x, y, radius, 4, k)
	if k != s.covered {
		c.Disc(x, y, radius/3, k)
	}
}

func (s *spread) Draw() envs.Frame {
	if s.canvas == nil {
		s.scene = theSpread()
		s.canvas = s.scene.background.Clone()
	}
	c, scene := s.canvas, s.scene
	c.Restore(scene.background)
	for i := range s.n {
		p := s.state.Positions[i]
		k := scene.agents[i%len(scene.agents)]
		if arrow(c, p, s.bodies[i].size, k) {
			continue
		}
		x, y := pixel(p)
		r := s.bodies[i].size * scale
		c.Disc(x, y, r, scene.edge)
		c.Disc(x, y, r-2, k)
	}
	// landmarks lie on top, so that one under an agent is seen
	for l := s.n; l < 2*s.n; l++ {
		x, y := pixel(s.state.Positions[l])
		k := scene.goal
		if s.nearest(l) < captureRadius {
			k = scene.covered
		}
		scene.target(c, x, y, captureRadius*scale, k)
	}
	for i := range s.n {
		x, y := pixel(s.state.Positions[i])
		c.Stamp(scene.numbers[i], x, y, scene.label)
	}
	return c.Frame()
}
