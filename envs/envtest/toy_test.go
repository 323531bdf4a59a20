package envtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"sharpie/envs"
)

// toy is a correct environment, small and with everything in it: two roles of
// which "short" ends in step 4 and "long" in step 7, a mask, an info, a random
// walk, a picture and snapshots. A fault breaks it in one way.
type toy struct {
	spec   envs.Spec
	state  toyState
	closed bool
	fault  fault
	pcg    rand.PCG
	frame  []byte
	last   []envs.RoleAction
	shared []byte
}

type toyState struct {
	Started   bool
	Steps     int
	Walk      [2]int
	Generator []byte
}

// fault is one way to be wrong; nil functions are right.
type fault struct {
	spec     func(*toy, *envs.Spec)
	reset    func(*toy, uint64)
	resetOut func(*toy, envs.Observations) envs.Observations
	// before runs at the start of Step; handled means that its result is Step's.
	before  func(*toy, context.Context, []envs.RoleAction) (tr envs.Transition, err error, handled bool)
	after   func(*toy, *envs.Transition)
	observe func(*toy, *envs.RoleObservation)
	render  func(*toy, *envs.Frame)
	save    func(*toy, *toyState)
	restore func(*toy, []byte) (err error, handled bool)
	close   func(*toy) (err error, handled bool)
	// turns makes the two roles act in turn; moved is another opinion of who waits.
	turns bool
	moved func(t *toy, i int) bool
	// host makes it a host; nil: none.
	host *hostFault
}

const (
	toyShort = 4
	toyLong  = 7
)

func newToy(f fault) (envs.Environment, error) {
	t := &toy{fault: f, frame: make([]byte, 3*4*2), shared: make([]byte, 8)}
	t.spec = envs.Spec{
		ID: "Toy-v0", Version: "1", Width: 4, Height: 2, FPS: 10, MaxSteps: toyLong, Replayable: true,
	}
	for _, role := range []envs.Role{"short", "long"} {
		t.spec.Roles = append(t.spec.Roles, envs.RoleSpec{
			Role: role, Observation: envs.NewBox(envs.Float32, -100, 100, 2),
			Action: envs.Discrete{N: 3}, ActionMeanings: []string{"stay", "left", "right"},
		})
	}
	if f.host != nil {
		return &toyHost{toy: t, wrong: f.host}, nil
	}
	return t, nil
}

func (t *toy) Spec() envs.Spec {
	spec := t.spec
	if t.fault.spec != nil {
		t.fault.spec(t, &spec)
	}
	return spec
}

func (t *toy) live(i int) bool { return t.state.Steps < []int{toyShort, toyLong}[i] }

// waits reports whether it is the other role's turn.
func (t *toy) waits(i int) bool {
	return t.fault.turns && t.live(0) && t.live(1) && t.state.Steps%2 != i
}

func (t *toy) usable(ctx context.Context) error {
	if t.closed {
		return envs.ErrClosed
	}
	return ctx.Err()
}

func (t *toy) Reset(ctx context.Context, seed uint64) (envs.Observations, error) {
	if err := t.usable(ctx); err != nil {
		return nil, err
	}
	t.pcg.Seed(seed, 0)
	rng := rand.New(&t.pcg)
	t.state = toyState{Started: true, Walk: [2]int{rng.IntN(9), rng.IntN(9)}}
	if t.fault.reset != nil {
		t.fault.reset(t, seed)
	}
	out := envs.Observations{t.observe(0), t.observe(1)}
	if t.fault.resetOut != nil {
		out = t.fault.resetOut(t, out)
	}
	return out, nil
}

func (t *toy) observe(i int) envs.RoleObservation {
	o := envs.RoleObservation{
		Role:        t.spec.Roles[i].Role,
		Observation: envs.NewFloat32Array(float32(t.state.Walk[i]), float32(t.state.Steps)),
		ActionMask:  []bool{true, t.state.Steps%2 == 0, true},
		Info:        map[string]any{"walk": t.state.Walk[i], "list": []any{1.5, "x", true}},
		Waits:       t.waits(i),
	}
	if t.fault.moved != nil {
		o.Waits = t.fault.moved(t, i)
	}
	if t.fault.observe != nil {
		t.fault.observe(t, &o)
	}
	return o
}

func (t *toy) Step(ctx context.Context, actions []envs.RoleAction) (envs.Transition, error) {
	if t.fault.before != nil {
		if tr, err, handled := t.fault.before(t, ctx, actions); handled {
			return tr, err
		}
	}
	if err := t.usable(ctx); err != nil {
		return envs.Transition{}, err
	}
	if !t.state.Started {
		return envs.Transition{}, envs.ErrNotReset
	}
	if !t.live(1) {
		return envs.Transition{}, envs.ErrEpisodeOver
	}
	chosen, err := t.choose(actions)
	if err != nil {
		return envs.Transition{}, err
	}
	return t.advance(chosen), nil
}

func (t *toy) choose(actions []envs.RoleAction) ([2]int, error) {
	chosen, given := [2]int{}, [2]bool{}
	for _, a := range actions {
		i := -1
		for j, r := range t.spec.Roles {
			if r.Role == a.Role {
				i = j
			}
		}
		if i < 0 || !t.live(i) || given[i] || t.waits(i) {
			return chosen, fmt.Errorf("%w: role %q", envs.ErrInvalidAction, a.Role)
		}
		if err := t.spec.Roles[i].Action.Contains(a.Action); err != nil {
			return chosen, fmt.Errorf("%w: %w", envs.ErrInvalidAction, err)
		}
		given[i], chosen[i] = true, int(a.Action.(envs.Int))
	}
	for i := range given {
		if t.live(i) && !given[i] && !t.waits(i) {
			return chosen, fmt.Errorf("%w: missing", envs.ErrInvalidAction)
		}
	}
	return chosen, nil
}

func (t *toy) advance(chosen [2]int) envs.Transition {
	rng := rand.New(&t.pcg)
	was := [2]bool{t.live(0), t.live(1)}
	t.state.Steps++
	for i := range chosen {
		t.state.Walk[i] += chosen[i]*(i+1) + rng.IntN(3) - 1
	}
	var tr envs.Transition
	for i := range was {
		if was[i] {
			tr.Roles = append(tr.Roles, envs.RoleTransition{
				RoleObservation: t.observe(i), Reward: float64(chosen[i]),
				Terminated: i == 0 && !t.live(0), Truncated: i == 1 && !t.live(1),
			})
		}
	}
	if t.fault.after != nil {
		t.fault.after(t, &tr)
	}
	return tr
}

func (t *toy) Render(ctx context.Context) (envs.Frame, error) {
	if err := t.usable(ctx); err != nil {
		return envs.Frame{}, err
	}
	if !t.state.Started {
		return envs.Frame{}, envs.ErrNotReset
	}
	t.frame[0], t.frame[1], t.frame[2] = byte(t.state.Walk[0]), byte(t.state.Walk[1]), byte(t.state.Steps)
	f := envs.Frame{Width: 4, Height: 2, RGB: t.frame}
	if t.fault.render != nil {
		t.fault.render(t, &f)
	}
	return f, nil
}

func (t *toy) Snapshot() ([]byte, error) {
	s := t.state
	s.Generator, _ = t.pcg.MarshalBinary()
	if t.fault.save != nil {
		t.fault.save(t, &s)
	}
	return json.Marshal(s)
}

func (t *toy) Restore(data []byte) error {
	if t.fault.restore != nil {
		if err, handled := t.fault.restore(t, data); handled {
			return err
		}
	}
	var s toyState
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if err := t.pcg.UnmarshalBinary(s.Generator); err != nil {
		return err
	}
	t.state = s
	return nil
}

func (t *toy) Close() error {
	if t.fault.close != nil {
		if err, handled := t.fault.close(t); handled {
			return err
		}
	}
	t.closed = true
	return nil
}
