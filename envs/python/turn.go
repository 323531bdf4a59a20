package python

import (
	"context"
	"fmt"
	"slices"

	"sharpie/envs"
)

// turn checks everything, asks the worker, and takes down who is live. w.mu is held.
func (e *Environment) turn(ctx context.Context, turns []envs.RoleTurn, draw bool) (envs.Outcome, error) {
	if err := e.ready(ctx); err != nil {
		return envs.Outcome{}, err
	}
	if err := e.check(turns); err != nil {
		return envs.Outcome{}, err
	}
	w := e.worker
	e.request(turns, draw)
	c := call{op: "step", phase: "step", limit: w.limits.Step}
	e.begun, e.drawn = false, false // until it has gone well
	m, err := w.exchange(ctx, c)
	if err != nil {
		return envs.Outcome{}, err
	}
	out, err := e.outcome(&m, turns, draw)
	if err != nil {
		return envs.Outcome{}, w.broken(c, err)
	}
	e.begun = true
	return out, nil
}

// check refuses what the contract refuses, before anything changes.
func (e *Environment) check(turns []envs.RoleTurn) error {
	if len(e.live) == 0 {
		return envs.ErrEpisodeOver
	}
	acting := 0
	for i := range turns {
		t := &turns[i]
		at, known := e.order[t.Role]
		if !known {
			return fmt.Errorf("%w: there is no role %q", envs.ErrInvalidAction, t.Role)
		}
		for j := range i {
			if turns[j].Role == t.Role {
				return fmt.Errorf("%w: the role %q is given twice", envs.ErrInvalidAction, t.Role)
			}
		}
		if !t.Acts {
			continue
		}
		acting++
		s := e.standing(t.Role)
		switch {
		case s == nil:
			return fmt.Errorf("%w: the role %q has ended", envs.ErrInvalidAction, t.Role)
		case s.waits:
			return fmt.Errorf("%w: it is not the turn of the role %q", envs.ErrInvalidAction, t.Role)
		case t.Action == nil && t.Ask && !t.Final:
			continue // the policy has to know
		}
		if err := e.spec.Roles[at].Action.Contains(t.Action); err != nil {
			return fmt.Errorf("%w: of the role %q: %w", envs.ErrInvalidAction, t.Role, err)
		}
	}
	for _, s := range e.live {
		if !s.waits {
			acting--
		}
	}
	if acting < 0 {
		return fmt.Errorf("%w: an action of %s is missing", envs.ErrInvalidAction, e.missing(turns))
	}
	return nil
}

// missing names the first role that should act and does not.
func (e *Environment) missing(turns []envs.RoleTurn) envs.Role {
	for _, s := range e.live {
		if !s.waits && !slices.ContainsFunc(turns, func(t envs.RoleTurn) bool { return t.Acts && t.Role == s.role }) {
			return s.role
		}
	}
	return ""
}

func (e *Environment) standing(r envs.Role) *standing {
	for i := range e.live {
		if e.live[i].role == r {
			return &e.live[i]
		}
	}
	return nil
}

// request writes a turn.
func (e *Environment) request(turns []envs.RoleTurn, draw bool) {
	q := e.worker.request.begin("turn").key("turns").raw("[")
	for i := range turns {
		t := &turns[i]
		action := e.spec.Roles[e.order[t.Role]].Action
		q.item().raw("{").key("role").text(string(t.Role)).key("acts").bool(t.Acts).key("ask").bool(t.Ask)
		q.key("action").value(action, t.Action).key("final").bool(t.Final).key("advice").value(nil, t.Advice)
		q.key("learn").lesson(t.Learn).raw("}")
	}
	q.raw("]").key("draw").bool(draw)
}

func (q *request) lesson(l *envs.Lesson) *request {
	if l == nil {
		return q.raw("null")
	}
	return q.raw("{").key("reward").number(l.Reward).
		key("terminated").bool(l.Terminated).key("truncated").bool(l.Truncated).raw("}")
}

// outcome reads the reply to a turn.
func (e *Environment) outcome(m *message, turns []envs.RoleTurn, draw bool) (out envs.Outcome, err error) {
	ok := m.head.get("ok")
	if out.Decisions, err = e.decisions(m, ok.get("decisions").list, turns); err != nil {
		return out, err
	}
	list := ok.get("roles").list
	out.Roles = make([]envs.RoleTransition, len(list))
	for i := range list {
		if out.Roles[i], err = e.transition(m, &list[i]); err != nil {
			return out, err
		}
	}
	slices.SortStableFunc(out.Roles, func(a, b envs.RoleTransition) int { return e.order[a.Role] - e.order[b.Role] })
	if len(out.Roles) != len(e.live) {
		return out, fmt.Errorf("%w: a step is of %d roles, but %d were live", errProtocol, len(out.Roles), len(e.live))
	}
	next := e.live[:0]
	for i := range out.Roles {
		r := &out.Roles[i]
		if e.live[i].role != r.Role {
			return out, fmt.Errorf("%w: a step is of the role %q, but %q was live", errProtocol, r.Role, e.live[i].role)
		}
		if !r.Terminated && !r.Truncated {
			next = append(next, standing{r.Role, r.Waits})
		}
	}
	e.live = next
	if draw {
		err = e.draw(m)
		out.Frame = e.frame
	}
	return out, err
}

func (e *Environment) transition(m *message, n *node) (t envs.RoleTransition, err error) {
	if t.RoleObservation, err = e.observation(m, n); err != nil {
		return t, err
	}
	t.Reward, err = float(n.get("reward"))
	t.Terminated, t.Truncated = n.get("terminated").truth(), n.get("truncated").truth()
	return t, err
}

// decisions reads what policies said and what was done.
func (e *Environment) decisions(m *message, list []node, turns []envs.RoleTurn) ([]envs.Decision, error) {
	if len(list) != len(turns) {
		return nil, fmt.Errorf("%w: %d decisions for %d turns", errProtocol, len(list), len(turns))
	}
	out := make([]envs.Decision, len(list))
	for i := range list {
		n, t := &list[i], &turns[i]
		space := e.spec.Roles[e.order[t.Role]].Action
		out[i].Version = n.get("version").str()
		said, err := m.opinion(n.get("policy"))
		if err != nil {
			return nil, err
		}
		if said != nil {
			out[i].Policy = fit(space, said)
		}
		if !t.Acts {
			continue
		}
		if t.Final || !t.Ask || said == nil {
			out[i].Action = t.Action
			continue
		}
		done, err := m.opinion(n.get("action"))
		if err != nil {
			return nil, err
		}
		if done != nil {
			out[i].Action = fit(space, done)
		}
	}
	return out, nil
}

// Learn gives policies of the worker their last transitions.
func (e *Environment) Learn(ctx context.Context, turns []envs.RoleTurn) (versions []string, err error) {
	w := e.worker
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(ctx); err != nil {
		return nil, err
	}
	q := w.request.begin("learn").key("turns").raw("[")
	for i := range turns {
		t := &turns[i]
		if _, known := e.order[t.Role]; !known {
			return nil, fmt.Errorf("%w: there is no role %q", envs.ErrInvalidAction, t.Role)
		}
		q.item().raw("{").key("role").text(string(t.Role)).key("learn").lesson(t.Learn).raw("}")
	}
	q.raw("]")
	c := call{op: "the last update", phase: "update", limit: w.limits.Update}
	m, err := w.exchange(ctx, c)
	if err != nil {
		return nil, err
	}
	list := m.head.get("ok").get("versions").list
	if len(list) != len(turns) {
		return nil, w.broken(c, fmt.Errorf("%w: %d versions for %d turns", errProtocol, len(list), len(turns)))
	}
	versions = make([]string, len(list))
	for i := range list {
		versions[i] = list[i].str()
	}
	return versions, nil
}
