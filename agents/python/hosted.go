package python

import (
	"context"
	"errors"

	"sharpie/agents"
	"sharpie/envs"
	worker "sharpie/envs/python"
)

// errHosted is returned by the methods that a host takes over.
var errHosted = errors.New("agents/python: the policy lives in its environment's process: ask and teach it through Turn and Learn")

// Hosted is the agent of a policy that lives in the process of its environment. It is
// asked and taught through envs.Host, where the runner looks for HostedBy.
type Hosted struct {
	resident
	env envs.Environment
}

var (
	_ agents.Agent        = (*Hosted)(nil)
	_ agents.Learner      = (*hostedLearner)(nil)
	_ agents.Checkpointer = (*hostedKeeper)(nil)
	_ agents.Checkpointer = (*hostedBoth)(nil)
	_ agents.Learner      = (*hostedBoth)(nil)
)

// Host loads a policy into the process of an environment, w, and returns its agent: a
// *Hosted, which is a Learner and a Checkpointer as far as the policy is. The warnings
// are for researchers.
func Host(ctx context.Context, env envs.Environment, w *worker.Worker, p *Policy) (agents.Agent, []string, error) {
	return host(ctx, env, w, p)
}

func host(ctx context.Context, env envs.Environment, w process, p *Policy) (agents.Agent, []string, error) {
	r, loaded, err := settle(ctx, w, p, nil)
	if err != nil {
		return nil, nil, err
	}
	h := Hosted{resident: *r, env: env}
	return h.as(loaded.Checkpointer), loaded.Warnings, nil
}

// as returns the agent with the methods that its policy has.
func (h Hosted) as(keeps bool) agents.Agent {
	switch {
	case h.learner && keeps:
		return &hostedBoth{hostedKeeper{h}}
	case h.learner:
		return &hostedLearner{h}
	case keeps:
		return &hostedKeeper{h}
	}
	return &h
}

// HostedBy reports whether the policy lives in that environment.
func (h *Hosted) HostedBy(env envs.Environment) bool { return h.env == env }

// Learns reports whether the policy learns at all.
func (h *Hosted) Learns() bool { return h.learner }

// Act fails: the host asks.
func (h *Hosted) Act(context.Context, agents.Input) (envs.Value, error) {
	if h.closed {
		return nil, agents.ErrClosed
	}
	return nil, errHosted
}

func (h *Hosted) update() error {
	if h.closed {
		return agents.ErrClosed
	}
	return errHosted
}

// hostedLearner learns, and keeps nothing.
type hostedLearner struct{ Hosted }

// Update fails: the host teaches.
func (h *hostedLearner) Update(context.Context, agents.Transition) error { return h.update() }

// hostedKeeper has a state.
type hostedKeeper struct{ Hosted }

// State returns what was learned, as the worker writes it.
func (h *hostedKeeper) State() ([]byte, error) { return h.state() }

// SetState puts it back.
func (h *hostedKeeper) SetState(state []byte) error { return h.setState(state) }

// hostedBoth learns and has a state.
type hostedBoth struct{ hostedKeeper }

// Update fails: the host teaches.
func (h *hostedBoth) Update(context.Context, agents.Transition) error { return h.update() }
