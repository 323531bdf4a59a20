package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"sharpie/envs"
)

var (
	_ envs.Environment = (*Environment)(nil)
	_ envs.Snapshotter = (*Environment)(nil)
)

// stream is the second word of the generator's seed: one fixed stream of PCG.
const stream = 0x5348415250494521

// Model is the dynamics and the picture of one environment, without the
// bookkeeping. Its methods are called in a legal order, with legal actions.
type Model interface {
	// Reset draws an initial state.
	Reset(rng *rand.Rand)
	// Step takes one action per role, in the order of Spec.Roles, stores the
	// rewards and reports whether a terminal state was reached.
	Step(actions []envs.Value, rewards []float64, rng *rand.Rand) (terminated bool)
	// Observe stores an observation per role, and the info where there is any, in
	// memory that is never written again.
	Observe(out []*envs.RoleObservation)
	// Draw returns the picture of the current state.
	Draw() envs.Frame
	// State returns a pointer to what Snapshot saves, as JSON.
	State() any
	// SetState decodes into a copy what State gave, checks it and takes it over,
	// or changes nothing and says what is wrong.
	SetState(decode func(into any) error) error
}

// Environment gives a Model the contract of envs.Environment. All its roles
// live and end together.
type Environment struct {
	spec  envs.Spec
	model Model
	pcg   rand.PCG
	rng   *rand.Rand

	started, over, closed bool
	steps                 int

	actions []envs.Value
	rewards []float64
	out     []*envs.RoleObservation
	index   map[envs.Role]int // filled on first use
	given   []bool
}

// New wraps a model. The spec is complete but for Replayable, which is always true.
func New(spec envs.Spec, model Model) *Environment {
	spec.Replayable = true
	n := len(spec.Roles)
	e := &Environment{
		spec: spec, model: model,
		actions: make([]envs.Value, n), rewards: make([]float64, n),
		out: make([]*envs.RoleObservation, n), given: make([]bool, n),
	}
	e.rng = rand.New(&e.pcg)
	return e
}

// Spec describes the environment.
func (e *Environment) Spec() envs.Spec { return e.spec }

// Reset seeds the generator and starts an episode.
func (e *Environment) Reset(ctx context.Context, seed uint64) (envs.Observations, error) {
	if err := e.usable(ctx, "reset"); err != nil {
		return nil, err
	}
	e.pcg.Seed(seed, stream)
	e.model.Reset(e.rng)
	e.started, e.over, e.steps = true, false, 0

	obs := make(envs.Observations, len(e.spec.Roles))
	for i := range obs {
		obs[i].Role = e.spec.Roles[i].Role
		e.out[i] = &obs[i]
	}
	e.observe()
	return obs, nil
}

// Step advances one transition. After an error the state is what it was.
func (e *Environment) Step(ctx context.Context, actions []envs.RoleAction) (envs.Transition, error) {
	if err := e.usable(ctx, "step"); err != nil {
		return envs.Transition{}, err
	}
	if !e.started {
		return envs.Transition{}, fmt.Errorf("step %s: %w", e.spec.ID, envs.ErrNotReset)
	}
	if e.over {
		return envs.Transition{}, fmt.Errorf("step %s: %w", e.spec.ID, envs.ErrEpisodeOver)
	}
	if err := e.take(actions); err != nil {
		return envs.Transition{}, fmt.Errorf("step %s: %w", e.spec.ID, err)
	}

	terminated := e.model.Step(e.actions, e.rewards, e.rng)
	e.steps++
	truncated := e.spec.MaxSteps > 0 && e.steps >= e.spec.MaxSteps
	e.over = terminated || truncated

	roles := make([]envs.RoleTransition, len(e.spec.Roles))
	for i := range roles {
		r := &roles[i]
		r.Role = e.spec.Roles[i].Role
		r.Reward, r.Terminated, r.Truncated = e.rewards[i], terminated, truncated
		e.out[i] = &r.RoleObservation
	}
	e.observe()
	return envs.Transition{Roles: roles}, nil
}

// observe fills the observations and lets go of them.
func (e *Environment) observe() {
	e.model.Observe(e.out)
	clear(e.out)
	clear(e.actions)
}

// Render draws the current state.
func (e *Environment) Render(ctx context.Context) (envs.Frame, error) {
	if err := e.usable(ctx, "render"); err != nil {
		return envs.Frame{}, err
	}
	if !e.started {
		return envs.Frame{}, fmt.Errorf("render %s: %w", e.spec.ID, envs.ErrNotReset)
	}
	return e.model.Draw(), nil
}

// Close ends the use of the environment.
func (e *Environment) Close() error {
	e.closed = true
	return nil
}

func (e *Environment) usable(ctx context.Context, what string) error {
	if e.closed {
		return fmt.Errorf("%s %s: %w", what, e.spec.ID, envs.ErrClosed)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s %s: %w", what, e.spec.ID, err)
	}
	return nil
}

// take checks the actions and puts them into the order of the roles.
func (e *Environment) take(actions []envs.RoleAction) error {
	clear(e.given)
	for i := range actions {
		role := actions[i].Role
		at := i
		if i >= len(e.spec.Roles) || e.spec.Roles[i].Role != role {
			var ok bool
			if at, ok = e.roleIndex(role); !ok {
				return fmt.Errorf("%w: there is no role %q", envs.ErrInvalidAction, role)
			}
		}
		if e.given[at] {
			return fmt.Errorf("%w: role %q acts twice", envs.ErrInvalidAction, role)
		}
		if err := e.spec.Roles[at].Action.Contains(actions[i].Action); err != nil {
			return fmt.Errorf("%w of role %q: %w", envs.ErrInvalidAction, role, err)
		}
		e.given[at] = true
		e.actions[at] = actions[i].Action
	}
	if len(actions) < len(e.given) {
		for i, ok := range e.given {
			if !ok {
				return fmt.Errorf("%w: role %q has no action", envs.ErrInvalidAction, e.spec.Roles[i].Role)
			}
		}
	}
	return nil
}

func (e *Environment) roleIndex(role envs.Role) (int, bool) {
	if e.index == nil {
		e.index = make(map[envs.Role]int, len(e.spec.Roles))
		for i := range e.spec.Roles {
			e.index[e.spec.Roles[i].Role] = i
		}
	}
	i, ok := e.index[role]
	return i, ok
}

// snapshot is the form of Snapshot, in JSON.
type snapshot struct {
	// Environment is id and version of the dynamics, as in "MountainCar-v0 1".
	Environment string `json:"environment"`
	Roles       int    `json:"roles"`
	Steps       int    `json:"steps"`
	Over        bool   `json:"over"`
	// Generator is the state of math/rand/v2's PCG.
	Generator []byte          `json:"generator"`
	State     json.RawMessage `json:"state"`
}

func (e *Environment) name() string { return e.spec.ID + " " + e.spec.Version }

// Snapshot saves the state as JSON; numbers keep every bit.
func (e *Environment) Snapshot() ([]byte, error) {
	if err := e.usable(context.Background(), "snapshot"); err != nil {
		return nil, err
	}
	if !e.started {
		return nil, fmt.Errorf("snapshot %s: %w", e.spec.ID, envs.ErrNotReset)
	}
	state, err := json.Marshal(e.model.State())
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", e.spec.ID, err)
	}
	generator, err := e.pcg.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", e.spec.ID, err)
	}
	return json.Marshal(snapshot{
		Environment: e.name(), Roles: len(e.spec.Roles), Steps: e.steps, Over: e.over,
		Generator: generator, State: state,
	})
}

// Restore puts a state back that Snapshot saved, of the same environment, version
// and keyword arguments. After an error the state is what it was.
func (e *Environment) Restore(data []byte) error {
	if err := e.usable(context.Background(), "restore"); err != nil {
		return err
	}
	var s snapshot
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("restore %s: not a snapshot: %w", e.spec.ID, err)
	}
	switch {
	case s.Environment != e.name():
		return fmt.Errorf("restore %s: the snapshot is of %q, not of %q", e.spec.ID, s.Environment, e.name())
	case s.Roles != len(e.spec.Roles):
		return fmt.Errorf("restore %s: the snapshot has %d roles, not %d", e.spec.ID, s.Roles, len(e.spec.Roles))
	case s.Steps < 0:
		return fmt.Errorf("restore %s: steps is %d: allowed are 0 and more", e.spec.ID, s.Steps)
	}
	var pcg rand.PCG
	if err := pcg.UnmarshalBinary(s.Generator); err != nil {
		return fmt.Errorf("restore %s: generator: %w", e.spec.ID, err)
	}
	if err := e.model.SetState(func(into any) error { return json.Unmarshal(s.State, into) }); err != nil {
		return fmt.Errorf("restore %s: state: %w", e.spec.ID, err)
	}
	e.pcg = pcg
	e.started, e.over, e.steps = true, s.Over, s.Steps
	return nil
}
