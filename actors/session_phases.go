package actors

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
	"sharpie/persistence"
)

// apply moves the session on, and does what follows from it.
func (s *session) apply(ctx actor.Context, e event) {
	from := s.machine.phase
	to, effects, ok := s.machine.next(e, s.facts())
	if !ok {
		s.cast.metrics.stale.WithLabelValues("event").Inc()
		return
	}
	switch {
	case from == phaseRunning && to.phase == phasePaused:
		s.playTime = time.Until(s.phaseEnd.at) // the clock stands still
	case e != evBack:
		s.playTime = 0
	}
	s.machine = to
	if to.phase != from {
		s.entered(ctx, from)
	}
	for _, do := range effects {
		s.do(ctx, do)
	}
}

func (s *session) facts() facts {
	return facts{
		skipCountdown: s.singleSeat || s.def.Experiment.Countdown <= 0,
		lastEpisode:   s.begun >= s.def.Experiment.NumberOfEpisodes,
		hasRunner:     s.runner != nil && !s.leaves,
		nobodyMissed:  !s.missing(),
		relieved:      s.relief,
	}
}

// interrupted reports whether people wait in the middle of an episode.
func (s *session) interrupted() bool {
	e := s.episode
	return e != nil && (e.resume != nil || e.doc.Status == "aborted" || !e.over && (e.anew || e.refused != nil))
}

func (s *session) do(ctx actor.Context, e effect) {
	switch e {
	case doEnqueue:
		s.enqueue(ctx, s.interrupted())
	case doWithdraw:
		ctx.Send(s.cast.queue, &withdraw{session: s.id, number: s.wish})
	case doStart:
		s.startEpisode(ctx)
	case doPause:
		if !s.preparing() {
			s.tellRunner(ctx, &messages.Pause{EpisodeId: s.episodeID()})
		}
	case doResume:
		if !s.preparing() {
			s.tellRunner(ctx, &messages.Resume{EpisodeId: s.episodeID()})
		}
	case doFinish:
		s.finish(ctx)
	}
}

// enqueue asks the Queue for a runner. A session whose runner leaves between two
// episodes asks for another one that is free now, and else goes on with the one it has.
func (s *session) enqueue(ctx actor.Context, front bool, avoid ...unfit) {
	s.wish++
	ctx.Request(s.cast.queue, &enqueue{session: s.id, number: s.wish, needs: s.def.Experiment.Needs, avoid: slices.Concat(s.avoid, avoid), front: front, orNot: s.runner != nil && s.leaves})
}

// entered does what every change of phase brings: a deadline, a record, and news.
func (s *session) entered(ctx actor.Context, from phase) {
	now := time.Now().UTC()
	p := s.machine.phase
	s.since = now
	s.problem = ""
	if p != phasePaused && p != phaseAborted {
		s.notice = ""
	}
	for _, st := range s.seats {
		st.ready = false
	}
	s.setDeadline(ctx, now)
	if p.final() {
		s.ended = &now
		if p == phaseCompleted {
			s.reason = reasonCompleted
		}
		s.cast.counts.sessions.Add(-1)
	} else if from == "" {
		s.cast.counts.sessions.Add(1)
	}
	if from != "" {
		s.cast.metrics.phases.WithLabelValues(string(from)).Dec()
	}
	s.cast.metrics.phases.WithLabelValues(string(p)).Inc()
	if !p.final() {
		ctx.Send(s.recorder, &putSession{s.document()})
	}
	s.log.Info("phase", "phase", string(p), "from", string(from), "episode", s.begun, "reason", s.reason.Code, "detail", s.reason.Detail)
	s.event("phase", "", "", persistence.Document{"phase": string(p), "from": string(from), "episode": int64(s.begun), "reason": s.reason.Code, "detail": s.reason.Detail})
	ctx.Send(s.cast.lobby, &phaseChanged{session: s.id, phase: p})
	s.tellPhase()
}

// setDeadline arms the deadline of the phase: nothing waits for ever.
func (s *session) setDeadline(ctx actor.Context, now time.Time) {
	x := &s.def.Experiment
	s.phaseEnd.clear()
	s.deadline = time.Time{}
	var d time.Duration
	switch s.machine.phase {
	case phaseWaiting:
		// A lobby that falls back from the countdown keeps its deadline, but leaves
		// people the time to come back.
		d = max(s.lobbyEnd.Sub(now), time.Duration(x.ReconnectGrace))
		if s.opened.Equal(now) || s.lobbyEnd.Sub(now) > 0 {
			d = s.lobbyEnd.Sub(now)
		}
	case phaseReady:
		d = time.Duration(x.Countdown)
	case phaseQueued:
		d = time.Duration(x.QueueTimeout)
		if !s.sought.IsZero() { // each machine that refuses it brings the session back here
			d = max(0, d-now.Sub(s.sought))
		}
	case phaseBetween:
		d = time.Duration(x.BetweenPause)
	case phasePaused:
		d = time.Duration(x.DropOutTimeout)
		if s.outage != nil && !s.missing() { // an alarm of its own ends that
			s.deadline = s.outage.since.Add(s.cast.cfg.Limits.RunnerGrace).UTC()
			return
		}
	case phaseRunning:
		d = s.episodeTime()
	default:
		return
	}
	if s.machine.phase != phaseRunning {
		s.deadline = now.Add(d)
	}
	s.phaseEnd.set(ctx, d)
}

// episodeTime is how long the episode may still take before it is stopped: all the
// deadlines that the runner itself keeps, and its wall time. A pause stops the clock.
func (s *session) episodeTime() time.Duration {
	if s.playTime > 0 {
		return s.playTime
	}
	x := &s.def.Experiment
	limit := time.Duration(x.EpisodeTimeout)
	if limit <= 0 {
		limit = longestEpisode
	}
	return time.Duration(x.LoadTimeout) + time.Duration(x.ResetTimeout) + limit + time.Duration(x.FeedbackGrace) + time.Duration(x.UpdateTimeout) + s.cast.cfg.Limits.EpisodeGrace
}

// longestEpisode bounds an episode whose experiment sets no limit.
const longestEpisode = 24 * time.Hour

// rang: one of the session's deadlines has come.
func (s *session) rang(ctx actor.Context, m *rang) {
	switch {
	case s.phaseEnd.is(m):
		s.phaseOver(ctx)
	case s.patience.is(m):
		s.waitedEnough(ctx)
	case s.seatNews.is(m):
		s.tellPhase()
	case s.grace.is(m):
		if s.runner != nil && s.outage != nil {
			s.runnerLost(ctx, "it could not be reached for "+s.cast.cfg.Limits.RunnerGrace.String())
		}
	case s.knocking.is(m):
		s.knockedLong(ctx)
	case s.settling.is(m):
		s.settledLate(ctx)
	}
}

// phaseOver: a phase has reached its deadline.
func (s *session) phaseOver(ctx actor.Context) {
	x := &s.def.Experiment
	switch s.machine.phase {
	case phaseWaiting:
		s.abort(ctx, reasonLobbyTimeout, fmt.Sprintf("%d of %d seats were taken after %s", s.taken(), len(s.seats), time.Duration(x.LobbyTimeout)))
	case phaseReady:
		s.apply(ctx, evGo)
	case phaseQueued:
		s.queuedLong(ctx)
	case phaseBetween:
		s.apply(ctx, evNext)
	case phasePaused:
		s.abort(ctx, reasonDroppedOut, fmt.Sprintf("nobody came back within %s", time.Duration(x.DropOutTimeout)))
	case phaseRunning:
		s.episodeOverdue(ctx)
	}
}

// assigned: the queue gave this session a runner.
func (s *session) assigned(ctx actor.Context, m *assigned) {
	if m.number == s.wish && s.outage != nil && s.outage.wished {
		s.relieved(ctx)
	}
	if s.machine.phase != phaseQueued || m.number != s.wish {
		s.cast.metrics.stale.WithLabelValues("assigned").Inc() // withdrawn: the slot is free again
		return
	}
	if s.runner != nil { // it leaves
		s.event("moved", "", "", persistence.Document{"from": s.runnerID, "to": m.id})
		s.release(ctx)
	}
	s.runner, s.runnerID, s.slot, s.readiness, s.used, s.outage, s.leaves = m.runner, m.id, m.slot, m.readiness, false, nil, false
	ctx.Watch(m.runner)
	s.apply(ctx, evAssigned)
}

// noneFree: the runner that leaves plays another episode, or a lost one is waited for.
func (s *session) noneFree(ctx actor.Context, m *noneFree) {
	switch {
	case s.machine.phase != phaseQueued || m.number != s.wish:
		s.cast.metrics.stale.WithLabelValues("noneFree").Inc()
	case s.runner == nil: // it was lost meanwhile
		s.enqueue(ctx, s.interrupted())
	default:
		s.apply(ctx, evAssigned)
	}
}

// queuedLong: there was no runner in time.
func (s *session) queuedLong(ctx actor.Context) {
	x := &s.def.Experiment
	if e := s.episode; e != nil && !e.over && e.refused != nil {
		s.failed(ctx, e.refused)
		return
	}
	r := reasonQueueTimeout
	if s.problem != "" {
		r.Public = "No computer that can run this was connected in time."
	}
	s.abort(ctx, r, fmt.Sprintf("no runner within %s, needs %v", time.Duration(x.QueueTimeout), x.Needs))
}

// unsatisfiable: nobody that is known can run this. A runner node may still come,
// within the deadline.
func (s *session) unsatisfiable(ctx actor.Context, m *unsatisfiable) {
	if s.machine.phase != phaseQueued || m.number != s.wish {
		return
	}
	if e := s.episode; e != nil && !e.over && e.refused != nil {
		if !e.refused.GetSoon() {
			s.failed(ctx, e.refused)
			return
		}
		s.problem, s.notice = e.refused.GetMessage(), "The game is being prepared. It starts by itself."
		s.tellPhase()
		return
	}
	if s.problem == "" {
		s.problem = nobodyServes(m.needs)
		s.log.Warn("a session waits in vain", "why", s.problem)
		s.event("unsatisfiable", "", "", persistence.Document{"needs": anySlice(m.needs)})
	}
	s.notice = "Waiting for a computer that can run this."
	if m.final {
		s.notice = "No computer that can run this is connected right now."
	}
	s.tellPhase()
}

// satisfiable: somebody came who can run this, and may be busy.
func (s *session) satisfiable(m *satisfiable) {
	if s.machine.phase != phaseQueued || m.number != s.wish {
		return
	}
	s.problem, s.notice = "", ""
	s.event("satisfiable", "", "", nil)
	s.tellPhase()
}

// nobodyServes is the researcher's sentence about a session that waits in vain.
func nobodyServes(needs []string) string {
	if len(needs) == 0 {
		return "no runner that takes sessions is connected"
	}
	return fmt.Sprintf("no runner that is connected has the labels [%s]", strings.Join(needs, ", "))
}

func anySlice(in []string) []any {
	out := make([]any, len(in))
	for i, v := range in {
		out[i] = v
	}
	return out
}

func (s *session) taken() int {
	n := 0
	for _, st := range s.seats {
		if !st.free() {
			n++
		}
	}
	return n
}

// handOver tells the runner who acts for a seat that was given up.
func (s *session) handOver(ctx actor.Context, st *seat) {
	occupant, to := s.substitute(), "defaults"
	if s.ai() {
		to = s.def.Experiment.DropOutPolicy
	}
	s.event("hand_over", string(st.agent.Role), "", persistence.Document{"from": st.userName, "to": to})
	if s.episode != nil && !s.episode.over {
		s.tellRunner(ctx, &messages.SetSeat{EpisodeId: s.episodeID(), Role: uint32(st.index), Occupant: occupant})
	}
}

// substitute is who acts for a seat that was given up.
func (s *session) substitute() messages.SetSeat_Occupant {
	if s.ai() {
		return messages.SetSeat_POLICY
	}
	return messages.SetSeat_DEFAULTS
}
