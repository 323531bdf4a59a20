package envtest

import (
	"fmt"
	"math"
	"reflect"
	"slices"

	"sharpie/envs"
)

func observationRules() []Rule {
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
