package experiments

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sharpie/agents"
	"sharpie/envs"
)

// Maker makes what a definition names: its environment, and the agents in it. The
// runner and Check use the same one, so what was checked is what is played.
type Maker interface {
	// Environment makes the environment of an order. The error is envs.ErrUnknown or
	// envs.ErrInvalidArgument, wrapped, where the definition is to blame, and a
	// *envs.Fault where the researcher's code is. Nothing is installed here: a missing
	// interpreter is an error that names the command to run.
	Environment(ctx context.Context, o Order) (envs.Environment, error)
	// Agent makes the agent of one seat in an environment that Environment made for
	// the same order, after the agents before it in the definition. Where env is an
	// envs.Host, the policy may come to live in its process: the agent is Hosted then.
	Agent(ctx context.Context, o Order, env envs.Environment, c Casting) (agents.Agent, error)
}

// ErrNotHere is wrapped by errors of a Maker that another machine may not have: an
// interpreter or files are missing, or the program is too old for what is named.
var ErrNotHere = errors.New("not on this machine")

// ErrNotYet is wrapped besides where this machine is about to have it.
var ErrNotYet = errors.New("not yet")

// Order is an experiment to be made ready for one episode.
type Order struct {
	Definition *Definition
	// BundleHash names the files that the experiment ships; empty: none.
	BundleHash string
	// Seed is the episode's: what draws at random while loading is seeded with it.
	Seed uint64
	// Label names the order in logs: an episode's id, or a file's name.
	Label string
}

// Casting is one seat that a policy takes.
type Casting struct {
	// Agent is the index in Definition.Agents.
	Agent int
	// Policy is one of Definition.Policies.
	Policy *Policy
	// Spec is the seat; its Kwargs are those of the policy.
	Spec agents.Spec
	// State is what the policy had learned, from an earlier State of it; nil: nothing.
	// It is put back before the policy is loaded.
	State []byte
}

// Hosted is an agent whose policy lives in the process of its environment, an
// envs.Host: it is asked and taught through Turn and Learn, and not by itself.
type Hosted interface {
	agents.Agent
	// HostedBy reports whether env is that environment.
	HostedBy(env envs.Environment) bool
	// Learns reports whether the policy learns at all.
	Learns() bool
}

// Registries is a Maker of what is built into this program.
type Registries struct {
	Environments *envs.Registry
	Agents       *agents.Registry
}

var _ Maker = Registries{}

// Environment makes a "go:" environment; any other is envs.ErrUnknown.
func (r Registries) Environment(_ context.Context, o Order) (envs.Environment, error) {
	e := &o.Definition.Environment
	if !strings.HasPrefix(e.Source, envs.SourcePrefix) {
		return nil, fmt.Errorf("%w: this program takes built-in environments only (source: go:ID)", envs.ErrUnknown)
	}
	return r.Environments.Make(e.Source, e.Kwargs)
}

// Agent makes a "go:" policy, with its state put back; any other is agents.ErrUnknown.
func (r Registries) Agent(_ context.Context, _ Order, _ envs.Environment, c Casting) (agents.Agent, error) {
	if !strings.HasPrefix(c.Policy.Source, agents.SourcePrefix) {
		return nil, fmt.Errorf("%w: this program takes built-in policies only (source: go:NAME)", agents.ErrUnknown)
	}
	a, err := r.Agents.Make(c.Policy.Source, c.Spec)
	if err != nil || c.State == nil {
		return a, err
	}
	k, ok := a.(agents.Checkpointer)
	if !ok {
		_ = a.Close()
		return nil, fmt.Errorf("%w: the policy %q keeps no state", agents.ErrInvalidState, c.Policy.Name)
	}
	if err := k.SetState(c.State); err != nil {
		_ = a.Close()
		return nil, err
	}
	return a, nil
}
