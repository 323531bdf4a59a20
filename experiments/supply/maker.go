package supply

import (
	"context"
	"errors"
	"fmt"

	"sharpie/agents"
	"sharpie/envs"
	"sharpie/envs/python/interpreter"
	"sharpie/experiments"
)

// Maker is a Maker on a runner node: where an interpreter is not built there yet, its
// error says so, and the node asks at once what to build.
type Maker struct {
	experiments.Maker
	// Missed is called where an interpreter was missing. It must not block.
	Missed func()
}

var _ experiments.Maker = Maker{}

// Environment makes the environment of an order; see experiments.Maker.
func (m Maker) Environment(ctx context.Context, o experiments.Order) (envs.Environment, error) {
	env, err := m.Maker.Environment(ctx, o)
	return env, m.explain(err)
}

// Agent makes the agent of one seat; see experiments.Maker.
func (m Maker) Agent(ctx context.Context, o experiments.Order, env envs.Environment, c experiments.Casting) (agents.Agent, error) {
	agent, err := m.Maker.Agent(ctx, o, env, c)
	return agent, m.explain(err)
}

func (m Maker) explain(err error) error {
	if !errors.Is(err, interpreter.ErrNotBuilt) {
		return err
	}
	m.Missed()
	return soon{fmt.Errorf("the interpreter is not built on this runner node yet; the node builds it now, see its log: %w", err)}
}

// soon is an error that ends by itself. It reads as the error that it is about.
type soon struct{ error }

// Unwrap implements the interface of package errors.
func (s soon) Unwrap() []error {
	return []error{s.error, experiments.ErrNotHere, experiments.ErrNotYet}
}
