package actors

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/persistence"
)

// lobby owns matching: who sits down in which waiting session, and when a new one
// is opened. It takes one Join after the other, so two people never get the same
// seat; the Session, which alone owns its seats, has the last word. It is the
// parent of all sessions.
type lobby struct {
	cast     *cast
	log      *slog.Logger
	sessions map[persistence.SessionID]*table
	waiting  map[meeting][]*table // with free seats, oldest first
	sitting  map[sitter]*table    // who has a seat where
	draining *draining
}

// table is a session as the lobby sees it.
type table struct {
	id    persistence.SessionID
	pid   *actor.PID
	meet  meeting
	roles []string                             // the seats, in order
	taken map[string]persistence.ParticipantID // by role
	phase phase
}

// meeting is where participants meet: an experiment's version, and a room.
type meeting struct {
	link    string
	version int
	room    string
}

// sitter is a participant in an experiment.
type sitter struct {
	link        string
	participant persistence.ParticipantID
}

// draining is a drain under way.
type draining struct {
	asked []*actor.PID
	late  alarm // abort what still runs
	flush alarm // give up what is still not stored
}

func newLobby(c *cast) *lobby {
	return &lobby{cast: c, log: c.log, sessions: map[persistence.SessionID]*table{}, waiting: map[meeting][]*table{}, sitting: map[sitter]*table{}}
}

func (l *lobby) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started, *actor.Stopping, *actor.Stopped:
	case *join:
		l.join(ctx, m.JoinRequest, ctx.Sender())
	case *restore:
		l.restore(ctx, m)
	case *refused:
		l.refused(ctx, m)
	case *seatFreed:
		l.seatFreed(m)
	case *phaseChanged:
		l.phaseChanged(m)
	case *actor.Terminated:
		l.terminated(ctx, m.Who)
	case *countLobby:
		ctx.Respond(l.count(m))
	case *list:
		ctx.Respond(l.list())
	case *drain:
		l.drain(ctx, m)
	case *rang:
		l.rang(ctx, m)
	default:
		l.cast.unknown(ctx, l.log)
	}
}

// join finds a seat, or opens a session.
func (l *lobby) join(ctx actor.Context, r JoinRequest, sender *actor.PID) {
	if t := l.sitting[sitter{r.Experiment, r.Participant}]; t != nil {
		ctx.RequestWithCustomSender(t.pid, &take{JoinRequest: r, back: true}, sender)
		return
	}
	roles := seatRoles(r)
	switch {
	case l.draining != nil:
		l.answer(ctx, sender, fmt.Errorf("join %s: %w", r.Experiment, ErrDraining))
		return
	case len(roles) == 0:
		l.answer(ctx, sender, fmt.Errorf("join %s: it offers no seats: %w", r.Experiment, ErrNoSeat))
		return
	case r.Role != "" && !slices.Contains(roles, r.Role):
		l.answer(ctx, sender, fmt.Errorf("join %s as %q, seats are %q: %w", r.Experiment, r.Role, roles, ErrNoSeat))
		return
	}
	meet := meeting{r.Experiment, r.Version, r.Room}
	for _, t := range l.waiting[meet] {
		if role, ok := t.freeSeat(r.Role); ok {
			l.seat(ctx, t, role, r, sender)
			return
		}
	}
	l.open(ctx, meet, roles, r, sender)
}

func (l *lobby) answer(ctx actor.Context, sender *actor.PID, v any) {
	if sender != nil {
		ctx.Send(sender, v)
	}
}

// open begins a session, with its first participant.
func (l *lobby) open(ctx actor.Context, meet meeting, roles []string, r JoinRequest, sender *actor.PID) {
	if len(l.sessions) >= l.cast.cfg.Limits.Sessions {
		l.answer(ctx, sender, fmt.Errorf("join %s: there are %d sessions: %w", r.Experiment, len(l.sessions), ErrFull))
		return
	}
	canonical, err := r.Definition.Canonical()
	if err != nil {
		l.answer(ctx, sender, fmt.Errorf("join %s: %w", r.Experiment, err))
		return
	}
	id := persistence.SessionID(persistence.NewID("s"))
	props := l.cast.props(func() actor.Actor { return newSession(l.cast, id, r, canonical) }, stopOnPanic(), actor.WithDispatcher(inline))
	pid, err := ctx.SpawnNamed(props, string(id))
	if err != nil {
		l.answer(ctx, sender, fmt.Errorf("join %s: open session: %w", r.Experiment, err))
		return
	}
	t := &table{id: id, pid: pid, meet: meet, roles: roles, taken: map[string]persistence.ParticipantID{}, phase: phaseWaiting}
	l.sessions[id] = t
	l.waiting[meet] = append(l.waiting[meet], t)
	role, _ := t.freeSeat(r.Role)
	l.seat(ctx, t, role, r, sender)
}

// restore opens a session of a former run again, for those who sit there.
func (l *lobby) restore(ctx actor.Context, m *restore) {
	if l.sessions[m.doc.ID] != nil {
		ctx.Respond(struct{}{}) // asked twice
		return
	}
	r := m.restored
	props := l.cast.props(func() actor.Actor { return restoredSession(l.cast, r) }, stopOnPanic(), actor.WithDispatcher(inline))
	pid, err := ctx.SpawnNamed(props, string(r.doc.ID))
	if err != nil {
		ctx.Respond(fmt.Errorf("reopen session %s: %w", r.doc.ID, err))
		return
	}
	t := &table{id: r.doc.ID, pid: pid, meet: meeting{r.doc.Experiment, r.doc.ExperimentVersion, r.doc.Room}, taken: map[string]persistence.ParticipantID{}, phase: phasePaused}
	l.sessions[t.id] = t
	for _, st := range r.doc.Seats {
		t.roles = append(t.roles, st.Role)
		if st.Participant != "" && st.LeftAt == nil {
			t.taken[st.Role] = st.Participant
			l.sitting[sitter{t.meet.link, st.Participant}] = t
		}
	}
	ctx.Respond(struct{}{})
}

func (t *table) freeSeat(wanted string) (string, bool) {
	for _, role := range t.roles {
		if t.taken[role] == "" && (wanted == "" || wanted == role) {
			return role, true
		}
	}
	return "", false
}

// seat asks the session for a seat that the lobby knows to be free, and takes it as
// given until the session says otherwise.
func (l *lobby) seat(ctx actor.Context, t *table, role string, r JoinRequest, sender *actor.PID) {
	t.taken[role] = r.Participant
	l.sitting[sitter{r.Experiment, r.Participant}] = t
	ctx.RequestWithCustomSender(t.pid, &take{JoinRequest: r, role: role}, sender)
}

// refused: the session was faster in changing than the lobby in knowing. Each
// refusal takes away a possibility, so this ends.
func (l *lobby) refused(ctx actor.Context, m *refused) {
	if t := l.sessions[m.session]; t != nil {
		l.unseat(t, m.req.Participant)
		if !m.back {
			l.notWaiting(t)
		}
	}
	delete(l.sitting, sitter{m.req.Experiment, m.req.Participant})
	l.join(ctx, m.req, m.sender)
}

func (l *lobby) unseat(t *table, p persistence.ParticipantID) {
	for role, who := range t.taken {
		if who == p {
			delete(t.taken, role)
		}
	}
	if key := (sitter{t.meet.link, p}); l.sitting[key] == t {
		delete(l.sitting, key)
	}
}

func (l *lobby) seatFreed(m *seatFreed) {
	if t := l.sessions[m.session]; t != nil {
		l.unseat(t, m.participant)
	}
}

func (l *lobby) phaseChanged(m *phaseChanged) {
	t := l.sessions[m.session]
	if t == nil {
		return
	}
	t.phase = m.phase
	if !m.phase.seating() {
		l.notWaiting(t)
	}
	if m.phase.final() {
		l.clear(t)
	}
}

// clear lets everybody of an ended session join anew.
func (l *lobby) clear(t *table) {
	for _, who := range t.taken {
		if key := (sitter{t.meet.link, who}); l.sitting[key] == t {
			delete(l.sitting, key)
		}
	}
}

func (l *lobby) notWaiting(t *table) {
	tables := l.waiting[t.meet]
	for i := range tables {
		if tables[i] == t {
			l.waiting[t.meet] = append(tables[:i:i], tables[i+1:]...)
			break
		}
	}
	if len(l.waiting[t.meet]) == 0 {
		delete(l.waiting, t.meet)
	}
}

// terminated: a session is no more.
func (l *lobby) terminated(ctx actor.Context, who *actor.PID) {
	for id, t := range l.sessions {
		if t.pid.Equal(who) {
			l.notWaiting(t)
			l.clear(t)
			delete(l.sessions, id)
			break
		}
	}
	l.drained(ctx)
}

func (l *lobby) count(m *countLobby) LobbyView {
	var v LobbyView
	for _, t := range l.sessions {
		if t.meet.link != m.link {
			continue
		}
		switch {
		case t.phase.seating() && t.meet.room == m.room:
			v.Waiting += len(t.taken)
		case !t.phase.seating() && !t.phase.final():
			v.Playing++
		}
	}
	return v
}

func (l *lobby) list() []*actor.PID {
	out := make([]*actor.PID, 0, len(l.sessions))
	for _, t := range l.sessions {
		out = append(out, t.pid)
	}
	return out
}

// drain lets what runs come to its end, and tells the asker when all is over.
func (l *lobby) drain(ctx actor.Context, m *drain) {
	if l.draining == nil {
		l.draining = &draining{late: alarm{name: "late"}, flush: alarm{name: "flush"}}
		for _, t := range l.sessions {
			ctx.Send(t.pid, &wrapUp{})
		}
		l.log.Info("draining", "sessions", len(l.sessions))
	}
	l.draining.asked = append(l.draining.asked, ctx.Sender())
	l.draining.late.set(ctx, max(0, time.Until(m.until)))
	l.drained(ctx)
}

func (l *lobby) rang(ctx actor.Context, m *rang) {
	switch {
	case l.draining == nil:
	case l.draining.late.is(m):
		for _, t := range l.sessions {
			ctx.Send(t.pid, &abort{reason: "the server stopped while the session ran"})
		}
		l.draining.flush.set(ctx, l.cast.cfg.Limits.FlushWait)
	case l.draining.flush.is(m):
		for _, t := range l.sessions {
			l.log.Error("session given up: its records could not be stored in time", "session", string(t.id))
			ctx.Send(t.pid, &giveUp{})
		}
	}
}

// drained answers once the last session is gone.
func (l *lobby) drained(ctx actor.Context) {
	if l.draining == nil || len(l.sessions) > 0 {
		return
	}
	l.draining.late.clear()
	l.draining.flush.clear()
	for _, pid := range l.draining.asked {
		l.answer(ctx, pid, struct{}{})
	}
	l.draining.asked = nil
}

func seatRoles(r JoinRequest) []string {
	var out []string
	if r.Definition == nil {
		return nil
	}
	for _, a := range r.Definition.Seats() {
		out = append(out, string(a.Role))
	}
	return out
}
