package envs

import (
	"context"
	"errors"
)

// Role names one acting position in an environment ("agent_0"). It is what
// PettingZoo calls an agent's name; who occupies it is not the environment's
// business.
type Role string

// Errors that every environment returns, wrapped with what went wrong.
var (
	// ErrNotReset is returned by Step and Render before the first Reset.
	ErrNotReset = errors.New("envs: reset the environment first")
	// ErrEpisodeOver is returned by Step once no role is live any more.
	ErrEpisodeOver = errors.New("envs: the episode is over, reset the environment")
	// ErrInvalidAction is returned by Step for an action outside its space, for
	// a missing action of a live role, and for an action of an unknown or ended role.
	ErrInvalidAction = errors.New("envs: invalid action")
	// ErrClosed is returned by every method after Close.
	ErrClosed = errors.New("envs: the environment is closed")
)

// Environment is a Markov decision process for one or more roles that act at
// the same time: PettingZoo's parallel API, of which Gymnasium's single-agent
// API is the case of one role. The prose of the contract is in the package
// comment; package envtest checks it.
//
// An Environment is used from one goroutine at a time.
type Environment interface {
	// Spec describes what never changes between episodes.
	Spec() Spec
	// Reset starts an episode. The same seed gives the same episode for the
	// same actions. Every possible role is live after it.
	Reset(ctx context.Context, seed uint64) (Observations, error)
	// Step advances one transition. It takes exactly one action per live role that
	// does not wait for its turn, and never keeps or changes the slice.
	Step(ctx context.Context, actions []RoleAction) (Transition, error)
	// Render draws the current state. The frame belongs to the caller until the
	// next call of Render: an environment may reuse the memory then.
	Render(ctx context.Context) (Frame, error)
	// Close frees everything. A second Close does nothing.
	Close() error
}

// Snapshotter is an Environment whose state can be saved and put back: after
// Restore(s), the same actions give the same transitions as after Snapshot.
type Snapshotter interface {
	Snapshot() ([]byte, error)
	Restore(snapshot []byte) error
}

// Spec describes an environment: its roles, spaces and picture.
type Spec struct {
	// ID is the published name and version, e.g. "MountainCar-v0".
	ID string
	// Roles lists every possible role, in the environment's own order.
	Roles []RoleSpec
	// Width and Height are the picture's size in pixels; constant. Zero: no picture, or,
	// before the first Reset of an environment in Python, not known yet.
	Width, Height int
	// FPS is the rate at which the environment is meant to be watched, in steps
	// per second; 0 where it does not matter.
	FPS float64
	// MaxSteps truncates an episode after so many steps; 0 is never.
	MaxSteps int
	// Version names the code of the dynamics; it changes when the same seed and
	// actions may give other observations.
	Version string
	// Replayable is whether the same seed and actions give identical observations.
	Replayable bool
}

// RoleSpec describes one role.
type RoleSpec struct {
	Role        Role
	Observation Space
	Action      Space
	// ActionMeanings names the actions of a discrete action space, in order;
	// nil where there is nothing to say.
	ActionMeanings []string
}

// RoleAction is the final action of one role. Order matters to some Python
// environments, so actions travel as a slice and not as a map.
type RoleAction struct {
	Role   Role
	Action Value
}

// Observations is what each live role sees, in the order of Spec.Roles.
type Observations []RoleObservation

// RoleObservation is one role's observation.
type RoleObservation struct {
	Role        Role
	Observation Value
	// ActionMask says which actions of a discrete space are legal now
	// (len == Discrete.N); nil where all are.
	ActionMask []bool
	// Waits says that it is another role's turn: this one is live and does not act in
	// the next step. At least one live role does not wait.
	Waits bool
	// Info is what Gymnasium calls info: auxiliary, not for acting. Keys are
	// environment-defined; values are numbers, strings, bools, or slices and
	// maps of them. Nil where there is none.
	Info map[string]any
}

// Transition is the outcome of one step.
type Transition struct {
	// Roles holds one entry for each role that was live before the step, in the
	// order of Spec.Roles.
	Roles []RoleTransition
}

// RoleTransition is one role's part of a transition.
type RoleTransition struct {
	RoleObservation
	// Reward is the environment's reward for this step.
	Reward float64
	// Terminated: the role reached a terminal state of the process. A role that
	// ended never comes back before the next Reset.
	Terminated bool
	// Truncated: the episode was cut from outside the process, e.g. by a step limit.
	Truncated bool
}

// Done reports whether no role goes on after this transition.
func (t Transition) Done() bool {
	for i := range t.Roles {
		if !t.Roles[i].Terminated && !t.Roles[i].Truncated {
			return false
		}
	}
	return true
}
