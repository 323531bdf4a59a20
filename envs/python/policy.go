package python

import (
	"bytes"
	"context"
	"fmt"

	"sharpie/envs"
)

// PolicyLoad is a policy to be loaded into a worker.
type PolicyLoad struct {
	// Role is one of those that the worker was loaded with.
	Role string
	// File is the policy's, within the bundle.
	File string
	// Kwargs are for it, where it is made by a call.
	Kwargs map[string]any
	// Seed for what it draws at random.
	Seed uint64
	// Learns is whether its update is called at all; Every how often: N every N steps,
	// 0 and -1 never, -2 after the last transition only.
	Learns bool
	Every  int
	// State is what State returned earlier; nil: nothing is put back.
	State []byte
	// Action and Observation are the spaces of its role.
	Action, Observation envs.Space
}

// PolicyLoaded is what is known of a policy once it is loaded.
type PolicyLoaded struct {
	// Version names what it knows: a hash of its code and state.
	Version string
	// Learner is whether it can learn, Checkpointer whether State has anything to return.
	Learner, Checkpointer bool
	Warnings              []string
}

// Transition is one step of a role, to learn from.
type Transition struct {
	Observation, Action   envs.Value
	Reward                float64
	Terminated, Truncated bool
	NextObservation       envs.Value
	// Human is the participant's reward for it; nil: none was given.
	Human *float64
}

// ActInput is what a policy decides from.
type ActInput struct {
	Observation envs.Value
	// Mask says which actions are legal; nil: all.
	Mask []bool
	// Advice is a participant's input for it; nil: none.
	Advice envs.Value
	// Learn is what it learns before it is asked.
	Learn []Transition
}

// LoadPolicy loads a policy for a role. Its errors are the code's: *envs.Fault.
func (w *Worker) LoadPolicy(ctx context.Context, l PolicyLoad) (PolicyLoaded, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	role := envs.Role(l.Role)
	q := w.request.begin("policy").key("role").text(l.Role).key("file").text(l.File).key("kwargs")
	if err := q.mapping(l.Kwargs); err != nil {
		return PolicyLoaded{}, fmt.Errorf("%w: the keyword arguments of the policy of %s: %w", envs.ErrInvalidArgument, l.Role, err)
	}
	q.key("seed").uint(l.Seed).key("learns").bool(l.Learns).key("every").int(int64(l.Every))
	q.key("state").state(l.State)
	q.key("action").space(l.Action).key("observation").space(l.Observation)
	m, err := w.exchange(ctx, call{op: "loading the policy", phase: "load", role: role, limit: w.limits.Load})
	if err != nil {
		return PolicyLoaded{}, err
	}
	ok := m.head.get("ok")
	action, observation := l.Action, l.Observation
	if action == nil {
		action = envs.Opaque{}
	}
	w.policies[role] = &hosted{action: action, observation: observation}
	return PolicyLoaded{
		Version: ok.get("version").str(), Learner: ok.get("learner").truth(),
		Checkpointer: ok.get("checkpointer").truth(), Warnings: ok.get("warnings").texts(),
	}, nil
}

// mapping appends keyword arguments; nil is none.
func (q *request) mapping(kwargs map[string]any) error {
	if kwargs == nil {
		q.raw("{}")
		return nil
	}
	return q.document(kwargs)
}

// state appends a state as a reference to a blob; nil is null.
func (q *request) state(s []byte) *request {
	if s == nil {
		return q.raw("null")
	}
	return q.blob(s)
}

// Act asks the policy of a role, after it has learned. The action is a point of its
// space; nil says that the policy has no opinion. The version is empty where it did
// not change. The worker has been loaded by Pool.Policies.
func (w *Worker) Act(ctx context.Context, role string, in ActInput) (envs.Value, string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, err := w.policy(envs.Role(role))
	if err != nil {
		return nil, "", err
	}
	q := w.request.begin("act").key("role").text(role).key("observation").value(p.observation, in.Observation)
	q.key("mask").mask(in.Mask).key("advice").value(nil, in.Advice)
	q.transitions(p, in.Learn)
	m, err := w.exchange(ctx, call{op: "asking the policy", phase: "act", role: envs.Role(role), limit: w.limits.Step})
	if err != nil {
		return nil, "", err
	}
	ok := m.head.get("ok")
	version := ok.get("version").str()
	said, err := m.opinion(ok.get("action"))
	if err != nil {
		return nil, "", w.broken(call{phase: "act", role: envs.Role(role)}, err)
	}
	if said == nil {
		return nil, version, nil
	}
	action, err := Coerce(p.action, said)
	if err != nil {
		return nil, "", &envs.Fault{
			State: envs.PolicyError, Phase: "act", Role: envs.Role(role),
			Message: "the policy chose an action that there is not: " + err.Error(), Log: w.process.out.last(),
		}
	}
	return action, version, nil
}

// Learn lets the policy of a role learn from transitions without being asked.
func (w *Worker) Learn(ctx context.Context, role string, from []Transition) (version string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, err := w.policy(envs.Role(role))
	if err != nil {
		return "", err
	}
	q := w.request.begin("act").key("role").text(role).raw(`,"observation":null,"mask":null,"advice":null`)
	q.transitions(p, from)
	m, err := w.exchange(ctx, call{op: "the update of the policy", phase: "update", role: envs.Role(role), limit: w.limits.Update})
	if err != nil {
		return "", err
	}
	return m.head.get("ok").get("version").str(), nil
}

// State returns what the policy of a role has learned, for a later Restore, and its
// version; nil where it keeps nothing.
func (w *Worker) State(ctx context.Context, role string) ([]byte, string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.request.begin("state").key("role").text(role)
	c := call{op: "saving the policy", phase: "checkpoint", role: envs.Role(role), limit: w.limits.Update}
	m, err := w.exchange(ctx, c)
	if err != nil {
		return nil, "", err
	}
	ok := m.head.get("ok")
	n := ok.get("state")
	if n.kind == kindNull {
		return nil, ok.get("version").str(), nil
	}
	i, is := n.integer()
	if !is || i < 0 || i >= int64(len(m.blobs)) {
		return nil, "", w.broken(c, fmt.Errorf("%w: a state names blob %q of %d", errProtocol, n.text, len(m.blobs)))
	}
	state := m.blobs[i]
	if int(i) == m.shared {
		state = bytes.Clone(state)
	}
	return state, ok.get("version").str(), nil
}

// Restore puts a state back into the policy of a role and returns its version.
func (w *Worker) Restore(ctx context.Context, role string, state []byte) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.request.begin("restore").key("role").text(role).key("state").state(state)
	m, err := w.exchange(ctx, call{op: "restoring the policy", phase: "checkpoint", role: envs.Role(role), limit: w.limits.Update})
	if err != nil {
		return "", err
	}
	return m.head.get("ok").get("version").str(), nil
}

// policy is a policy that was loaded. w.mu is held.
func (w *Worker) policy(role envs.Role) (*hosted, error) {
	p := w.policies[role]
	if p == nil {
		return nil, fmt.Errorf("%w: no policy was loaded for the role %q", envs.ErrInvalidArgument, role)
	}
	return p, nil
}

func (q *request) mask(mask []bool) *request {
	if mask == nil {
		return q.raw("null")
	}
	q.raw("[")
	for i, legal := range mask {
		if i > 0 {
			q.raw(",")
		}
		if legal {
			q.raw("1")
		} else {
			q.raw("0")
		}
	}
	return q.raw("]")
}

// transitions appends what a policy learns from.
func (q *request) transitions(p *hosted, list []Transition) {
	q.key("learn").raw("[")
	for i := range list {
		t := &list[i]
		q.item().raw("{").key("observation").value(p.observation, t.Observation).key("action").value(p.action, t.Action)
		q.key("reward").float(t.Reward).key("terminated").bool(t.Terminated).key("truncated").bool(t.Truncated)
		q.key("next_observation").value(p.observation, t.NextObservation).key("human").number(t.Human).raw("}")
	}
	q.raw("]")
}

// number appends a number that may be missing.
func (q *request) number(x *float64) *request {
	if x == nil {
		return q.raw("null")
	}
	return q.float(*x)
}
