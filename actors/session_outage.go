package actors

import (
	"math"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"sharpie/actors/messages"
	"sharpie/persistence"
)

// This file is a runner that cannot be reached: the link to its node is cut, or the
// node is frozen or dead. The session waits for it, and keeps knocking; where it
// answers within the grace, the episode goes on from the very step. After a moment
// the Queue is asked for another one as well, and whoever is there first goes on.

// outage is the time in which the runner cannot be reached.
type outage struct {
	since  time.Time
	step   uint64
	wished bool // the Queue was asked for another one
}

// knockEvery is how often a session asks for a runner that was away, or that left
// steps out.
const knockEvery = 500 * time.Millisecond

const (
	noticeAway    = "The connection to the computer that runs the game was lost. Reconnecting …"
	noticeMissing = "Somebody lost the connection. Waiting for them to come back."
	noticeResume  = "The computer that ran the game was lost. The game goes on in a moment."
	noticeRestart = "The computer that ran the game was lost. This round starts again."
)

// noticeTime is how long people read in a round why it started again.
const noticeTime = 5 * time.Second

// tellRunner sends to a runner that can be reached. To another one nothing is sent:
// it would wait in memory, and be wrong when it arrives; runnerBack makes up for it.
func (s *session) tellRunner(ctx actor.Context, m proto.Message) {
	if s.runner != nil && s.outage == nil {
		ctx.Request(s.runner, m)
	}
}

// remote reports whether the runner is in another process.
func (s *session) remote(ctx actor.Context) bool {
	return s.runner != nil && s.runner.GetAddress() != ctx.ActorSystem().Address()
}

// unreachable: nothing reaches the runner at the moment.
func (s *session) unreachable(ctx actor.Context, why string) {
	e := s.episode
	switch {
	case s.outage != nil: // a knock found nobody
	case e == nil || e.over || e.start != nil || e.resume != nil || s.machine.phase.final():
		s.runnerLost(ctx, why) // there is no step to go on from
	default:
		s.runnerAway(ctx, why)
	}
}

// runnerAway begins to wait for it.
func (s *session) runnerAway(ctx actor.Context, why string) {
	s.outage = &outage{since: time.Now(), step: s.episode.step}
	s.handedOver("runner_away", persistence.Document{"why": why, "grace_us": s.cast.cfg.Limits.RunnerGrace.Microseconds()})
	s.grace.set(ctx, s.cast.cfg.Limits.RunnerGrace)
	s.notice = noticeAway
	if s.machine.phase == phaseRunning {
		s.apply(ctx, evRunnerAway)
	} else {
		s.pausedAnew(ctx)
	}
	s.knock(ctx)
}

// knock asks the runner to go on after the last step that arrived. The watch is
// renewed each time: it ends with every connection.
func (s *session) knock(ctx actor.Context) {
	ctx.Watch(s.runner)
	ctx.Request(s.runner, &messages.Reattach{EpisodeId: s.episodeID(), Received: s.episode.step})
	s.knocking.set(ctx, knockEvery)
}

// gap: the runner is ahead of what arrived, so something was lost on the way.
func (s *session) gap(ctx actor.Context) {
	s.cast.metrics.stale.WithLabelValues("gap").Inc()
	if s.knocking.at.IsZero() {
		s.knock(ctx)
	}
}

// knockedLong: there was no answer to a knock yet.
func (s *session) knockedLong(ctx actor.Context) {
	if s.runner != nil && s.outage != nil && s.episode != nil && !s.episode.over {
		s.knock(ctx)
		s.seekRelief(ctx)
	}
}

// seekRelief asks for another runner, where one could go on with the episode, and
// people are there to play it. The one that is away may still be quicker.
func (s *session) seekRelief(ctx actor.Context) {
	o := s.outage
	if o.wished || s.missing() || s.episode.started && s.resumable() != "" || s.exhausted() || time.Since(o.since) < s.cast.cfg.Limits.TakeoverWait {
		return
	}
	o.wished = true
	if s.remote(ctx) { // once its node is back it is itself the quickest, and has more than a replay can give
		s.enqueue(ctx, true, unfit{s.runnerID, math.MaxUint64})
	} else {
		s.enqueue(ctx, true)
	}
}

// relieved: there is another runner. The one that is away is given up.
func (s *session) relieved(ctx actor.Context) {
	s.outage.wished = false // it is served
	s.relief = true
	s.runnerLost(ctx, "it could not be reached for "+time.Since(s.outage.since).Round(10*time.Millisecond).String()+", and another one was free")
	s.relief = false
	if s.machine.phase != phaseQueued { // somebody is missed, or it was too often
		ctx.Send(s.cast.queue, &withdraw{session: s.id, number: s.wish})
	}
}

// heard: the runner says something about the episode, so it is there.
func (s *session) heard(ctx actor.Context) {
	if s.outage != nil {
		s.runnerBack(ctx)
	}
}

// runnerBack makes up for what the runner was not told, and goes on.
func (s *session) runnerBack(ctx actor.Context) {
	away := time.Since(s.outage.since)
	s.endOutage(ctx)
	s.handedOver("runner_back", persistence.Document{"away_us": away.Microseconds()})
	ctx.Request(s.runner, &messages.Ack{EpisodeId: s.episodeID(), Through: s.episode.acked})
	s.tellSeats(ctx, true)
	if s.missing() {
		s.notice = noticeMissing
		s.tellRunner(ctx, &messages.Pause{EpisodeId: s.episodeID()})
		s.pausedAnew(ctx)
		return
	}
	s.apply(ctx, evBack)
}

func (s *session) endOutage(ctx actor.Context) {
	if s.outage != nil && s.outage.wished {
		ctx.Send(s.cast.queue, &withdraw{session: s.id, number: s.wish})
	}
	s.outage = nil
	s.grace.clear()
	s.knocking.clear()
}

// tellSeats tells the runner who sits where, and which keys are held: to one that was
// away, what changed meanwhile; to a fresh one, all.
func (s *session) tellSeats(ctx actor.Context, fresh bool) {
	for _, st := range s.seats {
		switch {
		case st.replaced:
			s.tellRunner(ctx, &messages.SetSeat{EpisodeId: s.episodeID(), Role: uint32(st.index), Occupant: s.substitute()})
		case !st.here():
			s.tellRunner(ctx, &messages.SetSeat{EpisodeId: s.episodeID(), Role: uint32(st.index), Occupant: messages.SetSeat_HUMAN})
		case st.unheard || fresh && len(st.last.GetKeys()) > 0:
			seq := st.last.GetSeq()
			if seq <= st.used { // it is in the books: what counts is that the keys are held
				seq = 0
			}
			in := &messages.Input{Role: st.last.GetRole(), Seq: seq, StepSeen: st.last.GetStepSeen(), Keys: st.last.GetKeys(),
				ClientTimeUs: st.last.GetClientTimeUs(), ClientOffsetUs: st.last.GetClientOffsetUs(), ServerReceivedUs: st.last.GetServerReceivedUs()}
			s.tellRunner(ctx, &messages.Inputs{EpisodeId: s.episodeID(), Inputs: []*messages.Input{in}})
		}
		st.unheard = false
	}
}

// pausedAnew: what a pause waits for has changed.
func (s *session) pausedAnew(ctx actor.Context) {
	if s.machine.phase == phasePaused {
		s.setDeadline(ctx, time.Now().UTC())
	}
	s.tellPhase()
}

func (s *session) missing() bool {
	for _, st := range s.seats {
		if st.missing {
			return true
		}
	}
	return false
}

// handedOver records and counts what becomes of an episode's runner.
func (s *session) handedOver(kind string, detail persistence.Document) {
	detail["runner"], detail["slot"] = s.runnerID, int64(s.slot)
	if s.episode != nil {
		detail["step"] = int64(s.episode.step)
	}
	s.cast.metrics.handOvers.WithLabelValues(kind).Inc()
	s.log.Warn(kind, "runner", s.runnerID, "slot", s.slot, "detail", detail)
	s.event(kind, "", "", detail)
}
