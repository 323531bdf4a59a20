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

// reportStarted reports step 0.
func (l *loop) reportStarted(observations envs.Observations, p *messages.Picture) {
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
		m.step.Observation = m.observation.set(o.Observation, &s.shape)
		m.step.Info = infoJSON(o.Info)
		m.step.Waits = o.Waits
		if o.ActionMask != nil {
			m.step.ActionMask = maskBytes(o.ActionMask)
		}
		size += roleBytes + valueBytes(o.Observation) + len(m.step.Info) + len(m.step.ActionMask)
	}
	record.ObservationHash = l.hash.sum()
	started := &messages.Started{
		EpisodeId: l.start.EpisodeId, RunnerId: l.cfg.RunnerID, Incarnation: l.cfg.Incarnation,
		CodeVersion: l.cfg.CodeVersion, EnvironmentVersion: l.plan.spec.Version, Replayable: l.plan.spec.Replayable,
		Width: uint32(l.plan.spec.Width), Height: uint32(l.plan.spec.Height), RunnerTimeUs: l.began.UnixMicro(),
	}
	for i := range l.seats {
		s := &l.seats[i]
		if s.actor() != nil {
			s.version = s.actor().Version()
		}
		started.Roles = append(started.Roles, &messages.RoleInfo{Role: string(s.plan.agent.Role), PolicyVersion: s.version})
		roles[i].step.PolicyVersion = s.version
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
	l.window.add(record, size)
	l.reported(record.Step, started)
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
		m.step.Observation = m.observation.set(t.Observation, &s.shape)
		m.step.Reward, m.step.Terminated, m.step.Truncated = t.Reward, t.Terminated, truncated
		m.step.Info = infoJSON(t.Info)
		m.step.Waits = s.waits
		if t.ActionMask != nil && s.live {
			m.step.ActionMask = maskBytes(t.ActionMask)
		}
		size += roleBytes + valueBytes(t.Observation) + len(m.step.Info) + len(m.step.ActionMask)
	})
	if err != nil {
		return err
	}
	record.ObservationHash = l.hash.sum()
	l.window.add(record, size)
	l.cfg.Metrics.steps.Inc()
	l.reported(l.step, l.steppedOf(record, p))
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

// usedInputs lists a seat's raw inputs with what each stands for.
func usedInputs(s *seat) []*messages.UsedInput {
	out := make([]*messages.UsedInput, 0, len(s.pending))
	for _, in := range s.pending {
		if in != letGo {
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

// report sends a message, unless the loop was abandoned.
func (l *loop) report(m any) {
	l.mu.Lock()
	if !l.closed {
		l.send(m)
	}
	l.mu.Unlock()
}

// reported sends the report of a step.
func (l *loop) reported(step uint64, m any) {
	l.mu.Lock()
	if !l.closed {
		l.last = step
		l.send(m)
	}
	l.mu.Unlock()
}

// finish sends the last message: the end of the episode, or the fault. The actor
// hears first, so that it is ready when the session answers.
// It returns false for a loop that was abandoned before.
func (l *loop) finish(last any, kept *stage) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		l.cfg.Metrics.hung.Dec() // it did return, after it was given up
		return false
	}
	l.closed = true
	if l.orphan.Load() {
		kept = nil
	}
	if f, ok := last.(*fault); ok {
		last = l.failed(f)
	}
	l.done(l, kept)
	l.send(last)
	return kept != nil
}

// abandon gives the loop up: its code did not return in time. What it does from
// now on reaches nobody; its goroutine ends if the code ever returns.
func (l *loop) abandon(f *fault) {
	l.cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed, l.hung = true, true
	l.cfg.Metrics.hung.Inc()
	l.done(l, nil)
	l.send(l.failed(f))
}

// failed counts and logs a fault, and makes its message.
func (l *loop) failed(f *fault) *messages.Failed {
	l.cfg.Metrics.failures.WithLabelValues(f.code).Inc()
	l.log.Error("the episode failed", "code", f.code, "phase", f.phase.String(), "role", f.role, "step", l.last, "error", f.message)
	return f.failed(l.start.EpisodeId, l.last)
}
