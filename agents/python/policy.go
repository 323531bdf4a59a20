package python

import (
	"context"
	"errors"
	"fmt"

	"sharpie/agents"
	"sharpie/envs"
	worker "sharpie/envs/python"
)

// Policy is one policy to be loaded for one seat.
type Policy struct {
	// Spec is the seat; Kwargs go to the policy as they are.
	Spec agents.Spec
	// File is the Python file, relative to the folder of the experiment.
	File string
	// Learns is whether the policy is going to be updated.
	Learns bool
	// Every is the interval of updates, in steps, as an experiment gives it; -2 is
	// after the last one only.
	Every int
	// State is what it had learned, put back before it is loaded; nil: nothing.
	State []byte
}

// load is the request to a worker.
func (p *Policy) load() worker.PolicyLoad {
	return worker.PolicyLoad{
		Role: string(p.Spec.Role.Role), File: p.File, Kwargs: p.Spec.Kwargs, Seed: p.Spec.Seed,
		Learns: p.Learns, Every: p.Every, State: p.State,
		Action: p.Spec.Role.Action, Observation: p.Spec.Role.Observation,
	}
}

// process is what an agent asks of a worker. *worker.Worker is one.
type process interface {
	LoadPolicy(ctx context.Context, p worker.PolicyLoad) (worker.PolicyLoaded, error)
	Act(ctx context.Context, role string, in worker.ActInput) (envs.Value, string, error)
	Learn(ctx context.Context, role string, from []worker.Transition) (string, error)
	State(ctx context.Context, role string) ([]byte, string, error)
	Restore(ctx context.Context, role string, state []byte) (string, error)
}

// resident is what both kinds of agents share: a policy loaded in a process.
type resident struct {
	process process
	role    envs.Role
	// version is the one that the process named last.
	version string
	learner bool
	closed  bool
	// end frees what the agent holds of the process; nil: nothing.
	end func() error
}

// settle loads the policy.
func settle(ctx context.Context, p process, policy *Policy, end func() error) (*resident, worker.PolicyLoaded, error) {
	loaded, err := p.LoadPolicy(ctx, policy.load())
	if err != nil {
		return nil, loaded, blame(err, "load", policy.Spec.Role.Role)
	}
	return &resident{
		process: p, role: policy.Spec.Role.Role, version: loaded.Version,
		learner: loaded.Learner && policy.Learns, end: end,
	}, loaded, nil
}

// Version names the file and what was learned.
func (r *resident) Version() string { return r.version }

// Close ends the agent; a second call does nothing.
func (r *resident) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	if r.end == nil {
		return nil
	}
	return r.end()
}

// state fetches what was learned.
func (r *resident) state() ([]byte, error) {
	if r.closed {
		return nil, agents.ErrClosed
	}
	state, version, err := r.process.State(context.Background(), string(r.role))
	if err != nil {
		return nil, blame(err, "checkpoint", r.role)
	}
	if version != "" {
		r.version = version
	}
	return state, nil
}

// setState puts it back.
func (r *resident) setState(state []byte) error {
	switch {
	case r.closed:
		return agents.ErrClosed
	case !whole(state):
		return fmt.Errorf("%w: it is none of a policy in Python, or a part of one", agents.ErrInvalidState)
	}
	version, err := r.process.Restore(context.Background(), string(r.role), state)
	if err != nil {
		return fmt.Errorf("%w: %w", agents.ErrInvalidState, blame(err, "checkpoint", r.role))
	}
	if version != "" {
		r.version = version
	}
	return nil
}

// tarBlock is what the length of a tar is a multiple of.
const tarBlock = 512

// whole reports whether the bytes begin and end as a state does: a tar of whole blocks,
// or a pickle with its stop at the end. Python's pickle would overlook what follows it.
func whole(state []byte) bool {
	switch {
	case len(state) < 2:
		return false
	case state[0] == 'T':
		return len(state)%tarBlock == 1
	}
	return state[0] == 'P' && state[len(state)-1] == '.'
}

// blame fills in the role and the phase of a fault that lacks them. Other errors, such
// as a cancelled context, stay as they are.
func blame(err error, phase string, role envs.Role) error {
	f := new(envs.Fault)
	if !errors.As(err, &f) || (f.Role != "" && f.Phase != "") {
		return err
	}
	named := *f
	if named.Role == "" {
		named.Role = role
	}
	if named.Phase == "" {
		named.Phase = phase
	}
	return &named
}
