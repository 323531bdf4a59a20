package runner

import (
	"context"
	"fmt"

	"sharpie/agents"
	"sharpie/envs"
	"sharpie/experiments"
)

// hosted is walk in a process of its own, with policies beside it.
type hosted struct {
	*walk
	reusable bool
	says     map[envs.Role]envs.Value // what each policy says; none: no opinion
	versions map[envs.Role]int        // updates of each
	asked    map[envs.Role]envs.Value // the advice of the last question
	turns    []string                 // every turn's parts, in order
	lessons  []string
	fault    func(phase string) error
	info     envs.HostInfo
	closing  chan struct{} // Close waits for it; nil: does not
}

var _ envs.Host = (*hosted)(nil)

func newHosted(roles ...envs.Role) *hosted {
	return &hosted{walk: newWalk(roles...), says: map[envs.Role]envs.Value{}, versions: map[envs.Role]int{}, asked: map[envs.Role]envs.Value{},
		info: envs.HostInfo{Interpreter: "Python 3.12", Confinement: "none", Warnings: []string{"an alias"}}}
}

func (h *hosted) Spec() envs.Spec {
	s := h.walk.Spec()
	if h.walk.live == nil { // the size is known once it was reset
		s.Width, s.Height = 0, 0
	}
	return s
}

func (h *hosted) failed(phase string) error {
	if h.fault == nil {
		return nil
	}
	return h.fault(phase)
}

func (h *hosted) Reset(ctx context.Context, seed uint64) (envs.Observations, error) {
	if err := h.failed("reset"); err != nil {
		return nil, err
	}
	return h.walk.Reset(ctx, seed)
}

func (h *hosted) learn(t *envs.RoleTurn) string {
	if t.Learn == nil {
		return ""
	}
	h.versions[t.Role]++
	reward := "own"
	if t.Learn.Reward != nil {
		reward = fmt.Sprint(*t.Learn.Reward)
	}
	h.lessons = append(h.lessons, fmt.Sprintf("%s %s %v %v", t.Role, reward, t.Learn.Terminated, t.Learn.Truncated))
	return h.version(t.Role)
}

func (h *hosted) version(r envs.Role) string { return fmt.Sprintf("%s-%d", r, h.versions[r]) }

func (h *hosted) Turn(ctx context.Context, turns []envs.RoleTurn) (envs.Outcome, error) {
	var out envs.Outcome
	var actions []envs.RoleAction
	trace := ""
	for i := range turns {
		h.learn(&turns[i])
	}
	for i := range turns {
		t := &turns[i]
		d := envs.Decision{Action: t.Action}
		trace += fmt.Sprintf("[%s acts=%v ask=%v %v final=%v learn=%v]", t.Role, t.Acts, t.Ask, t.Action, t.Final, t.Learn != nil)
		if t.Ask {
			h.asked[t.Role] = t.Advice
			d.Policy, d.Version = h.says[t.Role], h.version(t.Role)
			if d.Policy != nil && !t.Final {
				d.Action = d.Policy
			}
		}
		if t.Acts {
			actions = append(actions, envs.RoleAction{Role: t.Role, Action: d.Action})
		} else {
			d.Action = nil
		}
		out.Decisions = append(out.Decisions, d)
	}
	h.turns = append(h.turns, trace)
	if err := h.failed("step"); err != nil {
		return out, err
	}
	var err error
	if out.Transition, err = h.walk.Step(ctx, actions); err != nil {
		return out, err
	}
	out.Frame, err = h.walk.Render(ctx)
	return out, err
}

func (h *hosted) Learn(_ context.Context, turns []envs.RoleTurn) ([]string, error) {
	if err := h.failed("update"); err != nil {
		return nil, err
	}
	var out []string
	for i := range turns {
		out = append(out, h.learn(&turns[i]))
	}
	return out, nil
}

func (h *hosted) Reusable() bool      { return h.reusable }
func (h *hosted) Info() envs.HostInfo { return h.info }
func (h *hosted) Output() string      { return "printed" }

func (h *hosted) Close() error {
	if h.closing != nil {
		<-h.closing
	}
	return h.walk.Close()
}

// resident is the agent of a policy in a hosted.
type resident struct {
	*fixed
	host *hosted
	role envs.Role
}

var _ experiments.Hosted = (*resident)(nil)

func (r *resident) HostedBy(env envs.Environment) bool { return env == envs.Environment(r.host) }
func (r *resident) Learns() bool                       { return true }
func (r *resident) Version() string                    { return r.host.version(r.role) }
func (r *resident) State() ([]byte, error)             { return []byte(r.Version()), nil }
func (r *resident) Act(context.Context, agents.Input) (envs.Value, error) {
	return nil, fmt.Errorf("%s is asked by itself", r.role)
}
func (r *resident) Update(context.Context, agents.Transition) error {
	return fmt.Errorf("%s is taught by itself", r.role)
}

// together is an experiment on a host: role a has a policy in it, beside a person.
func together(kind experiments.InputsType, roles ...string) (*experiments.Definition, *hosted, *world) {
	def := definition(roles...)
	def.Policies = []experiments.Policy{{Name: "p", Source: "go:hosted", CheckpointInterval: 1}}
	def.Agents[0].Policy, def.Agents[0].InputsType = "p", kind
	def.Experiment.MaxSteps = 3
	var names []envs.Role
	for _, r := range roles {
		names = append(names, envs.Role(r))
	}
	h := newHosted(names...)
	h.says["a"] = envs.Int(2)
	return def, h, &world{env: h, policies: map[string]agents.Agent{"go:hosted": &resident{&fixed{}, h, "a"}}}
}
