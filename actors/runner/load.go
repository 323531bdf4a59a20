package runner

import (
	"bytes"
	"errors"
	"fmt"

	"sharpie/actors/messages"
	"sharpie/agents"
	"sharpie/envs"
	"sharpie/experiments"
)

// stage is what outlives an episode: the experiment and its environment, kept
// for the next episode of the same session.
type stage struct {
	definition []byte // as in Start
	plan       *plan
	env        envs.Environment
}

// maxOffset bounds how long an episode may have lasted, in µs: a year.
const maxOffset = 365 * 24 * 3600 * 1_000_000

// validate checks what needs no experiment; the error names the field.
func validate(s *messages.Start) error {
	switch {
	case s.GetSessionId() == "":
		return fieldError("session_id", "is missing")
	case s.GetEpisodeId() == "":
		return fieldError("episode_id", "is missing")
	case len(s.GetDefinition()) == 0:
		return fieldError("definition", "is missing")
	case s.ResumeThrough != nil && (s.GetResumeOffsetUs() < 0 || s.GetResumeOffsetUs() > maxOffset):
		return fieldError("resume_offset_us", "%d is not a time from 0 to a year", s.GetResumeOffsetUs())
	}
	return nil
}

// load makes the environment, unless it was kept, and the episode's agents.
func (l *loop) load() error {
	def := l.def
	if l.stage == nil || !l.start.KeepEnvironment || !bytes.Equal(l.stage.definition, l.start.Definition) {
		if err := l.make(def); err != nil {
			return err
		}
	}
	l.plan, l.env = l.stage.plan, l.stage.env
	if l.feed != nil && !l.plan.spec.Replayable {
		return &fault{code: CodeNotReplayable, phase: phaseLoad, message: "the environment " + l.plan.spec.ID + " cannot be replayed"}
	}
	if host, ok := l.env.(envs.Host); ok {
		l.host = host
		l.watch.grace.Store(int64(hostGrace))
	}
	states, err := l.states()
	if err != nil {
		return err
	}
	l.seats = make([]seat, len(l.plan.roles))
	for i := range l.seats {
		s := &l.seats[i]
		s.plan, s.index, s.occupant = &l.plan.roles[i], i, messages.SetSeat_HUMAN
		s.turns = l.plan.def.Experiment.WaitForInputs
		if s.plan.policy == nil {
			continue
		}
		agent, err := l.agent(s, s.plan.policy, states[i])
		if err != nil {
			return err
		}
		s.agent, s.version = agent, agent.Version()
		s.enrol(l.env)
	}
	for _, role := range l.start.AiRoles {
		i, err := l.find("ai_roles", role)
		if err != nil {
			return err
		}
		if err := l.occupy(i, messages.SetSeat_POLICY); err != nil {
			return err
		}
	}
	return nil
}

// make makes the environment and the plan.
func (l *loop) make(def *experiments.Definition) error {
	if l.stage != nil {
		l.closeEnv(l.stage.env)
		l.stage = nil
	}
	l.watch.change(phaseLoad, -1)
	env, err := l.cfg.Maker.Environment(l.ctx, l.order())
	if err != nil {
		return loadFault("environment", err)
	}
	p, err := newPlan(def, env.Spec())
	if err != nil {
		l.closeEnv(env)
		return badExperiment(err)
	}
	l.stage = &stage{definition: l.start.Definition, plan: p, env: env}
	return nil
}

// order is the episode's experiment, for whoever makes its parts.
func (l *loop) order() experiments.Order {
	return experiments.Order{Definition: l.def, BundleHash: l.start.BundleHash, Seed: l.start.Seed, Label: l.start.EpisodeId}
}

// agent makes the agent of a policy for a seat, fresh for this episode.
// state is what it had learned, nil for nothing.
func (l *loop) agent(s *seat, p *experiments.Policy, state *messages.AgentState) (agents.Agent, error) {
	role := string(s.plan.agent.Role)
	l.watch.change(phaseLoad, s.index)
	casting := experiments.Casting{
		Agent: s.index, Policy: p, Spec: agents.Spec{
			Role: s.plan.spec, Environment: l.plan.spec.ID, Roles: l.plan.spec.Roles,
			Seed: AgentSeed(l.start.Seed, role), Kwargs: p.Kwargs,
		},
	}
	if state != nil {
		casting.State = append([]byte{}, state.GetData()...)
	}
	agent, err := l.cfg.Maker.Agent(l.ctx, l.order(), l.env, casting)
	if err == nil {
		return agent, nil
	}
	if f := new(envs.Fault); errors.As(err, &f) {
		return nil, faultOf(phaseLoad, role, err)
	}
	if state != nil && errors.Is(err, agents.ErrInvalidState) {
		return nil, &fault{code: CodePolicyError, phase: phaseLoad, role: role, message: fmt.Sprintf("restore state %s: %v", state.GetVersion(), err)}
	}
	return nil, &fault{code: CodeBadExperiment, phase: phaseLoad, role: role, message: fmt.Sprintf("policies[%q]: %v", p.Name, err), elsewhere: lacks(err), soon: errors.Is(err, experiments.ErrNotYet)}
}

// enrol says how the seat's policy is asked and taught.
func (s *seat) enrol(env envs.Environment) {
	if h, ok := s.agent.(experiments.Hosted); ok && h.HostedBy(env) {
		s.hosted, s.pupil = true, h.Learns() && updates(s.plan.policy.CheckpointInterval)
	} else if learner, ok := s.agent.(agents.Learner); ok && updates(s.plan.policy.CheckpointInterval) {
		s.learner, s.pupil = learner, true
	}
	s.interval = s.plan.policy.CheckpointInterval
}

// states finds the seats of the learned states of Start.
func (l *loop) states() (map[int]*messages.AgentState, error) {
	out := make(map[int]*messages.AgentState, len(l.start.States))
	for _, st := range l.start.States {
		i, err := l.find("states", st.GetRole())
		if err != nil {
			return nil, err
		}
		if l.plan.roles[i].policy == nil {
			return nil, badExperiment(fieldError("states", "the role %q has no policy that could keep a state", st.GetRole()))
		}
		out[i] = st
	}
	return out, nil
}

// find finds a role of the definition by name.
func (l *loop) find(field, role string) (int, error) {
	for i := range l.plan.roles {
		if string(l.plan.roles[i].agent.Role) == role {
			return i, nil
		}
	}
	return 0, badExperiment(fieldError(field, "the experiment has no role %q", role))
}

// occupy says who acts in a seat from now on. Whoever acted before lets all keys go.
func (l *loop) occupy(i int, who messages.SetSeat_Occupant) error {
	s := &l.seats[i]
	if who == messages.SetSeat_POLICY && s.standIn == nil && s.replaces() {
		name := l.plan.def.Experiment.DropOutPolicy
		p := findPolicy(l.plan.def, name)
		if p == nil {
			return badExperiment(fieldError("experiment.drop_out_policy", "no policy is named %q", name))
		}
		if err := l.makeRoom(i); err != nil {
			return err
		}
		agent, err := l.agent(s, p, nil)
		if err != nil {
			return err
		}
		s.standIn = agent
		if h, ok := agent.(experiments.Hosted); ok && h.HostedBy(l.env) {
			s.guest, s.pupil, s.learn, s.open = true, false, false, false
		}
	}
	switch who {
	case messages.SetSeat_HUMAN, messages.SetSeat_DEFAULTS, messages.SetSeat_POLICY:
	default:
		return badExperiment(fieldError("occupant", "%d is not one of HUMAN, DEFAULTS, POLICY", who))
	}
	s.release()
	s.occupant = who
	return nil
}

// makeRoom keeps what the hosted policy of a seat has learned before a stand-in takes
// its place in the host, which knows one policy for a role.
func (l *loop) makeRoom(i int) error {
	s := &l.seats[i]
	if !s.hosted || l.began.IsZero() {
		return nil
	}
	c, err := l.stateOf(i)
	s.last = c
	l.watch.enter(phaseLoad, i)
	return err
}

// closeAgents closes the episode's agents.
func (l *loop) closeAgents() {
	for i := range l.seats {
		for _, a := range []agents.Agent{l.seats[i].agent, l.seats[i].standIn} {
			if a == nil {
				continue
			}
			if err := l.guard(a.Close); err != nil {
				l.log.Warn("an agent did not close", "role", l.seats[i].plan.agent.Role, "error", err)
			}
		}
	}
}

// closeEnv closes an environment.
func (l *loop) closeEnv(env envs.Environment) {
	if err := l.guard(env.Close); err != nil {
		l.log.Warn("the environment did not close", "error", err)
	}
}

// guard turns a panic of somebody else's code into an error.
func (l *loop) guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.Join(err, fmt.Errorf("panic: %v", r))
		}
	}()
	return f()
}
