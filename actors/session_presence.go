package actors

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
)

// attach makes a connection for the participant's seat.
func (s *session) attach(ctx actor.Context, m *attach) {
	st := s.seatOf(m.participant)
	switch {
	case s.machine.phase.final():
		ctx.Respond(fmt.Errorf("attach to %s: %w", s.id, ErrGone))
	case st == nil || st.replaced:
		ctx.Respond(fmt.Errorf("attach to %s: %w", s.id, ErrNotYours))
	default:
		conn := &connection{
			root: s.cast.root, participant: st.pid, asked: m, rules: st.rules, limits: s.cast.cfg.Limits, metrics: s.cast.metrics,
			log:  s.log.With("role", string(st.agent.Role), "participant", string(st.participant)),
			wake: make(chan struct{}, 1),
		}
		ctx.RequestWithCustomSender(st.pid, &admit{conn: conn}, ctx.Sender())
	}
}

// attached: the participant has a new socket. It learns everything at once, and
// before anything else.
func (s *session) attached(ctx actor.Context, m *attached) {
	st := s.seatOf(m.participant)
	if st == nil || st.replaced || s.machine.phase.final() {
		m.conn.end(nil, Close{Code: closeOver, Text: reasonPublic(s.reason)})
		ctx.Respond(fmt.Errorf("attach to %s: %w", s.id, ErrGone))
		return
	}
	if st.abandoned == m.conn.asked {
		m.conn.Detach() // the seat is taken as lost, once the Participant says so
	}
	st.conn, st.nextSeq, st.ready = m.conn, m.nextSeq, false
	s.welcome(st)
	if m.again {
		s.event("reconnect", string(st.agent.Role), st.userName, nil)
		s.letGo(ctx, st)
	}
	ctx.Respond(m.conn)
	st.missing = false
	s.seatsChanged(ctx)
}

// abandoned: the asker of an attach has gone, and nobody will read that socket. It
// is given back, whether it was made already or is about to be.
func (s *session) abandoned(m *abandon) {
	st := s.seatOf(m.participant)
	if st == nil {
		return
	}
	st.abandoned = m.attach
	if st.conn != nil && st.conn.asked == m.attach {
		st.conn.Detach()
	}
}

// away: the socket is gone, the grace runs.
func (s *session) away(ctx actor.Context, m *away) {
	st := s.seatOf(m.participant)
	if st == nil || st.conn == nil {
		return
	}
	st.conn, st.rtt, st.ready = nil, 0, false
	s.event("disconnect", string(st.agent.Role), st.userName, nil)
	s.letGo(ctx, st)
	s.seatsChanged(ctx)
}

// letGo releases the keys that a lost socket held: nobody would say when they were
// let go, and they would act for the whole grace as if a person pressed them. The
// next socket tells which keys are down.
func (s *session) letGo(ctx actor.Context, st *seat) {
	st.last, st.unheard = nil, false
	if s.episode != nil && !s.episode.over {
		s.tellRunner(ctx, &messages.SetSeat{EpisodeId: s.episodeID(), Role: uint32(st.index), Occupant: messages.SetSeat_HUMAN})
	}
}

// gone: the grace is over.
func (s *session) gone(ctx actor.Context, m *gone) {
	st := s.seatOf(m.participant)
	if st == nil || st.replaced || st.here() || s.machine.phase.final() {
		return
	}
	s.dropOut(ctx, st, false)
}

// ready: everybody who is here and says so shortens a countdown or a break.
func (s *session) ready(ctx actor.Context, m *seatReady) {
	st := s.seatOf(m.participant)
	if st == nil || (s.machine.phase != phaseReady && s.machine.phase != phaseBetween) {
		return
	}
	st.ready = true
	for _, other := range s.seats {
		if !other.replaced && !other.ready {
			return
		}
	}
	if s.machine.phase == phaseReady {
		s.apply(ctx, evGo)
	} else {
		s.apply(ctx, evNext)
	}
}

// seatsChanged looks at what the change of a seat means, and tells everybody.
// Changes that come in a burst are told once.
func (s *session) seatsChanged(ctx actor.Context) {
	before, full, missing := s.machine, true, false
	for _, st := range s.seats {
		full = full && st.here()
		missing = missing || st.missing
	}
	switch {
	case s.machine.phase == phaseWaiting && full:
		s.apply(ctx, evFull)
	case s.machine.phase == phaseReady && !full:
		s.apply(ctx, evNotFull)
	case s.machine.phase == phasePaused && !missing && s.outage == nil:
		s.apply(ctx, evBack)
	case s.machine.phase == phasePaused && !missing && s.notice != noticeAway:
		s.notice = noticeAway // for the runner alone now
		s.phaseEnd.clear()
		s.pausedAnew(ctx)
	}
	if s.machine == before && s.seatNews.at.IsZero() {
		s.seatNews.set(ctx, seatNewsAfter)
	}
}
