package actors

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
	"sharpie/actors/play"
	"sharpie/experiments"
	"sharpie/persistence"
)

// seat is a role offered to a participant, and who sits there.
type seat struct {
	index int // into Definition.agents
	agent *experiments.Agent
	rules seatRules

	participant persistence.ParticipantID // "": free
	user        persistence.UserID
	userName    string
	pid         *actor.PID // the Participant; nil once it was given up for good
	conn        *connection
	abandoned   *attach
	nextSeq     uint64
	joined      *time.Time
	left        *time.Time
	rtt         time.Duration
	ready       bool
	missing     bool            // the session is paused for them
	last        *messages.Input // newest; nil: all keys are up
	unheard     bool            // it did not reach the runner
	replaced    bool            // given up for good: policy or defaults act from now on

	used     uint64   // newest input that a step used
	blocked  []uint32 // keys that are no legal action now, of the seat's
	ret      float64  // as last seen
	live     bool
	status   time.Time // when the last Status was sent
	shownRet float64
	shown    bool // live, as last sent
}

func (st *seat) free() bool { return st.participant == "" }
func (st *seat) here() bool { return st.conn != nil }

// state is the seat as the lobby shows it.
func (st *seat) state(ai bool) play.Seat_State {
	switch {
	case st.replaced && ai:
		return play.Seat_AI
	case st.free():
		return play.Seat_FREE
	case st.here():
		return play.Seat_HERE
	case st.replaced || !st.everHere():
		return play.Seat_TAKEN
	}
	return play.Seat_AWAY
}

func (st *seat) everHere() bool { return st.nextSeq != 0 }

func (s *session) seatOf(p persistence.ParticipantID) *seat {
	for _, st := range s.seats {
		if st.participant == p && p != "" {
			return st
		}
	}
	return nil
}

// take gives a seat, or hands the request back to the Lobby.
func (s *session) take(ctx actor.Context, m *take) {
	refuse := func() {
		ctx.Send(s.cast.lobby, &refused{session: s.id, req: m.JoinRequest, sender: ctx.Sender(), back: m.back})
	}
	if s.machine.phase.final() {
		refuse()
		return
	}
	if st := s.seatOf(m.Participant); st != nil {
		if st.replaced {
			refuse()
			return
		}
		ctx.Respond(Ticket{Session: s.id, Role: string(st.agent.Role), Rejoined: true})
		return
	}
	if m.back || s.machine.phase != phaseWaiting {
		refuse()
		return
	}
	for _, st := range s.seats {
		if st.free() && (m.role == "" || m.role == string(st.agent.Role)) {
			s.seatTaken(ctx, st, m.JoinRequest)
			ctx.Respond(Ticket{Session: s.id, Role: string(st.agent.Role)})
			return
		}
	}
	refuse()
}

func (s *session) seatTaken(ctx actor.Context, st *seat, r JoinRequest) {
	now := time.Now().UTC()
	*st = seat{index: st.index, agent: st.agent, rules: st.rules,
		participant: r.Participant, user: r.User, userName: r.UserName, joined: &now, live: true}
	s.spawnParticipant(ctx, st)
	s.event("join", string(st.agent.Role), r.UserName, persistence.Document{"participant_id": string(r.Participant)})
	s.seatsChanged(ctx)
}

func (s *session) spawnParticipant(ctx actor.Context, st *seat) {
	p := &participant{
		cast: s.cast, session: ctx.Self(), id: st.participant, role: uint32(st.index),
		log:     s.log.With("role", string(st.agent.Role), "participant", string(st.participant)),
		grace:   time.Duration(s.def.Experiment.ReconnectGrace),
		arrival: max(time.Duration(s.def.Experiment.ReconnectGrace), shortestArrival),
		limiter: newLimiter(s.cast.cfg.Limits, time.Now()),
		missed:  alarm{name: "grace"},
	}
	if st.nextSeq > 0 {
		p.lastSeq, p.before = st.nextSeq-1, true
	}
	st.pid = ctx.Spawn(s.cast.props(func() actor.Actor { return p }, actor.WithDispatcher(inline)))
}

// shortestArrival is what a page is given at least to open its socket after a Join.
const shortestArrival = 10 * time.Second

// participantLost: a Participant stopped because of a fault. The person keeps the
// seat, and the page that lost its socket comes again.
func (s *session) participantLost(ctx actor.Context, who *actor.PID) {
	for _, st := range s.seats {
		if st.pid == nil || !st.pid.Equal(who) {
			continue
		}
		s.fault("participant", "the participant actor stopped")
		st.conn = nil
		s.spawnParticipant(ctx, st)
		s.seatsChanged(ctx)
		return
	}
}

// leave gives a seat up for good. It is answered where somebody asked.
func (s *session) leave(ctx actor.Context, m *leave) {
	answer := func(v any) {
		if ctx.Sender() != nil {
			ctx.Respond(v)
		}
	}
	st := s.seatOf(m.participant)
	switch {
	case s.machine.phase.final():
		answer(fmt.Errorf("leave %s: %w", s.id, ErrGone))
	case st == nil || st.replaced:
		answer(fmt.Errorf("leave %s: %w", s.id, ErrNotYours))
	default:
		s.dropOut(ctx, st, true)
		answer(struct{}{})
	}
}

// dropOut: somebody is not coming back, or not in time.
func (s *session) dropOut(ctx actor.Context, st *seat, forGood bool) {
	s.log.Info("participant dropped out", "role", string(st.agent.Role), "left", forGood)
	s.event("drop_out", string(st.agent.Role), st.userName, persistence.Document{
		"participant_id": string(st.participant), "left": forGood, "phase": string(s.machine.phase), "policy": string(s.def.Experiment.OnDropOut)})
	now := time.Now().UTC()
	st.left = &now
	if s.machine.phase.seating() {
		s.freeSeat(ctx, st)
		return
	}
	switch policy := s.def.Experiment.OnDropOut; {
	case policy == experiments.DropOutAI || policy == experiments.DropOutContinue:
		s.replace(ctx, st)
	case policy == experiments.DropOutPause && !forGood:
		st.missing, st.left = true, nil
		s.notice = noticeMissing
		if s.machine.phase == phasePaused && s.outage != nil {
			s.pausedAnew(ctx)
		} else {
			s.apply(ctx, evMissing)
		}
		s.seatsChanged(ctx)
	default: // abort; and nobody waits for someone who left
		s.dismiss(ctx, st)
		s.abort(ctx, reasonDroppedOut, fmt.Sprintf("%s (%s) dropped out", st.userName, st.agent.Role))
	}
}

// freeSeat offers the seat to others again.
func (s *session) freeSeat(ctx actor.Context, st *seat) {
	who := st.participant
	s.dismiss(ctx, st)
	*st = seat{index: st.index, agent: st.agent, rules: st.rules}
	ctx.Send(s.cast.lobby, &seatFreed{session: s.id, role: string(st.agent.Role), participant: who})
	for _, other := range s.seats {
		if !other.free() {
			s.seatsChanged(ctx)
			return
		}
	}
	s.abort(ctx, reasonEverybody, "nobody was left in the lobby")
}

// replace puts policy or defaults in the place of someone who dropped out.
func (s *session) replace(ctx actor.Context, st *seat) {
	s.dismiss(ctx, st)
	st.replaced, st.missing = true, false
	ctx.Send(s.cast.lobby, &seatFreed{session: s.id, role: string(st.agent.Role), participant: st.participant})
	for _, other := range s.seats {
		if !other.replaced {
			s.handOver(ctx, st)
			s.seatsChanged(ctx)
			return
		}
	}
	s.abort(ctx, reasonEverybody, "the last participant dropped out")
}

// dismiss ends the Participant of a seat.
func (s *session) dismiss(ctx actor.Context, st *seat) {
	if st.pid == nil {
		return
	}
	if st.conn != nil {
		st.conn.end(encodeEnd("left", reasonLeft.Public, s.thanks()), Close{Code: closeNormal, Text: "left"})
	}
	ctx.Poison(st.pid)
	st.pid, st.conn = nil, nil
}

// seatNewsAfter is how long changes of seats are gathered before all are told.
const seatNewsAfter = 50 * time.Millisecond
