package envtest

import (
	"fmt"

	"sharpie/envs"
)

func pictureRules() []Rule {
	return []Rule{
		{
			Name:  "pictures are well-formed and of constant size",
			Fix:   "return Width × Height of Spec in every frame, with either 3 bytes per pixel in RGB or one in Index and at most 256 colours in Palette; no picture at all where Spec says 0×0",
			check: checkFrames,
		},
		{
			Name:  "rendering changes nothing",
			Fix:   "let Render only read the state; draw no random numbers in it that Step uses",
			check: checkRenderPure,
		},
		{
			Name:  "the same state looks the same",
			Fix:   "redraw everything that the last picture left behind, and draw no new random numbers in Render",
			check: checkRenderTwice,
		},
		{
			Name:  "the last state can be drawn",
			Fix:   "let Render work until Close, also when the episode is over",
			check: checkRenderEnd,
		},
	}
}

// frameProblem says what is wrong with a frame.
func frameProblem(spec envs.Spec, f envs.Frame) error {
	if spec.Width == 0 {
		if !f.Empty() {
			return fmt.Errorf("there is a picture, but Spec says 0×0")
		}
		return nil
	}
	if f.Width != spec.Width || f.Height != spec.Height {
		return fmt.Errorf("the picture is %d×%d, but Spec says %d×%d", f.Width, f.Height, spec.Width, spec.Height)
	}
	pixels := f.Width * f.Height
	switch {
	case f.RGB != nil && f.Index != nil:
		return fmt.Errorf("both RGB and Index are set")
	case f.RGB != nil && len(f.RGB) != 3*pixels:
		return fmt.Errorf("the field RGB has %d bytes instead of %d", len(f.RGB), 3*pixels)
	case f.RGB != nil && f.Palette != nil:
		return fmt.Errorf("a palette is set, but no Index")
	case f.RGB != nil:
		return nil
	case len(f.Index) != pixels:
		return fmt.Errorf("the field Index has %d bytes instead of %d", len(f.Index), pixels)
	case len(f.Palette) == 0 || len(f.Palette)%3 != 0 || len(f.Palette) > 3*256:
		return fmt.Errorf("the palette has %d bytes: allowed are 3 per colour, 1 to 256 colours", len(f.Palette))
	}
	for i, k := range f.Index {
		if 3*int(k) >= len(f.Palette) {
			return fmt.Errorf("pixel (%d, %d) has colour %d of %d", i%f.Width, i/f.Width, k, len(f.Palette)/3)
		}
	}
	return nil
}

func checkFrames(p *probe) {
	s := p.env()
	s.reset(p.opts.Seeds[0])
	spec := s.Spec() // a host may know the size only now
	if err := frameProblem(spec, s.draw()); err != nil {
		p.fail("after Reset, %v", err)
	}
	rng := generator(p.opts.Seeds[0])
	for i := 0; i < min(p.opts.Steps, 60) && len(s.live) > 0; i++ {
		s.step(s.sample(rng))
		if err := frameProblem(spec, s.draw()); err != nil {
			p.fail("after step %d, %v", i+1, err)
		}
	}
}

func checkRenderPure(p *probe) {
	s := p.env()
	if !s.Spec().Replayable {
		return
	}
	for _, seed := range p.opts.Seeds {
		with, without := s.play(seed, p.opts.Steps, true), s.play(seed, p.opts.Steps, false)
		with.picture = look{}
		for i := range with.moments {
			with.moments[i].picture = look{}
		}
		if d := with.difference(without); d != "" {
			p.fail("an episode of seed %d with and without pictures: %s", seed, d)
		}
	}
}

func checkRenderTwice(p *probe) {
	s := p.env()
	seed := p.opts.Seeds[0]
	e := s.play(seed, min(p.opts.Steps, 60), true)
	if d := pictureDifference(s.render(), s.render()); d != "" {
		p.fail("Render twice without a step in between: %s", d)
	}
	if !s.Spec().Replayable {
		return
	}
	// a picture must not depend on the pictures before it
	fresh := p.env()
	last := fresh.play(seed, len(e.moments), false)
	if len(last.moments) == 0 {
		return
	}
	if d := pictureDifference(e.moments[len(e.moments)-1].picture, fresh.render()); d != "" {
		p.fail("step %d of seed %d, drawn after all others and drawn alone: %s", len(last.moments), seed, d)
	}
}

func checkRenderEnd(p *probe) {
	s := p.env()
	for _, seed := range p.opts.Seeds {
		e := s.play(seed, p.opts.Steps, false)
		if !e.over {
			continue
		}
		if err := frameProblem(s.Spec(), s.draw()); err != nil {
			p.fail("after the end, %v", err)
		}
	}
}
