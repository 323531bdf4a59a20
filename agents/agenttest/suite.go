// Package agenttest owns the conformance suite of policies: named rules that any
// agents.Factory must keep, with failures that say what to fix. It works for agents
// in other processes, too: it closes what it makes, one rule after the other, and
// waits for no rule for ever. It refuses to judge how well a policy plays.
package agenttest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"sharpie/agents"
	"sharpie/envs"
)

// Rule is one clause of the contract in package agents.
type Rule struct {
	// Name is how a failure is called: "mask-respected".
	Name string
	// Text is what the rule asks for.
	Text string

	check func(*subject) error
}

// Skip names rules that are not checked, with the reason.
type Skip map[string]string

// Run checks every rule as a subtest. Spec gives the seat; its Seed is used as it is.
func Run(t *testing.T, factory agents.Factory, spec agents.Spec, skip ...Skip) {
	t.Helper()
	for _, r := range Rules() {
		t.Run(r.Name, func(t *testing.T) {
			for _, s := range skip {
				if reason, ok := s[r.Name]; ok {
					t.Skipf("not checked: %s", reason)
				}
			}
			if err := r.Check(factory, spec); err != nil {
				t.Errorf("%s: %s\n%v", r.Name, r.Text, err)
			}
		})
	}
}

// ruleTimeout is how long the calls of one rule may take together.
const ruleTimeout = 5 * time.Minute

// Check returns what breaks the rule, or nil. A panic of the agent is a breach, and
// so is a call that does not return; its agents are left behind then.
func (r Rule) Check(factory agents.Factory, spec agents.Spec) error {
	return r.within(ruleTimeout, factory, spec)
}

func (r Rule) within(limit time.Duration, factory agents.Factory, spec agents.Spec) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- r.run(&subject{ctx: ctx, factory: factory, spec: spec}) }()
	// an agent that heeds its context answers a little after it
	grace := time.NewTimer(limit + limit/4)
	defer grace.Stop()
	select {
	case err := <-done:
		return err
	case <-grace.C:
		return fmt.Errorf("the agent's calls did not return within %v", limit)
	}
}

// run checks the rule, and closes all agents that were made for it.
func (r Rule) run(s *subject) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the agent panicked: %v", p)
		}
	}()
	defer s.closeAll()
	return r.check(s)
}

// Rules lists the rules in the order in which they build on each other.
func Rules() []Rule {
	return []Rule{
		{"action-in-space", "Act returns a point of the role's action space.", (*subject).actionInSpace},
		{"mask-respected", "Act returns an action that the mask allows.", (*subject).maskRespected},
		{"same-seed-same-actions", "The same Spec and the same calls give the same actions and versions.", (*subject).sameSeed},
		{"observation-untouched", "Neither Act nor Update changes an observation.", (*subject).observationUntouched},
		{"action-untouched", "An action that was handed over never changes again.", (*subject).actionUntouched},
		{"act-learns-nothing", "Act changes neither Version nor State.", (*subject).actLearnsNothing},
		{"version-named", "Version is a short printable name without blanks.", (*subject).versionNamed},
		{"version-follows-behaviour", "Where learning changed an action, Version changed too.", (*subject).versionFollowsBehaviour},
		{"version-follows-state", "Where learning left State as it was, Version is as it was.", (*subject).versionFollowsState},
		{"checkpoint-round-trip", "A new agent with a State acts like the agent that gave it, has its Version and returns the same State.", (*subject).checkpointRoundTrip},
		{"checkpoint-refuses-rubbish", "SetState refuses what is no state, and changes nothing.", (*subject).checkpointRefusesRubbish},
		{"bad-observation-survived", "An observation outside the space is an error or an action, never a panic.", (*subject).badObservation},
		{"unknown-argument-refused", "The factory refuses an argument that it does not know.", (*subject).unknownArgument},
		{"close-twice", "A second Close does nothing; after Close every method fails with agents.ErrClosed.", (*subject).closeTwice},
	}
}

// subject is a policy under test.
type subject struct {
	ctx     context.Context // of one check
	factory agents.Factory
	spec    agents.Spec
	open    []agents.Agent
}

// closeAll closes what was made; whether that fails is a rule of its own.
func (s *subject) closeAll() {
	open := s.open
	s.open = nil
	for _, a := range open {
		_ = a.Close()
	}
}

func (s *subject) make() (agents.Agent, error) {
	a, err := s.factory(s.spec)
	if err != nil {
		return nil, fmt.Errorf("the factory failed: %w", err)
	}
	if a == nil {
		return nil, errors.New("the factory returned neither an agent nor an error")
	}
	s.open = append(s.open, a)
	return a, nil
}

// pair makes two agents of the same Spec.
func (s *subject) pair() (a, b agents.Agent, err error) {
	if a, err = s.make(); err != nil {
		return nil, nil, err
	}
	b, err = s.make()
	return a, b, err
}

// rounds is how many inputs a rule tries.
const rounds = 200

// inputs draws observations, and masks where the action space is discrete and
// masked is asked for. Every mask allows something.
func (s *subject) inputs(seed uint64, masked bool) []agents.Input {
	rng := rand.New(rand.NewPCG(seed, 7))
	out := make([]agents.Input, rounds)
	for i := range out {
		out[i].Observation = s.spec.Role.Observation.Sample(rng, nil)
		d, ok := s.spec.Role.Action.(envs.Discrete)
		if !ok || !masked {
			continue
		}
		mask := make([]bool, d.N)
		for j := range mask {
			mask[j] = rng.IntN(2) == 0
		}
		mask[rng.IntN(len(mask))] = true
		out[i].ActionMask = mask
	}
	return out
}

// transitions draws judged transitions: a reward of the human, 1 or -1, and a few of 0.
func (s *subject) transitions(seed uint64) []agents.Transition {
	rng := rand.New(rand.NewPCG(seed, 11))
	out := make([]agents.Transition, rounds)
	for i := range out {
		out[i] = agents.Transition{
			Observation:     s.spec.Role.Observation.Sample(rng, nil),
			Action:          s.spec.Role.Action.Sample(rng, nil),
			NextObservation: s.spec.Role.Observation.Sample(rng, nil),
			Reward:          float64(rng.IntN(5)-2) / 2,
			Human:           true,
			Terminated:      i%50 == 49,
		}
	}
	return out
}

// learn applies all transitions where the agent is a Learner.
func (s *subject) learn(a agents.Agent, ts []agents.Transition) error {
	l, ok := a.(agents.Learner)
	if !ok {
		return nil
	}
	for i, t := range ts {
		if err := l.Update(s.ctx, t); err != nil {
			return fmt.Errorf("update %d: %w", i, err)
		}
	}
	return nil
}

// act asks once and wants a point of the space.
func (s *subject) act(a agents.Agent, in agents.Input) (envs.Value, error) {
	v, err := a.Act(s.ctx, in)
	if err != nil {
		return nil, fmt.Errorf("act: %w", err)
	}
	if v == nil {
		return nil, fmt.Errorf("act returned no action")
	}
	if err := s.spec.Role.Action.Contains(v); err != nil {
		return nil, fmt.Errorf("act returned %v: %w", v, err)
	}
	return v, nil
}

// sameActions feeds both agents the same inputs.
func (s *subject) sameActions(a, b agents.Agent, ins []agents.Input) error {
	for i, in := range ins {
		x, err := s.act(a, in)
		if err != nil {
			return err
		}
		y, err := s.act(b, in)
		if err != nil {
			return err
		}
		if !envs.Equal(x, y) {
			return fmt.Errorf("input %d (%v): one chose %v, the other %v", i, in.Observation, x, y)
		}
	}
	return nil
}
