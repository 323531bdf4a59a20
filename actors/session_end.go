package actors

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
	"sharpie/persistence"
)

// abort ends the session early.
func (s *session) abort(ctx actor.Context, r persistence.Reason, detail string) {
	if s.machine.phase.final() {
		return
	}
	s.reason = with(r, detail)
	s.notice = r.Public
	s.apply(ctx, evAbort)
}

func (s *session) abortBy(ctx actor.Context, m *abort) {
	if s.machine.phase.final() {
		if ctx.Sender() != nil {
			ctx.Respond(fmt.Errorf("abort %s: %w", s.id, ErrGone))
		}
		return
	}
	if m.by == "" { // the server itself
		s.abort(ctx, reasonStopping, m.reason)
	} else {
		s.event("admin.abort", "", m.by, persistence.Document{"reason": m.reason})
		s.abort(ctx, reasonAdmin, fmt.Sprintf("by %s: %s", m.by, m.reason))
	}
	if ctx.Sender() != nil {
		ctx.Respond(struct{}{})
	}
}

// runnerLost: the episode goes on elsewhere, or begins again, or is over.
func (s *session) runnerLost(ctx actor.Context, why string) {
	ctx.Unwatch(s.runner)
	// Where it is at work still, it hears of this when it can be reached; and after the
	// Queue has heard that this session wants another one.
	defer ctx.Request(s.runner, &messages.Release{SessionId: string(s.id)})
	s.runner, s.leaves = nil, false
	s.endOutage(ctx)
	s.settling.clear()
	running := s.episode != nil && !s.episode.over
	s.event("runner_lost", "", "", persistence.Document{"runner": s.runnerID, "slot": int64(s.slot), "why": why, "episode_running": running})
	s.log.Warn("runner lost", "runner", s.runnerID, "slot", s.slot, "why", why)
	switch {
	case s.machine.phase.final():
		s.closeEpisode(ctx, "aborted", with(reasonRunnerLost, why))
		s.finishBooks(ctx)
		return
	case !running:
		return
	case s.def.Experiment.OnRunnerLoss == "abort" && s.episode.started || s.exhausted():
		s.closeEpisode(ctx, "aborted", with(reasonRunnerLost, why))
		s.abort(ctx, reasonRunnerLost, why)
		return
	}
	s.episode.lost()
	if !s.episode.started { // nothing of it is played or stored: it begins elsewhere
		s.episode.start, s.episode.anew = nil, true
		s.apply(ctx, evRunnerLost)
		return
	}
	not := s.resumable()
	if not == "" {
		s.awaitRunner(ctx, why)
		return
	}
	if s.abandonEpisode(ctx, why+"; "+not) {
		s.apply(ctx, evRunnerLost)
		s.restartNotice()
	}
}

// maxAttempts bounds how often one episode is begun, or taken over in quick succession.
const maxAttempts = 5

// calmAfter is how long after a loss the next one has nothing to do with it.
const calmAfter = time.Minute

// lost counts the loss of a runner.
func (e *episode) lost() { e.losses, e.lostAt = e.recent()+1, time.Now() }

// recent is how many losses the next one comes soon after.
func (e *episode) recent() int {
	if time.Since(e.lostAt) > calmAfter {
		return 0
	}
	return e.losses
}

// exhausted reports whether the episode has had all the runners that it may have.
func (s *session) exhausted() bool {
	return s.episode.recent()+s.episode.doc.Attempt+1 >= maxAttempts
}

// finish ends the session: first the runner's last steps, then the books, then the
// goodbye.
func (s *session) finish(ctx actor.Context) {
	if s.episode != nil && !s.episode.over && (s.preparing() || s.runner == nil || s.outage != nil) { // there is nobody to say how it ended
		s.closeEpisode(ctx, "aborted", s.reason)
		s.endOutage(ctx)
	}
	if s.runner != nil && s.episode != nil && !s.episode.over {
		ctx.Request(s.runner, &messages.Stop{EpisodeId: s.episodeID(), Code: s.reason.Code, Detail: s.reason.Detail})
		s.patience.set(ctx, s.cast.cfg.Limits.StopWait)
		return
	}
	s.finishBooks(ctx)
}

// finishBooks hands the last documents to the recorder.
func (s *session) finishBooks(ctx actor.Context) {
	if s.finishing {
		return
	}
	s.finishing = true
	if s.runner != nil {
		s.release(ctx)
	}
	if s.machine.phase == phaseCompleted {
		var who []persistence.ParticipantID
		for _, st := range s.seats {
			if !st.free() && !st.replaced {
				who = append(who, st.participant)
			}
		}
		ctx.Send(s.recorder, &complete{participants: who, code: s.def.Experiment.CompletionCode})
	}
	doc := s.document()
	doc.Finished = true
	if s.lostBooks {
		ctx.Send(s.recorder, &salvage{doc: doc})
	} else {
		ctx.Send(s.recorder, &closeBooks{doc: doc})
	}
	s.patience.set(ctx, s.cast.cfg.Limits.GoodbyeWait)
}

// waitedEnough: an ending session has waited for its runner, or for the store.
func (s *session) waitedEnough(ctx actor.Context) {
	if !s.finishing {
		s.closeEpisode(ctx, "aborted", with(s.reason, "the runner did not say how the episode ended"))
		s.finishBooks(ctx)
		return
	}
	s.goodbye(ctx) // the store is slow or away; the recorder goes on without hurry
}

// release gives the runner back.
func (s *session) release(ctx actor.Context) {
	ctx.Unwatch(s.runner)
	if s.used {
		ctx.Request(s.runner, &messages.Release{SessionId: string(s.id)})
	} else { // the runner does not know of this session, and will not offer itself
		ctx.Send(s.cast.queue, &withdraw{session: s.id, number: s.wish})
	}
	s.runner, s.leaves = nil, false
}

// goodbye tells everybody that it is over, once.
func (s *session) goodbye(ctx actor.Context) {
	if s.goodbyes {
		return
	}
	s.goodbyes = true
	code := "aborted"
	if s.machine.phase == phaseCompleted {
		code = "completed"
	}
	last := encodeEnd(code, reasonPublic(s.reason), s.thanks())
	cl := Close{Code: closeNormal, Text: "the session is over"}
	if s.reason.Code == reasonStopping.Code {
		cl = Close{Code: closeStopping, Text: "the server is stopping"}
	}
	for _, st := range s.seats {
		if st.conn != nil {
			st.conn.end(last, cl)
			st.conn = nil
		}
	}
}

func reasonPublic(r persistence.Reason) string {
	if r.Public == "" {
		return "The session is over."
	}
	return r.Public
}

// thanks is the page that follows the session.
func (s *session) thanks() string { return "/s/" + string(s.id) + "/thanks" }
