package runner

import (
	"encoding/json"
	"fmt"
	"math"

	"sharpie/actors/messages"
	"sharpie/envs"
)

// The messages of a step are made in few pieces of memory. What the recorder
// keeps (the record) is apart from what is forgotten at once (the picture).

type stepMemory struct {
	stepped messages.Stepped
}

type roleMemory struct {
	step        messages.RoleStep
	observation cell
	reward      float64
}

// recordOf makes the record of the step, with every role's part still empty.
func (l *loop) recordOf() (*messages.StepRecord, []roleMemory) {
	roles := make([]roleMemory, len(l.seats))
	parts := make([]*messages.RoleStep, len(l.seats))
	for i := range roles {
		parts[i] = &roles[i].step
	}
	return &messages.StepRecord{
		Step: l.step, RunnerOffsetUs: l.stepped.Sub(l.began).Microseconds(),
		TickLatenessUs: l.lateness.Microseconds(), Roles: parts,
	}, roles
}

// steppedOf makes the report of a record.
func (l *loop) steppedOf(r *messages.StepRecord, p *messages.Picture) *messages.Stepped {
	m := new(stepMemory)
	m.stepped.EpisodeId, m.stepped.Record, m.stepped.Picture = l.start.EpisodeId, r, p
	m.stepped.InputSeqs = make([]uint64, len(l.seats))
	m.stepped.Returns = make([]float64, len(l.seats))
	views := false
	for i := range l.seats {
		s := &l.seats[i]
		m.stepped.InputSeqs[i], m.stepped.Returns[i] = s.lastSeq, s.total
		views = views || s.waits || (s.live && s.mask != nil)
	}
	if views {
		m.stepped.Seats = l.views()
	}
	return &m.stepped
}

// seen fills in what a role sees after the step, and returns about how much it is.
func (m *roleMemory) seen(s *seat, o *envs.RoleObservation) int {
	m.step.Observation = m.observation.set(o.Observation, &s.shape)
	m.step.Info = infoJSON(o.Info)
	m.step.Waits = s.waits
	if o.ActionMask != nil && s.live {
		m.step.ActionMask = maskBytes(o.ActionMask)
	}
	return roleBytes + valueBytes(o.Observation) + len(m.step.Info) + len(m.step.ActionMask)
}

// firstRecord is the record of step 0, and about its size.
func (l *loop) firstRecord(observations envs.Observations) (*messages.StepRecord, int) {
	record, roles := l.recordOf()
	l.hash.reset()
	size := recordBytes
	for i := range observations {
		o := &observations[i]
		l.hash.role(o.Role, o.Observation)
		s, err := l.seatOf(o.Role)
		if err != nil {
			continue // seeFirst has refused it
		}
		m := &roles[s.index]
		m.step.Live = true
		size += m.seen(s, o)
	}
	record.ObservationHash = l.hash.sum()
	for i := range l.seats {
		roles[i].step.PolicyVersion = l.seats[i].plays()
	}
	return record, size
}

// plays takes in the version of the policy that acts, which Started reports.
func (s *seat) plays() string {
	if s.actor() != nil {
		s.version = s.actor().Version()
	}
	return s.version
}

// reportStarted reports that the episode can be played from the record's step on.
func (l *loop) reportStarted(record *messages.StepRecord, size int, p *messages.Picture) {
	started := &messages.Started{
		EpisodeId: l.start.EpisodeId, RunnerId: l.cfg.RunnerID, Incarnation: l.cfg.Incarnation,
		CodeVersion: l.cfg.CodeVersion, EnvironmentVersion: l.plan.spec.Version, Replayable: l.plan.spec.Replayable,
		Width: uint32(l.plan.spec.Width), Height: uint32(l.plan.spec.Height), RunnerTimeUs: l.stepped.UnixMicro(),
		Resumed: l.feed != nil,
	}
	for i := range l.seats {
		s := &l.seats[i]
		started.Roles = append(started.Roles, &messages.RoleInfo{Role: string(s.plan.agent.Role), PolicyVersion: s.plays()})
	}
	if l.host != nil {
		info := l.host.Info()
		started.Interpreter, started.Confinement = tail(info.Interpreter, maxTrace), tail(info.Confinement, maxTrace)
		started.Warnings = l.news()
	}
	if p != nil {
		started.Width, started.Height = p.Width, p.Height
	}
	started.Step = l.steppedOf(record, p)
	l.out.begin(started, size)
}

// reportStep reports the transition of the step just taken.
func (l *loop) reportStep(transitions []envs.RoleTransition, p *messages.Picture) error {
	record, roles := l.recordOf()
	size := recordBytes
	for i := range l.seats {
		s, m := &l.seats[i], &roles[i]
		if len(s.pending) > 0 {
			m.step.Inputs = usedInputs(s)
			size += inputBytes * len(s.pending)
		}
		if s.plan.feedback && l.step > 1 {
			if reward, given := s.feedback(); given {
				m.reward = reward
				m.step.HumanReward = &m.reward
				if s.open {
					s.judged = &m.reward
				}
			}
		}
		if s.live {
			m.step.Live = true
			m.step.Source = s.source
			m.step.Action = s.plan.ints.message(s.action)
			m.step.PolicyAction = s.plan.ints.message(s.policyAction)
			if !s.waits {
				l.reportVersion(s, &m.step)
			}
		}
		s.commit()
	}
	l.hash.reset()
	err := l.see(transitions, func(s *seat, t *envs.RoleTransition, truncated bool) {
		m := &roles[s.index]
		l.hash.role(t.Role, t.Observation)
		m.step.Reward, m.step.Terminated, m.step.Truncated = t.Reward, t.Terminated, truncated
		size += m.seen(s, &t.RoleObservation)
	})
	if err != nil {
		return err
	}
	record.ObservationHash = l.hash.sum()
	l.cfg.Metrics.steps.Inc()
	l.out.step(l.steppedOf(record, p), size)
	return nil
}

// reportVersion names the version of the policy that acts where it changed.
func (l *loop) reportVersion(s *seat, m *messages.RoleStep) {
	actor := s.actor()
	if actor == nil || (!s.pupil && !s.hosted && s.standIn == nil) {
		return
	}
	v := s.hostVersion
	if v == "" || !s.asksHost() {
		v = actor.Version()
	}
	if v != s.version {
		s.version = v
		m.PolicyVersion = v
	}
}

// views are what each participant may do in the next step.
func (l *loop) views() []*messages.SeatView {
	memory, out := make([]messages.SeatView, len(l.seats)), make([]*messages.SeatView, len(l.seats))
	for i := range l.seats {
		s, v := &l.seats[i], &memory[i]
		out[i], v.Waits = v, s.waits
		if s.takesTurn() && s.replaces() {
			v.BlockedKeys = s.plan.keys.blocked(s.mask)
		}
	}
	return out
}

// maskBytes is a mask as it is recorded: one byte per action, 1 is legal.
func maskBytes(mask []bool) []byte {
	out := make([]byte, len(mask))
	for i, ok := range mask {
		if ok {
			out[i] = 1
		}
	}
	return out
}

// About what the parts of a record take in memory, for the bound on unacked records.
const (
	recordBytes = 200
	roleBytes   = 400
	inputBytes  = 250
)

// usedInputs lists a seat's raw inputs with what each stands for. One that is told again,
// because it may have been lost, is listed once; one without a number, never: keys that
// are held, or let go, by something that was recorded before.
func usedInputs(s *seat) []*messages.UsedInput {
	out := make([]*messages.UsedInput, 0, len(s.pending))
	last := s.lastSeq
	for _, in := range s.pending {
		if in.GetSeq() > last {
			last = in.GetSeq()
			out = append(out, &messages.UsedInput{Input: in, Value: readInput(s.plan.keys, in).message})
		}
	}
	return out
}

// infoJSON is an info as a JSON object, nil where there is none. NaN and the
// infinities, which JSON lacks, become texts, and what JSON cannot express at all
// becomes its Go text.
func infoJSON(info map[string]any) []byte {
	if len(info) == 0 {
		return nil
	}
	if b, err := json.Marshal(info); err == nil {
		return b
	}
	b, err := json.Marshal(plain(info))
	if err != nil {
		b, _ = json.Marshal(map[string]string{"error": err.Error()})
	}
	return b
}

// plain makes a value that JSON can express.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, m := range v {
			out[k] = plain(m)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, m := range v {
			out[i] = plain(m)
		}
		return out
	case []float64:
		out := make([]any, len(v))
		for i, m := range v {
			out[i] = plain(m)
		}
		return out
	case float64:
		switch {
		case math.IsNaN(v):
			return "NaN"
		case math.IsInf(v, 1):
			return "Infinity"
		case math.IsInf(v, -1):
			return "-Infinity"
		}
		return v
	}
	if _, err := json.Marshal(v); err != nil {
		return fmt.Sprint(v)
	}
	return v
}
