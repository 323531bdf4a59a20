package http

import (
	"container/list"
	"context"
	"fmt"
	"sync"

	"sharpie/actors"
	"sharpie/persistence"
)

// ticketsKept bounds how many people's seats are remembered.
const ticketsKept = 50_000

// ticket says as which participant a user plays in a session.
type ticket struct {
	session     persistence.SessionID
	user        persistence.UserID
	link        string
	participant persistence.ParticipantID
	// joined: they took a seat in that very session, whatever became of it.
	joined bool
}

type ticketKey struct {
	session persistence.SessionID
	user    persistence.UserID
}

// tickets remembers who took a seat where, so that a socket can come back while
// the store does not answer. What is forgotten is read from the store again.
type tickets struct {
	mu     sync.Mutex
	known  map[ticketKey]*list.Element
	order  *list.List // of ticket, last used first
	newest map[newestKey]persistence.SessionID
}

type newestKey struct {
	user persistence.UserID
	link string
}

func newTickets() *tickets {
	return &tickets{known: map[ticketKey]*list.Element{}, order: list.New(), newest: map[newestKey]persistence.SessionID{}}
}

func (t *tickets) get(session persistence.SessionID, user persistence.UserID) (ticket, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.known[ticketKey{session, user}]
	if !ok {
		return ticket{}, false
	}
	t.order.MoveToFront(e)
	return e.Value.(ticket), true
}

func (t *tickets) put(v ticket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, n := ticketKey{v.session, v.user}, newestKey{v.user, v.link}
	t.newest[n] = max(t.newest[n], v.session) // ids sort by time
	if e, ok := t.known[k]; ok {
		e.Value = v
		return
	}
	if t.order.Len() >= ticketsKept {
		old := t.order.Remove(t.order.Back()).(ticket)
		delete(t.known, ticketKey{old.session, old.user})
		if o := (newestKey{old.user, old.link}); t.newest[o] == old.session {
			delete(t.newest, o)
		}
	}
	t.known[k] = t.order.PushFront(v)
}

// latest returns the user's newest remembered seat in an experiment.
func (t *tickets) latest(user persistence.UserID, link string) (ticket, bool) {
	t.mu.Lock()
	session, ok := t.newest[newestKey{user, link}]
	t.mu.Unlock()
	if !ok {
		return ticket{}, false
	}
	return t.get(session, user)
}

// ticketOf returns as which participant the user plays in the session. It makes
// none: someone who never joined the experiment gets ErrNotFound.
func (s *Server) ticketOf(ctx context.Context, session persistence.SessionID, user persistence.UserID) (ticket, error) {
	if t, ok := s.tickets.get(session, user); ok {
		return t, nil
	}
	stored, err := s.cfg.Store.Session(ctx, session)
	if err != nil {
		return ticket{}, fmt.Errorf("session %s: %w", session, err)
	}
	own, err := s.cfg.Store.ParticipantsOf(ctx, user)
	if err != nil {
		return ticket{}, fmt.Errorf("participants of %s: %w", user, err)
	}
	for _, p := range own {
		if p.Experiment == stored.Experiment {
			t := ticket{session: session, user: user, link: stored.Experiment, participant: p.ID}
			s.tickets.put(t)
			return t, nil
		}
	}
	return ticket{}, fmt.Errorf("session %s: %w", session, actors.ErrNotYours)
}
