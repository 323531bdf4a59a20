package envtest

import (
	"fmt"
	"math"
	"reflect"
	"slices"

	"sharpie/envs"
)

func episodeRules() []Rule {
	return []Rule{
		{
			Name:  "reset observes every role",
			Fix:   "return one observation per role of Spec from Reset, in the order of Spec.Roles",
			check: checkReset,
		},
		{
			Name:  "observations lie in their space",
			Fix:   "widen the observation space, or clip and cast what you return to its dtype, shape and bounds",
			check: func(p *probe) { p.everyObservation(checkObservation) },
		},
		{
			Name:  "action masks fit",
			Fix:   "return a mask only for a Discrete action space, with one entry per action and at least one legal action",
			check: func(p *probe) { p.everyObservation(checkMask) },
		},
		{
			Name:  "info is plain",
			Fix:   "put only finite numbers, strings, bools, and slices and maps of them into Info",
			check: func(p *probe) { p.everyObservation(checkInfo) },
		},
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
		{
			Name:  "values never change once returned",
			Fix:   "return fresh memory for every observation, mask and info, or such as is never written again",
			check: checkImmutable,
		},
	}
}

func checkReset(p *probe) {
	s := p.env()
	obs := s.reset(p.opts.Seeds[0])
	var want, got []envs.Role
	for _, r := range s.Spec().Roles {
		want = append(want, r.Role)
	}
	for _, o := range obs {
		got = append(got, o.Role)
	}
	if !slices.Equal(got, want) {
		p.fail("the roles are %v and Reset observed %v", want, got)
	}
}

// everyObservation plays episodes and looks at all observations.
func (p *probe) everyObservation(check func(r *envs.RoleSpec, o envs.RoleObservation) error) {
	s := p.env()
	inspect := func(when string, o envs.RoleObservation) {
		r := s.role(o.Role)
		if r == nil {
			p.fail("%s, an observation is of role %q, which Spec does not list", when, o.Role)
		}
		if err := check(r, o); err != nil {
			p.fail("%s, role %q: %v", when, o.Role, err)
		}
	}
	for _, seed := range p.opts.Seeds {
		e := s.play(seed, p.opts.Steps, false)
		for _, o := range e.first {
			inspect(fmt.Sprintf("after Reset(%d)", seed), o)
		}
		for i, m := range e.moments {
			for _, r := range m.out.Roles {
				inspect(fmt.Sprintf("in step %d of seed %d", i+1, seed), r.RoleObservation)
			}
		}
	}
}

func checkObservation(r *envs.RoleSpec, o envs.RoleObservation) error {
	return r.Observation.Contains(o.Observation)
}

func checkMask(r *envs.RoleSpec, o envs.RoleObservation) error {
	if o.ActionMask == nil {
		return nil
	}
	d, ok := r.Action.(envs.Discrete)
	if !ok {
		return fmt.Errorf("there is an action mask for %s", r.Action)
	}
	if int64(len(o.ActionMask)) != d.N {
		return fmt.Errorf("the action mask has %d entries for %s", len(o.ActionMask), d)
	}
	if !slices.Contains(o.ActionMask, true) {
		return fmt.Errorf("the action mask allows no action")
	}
	return nil
}

func checkInfo(_ *envs.RoleSpec, o envs.RoleObservation) error {
	for k, v := range o.Info {
		if err := plain(reflect.ValueOf(v), 8); err != nil {
			return fmt.Errorf("info %q: %w", k, err)
		}
	}
	return nil
}

// plain accepts what every store and every language can hold.
func plain(v reflect.Value, depth int) error {
	if depth == 0 {
		return fmt.Errorf("is nested too deeply: at most 8 levels")
	}
	switch v.Kind() {
	case reflect.Invalid, reflect.Bool, reflect.String,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return nil
	case reflect.Float32, reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("is %v", f)
		}
		return nil
	case reflect.Interface:
		return plain(v.Elem(), depth)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if err := plain(v.Index(i), depth-1); err != nil {
				return err
			}
		}
		return nil
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String {
			return fmt.Errorf("is a %s: keys are strings", v.Type())
		}
		for _, k := range v.MapKeys() {
			if err := plain(v.MapIndex(k), depth-1); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("is a %s", v.Type())
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

func checkImmutable(p *probe) {
	s := p.env()
	for _, seed := range p.opts.Seeds {
		var kept, copies []envs.RoleObservation
		keep := func(o envs.RoleObservation) {
			kept, copies = append(kept, o), append(copies, clone(o))
		}
		for _, o := range s.reset(seed) {
			keep(o)
		}
		rng := generator(seed)
		for range min(p.opts.Steps, 50) {
			tr := s.step(s.sample(rng))
			for _, r := range tr.Roles {
				keep(r.RoleObservation)
			}
			if tr.Done() {
				break
			}
		}
		s.reset(seed + 1)
		for i := range kept {
			if d := observationDifference(copies[i], kept[i]); d != "" {
				p.fail("something returned with seed %d changed later: %s", seed, d)
			}
		}
	}
}
