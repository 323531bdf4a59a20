package envtest

import (
	"context"
	"errors"
	"strings"

	"sharpie/envs"
)

// hostRules are of an envs.Host; other environments keep them by not being one.
func hostRules() []Rule {
	return []Rule{
		{
			Name:  "a turn is a step and a picture",
			Fix:   "let Turn without policies do what Step and Render do, with one Decision for each RoleTurn, whose Action is the action done",
			check: checkTurn,
		},
		{
			Name:  "without policies there is nothing to learn",
			Fix:   "return no versions and no error from Learn where nobody is taught, and leave the episode as it is",
			check: checkLearnNothing,
		},
		{
			Name:  "turns end with close",
			Fix:   "return an error that wraps envs.ErrClosed from Turn and Learn after Close",
			check: checkHostClose,
		},
		{
			Name:  "info and output outlive close",
			Fix:   "name the interpreter and the confinement in Info, keep both, and the output, after Close, and at most 64 KiB of it",
			check: checkHostInfo,
		},
	}
}

// host is the environment as a host, and whether it is one.
func (s *subject) host() (envs.Host, bool) {
	h, ok := s.Environment.(envs.Host)
	return h, ok
}

// turnsOf are the parts of a turn in which every role acts by itself.
func turnsOf(actions []envs.RoleAction) []envs.RoleTurn {
	out := make([]envs.RoleTurn, len(actions))
	for i, a := range actions {
		out[i] = envs.RoleTurn{Role: a.Role, Acts: true, Action: a.Action, Final: true}
	}
	return out
}

func (s *subject) tryTurn(turns []envs.RoleTurn) (out envs.Outcome, err error) {
	h, _ := s.host()
	err = s.probe.call("Turn", func(ctx context.Context) (err error) {
		out, err = h.Turn(ctx, turns)
		return err
	})
	return out, err
}

// turn takes a step as one Turn.
func (s *subject) turn(actions []envs.RoleAction) moment {
	out, err := s.tryTurn(turnsOf(actions))
	if err != nil {
		s.probe.fail("Turn with legal actions %s failed: %v", describeActions(actions), err)
	}
	if len(out.Decisions) != len(actions) {
		s.probe.fail("Turn returned %d decisions for %d parts", len(out.Decisions), len(actions))
	}
	for i, d := range out.Decisions {
		if d.Policy != nil {
			s.probe.fail("Turn says that the policy of %q, which was not asked, wanted %v", actions[i].Role, d.Policy)
		}
		if d.Action == nil || !envs.Equal(d.Action, actions[i].Action) {
			s.probe.fail("Turn says that %q did %v, but its action was %v", actions[i].Role, d.Action, actions[i].Action)
		}
	}
	s.live = s.live[:0]
	for _, r := range out.Roles {
		if !r.Terminated && !r.Truncated {
			s.live = append(s.live, r.RoleObservation)
		}
	}
	return moment{actions: actions, out: out.Transition, picture: lookAt(out.Frame)}
}

func checkTurn(p *probe) {
	s := p.env()
	if _, ok := s.host(); !ok {
		return
	}
	for _, seed := range p.opts.Seeds {
		steps := min(p.opts.Steps, 60)
		want := s.play(seed, steps, true)
		got := &episode{seed: seed, first: s.reset(seed), picture: s.render()}
		rng := generator(seed)
		for i := 0; i < steps && len(s.live) > 0; i++ {
			got.moments = append(got.moments, s.turn(s.sample(rng)))
		}
		if !s.Spec().Replayable {
			continue
		}
		if d := want.difference(got); d != "" {
			p.fail("an episode by Step and Render, and by Turn, both with seed %d: %s", seed, d)
		}
	}
}

// learnNothing teaches nobody.
func (s *subject) learnNothing() (versions []string, err error) {
	h, _ := s.host()
	err = s.probe.call("Learn", func(ctx context.Context) (err error) {
		versions, err = h.Learn(ctx, nil)
		return err
	})
	return versions, err
}

func checkLearnNothing(p *probe) {
	s := p.env()
	if _, ok := s.host(); !ok {
		return
	}
	s.reset(p.opts.Seeds[0])
	s.step(s.sample(generator(1)))
	before := s.render()
	versions, err := s.learnNothing()
	if err != nil || len(versions) != 0 {
		p.fail("Learn of nobody returned the versions %q and the error %v", versions, err)
	}
	if d := pictureDifference(before, s.render()); d != "" {
		p.fail("Learn of nobody changed something: %s", d)
	}
}

func checkHostClose(p *probe) {
	s := p.env()
	if _, ok := s.host(); !ok {
		return
	}
	s.reset(p.opts.Seeds[0])
	actions := s.sample(generator(1))
	if err := p.call("Close", func(context.Context) error { return s.Close() }); err != nil {
		p.fail("Close returned %v", err)
	}
	if _, err := s.tryTurn(turnsOf(actions)); !errors.Is(err, envs.ErrClosed) {
		p.fail("Turn after Close returned %v", err)
	}
	if _, err := s.learnNothing(); !errors.Is(err, envs.ErrClosed) {
		p.fail("Learn after Close returned %v", err)
	}
}

// maxOutput is what Output may return, in bytes.
const maxOutput = 64 << 10

func checkHostInfo(p *probe) {
	s := p.env()
	h, ok := s.host()
	if !ok {
		return
	}
	s.reset(p.opts.Seeds[0])
	read := func() (info envs.HostInfo, output string) {
		_ = p.call("Info and Output", func(context.Context) error {
			info, output = h.Info(), h.Output()
			return nil
		})
		return info, output
	}
	before, printed := read()
	if before.Interpreter == "" || before.Confinement == "" {
		p.fail("the interpreter is %q, the confinement %q", before.Interpreter, before.Confinement)
	}
	if err := p.call("Close", func(context.Context) error { return s.Close() }); err != nil {
		p.fail("Close returned %v", err)
	}
	after, kept := read()
	if after.Interpreter != before.Interpreter || after.Confinement != before.Confinement {
		p.fail("Info was %+v and after Close is %+v", before, after)
	}
	if len(kept) > maxOutput || (len(printed) < maxOutput/2 && !strings.HasPrefix(kept, printed)) {
		p.fail("Output was %d bytes and after Close is %d bytes that do not begin alike, or more than %d", len(printed), len(kept), maxOutput)
	}
}
