package python

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"sharpie/envs"
)

// Environment is an environment in Python, and the host of policies beside it.
type Environment struct {
	worker *Worker
	spec   envs.Spec
	// source is false for researchers' files.
	source bool
	// order is the place of each role in Spec.
	order map[envs.Role]int
	// live are the roles of the last observation that have not ended, in that order.
	live []standing
	// begun is whether an episode is under way or over; false after an error, too.
	begun bool
	// frame is the picture of the state as it is, where drawn says so.
	frame envs.Frame
	drawn bool
	// turns is the memory of Step's turns.
	turns []envs.RoleTurn
}

var _ envs.Host = (*Environment)(nil)

// standing is a role that is live, and whether it waits for its turn.
type standing struct {
	role  envs.Role
	waits bool
}

// newEnvironment reads what a load answered.
func newEnvironment(w *Worker, l Load, m *message) (*Environment, error) {
	ok := m.head.get("ok")
	e := &Environment{worker: w, source: l.Source != "", order: map[envs.Role]int{}}
	e.spec = envs.Spec{ID: ok.get("id").str(), Version: version(ok, w), Replayable: ok.get("replayable").truth()}
	var err error
	if e.spec.FPS, err = float(ok.get("fps")); err != nil || !(e.spec.FPS >= 0) || math.IsInf(e.spec.FPS, 0) {
		e.spec.FPS = 0 // it does not matter to anybody
	}
	for _, n := range []struct {
		name string
		into *int
	}{{"max_steps", &e.spec.MaxSteps}, {"width", &e.spec.Width}, {"height", &e.spec.Height}} {
		if v := ok.get(n.name); v.kind != kindNull {
			if *n.into, err = v.size(n.name, math.MaxInt32); err != nil {
				return nil, fmt.Errorf("%w: %w", errProtocol, err)
			}
		}
	}
	list := ok.get("roles").list
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: it has no role", errProtocol)
	}
	for i := range list {
		r, err := roleSpec(&list[i])
		if err != nil {
			return nil, err
		}
		if _, twice := e.order[r.Role]; twice || r.Role == "" {
			return nil, fmt.Errorf("%w: role %d is called %q, which is empty or taken", errProtocol, i, r.Role)
		}
		e.order[r.Role] = i
		e.spec.Roles = append(e.spec.Roles, r)
	}
	w.mu.Lock()
	w.roles = w.roles[:0]
	for _, r := range e.spec.Roles {
		w.roles = append(w.roles, r.Role)
	}
	w.mu.Unlock()
	if why := ok.get("why_not").str(); why != "" && !e.spec.Replayable {
		w.warn([]string{"episodes cannot be replayed: " + why})
	}
	return e, nil
}

// version names the code of the dynamics: the packages', or the file's hash.
func version(ok *node, w *Worker) string {
	var parts []string
	if v := ok.get("version").str(); v != "" {
		parts = append(parts, v)
	}
	packages := ok.get("packages")
	for i, name := range packages.keys {
		part := name + " " + packages.list[i].str()
		if !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	if !slices.Contains(packages.keys, "python") {
		parts = append(parts, "python "+w.version)
	}
	return shorten(strings.Join(parts, ", "), 2000)
}

func roleSpec(n *node) (envs.RoleSpec, error) {
	observation, err := space(n.get("observation"), 0)
	if err != nil {
		return envs.RoleSpec{}, err
	}
	action, err := space(n.get("action"), 0)
	if err != nil {
		return envs.RoleSpec{}, err
	}
	r := envs.RoleSpec{Role: envs.Role(n.get("role").str()), Observation: observation, Action: action}
	if d, ok := action.(envs.Discrete); ok {
		if texts := n.get("meanings").texts(); int64(len(texts)) == d.N {
			r.ActionMeanings = texts
		}
	}
	return r, nil
}

// Spec describes the environment. Width and Height are 0 until the first Reset where
// they are not known before.
func (e *Environment) Spec() envs.Spec { return e.spec }

// Worker is the process that runs it.
func (e *Environment) Worker() *Worker { return e.worker }

// Reusable reports whether another Reset begins a fresh episode: for environments by
// id, without policies beside them.
func (e *Environment) Reusable() bool {
	e.worker.mu.Lock()
	defer e.worker.mu.Unlock()
	return e.source && len(e.worker.policies) == 0
}

// Info says where and how the code runs.
func (e *Environment) Info() envs.HostInfo { return e.worker.Info() }

// Output is the last that the code printed, at most 64 KiB.
func (e *Environment) Output() string { return e.worker.Output() }

// Close ends the process and frees everything.
func (e *Environment) Close() error { return e.worker.Close() }

// Reset starts an episode, and draws it.
func (e *Environment) Reset(ctx context.Context, seed uint64) (envs.Observations, error) {
	w := e.worker
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(ctx); err != nil {
		return nil, err
	}
	e.begun, e.drawn = false, false
	c := call{op: "reset", phase: "reset", limit: w.limits.Reset}
	w.request.begin("reset").key("seed").uint(seed).key("draw").bool(true)
	m, err := w.exchange(ctx, c)
	if err != nil {
		return nil, err
	}
	out, err := e.observations(&m)
	if err == nil {
		err = e.draw(&m)
	}
	if err != nil {
		return nil, w.broken(c, err)
	}
	e.spec.Width, e.spec.Height = e.frame.Width, e.frame.Height
	e.begun = true
	return out, nil
}

// observations reads what the roles see at first, and who is live.
func (e *Environment) observations(m *message) (envs.Observations, error) {
	list := m.head.get("ok").get("roles").list
	out := make(envs.Observations, len(list))
	e.live = e.live[:0]
	for i := range list {
		o, err := e.observation(m, &list[i])
		if err != nil {
			return nil, err
		}
		out[i] = o
	}
	slices.SortStableFunc(out, func(a, b envs.RoleObservation) int { return e.order[a.Role] - e.order[b.Role] })
	for i, o := range out {
		if i > 0 && out[i-1].Role == o.Role {
			return nil, fmt.Errorf("%w: two observations of the role %q", errProtocol, o.Role)
		}
		e.live = append(e.live, standing{o.Role, o.Waits})
	}
	return out, nil
}

func (e *Environment) observation(m *message, n *node) (o envs.RoleObservation, err error) {
	o.Role = envs.Role(n.get("role").str())
	at, ok := e.order[o.Role]
	if !ok {
		return o, fmt.Errorf("%w: an observation of the role %q, which there is not", errProtocol, o.Role)
	}
	if o.Observation, err = m.value(n.get("observation")); err != nil {
		return o, err
	}
	o.Observation = fit(e.spec.Roles[at].Observation, o.Observation)
	if o.ActionMask, err = mask(n.get("mask")); err != nil {
		return o, err
	}
	if d, ok := e.spec.Roles[at].Action.(envs.Discrete); !ok || int64(len(o.ActionMask)) != d.N || !slices.Contains(o.ActionMask, true) {
		o.ActionMask = nil // it says nothing that anybody could keep to
	}
	o.Waits = n.get("waits").truth()
	o.Info, err = m.info(n.get("info"))
	return o, err
}

// draw takes the picture of a reply.
func (e *Environment) draw(m *message) (err error) {
	e.frame, err = m.picture(m.head.get("ok").get("frame"))
	e.drawn = err == nil
	return err
}

// Render draws the current state. Where the last call drew it already, nothing is asked
// of the code: some of it counts on being drawn once for each step.
func (e *Environment) Render(ctx context.Context) (envs.Frame, error) {
	w := e.worker
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := e.ready(ctx); err != nil {
		return envs.Frame{}, err
	}
	if e.drawn {
		return e.frame, nil
	}
	c := call{op: "render", phase: "render", limit: w.limits.Step}
	w.request.begin("render")
	m, err := w.exchange(ctx, c)
	if err != nil {
		return envs.Frame{}, err
	}
	if err := e.draw(&m); err != nil {
		return envs.Frame{}, w.broken(c, err)
	}
	return e.frame, nil
}

// ready says why there is nothing to step or draw, if so. w.mu is held.
func (e *Environment) ready(ctx context.Context) error {
	if err := e.worker.usable(ctx); err != nil {
		return err
	}
	if !e.begun {
		return envs.ErrNotReset
	}
	return nil
}

// Step takes a step without policies and without a picture.
func (e *Environment) Step(ctx context.Context, actions []envs.RoleAction) (envs.Transition, error) {
	e.worker.mu.Lock()
	defer e.worker.mu.Unlock()
	e.turns = e.turns[:0]
	for _, a := range actions {
		e.turns = append(e.turns, envs.RoleTurn{Role: a.Role, Acts: true, Action: a.Action, Final: true})
	}
	out, err := e.turn(ctx, e.turns, false)
	clear(e.turns)
	return out.Transition, err
}

// Turn takes a whole step in one exchange.
func (e *Environment) Turn(ctx context.Context, turns []envs.RoleTurn) (envs.Outcome, error) {
	e.worker.mu.Lock()
	defer e.worker.mu.Unlock()
	return e.turn(ctx, turns, true)
}
