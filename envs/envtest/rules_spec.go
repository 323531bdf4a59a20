package envtest

import (
	"math"
	"reflect"

	"sharpie/envs"
)

func specRules() []Rule {
	return []Rule{
		{
			Name:  "spec is complete",
			Fix:   "fill Spec: an ID, a Version, at least one role with a unique name and both spaces, a meaning for every action or for none, and a width and a height or neither",
			check: checkSpec,
		},
		{
			Name:  "spec never changes",
			Fix:   "compute Spec once, when the environment is made, and return it unchanged; a host alone may learn Width and Height from its first Reset",
			check: checkSpecConstant,
		},
		{
			Name:  "spaces contain their samples",
			Fix:   "give every space bounds that a value can satisfy: N ≥ 1, low ≤ high, MinLength ≤ MaxLength",
			check: checkSamples,
		},
	}
}

func checkSpec(p *probe) {
	spec := p.env().Spec()
	if spec.ID == "" || spec.Version == "" {
		p.fail("ID is %q, Version is %q", spec.ID, spec.Version)
	}
	if len(spec.Roles) == 0 {
		p.fail("there is no role")
	}
	seen := map[envs.Role]bool{}
	for i, r := range spec.Roles {
		if r.Role == "" || seen[r.Role] {
			p.fail("role %d is called %q, which is empty or taken", i, r.Role)
		}
		seen[r.Role] = true
		if r.Observation == nil || r.Action == nil {
			p.fail("role %q lacks a space: observation %v, action %v", r.Role, r.Observation, r.Action)
		}
		if r.ActionMeanings == nil {
			continue
		}
		if d, ok := r.Action.(envs.Discrete); !ok || int64(len(r.ActionMeanings)) != d.N {
			p.fail("role %q has %d action meanings for %s", r.Role, len(r.ActionMeanings), r.Action)
		}
	}
	if spec.Width < 0 || spec.Height < 0 || (spec.Width == 0) != (spec.Height == 0) {
		p.fail("the picture is %d×%d", spec.Width, spec.Height)
	}
	if !(spec.FPS >= 0) || math.IsInf(spec.FPS, 0) || spec.MaxSteps < 0 {
		p.fail("FPS is %v, MaxSteps is %d", spec.FPS, spec.MaxSteps)
	}
}

func checkSpecConstant(p *probe) {
	s := p.env()
	before := s.Spec()
	first := before
	s.reset(p.opts.Seeds[0])
	if _, host := s.Environment.(envs.Host); host && before.Width == 0 && before.Height == 0 {
		before.Width, before.Height = s.Spec().Width, s.Spec().Height
	}
	s.play(p.opts.Seeds[0], p.opts.Steps, false)
	if after := s.Spec(); !reflect.DeepEqual(before, after) {
		p.fail("it was %+v and after an episode it is %+v", before, after)
	}
	if other := p.env().Spec(); !reflect.DeepEqual(first, other) {
		p.fail("one environment has %+v, another made in the same way has %+v", first, other)
	}
}

func checkSamples(p *probe) {
	for _, r := range p.env().Spec().Roles {
		rng := generator(p.opts.Seeds[0])
		for _, space := range []envs.Space{r.Observation, r.Action} {
			for range 20 {
				if err := space.Contains(space.Sample(rng, nil)); err != nil {
					p.fail("of role %q: %v", r.Role, err)
				}
			}
		}
	}
}
