package envtest

import (
	"fmt"
	"slices"

	"sharpie/envs"
)

func turnRules() []Rule {
	return []Rule{
		{
			Name:  "it is always somebody's turn",
			Fix:   "leave Waits false for at least one live role, as long as there is one: nobody could go on",
			check: checkSomebodysTurn,
		},
		{
			Name:  "roles that wait do not act",
			Fix:   "return an error that wraps envs.ErrInvalidAction for an action of a role that said Waits, and want none of it",
			check: checkWaiting,
		},
	}
}

func checkSomebodysTurn(p *probe) {
	s := p.env()
	for _, seed := range p.opts.Seeds {
		s.reset(seed)
		rng := generator(seed)
		for i := 0; i < p.opts.Steps && len(s.live) > 0; i++ {
			if !slices.ContainsFunc(s.live, func(o envs.RoleObservation) bool { return !o.Waits }) {
				p.fail("after step %d of seed %d all live roles wait: %v", i, seed,
					roles(s.live, func(o envs.RoleObservation) (envs.Role, bool) { return o.Role, true }))
			}
			s.step(s.sample(rng))
		}
	}
}

func checkWaiting(p *probe) {
	s := p.env()
	for _, seed := range p.opts.Seeds {
		s.reset(seed)
		rng := generator(seed)
		for i := 0; i < min(p.opts.Steps, 20) && len(s.live) > 0; i++ {
			for _, o := range s.live {
				if !o.Waits {
					continue
				}
				p.mustRefuse(s, fmt.Sprintf("an action of %q, which waits for its turn", o.Role), func() ([]envs.RoleAction, bool) {
					return append(s.sample(rng), envs.RoleAction{Role: o.Role, Action: s.role(o.Role).Action.Sample(rng, o.ActionMask)}), true
				})
			}
			s.step(s.sample(rng))
		}
	}
}
