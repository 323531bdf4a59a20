package envtest

import (
	"math"
	"slices"

	"sharpie/envs"
)

func episodeRules() []Rule {
	return []Rule{
		{
			Name:  "transitions name the live roles",
			Fix:   "return one entry for each role that was live before the step, in the order of Spec.Roles, also for those that end in it",
			check: checkLiveRoles,
		},
		{
			Name:  "roles that end never revive",
			Fix:   "leave a role out of all transitions after the one in which it was terminated or truncated",
			check: checkRevival,
		},
		{
			Name:  "rewards are finite",
			Fix:   "return a number for every reward: no NaN, no infinity",
			check: checkRewards,
		},
		{
			Name:  "the step limit truncates",
			Fix:   "truncate every live role in step MaxSteps, and say MaxSteps = 0 where there is no limit",
			check: checkLimit,
		},
		{
			Name:  "same seed, same episode",
			Fix:   "draw every random number from a generator that Reset seeds, use no clock and no order of a Go map, or say Replayable = false",
			check: checkDeterminism,
		},
		{
			Name:  "reset forgets the past",
			Fix:   "set every field of the state in Reset, the generator's as well",
			check: checkForgets,
		},
		{
			Name:  "instances are independent",
			Fix:   "keep state in the environment, not in package variables",
			check: checkIndependent,
		},
	}
}

func checkLiveRoles(p *probe) {
	s := p.env()
	for _, seed := range p.opts.Seeds {
		e := s.play(seed, p.opts.Steps, false)
		live := roles(e.first, func(o envs.RoleObservation) (envs.Role, bool) { return o.Role, true })
		for i, m := range e.moments {
			got := roles(m.out.Roles, func(r envs.RoleTransition) (envs.Role, bool) { return r.Role, true })
			if !slices.Equal(got, live) {
				p.fail("step %d of seed %d is of roles %v, but %v were live", i+1, seed, got, live)
			}
			live = roles(m.out.Roles, func(r envs.RoleTransition) (envs.Role, bool) {
				return r.Role, !r.Terminated && !r.Truncated
			})
		}
	}
}

func roles[T any](of []T, get func(T) (envs.Role, bool)) []envs.Role {
	var out []envs.Role
	for _, x := range of {
		if r, ok := get(x); ok {
			out = append(out, r)
		}
	}
	return out
}

func checkRevival(p *probe) {
	s := p.env()
	for _, seed := range p.opts.Seeds {
		ended := map[envs.Role]int{}
		for i, m := range s.play(seed, p.opts.Steps, false).moments {
			for _, r := range m.out.Roles {
				if at, ok := ended[r.Role]; ok {
					p.fail("role %q ended in step %d of seed %d and is back in step %d", r.Role, at, seed, i+1)
				}
				if r.Terminated || r.Truncated {
					ended[r.Role] = i + 1
				}
			}
		}
	}
}

func checkRewards(p *probe) {
	s := p.env()
	for _, seed := range p.opts.Seeds {
		for i, m := range s.play(seed, p.opts.Steps, false).moments {
			for _, r := range m.out.Roles {
				if math.IsNaN(r.Reward) || math.IsInf(r.Reward, 0) {
					p.fail("the reward of %q in step %d of seed %d is %v", r.Role, i+1, seed, r.Reward)
				}
			}
		}
	}
}

func checkLimit(p *probe) {
	s := p.env()
	limit := s.Spec().MaxSteps
	for _, seed := range p.opts.Seeds {
		e := s.play(seed, min(p.opts.Steps, limit+1), false)
		if limit == 0 || len(e.moments) < limit {
			continue
		}
		if len(e.moments) > limit {
			p.fail("seed %d goes on after step %d of %d", seed, limit, limit)
		}
		for _, r := range e.moments[limit-1].out.Roles {
			if !r.Truncated && !r.Terminated {
				p.fail("role %q has not ended in step %d of %d", r.Role, limit, limit)
			}
		}
	}
}

func checkDeterminism(p *probe) {
	a, b := p.env(), p.env()
	if !a.Spec().Replayable {
		return
	}
	for _, seed := range p.opts.Seeds {
		x, y := a.play(seed, p.opts.Steps, true), b.play(seed, p.opts.Steps, true)
		if d := x.difference(y); d != "" {
			p.fail("two environments with seed %d and the same actions: %s", seed, d)
		}
	}
}

func checkForgets(p *probe) {
	used := p.env()
	if !used.Spec().Replayable {
		// what can be asked of it is that it goes on at all
		used.play(p.opts.Seeds[0], p.opts.Steps, false)
		used.play(p.opts.Seeds[0], 1, false)
		return
	}
	seed := p.opts.Seeds[0]
	fresh := p.env().play(seed, p.opts.Steps, true)
	used.play(seed+1, p.opts.Steps, true)
	if d := fresh.difference(used.play(seed, p.opts.Steps, true)); d != "" {
		p.fail("a fresh environment and one that ended an episode, both with seed %d: %s", seed, d)
	}
	used.play(seed+1, 1, true)
	if d := fresh.difference(used.play(seed, p.opts.Steps, true)); d != "" {
		p.fail("a fresh environment and one that left an episode after a step, both with seed %d: %s", seed, d)
	}
}

func checkIndependent(p *probe) {
	a := p.env()
	if !a.Spec().Replayable {
		return
	}
	seed := p.opts.Seeds[0]
	alone := a.play(seed, p.opts.Steps, true)

	other := p.env()
	e := &episode{seed: seed, first: a.reset(seed)}
	e.picture = a.render()
	rng, noise := generator(seed), generator(seed+1)
	other.reset(seed + 1)
	for range alone.moments {
		if len(other.live) == 0 {
			other.reset(seed + 1)
		}
		other.step(other.sample(noise))
		other.render()
		actions := a.sample(rng)
		e.moments = append(e.moments, moment{actions: actions, out: a.step(actions), picture: a.render()})
	}
	if d := alone.difference(e); d != "" {
		p.fail("an environment alone and beside another, both with seed %d: %s", seed, d)
	}
}
