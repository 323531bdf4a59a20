package agents

import (
	"context"

	"sharpie/envs"
)

// Agent is a policy at work in one role of one episode: it maps observations to
// actions. It is used from one goroutine at a time.
type Agent interface {
	// Act chooses an action of the role's action space, allowed by the mask. It is
	// called exactly once per step.
	Act(ctx context.Context, in Input) (envs.Value, error)
	// Version names the policy's code and learned state; every recorded action
	// carries it. It changes whenever the same input may give another action.
	Version() string
	// Close frees everything. A second Close does nothing.
	Close() error
}

// Input is what a policy sees when it acts.
type Input struct {
	Observation envs.Value
	// ActionMask is nil where every action is legal.
	ActionMask []bool
	// Human is the participant's input for inputs_type "other"; nil otherwise
	// and for a seat without participant.
	Human envs.Value
}

// Transition is what a learner learns from: one step of its own role.
type Transition struct {
	Observation envs.Value
	Action      envs.Value
	// Reward is what the learner should learn from: the environment's reward, or
	// the human's where inputs_type is "reward".
	Reward          float64
	NextObservation envs.Value
	Terminated      bool
	Truncated       bool
	// Human reports whether Reward came from a participant.
	Human bool
}

// Learner is an Agent that learns while it acts.
type Learner interface {
	Agent
	// Update learns from one transition. It is called before the next Act.
	Update(ctx context.Context, t Transition) error
}

// Checkpointer is an Agent whose learned state can be stored and put back.
type Checkpointer interface {
	Agent
	// State returns the learned state; the format is the agent's own.
	State() ([]byte, error)
	// SetState puts a state back that State returned, or says why it cannot.
	SetState(state []byte) error
}

// Spec tells a factory for which seat an agent is made.
type Spec struct {
	Role envs.RoleSpec
	// Environment is the id of the environment ("simple_tag_v3").
	Environment string
	// Roles lists every role of the environment, in its order.
	Roles []envs.RoleSpec
	// Seed makes the agent's random choices reproducible.
	Seed uint64
	// Kwargs are the keyword arguments of the experiment's policy.
	Kwargs map[string]any
}

// Factory makes an agent for one seat and one episode. Unknown or ill-typed
// kwargs, and a role the policy cannot play, are errors that name what is allowed.
type Factory func(Spec) (Agent, error)
