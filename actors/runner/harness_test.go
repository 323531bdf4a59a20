package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"sharpie/actors/messages"
	"sharpie/agents"
	"sharpie/envs"
	"sharpie/experiments"
)

// walk is a tiny environment: every role walks on a line by -1, 0 or +1; the
// picture has one pixel per place. Hooks let a test misbehave.
type walk struct {
	roles   []envs.Role
	ends    map[envs.Role]int // step after which the role terminates; 0 never
	pos     []int64
	live    []bool
	step    int
	seed    uint64
	closed  int
	mask    []bool
	turns   bool // one role acts at a time, in their order
	onStep  func(step int)
	onReset func()
	taken   []map[envs.Role]envs.Value
	order   [][]envs.Role
	info    map[string]any
}

func newWalk(roles ...envs.Role) *walk { return &walk{roles: roles, ends: map[envs.Role]int{}} }

func (w *walk) Spec() envs.Spec {
	s := envs.Spec{ID: "Walk-v0", Width: 8, Height: 1, Version: "1", Replayable: true}
	for _, r := range w.roles {
		s.Roles = append(s.Roles, envs.RoleSpec{Role: r,
			Observation: envs.Discrete{N: 1000, Start: -500}, Action: envs.Discrete{N: 3}})
	}
	return s
}

func (w *walk) Reset(_ context.Context, seed uint64) (envs.Observations, error) {
	if w.onReset != nil {
		w.onReset()
	}
	w.seed, w.step = seed, 0
	w.pos, w.live = make([]int64, len(w.roles)), make([]bool, len(w.roles))
	var out envs.Observations
	for i, r := range w.roles {
		w.live[i], w.pos[i] = true, int64(seed%8)
		out = append(out, envs.RoleObservation{Role: r, Observation: envs.Int(w.pos[i]), ActionMask: w.mask, Waits: w.waits(i)})
	}
	return out, nil
}

// waits reports whether it is another role's turn.
func (w *walk) waits(i int) bool { return w.turns && w.live[i] && w.step%len(w.roles) != i }

func (w *walk) Step(_ context.Context, actions []envs.RoleAction) (envs.Transition, error) {
	w.step++
	if w.onStep != nil {
		w.onStep(w.step)
	}
	taken, order := map[envs.Role]envs.Value{}, []envs.Role{}
	for _, a := range actions {
		taken[a.Role] = a.Action
		order = append(order, a.Role)
	}
	w.taken, w.order = append(w.taken, taken), append(w.order, order)
	var out envs.Transition
	for i, r := range w.roles {
		if !w.live[i] {
			continue
		}
		a, ok := taken[r].(envs.Int)
		if w.turns && (w.step-1)%len(w.roles) != i {
			if ok {
				return out, fmt.Errorf("%w: it is not the turn of %s", envs.ErrInvalidAction, r)
			}
			a, ok = 1, true
		}
		if !ok {
			return out, fmt.Errorf("%w: %v for %s", envs.ErrInvalidAction, taken[r], r)
		}
		w.pos[i] += int64(a) - 1
		end := w.ends[r] > 0 && w.step >= w.ends[r]
		w.live[i] = !end
		out.Roles = append(out.Roles, envs.RoleTransition{
			RoleObservation: envs.RoleObservation{Role: r, Observation: envs.Int(w.pos[i]), ActionMask: w.mask, Info: w.info, Waits: w.waits(i)},
			Reward:          float64(int64(a) - 1), Terminated: end,
		})
	}
	return out, nil
}

func (w *walk) Render(context.Context) (envs.Frame, error) {
	f := envs.Frame{Width: 8, Height: 1, Index: make([]byte, 8), Palette: []byte{0, 0, 0, 255, 255, 255}}
	for _, p := range w.pos {
		f.Index[((p%8)+8)%8] = 1
	}
	return f, nil
}

func (w *walk) Close() error { w.closed++; return nil }

// fixed acts always the same, and writes down what it is told.
type fixed struct {
	action  envs.Value
	version int
	inputs  []agents.Input
	updates []agents.Transition
	calls   *[]string
	closed  bool
	onAct   func()
	state   []byte
}

func (f *fixed) Act(_ context.Context, in agents.Input) (envs.Value, error) {
	if f.onAct != nil {
		f.onAct()
	}
	f.inputs = append(f.inputs, in)
	f.call("act")
	return f.action, nil
}

func (f *fixed) Update(_ context.Context, t agents.Transition) error {
	f.updates = append(f.updates, t)
	f.version++
	f.call("update")
	return nil
}

func (f *fixed) call(s string) {
	if f.calls != nil {
		*f.calls = append(*f.calls, s)
	}
}
func (f *fixed) Version() string             { return fmt.Sprintf("fixed-%d", f.version) }
func (f *fixed) Close() error                { f.closed = true; return nil }
func (f *fixed) State() ([]byte, error)      { return []byte(f.Version()), nil }
func (f *fixed) SetState(state []byte) error { f.state = state; return nil }

// world is a registry of one environment and any policies.
type world struct {
	env      envs.Environment
	fresh    func() envs.Environment // instead of env: another one each time
	made     int
	policies map[string]agents.Agent
	seeds    map[envs.Role]uint64
	refuse   error // of every Agent
}

func (w *world) Environment(_ context.Context, o experiments.Order) (envs.Environment, error) {
	source := o.Definition.Environment.Source
	if source != "go:walk" {
		return nil, fmt.Errorf("%w %q", envs.ErrUnknown, source)
	}
	w.made++
	if w.fresh != nil {
		return w.fresh(), nil
	}
	return w.env, nil
}

func (w *world) Agent(_ context.Context, _ experiments.Order, _ envs.Environment, c experiments.Casting) (agents.Agent, error) {
	if w.seeds == nil {
		w.seeds = map[envs.Role]uint64{}
	}
	w.seeds[c.Spec.Role.Role] = c.Spec.Seed
	if w.refuse != nil {
		return nil, w.refuse
	}
	source := c.Policy.Source
	a, ok := w.policies[source]
	if !ok {
		return nil, errors.New("unknown policy " + source)
	}
	if k, ok := a.(agents.Checkpointer); ok && c.State != nil {
		return a, k.SetState(c.State)
	}
	return a, nil
}

// definition is an experiment on walk: real time, 10 steps per second, every
// role a person with the arrow keys, ArrowLeft 0, ArrowRight 2, default 1.
func definition(roles ...string) *experiments.Definition {
	d := &experiments.Definition{
		Environment: experiments.Environment{Name: "Walk", Source: "go:walk"},
		Experiment: experiments.Experiment{
			Link: "walk", Name: "Walk", NumberOfEpisodes: 1, TargetFPS: 10, MaxSteps: 5,
			LoadTimeout: seconds(120), ResetTimeout: seconds(30), StepTimeout: seconds(5), EpisodeTimeout: seconds(600),
			InputTimeout: seconds(60),
		},
	}
	for _, r := range roles {
		d.Agents = append(d.Agents, experiments.Agent{
			Role: envs.Role(r), Name: r, Participant: true, InputsType: experiments.InputActions,
			KeyboardInputs: experiments.KeyMap{Default: int64(1), Bindings: []experiments.KeyBinding{
				{Key: "ArrowLeft", Value: int64(0)}, {Key: "ArrowRight", Value: int64(2)},
			}},
		})
	}
	return d
}

func seconds(s float64) experiments.Duration {
	return experiments.Duration(s * float64(time.Second))
}

// played is a loop under test, with what it reported.
type played struct {
	*loop
	t     *testing.T
	world *world

	mu       sync.Mutex
	messages []any
	at       []time.Time
	kept     *stage
	ended    chan struct{}
}

// play prepares the loop of an episode with seed 3.
func play(t *testing.T, def *experiments.Definition, w *world, change ...func(*Config, *messages.Start)) *played {
	t.Helper()
	cfg := Config{RunnerID: "node", Incarnation: "1", CodeVersion: "test", Maker: w}
	start := &messages.Start{SessionId: "s", EpisodeId: "e", Seed: 3, Definition: []byte("{}")}
	for _, f := range change {
		f(&cfg, start)
	}
	cfg = cfg.withDefaults()
	p := &played{t: t, world: w, ended: make(chan struct{})}
	p.loop = newLoop(&cfg, start, def, nil, p.sent, func(_ *loop, kept *stage) { p.kept = kept })
	return p
}

func (p *played) sent(m any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.messages, p.at = append(p.messages, m), append(p.at, time.Now())
}

// begin runs the loop in its goroutine.
func (p *played) begin() *played {
	go func() {
		defer close(p.ended)
		p.run()
	}()
	return p
}

// wait waits until the loop has returned.
func (p *played) wait() *played { <-p.ended; return p }

// input gives a seat keys that are held now.
func (p *played) input(role int, seq uint64, keys ...string) {
	p.inbox.putInputs([]*messages.Input{{Role: uint32(role), Seq: seq, StepSeen: seq, Keys: keys}})
}

// records are the step records reported, step 0 first.
func (p *played) records() []*messages.StepRecord {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []*messages.StepRecord
	for _, m := range p.messages {
		switch m := m.(type) {
		case *messages.Started:
			out = append(out, m.Step.Record)
		case *messages.Stepped:
			out = append(out, m.Record)
		}
	}
	return out
}

// times are when the steps were reported, since step 0.
func (p *played) times() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []time.Duration
	var zero time.Time
	for i, m := range p.messages {
		switch m.(type) {
		case *messages.Started:
			zero = p.at[i]
		case *messages.Stepped:
			out = append(out, p.at[i].Sub(zero))
		}
	}
	return out
}

func (p *played) last() any {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.messages) == 0 {
		return nil
	}
	return p.messages[len(p.messages)-1]
}

// end is how the episode ended; the test fails if it did not.
func (p *played) endOf() *messages.EpisodeEnded {
	p.t.Helper()
	e, ok := p.last().(*messages.EpisodeEnded)
	if !ok {
		p.t.Fatalf("the last message is %T %v, want EpisodeEnded", p.last(), p.last())
	}
	return e
}

func (p *played) failure() *messages.Failed {
	p.t.Helper()
	f, ok := p.last().(*messages.Failed)
	if !ok {
		p.t.Fatalf("the last message is %T %v, want Failed", p.last(), p.last())
	}
	return f
}

// sources are the sources of a role's actions, step by step from 1.
func (p *played) sources(role int) []messages.Source {
	var out []messages.Source
	for _, r := range p.records()[1:] {
		out = append(out, r.Roles[role].Source)
	}
	return out
}

func canonical(t testing.TB, d *experiments.Definition) []byte {
	t.Helper()
	b, err := d.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(b) {
		t.Fatalf("not JSON: %s", b)
	}
	return b
}
