package agenttest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"

	"sharpie/agents"
	"sharpie/envs"
)

func (s *subject) actionInSpace() error {
	a, err := s.make()
	if err != nil {
		return err
	}
	for i, in := range s.inputs(1, false) {
		if _, err := s.act(a, in); err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
	}
	return nil
}

func (s *subject) maskRespected() error {
	d, ok := s.spec.Role.Action.(envs.Discrete)
	if !ok {
		return nil
	}
	a, err := s.make()
	if err != nil {
		return err
	}
	if err := s.learn(a, s.transitions(2)); err != nil {
		return err
	}
	for i, in := range s.inputs(2, true) {
		v, err := s.act(a, in)
		if err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
		if chosen := int64(v.(envs.Int)) - d.Start; !in.ActionMask[chosen] {
			return fmt.Errorf("input %d: action %v is masked by %v", i, v, in.ActionMask)
		}
	}
	return nil
}

func (s *subject) sameSeed() error {
	a, b, err := s.pair()
	if err != nil {
		return err
	}
	if err := s.sameActions(a, b, s.inputs(3, false)); err != nil {
		return err
	}
	for _, x := range []agents.Agent{a, b} {
		if err := s.learn(x, s.transitions(3)); err != nil {
			return err
		}
	}
	if a.Version() != b.Version() {
		return fmt.Errorf("after the same updates one is %q, the other %q", a.Version(), b.Version())
	}
	return s.sameActions(a, b, s.inputs(4, true))
}

func (s *subject) observationUntouched() error {
	a, err := s.make()
	if err != nil {
		return err
	}
	for i, in := range s.inputs(5, true) {
		before, mask := clone(in.Observation), append([]bool(nil), in.ActionMask...)
		if _, err := s.act(a, in); err != nil {
			return err
		}
		if !envs.Equal(before, in.Observation) {
			return fmt.Errorf("act %d changed the observation from %v to %v", i, before, in.Observation)
		}
		if fmt.Sprint(mask) != fmt.Sprint(in.ActionMask) {
			return fmt.Errorf("act %d changed the mask", i)
		}
	}
	for i, t := range s.transitions(5) {
		before := []envs.Value{clone(t.Observation), clone(t.Action), clone(t.NextObservation)}
		if err := s.learn(a, []agents.Transition{t}); err != nil {
			return err
		}
		for j, v := range []envs.Value{t.Observation, t.Action, t.NextObservation} {
			if !envs.Equal(before[j], v) {
				return fmt.Errorf("update %d changed a value of the transition from %v to %v", i, before[j], v)
			}
		}
	}
	return nil
}

func (s *subject) actionUntouched() error {
	a, err := s.make()
	if err != nil {
		return err
	}
	var given, copies []envs.Value
	for _, in := range s.inputs(6, false) {
		v, err := s.act(a, in)
		if err != nil {
			return err
		}
		given, copies = append(given, v), append(copies, clone(v))
	}
	for i := range given {
		if !envs.Equal(given[i], copies[i]) {
			return fmt.Errorf("action %d was %v and became %v: return a new array each time", i, copies[i], given[i])
		}
	}
	return nil
}

func (s *subject) actLearnsNothing() error {
	a, err := s.make()
	if err != nil {
		return err
	}
	if err := s.learn(a, s.transitions(7)); err != nil {
		return err
	}
	version, before, err := snapshot(a)
	if err != nil {
		return err
	}
	for i, in := range s.inputs(7, true) {
		if _, err := s.act(a, in); err != nil {
			return err
		}
		if v := a.Version(); v != version {
			return fmt.Errorf("act %d changed Version from %q to %q", i, version, v)
		}
	}
	_, after, err := snapshot(a)
	if err == nil && !bytes.Equal(before, after) {
		return fmt.Errorf("acting changed State")
	}
	return err
}

func (s *subject) versionNamed() error {
	a, err := s.make()
	if err != nil {
		return err
	}
	v := a.Version()
	if v == "" || len(v) > 128 || strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return fmt.Errorf("version %q: want 1 to 128 printable characters without blanks", v)
	}
	return nil
}

func (s *subject) versionFollowsBehaviour() error {
	probes := s.inputs(8, false)
	for n := range 20 {
		s.closeAll() // of the round before
		fresh, learned, err := s.pair()
		if err != nil {
			return err
		}
		ts := s.transitions(uint64(100 + n))[:n+1]
		if err := s.learn(learned, ts); err != nil {
			return err
		}
		for _, t := range ts { // what was learned about is what may have changed
			probes = append(probes, agents.Input{Observation: t.Observation})
		}
		if s.sameActions(fresh, learned, probes) != nil && fresh.Version() == learned.Version() {
			return fmt.Errorf("after %d updates it acts otherwise and is still %q", n+1, learned.Version())
		}
	}
	return nil
}

func (s *subject) versionFollowsState() error {
	a, err := s.make()
	if err != nil {
		return err
	}
	if _, ok := a.(agents.Checkpointer); !ok {
		return nil
	}
	version, state, err := snapshot(a)
	if err != nil {
		return err
	}
	for i, t := range s.transitions(9) {
		if err := s.learn(a, []agents.Transition{t}); err != nil {
			return err
		}
		v, st, err := snapshot(a)
		if err != nil {
			return err
		}
		if bytes.Equal(st, state) && v != version {
			return fmt.Errorf("update %d left State as it was and changed Version from %q to %q", i, version, v)
		}
		version, state = v, st
	}
	return nil
}

func (s *subject) checkpointRoundTrip() error {
	learned, restored, err := s.pair()
	if err != nil {
		return err
	}
	if _, ok := learned.(agents.Checkpointer); !ok {
		return nil
	}
	if err := s.learn(learned, s.transitions(10)); err != nil {
		return err
	}
	version, state, err := snapshot(learned)
	if err != nil {
		return err
	}
	if err := restored.(agents.Checkpointer).SetState(state); err != nil {
		return fmt.Errorf("SetState refused a state of State: %w", err)
	}
	v, again, err := snapshot(restored)
	switch {
	case err != nil:
		return err
	case v != version:
		return fmt.Errorf("the restored agent is %q, not %q", v, version)
	case !bytes.Equal(state, again):
		return fmt.Errorf("the restored agent gives another State")
	}
	return s.sameActions(learned, restored, s.inputs(10, false))
}

func (s *subject) checkpointRefusesRubbish() error {
	a, err := s.make()
	if err != nil {
		return err
	}
	c, ok := a.(agents.Checkpointer)
	if !ok {
		return nil
	}
	if err := s.learn(a, s.transitions(12)); err != nil {
		return err
	}
	version, state, err := snapshot(a)
	if err != nil {
		return err
	}
	for _, bad := range [][]byte{nil, {}, []byte("rubbish"), []byte("{}"), state[:len(state)/2], append(bytes.Clone(state), 'x')} {
		if err := c.SetState(bad); err == nil {
			return fmt.Errorf("SetState took %.40q", bad)
		}
	}
	v, after, err := snapshot(a)
	if err == nil && (v != version || !bytes.Equal(state, after)) {
		return fmt.Errorf("a refused state changed something")
	}
	return err
}

func (s *subject) badObservation() error {
	bad := []envs.Value{nil, envs.Int(-1 << 40), envs.Text("no observation"), envs.Tuple{}, envs.Dict{},
		envs.Array{}, envs.Array{DType: envs.Float32, Shape: []int{3}, Data: []byte{1}}, envs.NewArray(envs.Float32, 10_000)}
	for _, v := range bad {
		s.closeAll() // an agent that has failed need not go on
		a, err := s.make()
		if err != nil {
			return err
		}
		out, err := a.Act(s.ctx, agents.Input{Observation: v})
		if err == nil && (out == nil || s.spec.Role.Action.Contains(out) != nil) {
			return fmt.Errorf("for the observation %v it returned %v and no error", v, out)
		}
	}
	return nil
}

func (s *subject) unknownArgument() error {
	spec := s.spec
	spec.Kwargs = map[string]any{}
	maps.Copy(spec.Kwargs, s.spec.Kwargs)
	spec.Kwargs["no such argument"] = int64(1)
	if a, err := s.factory(spec); err == nil {
		s.open = append(s.open, a)
		return fmt.Errorf("the factory took the argument \"no such argument\"")
	} else if !strings.Contains(err.Error(), "no such argument") {
		return fmt.Errorf("the error does not name the argument: %w", err)
	}
	return nil
}

func (s *subject) closeTwice() error {
	a, err := s.make()
	if err != nil {
		return err
	}
	var state []byte
	if c, ok := a.(agents.Checkpointer); ok {
		if state, err = c.State(); err != nil {
			return fmt.Errorf("state: %w", err)
		}
	}
	for i := range 2 {
		if err := a.Close(); err != nil {
			return fmt.Errorf("close %d: %w", i+1, err)
		}
	}
	after := map[string]error{}
	_, after["Act"] = a.Act(s.ctx, s.inputs(13, false)[0])
	if l, ok := a.(agents.Learner); ok {
		after["Update"] = l.Update(s.ctx, s.transitions(13)[0])
	}
	if c, ok := a.(agents.Checkpointer); ok {
		_, after["State"] = c.State()
		after["SetState"] = c.SetState(state)
	}
	for method, err := range after {
		if !errors.Is(err, agents.ErrClosed) {
			return fmt.Errorf("%s after Close: got %v, want agents.ErrClosed", method, err)
		}
	}
	return nil
}

// snapshot returns Version, and State where there is one.
func snapshot(a agents.Agent) (string, []byte, error) {
	c, ok := a.(agents.Checkpointer)
	if !ok {
		return a.Version(), nil, nil
	}
	state, err := c.State()
	if err != nil {
		return "", nil, fmt.Errorf("state: %w", err)
	}
	return a.Version(), bytes.Clone(state), nil
}

// clone copies a value deeply.
func clone(v envs.Value) envs.Value {
	switch v := v.(type) {
	case envs.Array:
		return envs.Array{DType: v.DType, Shape: append([]int(nil), v.Shape...), Data: bytes.Clone(v.Data)}
	case envs.Tuple:
		out := make(envs.Tuple, len(v))
		for i := range v {
			out[i] = clone(v[i])
		}
		return out
	case envs.Dict:
		out := make(envs.Dict, len(v))
		for i := range v {
			out[i] = envs.Entry{Key: v[i].Key, Value: clone(v[i].Value)}
		}
		return out
	}
	return v
}
