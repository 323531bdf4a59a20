package actors

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
	"sharpie/actors/runner"
	"sharpie/experiments"
	"sharpie/persistence"
)

// episode is the attempt at an episode that runs, or ran last.
type episode struct {
	doc     persistence.Episode
	started bool // the runner has answered
	begun   bool // step 0 is there
	over    bool
	step    uint64
	stopped bool               // it was told to stop, because it took too long
	waiting []uint32           // roles without input, turn-based
	until   time.Time          // of the wait; zero: none
	drawn   time.Time          // when the last new picture came
	start   *messages.Start    // not sent yet; nil once it is
	began   map[string]carried // learned states that it began with
	offset  int64              // of the last step, on its runner's clock, µs
	acked   uint64             // the last step that is stored
	losses  int                // how often its runner was lost, each time soon after the last
	lostAt  time.Time          // when it was lost last
	resume  *takeover          // another runner is to go on with it; nil: no
	refused *messages.Failed   // a runner cannot run it, and another one is sought; nil: no
	anew    bool               // its runner was lost before anything had begun
	turns   bool               // its roles take turns
	turn    []uint32           // roles whose turn it is, where they do
	offsets [64]stepOffset
}

// stepOffset remembers when a step was, for a picture that comes late.
type stepOffset struct {
	step   uint64
	offset int64
}

func (s *session) episodeID() string { return string(s.episode.doc.ID) }

// startEpisode starts the next episode, or the lost one again, with the same seed.
func (s *session) startEpisode(ctx actor.Context) {
	if e := s.episode; e != nil && !e.over && e.resume != nil {
		s.resume(ctx)
		return
	}
	index, attempt, seed := s.begun, 0, uint64(0)
	var again map[string]carried
	var losses int
	var lostAt time.Time
	if e := s.episode; e != nil && !e.over && (e.refused != nil || e.anew) {
		losses, lostAt = e.losses, e.lostAt
		index, attempt, seed, again = e.doc.Index, e.doc.Attempt, uint64(e.doc.Seed), e.began
	} else if e != nil && e.doc.Status == "aborted" {
		index, attempt, seed, again = e.doc.Index, e.doc.Attempt+1, uint64(e.doc.Seed), e.began
	} else {
		s.begun++
		seed = s.seed(index)
	}
	now := time.Now().UTC()
	if s.started == nil {
		s.started = &now
	}
	s.episode = &episode{losses: losses, lostAt: lostAt, doc: persistence.Episode{
		ID: persistence.EpisodeID(persistence.NewID("ep")), SessionID: s.id, Index: index, Attempt: attempt,
		Experiment: s.link, ExperimentVersion: s.version, BundleHash: s.bundle, Environment: s.def.Environment.Source,
		Seed: int64(seed), Runner: persistence.RunnerID(s.runnerID), Status: "running", Roles: s.episodeRoles(),
	}}
	s.picture = nil
	for _, st := range s.seats {
		st.ret, st.live, st.blocked, st.last, st.unheard = 0, true, nil, nil, false
	}
	if attempt > 0 { // people shall know why they are at the beginning
		s.notice = noticeRestart
	}
	s.prepare(ctx, s.startMessage(ctx, s.episode), again)
	ctx.Send(s.recorder, &putSession{s.document()})
	s.tellPhase()
}

// pictureCredit is how many pictures may be on their way from a runner elsewhere.
const pictureCredit = 2

// startMessage is all that a runner needs, but for what policies have learned.
func (s *session) startMessage(ctx actor.Context, e *episode) *messages.Start {
	m := &messages.Start{
		SessionId: string(s.id), EpisodeId: string(e.doc.ID), EpisodeIndex: uint32(e.doc.Index), Attempt: uint32(e.doc.Attempt), Seed: uint64(e.doc.Seed),
		Experiment: s.link, ExperimentVersion: uint32(s.version), Definition: s.canonical, BundleHash: s.bundle, KeepEnvironment: true,
	}
	if s.remote(ctx) {
		m.PictureCredit = pictureCredit
	}
	return m
}

// seed chooses episode index's seed.
func (s *session) seed(index int) uint64 {
	if seeds := s.def.Experiment.Seeds; len(seeds) > 0 {
		return seeds[index%len(seeds)]
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

// episodeRoles says who acts in each role.
func (s *session) episodeRoles() []persistence.EpisodeRole {
	roles := make([]persistence.EpisodeRole, len(s.def.Agents))
	for i := range s.def.Agents {
		a := &s.def.Agents[i]
		roles[i] = persistence.EpisodeRole{Role: string(a.Role), Policy: a.Policy}
		if a.Participant {
			roles[i].InputsType = string(a.InputsType)
		}
		for j := range s.def.Policies {
			if s.def.Policies[j].Name == a.Policy {
				roles[i].PolicySource = s.def.Policies[j].Source
			}
		}
	}
	for _, st := range s.seats {
		if !st.replaced {
			roles[st.index].Participant = st.participant
		}
	}
	return roles
}

// episodeStarted: the environment was reset and drawn. Step 0 is in it.
func (s *session) episodeStarted(ctx actor.Context, m *messages.Started) {
	e := s.episode
	if e.resume != nil && e.resume.told {
		s.resumed(ctx, m)
		return
	}
	s.heard(ctx)
	if e.started {
		s.cast.metrics.stale.WithLabelValues("Started").Inc()
		return
	}
	e.started, s.avoid, s.sought = true, nil, time.Time{}
	e.doc.Incarnation, e.doc.CodeVersion, e.doc.EnvironmentCode = m.GetIncarnation(), m.GetCodeVersion(), m.GetEnvironmentVersion()
	e.doc.Replayable = m.GetReplayable()
	e.doc.Interpreter, e.doc.Confinement, e.doc.Warnings = m.GetInterpreter(), m.GetConfinement(), m.GetWarnings()
	e.doc.StartedAt = time.UnixMicro(m.GetRunnerTimeUs()).UTC()
	e.doc.ReceivedAt = time.Now().UTC()
	for i, r := range m.GetRoles() {
		if i < len(e.doc.Roles) {
			e.doc.Roles[i].PolicyVersion = r.GetPolicyVersion()
		}
	}
	s.width, s.height = m.GetWidth(), m.GetHeight()
	ctx.Send(s.recorder, &putEpisode{e.snapshot()})
	if s.def.Experiment.OnDropOut == experiments.DropOutContinue {
		for _, st := range s.seats {
			if st.replaced {
				s.tellRunner(ctx, &messages.SetSeat{EpisodeId: s.episodeID(), Role: uint32(st.index), Occupant: messages.SetSeat_DEFAULTS})
			}
		}
	}
	if m.GetStep() != nil {
		s.stepped(ctx, m.GetStep())
	}
}

// snapshot copies the document, so that what was sent never changes.
func (e *episode) snapshot() persistence.Episode {
	d := e.doc
	d.Roles = append([]persistence.EpisodeRole(nil), e.doc.Roles...)
	return d
}

// stepped: one step. The record goes to the store, the picture to the sockets.
func (s *session) stepped(ctx actor.Context, m *messages.Stepped) {
	e := s.episode
	rec := m.GetRecord()
	if !e.started || rec == nil || e.resume != nil {
		s.cast.metrics.stale.WithLabelValues("Stepped").Inc()
		return
	}
	if rec.GetStep() > e.step+1 { // only the runner has what is missing
		s.gap(ctx)
		return
	}
	s.heard(ctx)
	if rec.GetStep() != e.step+1 && (rec.GetStep() != 0 || e.begun) { // sent again
		s.cast.metrics.stale.WithLabelValues("Stepped").Inc()
		s.again(ctx, m)
		return
	}
	e.begun = true
	now := time.Now()
	if s.notice == noticeRestart && s.machine.phase == phaseRunning && now.Sub(e.doc.ReceivedAt) > noticeTime {
		s.notice = ""
		s.tellPhase()
	}
	e.step, e.offset = rec.GetStep(), rec.GetRunnerOffsetUs()
	e.offsets[e.step%uint64(len(e.offsets))] = stepOffset{e.step, rec.GetRunnerOffsetUs()}
	if !s.lostBooks {
		s.unstored++
		s.cast.counts.unstored.Add(1)
		ctx.Send(s.recorder, &record{episode: e.doc.ID, step: rec, at: now})
	}
	if len(e.waiting) > 0 {
		e.waiting, e.until = nil, time.Time{}
	}
	s.fanOut(ctx, m, now)
}

// again: a record that was there already. Its picture may not have been.
func (s *session) again(ctx actor.Context, m *messages.Stepped) {
	if m.GetPicture() != nil {
		s.shown(ctx, m.GetRecord().GetStep())
	}
	if m.GetPicture() != nil && m.GetRecord().GetStep() == s.episode.step {
		s.draw(m.GetRecord().GetStep(), m.GetRecord().GetRunnerOffsetUs(), m.GetPicture())
	}
}

// stored: the runner may forget these steps.
func (s *session) stored(ctx actor.Context, m *stored) {
	n := min(m.steps, s.unstored)
	s.unstored -= n
	s.cast.counts.unstored.Add(-int64(n))
	if e := s.episode; e != nil && m.episode == e.doc.ID {
		e.acked = m.through
	}
	s.tellRunner(ctx, &messages.Ack{EpisodeId: string(m.episode), Through: m.through})
}

// episodeOverdue: the episode has taken all the time that it may.
func (s *session) episodeOverdue(ctx actor.Context) {
	if s.runner == nil || s.episode == nil {
		return
	}
	if s.episode.stopped {
		s.fault("runner", "the runner did not stop in time")
		s.runnerLost(ctx, "the runner did not stop in time")
		return
	}
	s.episode.stopped = true
	ctx.Request(s.runner, &messages.Stop{EpisodeId: s.episodeID(), Code: reasonEpisodeTime.Code, Detail: "episode_timeout"})
	s.phaseEnd.set(ctx, s.cast.cfg.Limits.EpisodeGrace)
}

// episodeEnded: the episode reached its end, or was stopped.
func (s *session) episodeEnded(ctx actor.Context, m *messages.EpisodeEnded) {
	if e := s.episode; e.resume != nil {
		s.restartElsewhere(ctx, "the runner ended the episode before it could go on: "+m.GetCode()+" "+m.GetDetail())
		return
	} else if s.remote(ctx) && e.started && m.GetLastStep() > e.step {
		s.gap(ctx) // it says so again, after the steps
		return
	}
	s.heard(ctx)
	for _, c := range m.GetCheckpoints() {
		s.checkpoint(ctx, c)
	}
	s.lateFeedback(ctx, m.GetFeedback())
	s.episode.doc.Log = m.GetLog()
	if w := m.GetWarnings(); len(w) > 0 {
		s.episode.doc.Warnings = slices.Concat(s.episode.doc.Warnings, w)
		s.event("warnings", "", "system", persistence.Document{"warnings": anySlice(w)})
	}
	status, reason := "", persistence.Reason{}
	switch m.GetHow() {
	case messages.EpisodeEnded_TERMINATED:
		status = "terminated"
	case messages.EpisodeEnded_TRUNCATED:
		status = "truncated"
	default:
		status = "aborted"
		reason = persistence.Reason{Code: m.GetCode(), Detail: m.GetDetail(), Public: s.reason.Public}
	}
	if m.GetCode() == reasonEpisodeTime.Code {
		status, reason = "truncated", with(reasonEpisodeTime, m.GetDetail())
	}
	s.lastStatus()
	s.closeEpisode(ctx, status, reason)
	if s.machine.phase.final() {
		s.finishBooks(ctx)
		return
	}
	if status == "aborted" { // stopped by somebody else than this session
		s.abort(ctx, reasonFailed, "the runner stopped the episode: "+m.GetCode()+" "+m.GetDetail())
		return
	}
	s.apply(ctx, evEpisodeDone)
}

// episodeFailed: it could not go on. The researcher reads everything.
func (s *session) episodeFailed(ctx actor.Context, m *messages.Failed) {
	switch {
	case m.GetElsewhere() && s.refusedHere(ctx, m):
		return
	case s.episode.resume != nil:
		s.notResumed(ctx, m)
		return
	case m.GetCode() == codeUnknownEpisode:
		s.runnerLost(ctx, "the runner does not have the episode any more")
		return
	}
	s.heard(ctx)
	s.failed(ctx, m)
}

// refusedHere: the machine of this runner lacks what the experiment needs. Others are
// asked; false where that is not to be.
func (s *session) refusedHere(ctx actor.Context, m *messages.Failed) bool {
	e := s.episode
	if e.started && e.resume == nil || len(s.avoid) >= maxRefusals || s.machine.phase.final() {
		return false
	}
	s.log.Warn("a runner cannot run this; another one is sought", "runner", s.runnerID, "slot", s.slot, "why", m.GetMessage())
	s.event("refused", m.GetRole(), "", persistence.Document{"runner": s.runnerID, "slot": int64(s.slot), "code": m.GetCode(), "message": m.GetMessage()})
	s.avoid = append(s.avoid, unfit{s.runnerID, s.readiness})
	if s.sought.IsZero() {
		s.sought = time.Now()
	}
	if t := e.resume; t != nil {
		t.cancel()
		e.resume = &takeover{why: t.why, from: t.from, since: t.since}
	} else {
		e.refused = m
	}
	s.release(ctx)
	s.apply(ctx, evRunnerLost)
	return true
}

// maxRefusals bounds the runners that are asked for one episode.
const maxRefusals = 100

// failed ends the episode, and the session with it.
func (s *session) failed(ctx actor.Context, m *messages.Failed) {
	detail := m.GetCode() + " in " + m.GetPhase()
	if m.GetRole() != "" {
		detail += " (" + m.GetRole() + ")"
	}
	detail += ": "
	if m.GetType() != "" {
		detail += m.GetType() + ": "
	}
	detail += m.GetMessage()
	s.log.Error("episode failed", "episode", s.episodeID(), "step", m.GetLastStep(), "code", m.GetCode(), "phase", m.GetPhase(), "role", m.GetRole(), "error", m.GetMessage())
	s.event("failed", m.GetRole(), "system", persistence.Document{"code": m.GetCode(), "phase": m.GetPhase(), "type": m.GetType(), "message": m.GetMessage(), "trace": m.GetTrace(), "last_step": int64(m.GetLastStep())})
	s.episode.doc.Log, s.episode.doc.Fault = m.GetLog(), faultOf(m)
	if m.GetTrace() != "" {
		detail += "\n" + m.GetTrace()
	}
	if !s.episode.started { // nothing of it is stored yet
		s.episode.started = true
		s.episode.doc.ReceivedAt = time.Now().UTC()
		s.episode.doc.StartedAt = s.episode.doc.ReceivedAt
		ctx.Send(s.recorder, &putEpisode{s.episode.snapshot()})
	}
	reason := persistence.Reason{Code: m.GetCode(), Detail: detail, Public: reasonFailed.Public}
	s.closeEpisode(ctx, "failed", reason)
	if s.machine.phase.final() {
		s.finishBooks(ctx)
		return
	}
	s.abort(ctx, reason, detail)
}

// closeEpisode writes the episode's end; the returns are the recorder's, who has
// seen every step.
func (s *session) closeEpisode(ctx actor.Context, status string, r persistence.Reason) {
	e := s.episode
	if e == nil || e.over {
		return
	}
	e.over = true
	now := time.Now().UTC()
	e.doc.Status, e.doc.Reason, e.doc.EndedAt, e.doc.Steps = status, r, &now, int64(e.step)
	if e.started && !s.lostBooks {
		ctx.Send(s.recorder, &putEpisode{e.snapshot()})
	}
}

// codeUnknownEpisode answers a Reattach to an episode that the runner gave up.
const codeUnknownEpisode = "unknown_episode"

// faultOf is the fault of an experiment's code; nil where it was the platform's.
func faultOf(m *messages.Failed) *persistence.Fault {
	switch m.GetCode() {
	case runner.CodeBusy, runner.CodeRunnerError, runner.CodeRunnerStopped:
		return nil
	}
	return &persistence.Fault{
		State: m.GetCode(), Phase: m.GetPhase(), Role: m.GetRole(), Type: m.GetType(), Message: m.GetMessage(), Traceback: m.GetTrace(),
	}
}
