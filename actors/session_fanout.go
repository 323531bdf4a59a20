package actors

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
	"sharpie/actors/play"
)

// This file is the way from the runner to the sockets. The session puts pictures
// straight into the slots of its participants' connections: a picture is encoded
// once, and shared; a Participant owns when its connection begins and ends, and has
// no part in what the picture is.

// statusEvery bounds how often a changed return is shown; stepEvery is how often
// the step is, while the picture stands still.
const (
	statusEvery = 250 * time.Millisecond
	stepEvery   = time.Second
)

// fanOut hands one step to everybody: a new picture to all, with what each one's
// input came to; without a picture, a Status where an input was used or something
// is worth showing; else nothing.
func (s *session) fanOut(ctx actor.Context, m *messages.Stepped, now time.Time) {
	picture := m.GetPicture() != nil
	if picture {
		s.shown(ctx, m.GetRecord().GetStep())
		s.episode.drawn = now
		s.picture = encodeFrame(uint32(s.begun), m.GetRecord().GetStep(), m.GetRecord().GetRunnerOffsetUs(), m.GetPicture())
		s.resized(m.GetPicture())
	}
	news := s.takeTurns(m)
	still := now.Sub(s.episode.drawn) >= stepEvery
	seqs, returns, roles := m.GetInputSeqs(), m.GetReturns(), m.GetRecord().GetRoles()
	for _, st := range s.seats {
		used := false
		if st.index < len(seqs) && seqs[st.index] > st.used {
			st.used, used = seqs[st.index], true
		}
		if st.index < len(returns) {
			st.ret = returns[st.index]
		}
		if st.index < len(roles) {
			if r := roles[st.index]; r.GetTerminated() || r.GetTruncated() {
				st.live = false
			}
		}
		blocked := s.takeBlocked(st, m)
		if st.conn == nil {
			continue
		}
		if picture {
			st.conn.show(laneFrame, s.picture, st.used)
		}
		since := now.Sub(st.status)
		due := (st.ret != st.shownRet && since >= statusEvery) || st.live != st.shown || (still && since >= stepEvery)
		if due || news || blocked || (used && !picture) {
			s.showStatus(st, now)
		}
	}
}

// takeTurns takes in whose turn it is, and reports whether that is news.
func (s *session) takeTurns(m *messages.Stepped) bool {
	e := s.episode
	for _, v := range m.GetSeats() {
		e.turns = e.turns || v.GetWaits()
	}
	if !e.turns {
		return false
	}
	var turn []uint32
	for i, r := range m.GetRecord().GetRoles() {
		live := r.GetLive() && !r.GetTerminated() && !r.GetTruncated()
		if live && !r.GetWaits() {
			turn = append(turn, uint32(i))
		}
	}
	if slices.Equal(turn, e.turn) {
		return false
	}
	e.turn = turn
	return true
}

// takeBlocked takes in which keys of a seat are no legal action, and reports whether
// that is news.
func (s *session) takeBlocked(st *seat, m *messages.Stepped) bool {
	var blocked []uint32
	if st.index < len(m.GetSeats()) {
		blocked = m.GetSeats()[st.index].GetBlockedKeys()
	}
	if slices.Equal(blocked, st.blocked) {
		return false
	}
	st.blocked = blocked
	return true
}

// pictured: a picture that took longer than its step.
func (s *session) pictured(ctx actor.Context, m *messages.Pictured) {
	p := m.GetPicture()
	if p == nil || s.episode.resume != nil {
		return
	}
	s.shown(ctx, p.GetStep())
	o := s.episode.offsets[p.GetStep()%uint64(len(s.episode.offsets))]
	if o.step != p.GetStep() {
		o.offset = 0
	}
	s.draw(p.GetStep(), o.offset, p)
}

// shown gives a runner elsewhere credit for another picture.
func (s *session) shown(ctx actor.Context, step uint64) {
	if s.remote(ctx) {
		s.tellRunner(ctx, &messages.Shown{EpisodeId: s.episodeID(), Step: step})
	}
}

// draw hands a picture of its own to everybody.
func (s *session) draw(step uint64, offset int64, p *messages.Picture) {
	s.picture = encodeFrame(uint32(s.begun), step, offset, p)
	s.episode.drawn = time.Now()
	s.resized(p)
	for _, st := range s.seats {
		if st.conn != nil {
			st.conn.show(laneFrame, s.picture, st.used)
		}
	}
}

func (s *session) resized(p *messages.Picture) {
	if p.GetWidth() > 0 && p.GetHeight() > 0 {
		s.width, s.height = p.GetWidth(), p.GetHeight()
	}
}

// waitingFor: the next step waits for seats; everybody sees for which.
func (s *session) waitingFor(m *messages.Waiting) {
	now := time.Now()
	s.episode.waiting = m.GetRoles()
	s.episode.until = time.Time{}
	if m.GetRemainingUs() > 0 {
		s.episode.until = now.Add(time.Duration(m.GetRemainingUs()) * time.Microsecond)
	}
	for _, st := range s.seats {
		if st.conn != nil {
			s.showStatus(st, now)
		}
	}
}

// lastStatus shows the final returns of an episode.
func (s *session) lastStatus() {
	s.episode.waiting, s.episode.until, s.episode.turn = nil, time.Time{}, nil
	now := time.Now()
	for _, st := range s.seats {
		if st.conn != nil {
			s.showStatus(st, now)
		}
	}
}

func (s *session) showStatus(st *seat, now time.Time) {
	e := s.episode
	status := &play.Status{Episode: uint32(s.begun), Step: e.step, EpisodeReturn: st.ret, WaitingFor: e.waiting, Live: st.live && !e.over, Turn: e.turn, BlockedKeys: st.blocked}
	if !e.until.IsZero() {
		status.InputDeadlineUs = e.until.UnixMicro()
	}
	st.status, st.shownRet, st.shown = now, st.ret, st.live
	st.conn.show(laneStatus, encode(&play.ServerMessage{Kind: &play.ServerMessage_Status{Status: status}}), st.used)
	s.cast.metrics.statuses.Inc()
}

// tellPhase sends the phase and the seats to everybody.
func (s *session) tellPhase() {
	s.seatNews.clear()
	for _, st := range s.seats {
		if st.conn != nil {
			st.conn.show(lanePhase, s.phaseMessage(st), 0)
		}
	}
}

func (s *session) phaseMessage(to *seat) []byte {
	m := &play.Phase{Name: phaseNames[s.machine.phase], Episode: uint32(s.begun), Reason: s.notice, Seats: make([]*play.Seat, len(s.seats))}
	if !s.deadline.IsZero() {
		m.DeadlineUs = s.deadline.UnixMicro()
	}
	for i, st := range s.seats {
		m.Seats[i] = &play.Seat{Role: string(st.agent.Role), Name: seatName(st), State: st.state(s.ai()), Yours: st == to}
	}
	return encode(&play.ServerMessage{Kind: &play.ServerMessage_Phase{Phase: m}})
}

func seatName(st *seat) string {
	if st.agent.Name != "" {
		return st.agent.Name
	}
	return string(st.agent.Role)
}

// phaseNames are the phases as browsers see them.
var phaseNames = map[phase]play.Phase_Name{
	phaseWaiting: play.Phase_WAITING, phaseReady: play.Phase_READY, phaseQueued: play.Phase_QUEUED,
	phaseRunning: play.Phase_RUNNING, phaseBetween: play.Phase_BETWEEN, phasePaused: play.Phase_PAUSED,
	phaseCompleted: play.Phase_COMPLETED, phaseAborted: play.Phase_ABORTED,
}

// welcome fills a new connection: what the page needs, where the session is, and
// the picture that the others see.
func (s *session) welcome(st *seat) {
	now := time.Now()
	x, a, l := &s.def.Experiment, st.agent, s.cast.cfg.Limits
	w := &play.Welcome{
		Protocol: 1, Session: string(s.id), Experiment: x.Name, Role: string(a.Role), RoleName: seatName(st), Keys: keysOf(st),
		SeveralKeys: a.MultipleKeyboardInputs, Text: a.TextualInputs, InputsType: inputsTypes[string(a.InputsType)],
		TurnBased: x.WaitForInputs, TargetFps: x.TargetFPS, Episodes: uint32(x.NumberOfEpisodes), Width: s.width, Height: s.height,
		NextSeq: st.nextSeq, MaxInputsPerSecond: uint32(l.InputsPerSecond), ServerTimeUs: now.UnixMicro(), RoleIndex: uint32(st.index),
	}
	if a.TextualInputs {
		w.MaxText = uint32(l.TextBytes)
	}
	st.conn.send(encode(&play.ServerMessage{Kind: &play.ServerMessage_Welcome{Welcome: w}}))
	st.conn.show(lanePhase, s.phaseMessage(st), 0)
	if s.picture != nil {
		st.conn.show(laneFrame, s.picture, st.used)
		s.showStatus(st, now)
	}
}

var inputsTypes = map[string]play.InputsType{
	"actions": play.InputsType_INPUTS_TYPE_ACTIONS, "reward": play.InputsType_INPUTS_TYPE_REWARD, "other": play.InputsType_INPUTS_TYPE_OTHER,
}

func keysOf(st *seat) []*play.Key {
	var out []*play.Key
	for _, b := range st.agent.KeyboardInputs.Bindings {
		d := st.agent.KeyboardInputDisplay[b.Key]
		out = append(out, &play.Key{Key: b.Key, Symbol: d.Symbol, Label: d.Label})
	}
	return out
}

// input passes a participant's input to the runner, if it is about what runs.
func (s *session) input(ctx actor.Context, m *seatInput) {
	st := s.seatOf(m.participant)
	e := s.episode
	switch {
	case st == nil || st.replaced:
		s.refuseInput("not_seated")
		return
	case e == nil || e.over || e.start != nil || s.runner == nil && e.resume == nil:
		s.refuseInput("not_running")
	case s.machine.phase == phasePaused && s.outage == nil:
		s.refuseInput("paused")
	case m.episode != 0 && m.episode != uint32(s.begun):
		s.refuseInput("old_episode")
	case e.resume == nil && m.in.GetStepSeen() > e.step:
		s.refuseInput("unknown_step")
		if st.conn != nil {
			st.conn.send(encodeNotice(play.Notice_WARNING, "unknown_step", "An input for a step that nobody has seen was refused."))
		}
	case s.outage != nil || e.resume != nil: // which keys are held is told later
		s.refuseInput("runner_away")
		st.last, st.unheard = m.in, true
	default:
		s.cast.metrics.inputs.WithLabelValues("accepted").Inc()
		st.last = m.in
		ctx.Request(s.runner, &messages.Inputs{EpisodeId: s.episodeID(), Inputs: []*messages.Input{m.in}})
	}
	st.nextSeq = m.in.GetSeq() + 1
}

func (s *session) refuseInput(why string) { s.cast.metrics.inputs.WithLabelValues(why).Inc() }
