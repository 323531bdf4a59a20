package http_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"sharpie/actors"
	"sharpie/persistence"
)

var _ actors.Platform = (*fakePlatform)(nil)

// fakePlatform seats people and hands messages through.
type fakePlatform struct {
	mu       sync.Mutex
	sessions []*fakeSession
	joins    []actors.JoinRequest
	aborts   []string
	joinErr  error
	health   actors.Health
	panics   bool
	runners  []actors.RunnerView // besides the one of the process
	attached chan *fakeConnection
}

type fakeSession struct {
	view actors.SessionView
}

func newFakePlatform() *fakePlatform {
	return &fakePlatform{
		health: actors.Health{Slots: 4, FreeSlots: 4}, attached: make(chan *fakeConnection, 16),
	}
}

func (f *fakePlatform) Join(_ context.Context, r actors.JoinRequest) (actors.Ticket, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.joins = append(f.joins, r)
	if f.joinErr != nil {
		return actors.Ticket{}, f.joinErr
	}
	for _, s := range f.sessions {
		if s.view.Experiment != r.Experiment || s.view.Phase == "completed" || s.view.Phase == "aborted" {
			continue
		}
		for _, seat := range s.view.Seats {
			if seat.Participant == r.Participant {
				return actors.Ticket{Session: s.view.ID, Role: seat.Role, Rejoined: true}, nil
			}
		}
	}
	for _, s := range f.sessions {
		if s.view.Experiment != r.Experiment || s.view.Room != r.Room || s.view.Phase != "waiting" {
			continue
		}
		for i := range s.view.Seats {
			if seat := &s.view.Seats[i]; seat.State == "free" && (r.Role == "" || r.Role == seat.Role) {
				seat.Participant, seat.UserName, seat.State = r.Participant, r.UserName, "taken"
				return actors.Ticket{Session: s.view.ID, Role: seat.Role}, nil
			}
		}
	}
	s := &fakeSession{view: actors.SessionView{
		ID: persistence.SessionID(persistence.NewID("session")), Experiment: r.Experiment, Version: r.Version,
		Room: r.Room, Phase: "waiting", OpenedAt: time.Now(), Since: time.Now(), Episodes: r.Definition.Experiment.NumberOfEpisodes,
	}}
	taken := ""
	for _, a := range r.Definition.Seats() {
		seat := actors.SeatView{Role: string(a.Role), Name: a.Name, State: "free"}
		if taken == "" && (r.Role == "" || r.Role == seat.Role) {
			seat.Participant, seat.UserName, seat.State, taken = r.Participant, r.UserName, "taken", seat.Role
		}
		s.view.Seats = append(s.view.Seats, seat)
	}
	f.sessions = append(f.sessions, s)
	return actors.Ticket{Session: s.view.ID, Role: taken}, nil
}

// find returns the session and the participant's seat. The caller holds mu.
func (f *fakePlatform) find(id persistence.SessionID, p persistence.ParticipantID) (*fakeSession, int, error) {
	for _, s := range f.sessions {
		if s.view.ID != id {
			continue
		}
		if s.view.Phase == "completed" || s.view.Phase == "aborted" {
			return s, -1, actors.ErrGone
		}
		i := slices.IndexFunc(s.view.Seats, func(v actors.SeatView) bool { return v.Participant == p })
		if i < 0 {
			return s, -1, actors.ErrNotYours
		}
		return s, i, nil
	}
	return nil, -1, actors.ErrGone
}

func (f *fakePlatform) Attach(_ context.Context, id persistence.SessionID, p persistence.ParticipantID) (actors.Connection, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.panics {
		panic("a fault in the actors")
	}
	if _, _, err := f.find(id, p); err != nil {
		return nil, err
	}
	c := &fakeConnection{out: make(chan any, 64), in: make(chan []byte, 64), detached: make(chan struct{})}
	f.attached <- c
	return c, nil
}

func (f *fakePlatform) Leave(_ context.Context, id persistence.SessionID, p persistence.ParticipantID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, i, err := f.find(id, p)
	if err != nil {
		return err
	}
	s.view.Seats[i] = actors.SeatView{Role: s.view.Seats[i].Role, Name: s.view.Seats[i].Name, State: "free"}
	return nil
}

func (f *fakePlatform) Seat(_ context.Context, id persistence.SessionID, p persistence.ParticipantID) (actors.SessionView, actors.SeatView, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, i, err := f.find(id, p)
	if err != nil {
		return actors.SessionView{}, actors.SeatView{}, err
	}
	return f.copyOf(s), s.view.Seats[i], nil
}

func (f *fakePlatform) copyOf(s *fakeSession) actors.SessionView {
	v := s.view
	v.Seats = slices.Clone(v.Seats)
	return v
}

func (f *fakePlatform) Lobby(context.Context, string, string) (actors.LobbyView, error) {
	return actors.LobbyView{Waiting: 3, Playing: 1}, nil
}

func (f *fakePlatform) Sessions(context.Context) ([]actors.SessionView, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []actors.SessionView
	for _, s := range f.sessions {
		out = append(out, f.copyOf(s))
	}
	return out, nil
}

func (f *fakePlatform) Runners(context.Context) ([]actors.RunnerView, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]actors.RunnerView{{Runner: "local", Slot: 0, Labels: []string{"cpu"}, Since: time.Now()}}, f.runners...), nil
}

func (f *fakePlatform) Abort(_ context.Context, id persistence.SessionID, by, reason string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sessions {
		if s.view.ID == id {
			s.view.Phase = "aborted"
			f.aborts = append(f.aborts, by+": "+reason)
			return nil
		}
	}
	return actors.ErrGone
}

func (f *fakePlatform) Health(context.Context) actors.Health {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.health
}

func (f *fakePlatform) Drain(context.Context) error { return nil }

func (f *fakePlatform) setPhase(id persistence.SessionID, phase string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sessions {
		if s.view.ID == id {
			s.view.Phase = phase
		}
	}
}

func (f *fakePlatform) lastJoin() actors.JoinRequest {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.joins) == 0 {
		return actors.JoinRequest{}
	}
	return f.joins[len(f.joins)-1]
}

// fakeConnection is a seat's end of a socket.
type fakeConnection struct {
	out      chan any // actors.Outgoing, or *actors.Close
	in       chan []byte
	refuse   error // what Receive says from now on
	mu       sync.Mutex
	once     sync.Once
	detached chan struct{}
}

func (c *fakeConnection) Next(ctx context.Context) (actors.Outgoing, error) {
	select {
	case v := <-c.out:
		if end, ok := v.(*actors.Close); ok {
			return actors.Outgoing{}, end
		}
		return v.(actors.Outgoing), nil
	case <-ctx.Done():
		return actors.Outgoing{}, ctx.Err()
	}
}

func (c *fakeConnection) Receive(message []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse != nil {
		return c.refuse
	}
	c.in <- slices.Clone(message)
	return nil
}

func (c *fakeConnection) Detach() { c.once.Do(func() { close(c.detached) }) }

// forget drops a session that is over, as the actors do after a while.
func (f *fakePlatform) forget(id persistence.SessionID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sessions = slices.DeleteFunc(f.sessions, func(s *fakeSession) bool { return s.view.ID == id })
}
