package agenttest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sharpie/agents"
	"sharpie/agents/agenttest"
	"sharpie/envs"
)

// good is a policy that keeps every rule: it counts what it was taught, and acts
// on the count. The tests break it in one way each.
type good struct {
	spec   agents.Spec
	rng    *rand.Rand
	known  []byte // one byte per judged transition, at most 100
	closed bool
	reuse  envs.Array
	flaws
}

// flaws are ways to break the contract.
type flaws struct {
	outOfSpace, ignoresMask, unseeded, writesObservation, writesTransition, reusesAction, learnsInAct,
	namelessVersion, constantVersion, restlessVersion, forgetsState, keepsOldVersion, takesRubbish, halfTakesRubbish,
	panics, takesEveryArgument, closesOnce, actsAfterClose, learnsAfterClose bool
}

func (f flaws) factory(spec agents.Spec) (agents.Agent, error) {
	k := envs.NewKwargs(spec.Kwargs)
	if err := k.Err(); err != nil && !f.takesEveryArgument {
		return nil, fmt.Errorf("%w: %w", agents.ErrInvalidArgument, err)
	}
	g := &good{spec: spec, rng: rand.New(rand.NewPCG(spec.Seed, 1)), flaws: f, reuse: envs.NewArray(envs.Float32, 2)}
	if f.unseeded {
		g.rng = rand.New(rand.NewPCG(rand.Uint64(), 1))
	}
	return g, nil
}

func (g *good) Act(_ context.Context, in agents.Input) (envs.Value, error) {
	if g.closed && !g.actsAfterClose {
		return nil, agents.ErrClosed
	}
	a, ok := in.Observation.(envs.Array)
	if g.panics {
		a = in.Observation.(envs.Array)
	}
	if !ok || g.spec.Role.Observation.Contains(a) != nil {
		return nil, fmt.Errorf("no observation: %v", in.Observation)
	}
	if g.writesObservation {
		a.Data[0]++
	}
	if g.learnsInAct {
		g.known = append(g.known, 1)
	}
	d, ok := g.spec.Role.Action.(envs.Discrete)
	if !ok {
		if g.reusesAction {
			g.reuse.Data[3] = byte(g.rng.IntN(2)) << 5
			return g.reuse, nil
		}
		return g.spec.Role.Action.Sample(g.rng, nil), nil
	}
	if g.outOfSpace {
		return envs.Int(d.Start + d.N), nil
	}
	start := int64(len(g.known)) + g.rng.Int64N(2)
	for i := range d.N {
		at := (start + i) % d.N
		if in.ActionMask == nil || in.ActionMask[at] || g.ignoresMask {
			return envs.Int(d.Start + at), nil
		}
	}
	return envs.Int(d.Start), nil
}

func (g *good) Update(_ context.Context, t agents.Transition) error {
	if g.closed && !g.learnsAfterClose {
		return agents.ErrClosed
	}
	if a, ok := t.NextObservation.(envs.Array); ok && g.writesTransition {
		a.Data[0]++
	}
	if t.Human && t.Reward != 0 && len(g.known) < 100 {
		g.known = append(g.known, 1)
	}
	if g.restlessVersion {
		g.rng.Uint64()
		g.reuse.Shape = append(g.reuse.Shape, 1)
	}
	return nil
}

func (g *good) Version() string {
	switch {
	case g.namelessVersion:
		return "my policy"
	case g.constantVersion:
		return "good/1"
	case g.restlessVersion:
		return fmt.Sprintf("good/1+%d", len(g.reuse.Shape))
	}
	return fmt.Sprintf("good/1+%d", len(g.known))
}

func (g *good) State() ([]byte, error) {
	if g.closed {
		return nil, agents.ErrClosed
	}
	return append([]byte("good"), g.known...), nil
}

func (g *good) SetState(b []byte) error {
	if g.closed {
		return agents.ErrClosed
	}
	ok := len(b) >= 4 && string(b[:4]) == "good" && !slices.ContainsFunc(b[4:], func(c byte) bool { return c != 1 }) && len(b) == 104
	if g.halfTakesRubbish && !ok {
		g.known = nil
	}
	if !ok && !g.takesRubbish {
		return agents.ErrInvalidState
	}
	if g.forgetsState || !ok {
		return nil
	}
	g.known = slices.Clone(b[4:])
	if g.keepsOldVersion {
		g.known = g.known[1:]
	}
	return nil
}

func (g *good) Close() error {
	if g.closed && g.closesOnce {
		return agents.ErrClosed
	}
	g.closed = true
	return nil
}

func spec(action envs.Space) agents.Spec {
	r := envs.RoleSpec{Role: "agent_0", Observation: envs.NewBox(envs.Float32, -1, 1, 3), Action: action}
	return agents.Spec{Role: r, Roles: []envs.RoleSpec{r}, Seed: 3}
}

func TestSuiteTakesAGoodPolicy(t *testing.T) {
	agenttest.Run(t, flaws{}.factory, spec(envs.Discrete{N: 4, Start: 2}))
	agenttest.Run(t, flaws{}.factory, spec(envs.NewBox(envs.Float32, -1, 1, 2)))
}

// counted is a policy that is counted until it is closed, as a process would be.
type counted struct {
	agents.Agent
	open *int
	once bool
}

func (c *counted) Close() error {
	if !c.once {
		c.once = true
		*c.open--
	}
	return c.Agent.Close()
}

func TestSuiteClosesWhatItMakes(t *testing.T) {
	for _, r := range agenttest.Rules() {
		open, most := 0, 0
		err := r.Check(func(s agents.Spec) (agents.Agent, error) {
			a, err := flaws{}.factory(s)
			if err != nil {
				return nil, err
			}
			open++
			most = max(most, open)
			return &counted{Agent: a, open: &open}, nil
		}, spec(envs.Discrete{N: 4, Start: 2}))
		if err != nil || open != 0 || most > 2 {
			t.Errorf("%s: %v; %d agents are left open, at most %d were at once; want 0 and at most 2", r.Name, err, open, most)
		}
	}
}

// A process that has ended answers with errors; that is no panic, and no action.
func TestSuiteTakesErrorsOfAnotherProcess(t *testing.T) {
	gone := func(s agents.Spec) (agents.Agent, error) { return &ended{}, nil }
	for _, r := range agenttest.Rules() {
		err := r.Check(gone, spec(envs.Discrete{N: 4, Start: 2}))
		if r.Name == "bad-observation-survived" && err != nil {
			t.Errorf("an error for a bad observation breaks a rule: %v", err)
		}
		if r.Name == "action-in-space" && (err == nil || !strings.Contains(err.Error(), "exited in act")) {
			t.Errorf("the fault is not told: %v", err)
		}
	}
}

// ended is the agent of a process that is no more.
type ended struct{ closed bool }

func (e *ended) Act(context.Context, agents.Input) (envs.Value, error) {
	if e.closed {
		return nil, agents.ErrClosed
	}
	return nil, &envs.Fault{State: envs.Exited, Phase: "act", Message: "it ended with code 1"}
}
func (e *ended) Version() string { return "ended" }
func (e *ended) Close() error    { e.closed = true; return nil }

func TestSuiteSkips(t *testing.T) {
	agenttest.Run(t, flaws{takesEveryArgument: true}.factory, spec(envs.Discrete{N: 4, Start: 2}), agenttest.Skip{"unknown-argument-refused": "takes any"})
}

func TestSuiteFindsEachFlaw(t *testing.T) {
	discrete, box := spec(envs.Discrete{N: 4, Start: 2}), spec(envs.NewBox(envs.Float32, 0, 4, 2))
	found := map[string]bool{}
	for _, c := range []struct {
		rule string
		spec agents.Spec
		flaws
	}{
		{"action-in-space", discrete, flaws{outOfSpace: true}},
		{"mask-respected", discrete, flaws{ignoresMask: true}},
		{"same-seed-same-actions", discrete, flaws{unseeded: true}},
		{"observation-untouched", discrete, flaws{writesObservation: true}},
		{"observation-untouched", discrete, flaws{writesTransition: true}},
		{"action-untouched", box, flaws{reusesAction: true}},
		{"act-learns-nothing", discrete, flaws{learnsInAct: true}},
		{"version-named", discrete, flaws{namelessVersion: true}},
		{"version-follows-behaviour", discrete, flaws{constantVersion: true}},
		{"version-follows-state", discrete, flaws{restlessVersion: true}},
		{"checkpoint-round-trip", discrete, flaws{forgetsState: true}},
		{"checkpoint-round-trip", discrete, flaws{keepsOldVersion: true}},
		{"checkpoint-refuses-rubbish", discrete, flaws{takesRubbish: true}},
		{"checkpoint-refuses-rubbish", discrete, flaws{halfTakesRubbish: true}},
		{"bad-observation-survived", discrete, flaws{panics: true}},
		{"unknown-argument-refused", discrete, flaws{takesEveryArgument: true}},
		{"close-twice", discrete, flaws{closesOnce: true}},
		{"close-twice", discrete, flaws{actsAfterClose: true}},
		{"close-twice", discrete, flaws{learnsAfterClose: true}},
	} {
		found[c.rule] = true
		i := slices.IndexFunc(agenttest.Rules(), func(r agenttest.Rule) bool { return r.Name == c.rule })
		if i < 0 {
			t.Fatalf("no rule %q", c.rule)
		}
		if err := agenttest.Rules()[i].Check(c.factory, c.spec); err == nil {
			t.Errorf("%s does not find %+v", c.rule, c.flaws)
		}
	}
	for _, r := range agenttest.Rules() {
		if !found[r.Name] {
			t.Errorf("no policy shows that the rule %s can fail", r.Name)
		}
	}
}
