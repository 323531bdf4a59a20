package envtest

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"

	"sharpie/envs"
)

func actionRules() []Rule {
	return []Rule{
		{
			Name:  "nothing happens before reset",
			Fix:   "return an error that wraps envs.ErrNotReset from Step and Render until Reset has succeeded",
			check: checkNotReset,
		},
		{
			Name:  "steps after the end are refused",
			Fix:   "return an error that wraps envs.ErrEpisodeOver from Step once no role is live",
			check: checkOver,
		},
		{
			Name:  "illegal actions are refused",
			Fix:   "return an error that wraps envs.ErrInvalidAction for an action outside its space, of an unknown or ended role, given twice, or missing",
			check: checkIllegal,
		},
		{
			Name:  "refused actions change nothing",
			Fix:   "check all actions before the first change of state",
			check: checkRefusedHarmless,
		},
		{
			Name:  "actions come in any order",
			Fix:   "match actions to roles by name, not by place",
			check: checkOrder,
		},
		{
			Name:  "actions belong to the caller",
			Fix:   "neither change nor keep the slice that Step is given: copy what is needed later",
			check: checkActionsOwned,
		},
		{
			Name:  "a cancelled call fails",
			Fix:   "return an error that wraps ctx.Err() where the context is cancelled before the call",
			check: checkCancelled,
		},
	}
}

func checkNotReset(p *probe) {
	s := p.env()
	rng := generator(p.opts.Seeds[0])
	var actions []envs.RoleAction
	for _, r := range s.Spec().Roles {
		actions = append(actions, envs.RoleAction{Role: r.Role, Action: r.Action.Sample(rng, nil)})
	}
	if _, err := s.tryStep(actions); !errors.Is(err, envs.ErrNotReset) {
		p.fail("Step before Reset returned %v", err)
	}
	if _, err := s.tryRender(); !errors.Is(err, envs.ErrNotReset) {
		p.fail("Render before Reset returned %v", err)
	}
}

func checkOver(p *probe) {
	s := p.env()
	for _, seed := range p.opts.Seeds {
		e := s.play(seed, p.opts.Steps, false)
		if !e.over {
			continue
		}
		last := e.moments[len(e.moments)-1].actions
		for _, actions := range [][]envs.RoleAction{last, nil} {
			if _, err := s.tryStep(actions); !errors.Is(err, envs.ErrEpisodeOver) {
				p.fail("Step with %d actions after the end returned %v", len(actions), err)
			}
		}
	}
}

// illegal is a way to spoil legal actions; ok is false where it cannot be done.
type illegal struct {
	name  string
	spoil func(s *subject, legal []envs.RoleAction) (spoilt []envs.RoleAction, ok bool)
}

func illegals() []illegal {
	return []illegal{
		{"a missing action", func(_ *subject, a []envs.RoleAction) ([]envs.RoleAction, bool) { return a[:len(a)-1], true }},
		{"no actions", func(*subject, []envs.RoleAction) ([]envs.RoleAction, bool) { return nil, true }},
		{"an action of a role that does not exist", func(_ *subject, a []envs.RoleAction) ([]envs.RoleAction, bool) {
			return append(a, envs.RoleAction{Role: "nobody at all", Action: a[0].Action}), true
		}},
		{"two actions of one role", func(_ *subject, a []envs.RoleAction) ([]envs.RoleAction, bool) { return append(a, a[0]), true }},
		{"an action that is nil", func(_ *subject, a []envs.RoleAction) ([]envs.RoleAction, bool) {
			a[len(a)-1].Action = nil
			return a, true
		}},
		{"an action outside its space", func(s *subject, a []envs.RoleAction) ([]envs.RoleAction, bool) {
			last := &a[len(a)-1]
			out, ok := outsider(s.role(last.Role).Action)
			last.Action = out
			return a, ok
		}},
	}
}

// outsider is a value of the right kind that is not in the space.
func outsider(space envs.Space) (envs.Value, bool) {
	switch x := space.(type) {
	case envs.Discrete:
		return envs.Int(x.Start + x.N), true
	case envs.MultiDiscrete:
		return envs.NewInt64Array(x.Nvec...), true
	case envs.MultiBinary:
		a := envs.NewArray(envs.Int8, x.Shape...)
		for i := range a.Data {
			a.Data[i] = 2
		}
		return a, len(a.Data) > 0
	case envs.TextSpace:
		return envs.Text(slices.Repeat([]byte("x"), x.MaxLength+1)), x.MaxLength < math.MaxInt16
	case envs.TupleSpace:
		return envs.Tuple{}, len(x) > 0
	case envs.DictSpace:
		return envs.Dict{}, len(x) > 0
	}
	if _, all := space.(envs.Opaque); all {
		return nil, false // only the environment knows what is legal
	}
	// an array of another shape is outside every Box
	return envs.NewArray(envs.Float32, 1, 2, 3, 4, 5), true
}

func checkIllegal(p *probe) {
	s := p.env()
	for _, seed := range p.opts.Seeds {
		s.reset(seed)
		rng := generator(seed)
		for range min(p.opts.Steps, 20) {
			for _, how := range illegals() {
				p.mustRefuse(s, how.name, func() ([]envs.RoleAction, bool) { return how.spoil(s, s.sample(rng)) })
			}
			tr := s.step(s.sample(rng))
			if len(s.live) == 0 {
				break
			}
			for _, r := range tr.Roles {
				if r.Terminated || r.Truncated {
					p.mustRefuse(s, "an action of a role that has ended", func() ([]envs.RoleAction, bool) {
						return append(s.sample(rng), envs.RoleAction{Role: r.Role, Action: s.role(r.Role).Action.Sample(rng, nil)}), true
					})
				}
			}
		}
	}
}

func (p *probe) mustRefuse(s *subject, name string, make func() ([]envs.RoleAction, bool)) {
	actions, ok := make()
	if !ok {
		return
	}
	if _, err := s.tryStep(actions); !errors.Is(err, envs.ErrInvalidAction) {
		p.fail("%s: Step(%s) returned %v", name, describeActions(actions), err)
	}
}

func checkRefusedHarmless(p *probe) {
	s := p.env()
	if !s.Spec().Replayable {
		return
	}
	seed := p.opts.Seeds[0]
	steps := min(p.opts.Steps, 50)
	want := s.play(seed, steps, true)

	got := &episode{seed: seed, first: s.reset(seed)}
	got.picture = s.render()
	rng := generator(seed)
	for i := range want.moments {
		legal := s.sample(rng)
		how := illegals()[i%len(illegals())]
		if spoilt, ok := how.spoil(s, slices.Clone(legal)); ok {
			// whether it is refused is another rule
			if _, err := s.tryStep(spoilt); err == nil {
				return
			}
		}
		got.moments = append(got.moments, moment{actions: legal, out: s.step(legal), picture: s.render()})
	}
	if d := want.difference(got); d != "" {
		p.fail("an episode with and without refused actions in between: %s", d)
	}
}

func checkOrder(p *probe) {
	s := p.env()
	if !s.Spec().Replayable {
		return
	}
	p.sameEpisode(s, "with actions in the order of the roles and in reverse", func(legal []envs.RoleAction) envs.Transition {
		slices.Reverse(legal)
		return s.step(legal)
	})
}

func checkActionsOwned(p *probe) {
	s := p.env()
	p.sameEpisode(s, "with a fresh slice of actions for every step and with one that is used again", func(legal []envs.RoleAction) envs.Transition {
		before := slices.Clone(legal)
		tr := s.step(legal)
		if !reflect.DeepEqual(before, legal) {
			p.fail("Step changed the actions %s to %s", describeActions(before), describeActions(legal))
		}
		for i := range legal {
			legal[i] = envs.RoleAction{Role: "scribbled over", Action: envs.Text("scribbled over")}
		}
		return tr
	})
}

// sameEpisode plays an episode twice, the second time with the given way to step.
func (p *probe) sameEpisode(s *subject, what string, step func([]envs.RoleAction) envs.Transition) {
	seed := p.opts.Seeds[0]
	want := s.play(seed, min(p.opts.Steps, 50), false)
	got := &episode{seed: seed, first: s.reset(seed)}
	rng := generator(seed)
	for range want.moments {
		if len(s.live) == 0 {
			break
		}
		got.moments = append(got.moments, moment{out: step(s.sample(rng))})
	}
	if !s.Spec().Replayable {
		return
	}
	if d := want.difference(got); d != "" {
		p.fail("an episode %s: %s", what, d)
	}
}

func checkCancelled(p *probe) {
	s := p.env()
	s.reset(p.opts.Seeds[0])
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	actions := s.sample(generator(1))
	err := p.call("Step with a cancelled context", func(context.Context) error {
		_, err := s.Step(cancelled, actions)
		return err
	})
	if !errors.Is(err, context.Canceled) {
		p.fail("Step with a cancelled context returned %v", err)
	}
	err = p.call("Reset with a cancelled context", func(context.Context) error {
		_, err := s.Reset(cancelled, 1)
		return err
	})
	if !errors.Is(err, context.Canceled) {
		p.fail("Reset with a cancelled context returned %v", err)
	}
}
