package mpe

import (
	"sync"

	"sharpie/envs"
	"sharpie/envs/draw"
)

// tagScene is what never moves and the colours, shared by all. Adversaries are
// vermilion stars, agents are blue discs in a ring, which is amber while touched.
type tagScene struct {
	background                         *draw.Canvas
	hunter, prey, obstacle, edge, name draw.Color
	caught                             draw.Color
	hunterNumbers, preyNumbers         [20]draw.Mask
}

var theTag = sync.OnceValue(func() *tagScene {
	var p draw.Palette
	s := &tagScene{hunterNumbers: numbers(20), preyNumbers: numbers(16)}
	paper, ground, line := p.Add(draw.Mist), p.Add(draw.Paper), p.Add(0xEBF0F6)
	s.name, s.edge = p.Add(draw.White), p.Add(draw.Ink)
	s.hunter, s.prey, s.obstacle = p.Add(draw.Vermilion), p.Add(draw.Blue), p.Add(draw.Slate)
	s.caught = p.Add(draw.Amber)
	p.Ramp(ground, s.hunter, s.prey, s.obstacle, s.caught)
	p.Ramp(paper, s.hunter, s.prey, s.obstacle, s.edge)
	p.Ramp(s.name, s.hunter, s.prey)
	palette := p.Done()
	s.background = field(palette, paper, ground, line)
	legend(s.background, s.edge,
		legendEntry{"chaser", func(c *draw.Canvas, x, y float64) { star(c, x, y, 10, s.hunter) }},
		legendEntry{"runner", func(c *draw.Canvas, x, y float64) { s.drawPrey(c, x, y, 9, s.prey) }},
		legendEntry{"obstacle", func(c *draw.Canvas, x, y float64) { c.Disc(x, y, 12, s.obstacle) }},
	)
	return s
})

func (s *tagScene) drawPrey(c *draw.Canvas, x, y, radius float64, ring draw.Color) {
	c.Ring(x, y, radius+5, 2.5, ring)
	if ring == s.caught {
		c.Ring(x, y, radius+9, 6, ring)
	}
	c.Disc(x, y, radius, s.prey)
}

func (t *tag) Draw() envs.Frame {
	if t.canvas == nil {
		t.scene = theTag()
		t.canvas = t.scene.background.Clone()
	}
	c, s := t.canvas, t.scene
	c.Restore(s.background)
	for l := t.agents; l < len(t.bodies); l++ {
		x, y := pixel(t.state.Positions[l])
		c.Disc(x, y, t.bodies[l].size*scale, s.obstacle)
	}
	for i := range t.agents {
		p, size := t.state.Positions[i], t.bodies[i].size
		x, y := pixel(p)
		hunts := i < t.adversaries
		k := s.prey
		if hunts {
			k = s.hunter
		}
		switch {
		case arrow(c, p, size, k):
		case hunts:
			star(c, x, y, size*scale, k)
			if t.adversaries > 1 {
				c.Stamp(s.hunterNumbers[i], x, y, s.name)
			}
		default:
			ring := s.prey
			for hunter := range t.adversaries {
				if t.touching(i, hunter) {
					ring = s.caught
				}
			}
			s.drawPrey(c, x, y, size*scale, ring)
			if t.agents-t.adversaries > 1 {
				c.Stamp(s.preyNumbers[i-t.adversaries], x, y, s.name)
			}
		}
	}
	return c.Frame()
}
