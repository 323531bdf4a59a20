package python

import (
	"context"
	"errors"

	"sharpie/agents"
	"sharpie/envs"
	worker "sharpie/envs/python"
)

// errNoObservation is returned by Act where there is nothing to act on.
var errNoObservation = errors.New("agents/python: there is no observation")

// alone is the agent of a policy in a process without an environment.
type alone struct {
	resident
	// waiting is the transition that the next Act brings along; nil: none.
	waiting *worker.Transition
	// failed is why a transition could not be learned from where nobody could be told.
	failed error
}

var (
	_ agents.Agent        = (*alone)(nil)
	_ agents.Learner      = (*aloneLearner)(nil)
	_ agents.Checkpointer = (*aloneKeeper)(nil)
	_ agents.Checkpointer = (*aloneBoth)(nil)
	_ agents.Learner      = (*aloneBoth)(nil)
)

// Alone loads a policy into a process without an environment, and returns its agent,
// which is a Learner and a Checkpointer as far as the policy is. end is called by its
// Close, and where loading fails; nil is nothing. The warnings are for researchers.
func Alone(ctx context.Context, w *worker.Worker, p *Policy, end func() error) (agents.Agent, []string, error) {
	return settleAlone(ctx, w, p, end)
}

func settleAlone(ctx context.Context, w process, p *Policy, end func() error) (agents.Agent, []string, error) {
	r, loaded, err := settle(ctx, w, p, end)
	if err != nil {
		if end != nil {
			err = errors.Join(err, end())
		}
		return nil, nil, err
	}
	return alone{resident: *r}.as(loaded.Checkpointer), loaded.Warnings, nil
}

// as returns the agent with the methods that its policy has.
func (a alone) as(keeps bool) agents.Agent {
	switch {
	case a.learner && keeps:
		return &aloneBoth{aloneKeeper{a}}
	case a.learner:
		return &aloneLearner{a}
	case keeps:
		return &aloneKeeper{a}
	}
	return &a
}

// check says why the agent cannot be used now.
func (a *alone) check(ctx context.Context) error {
	if a.closed {
		return agents.ErrClosed
	}
	if a.failed != nil {
		return a.failed
	}
	return ctx.Err()
}

// Act brings the transition that waits, and asks, in one exchange.
func (a *alone) Act(ctx context.Context, in agents.Input) (envs.Value, error) {
	if err := a.check(ctx); err != nil {
		return nil, err
	}
	if in.Observation == nil {
		return nil, errNoObservation
	}
	action, version, err := a.process.Act(ctx, string(a.role), worker.ActInput{
		Observation: in.Observation, Mask: in.ActionMask, Advice: in.Human, Learn: a.take(),
	})
	if err != nil {
		return nil, blame(err, "act", a.role)
	}
	a.changed(version)
	return action, nil
}

// take hands over the transition that waits.
func (a *alone) take() []worker.Transition {
	if a.waiting == nil {
		return nil
	}
	out := []worker.Transition{*a.waiting}
	a.waiting = nil
	return out
}

func (a *alone) changed(version string) {
	if version != "" {
		a.version = version
	}
}

// flush sends the transition that waits by itself.
func (a *alone) flush(ctx context.Context) error {
	learn := a.take()
	if learn == nil {
		return nil
	}
	version, err := a.process.Learn(ctx, string(a.role), learn)
	if err != nil {
		a.failed = blame(err, "update", a.role)
		return a.failed
	}
	a.changed(version)
	return nil
}

// Version names the file and what was learned, with the transition that waits.
func (a *alone) Version() string {
	if !a.closed && a.failed == nil {
		_ = a.flush(context.Background()) // the next call fails with it
	}
	return a.version
}

// Close lets the last transition be learned from, and ends the agent.
func (a *alone) Close() error {
	var flushed error
	if !a.closed && a.failed == nil {
		flushed = a.flush(context.Background())
	}
	return errors.Join(flushed, a.resident.Close())
}

// update keeps a transition for the next Act. One waits at most; the last one of an
// episode does not wait, because no Act may follow.
func (a *alone) update(ctx context.Context, t agents.Transition) error {
	if err := a.check(ctx); err != nil {
		return err
	}
	if err := a.flush(ctx); err != nil {
		return err
	}
	a.waiting = &worker.Transition{
		Observation: t.Observation, Action: t.Action, Reward: t.Reward, NextObservation: t.NextObservation,
		Terminated: t.Terminated, Truncated: t.Truncated,
	}
	if t.Human {
		a.waiting.Human = &t.Reward
	}
	if t.Terminated || t.Truncated {
		return a.flush(ctx)
	}
	return nil
}

// aloneLearner learns, and keeps nothing.
type aloneLearner struct{ alone }

// Update learns from one transition, at the latest with the next Act.
func (a *aloneLearner) Update(ctx context.Context, t agents.Transition) error {
	return a.update(ctx, t)
}

// aloneKeeper has a state.
type aloneKeeper struct{ alone }

// State returns what was learned, as the worker writes it.
func (a *aloneKeeper) State() ([]byte, error) {
	if err := a.check(context.Background()); err != nil {
		return nil, err
	}
	if err := a.flush(context.Background()); err != nil {
		return nil, err
	}
	return a.state()
}

// SetState puts it back; a transition that waits is forgotten with the rest.
func (a *aloneKeeper) SetState(state []byte) error {
	if err := a.check(context.Background()); err != nil {
		return err
	}
	if err := a.flush(context.Background()); err != nil {
		return err
	}
	return a.setState(state)
}

// aloneBoth learns and has a state.
type aloneBoth struct{ aloneKeeper }

// Update learns from one transition, at the latest with the next Act.
func (a *aloneBoth) Update(ctx context.Context, t agents.Transition) error { return a.update(ctx, t) }
