package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/persistence"
)

// Join implements Platform.
func (s *System) Join(ctx context.Context, r JoinRequest) (Ticket, error) {
	if r.Definition == nil || r.Participant == "" {
		return Ticket{}, fmt.Errorf("actors: join %q: definition and participant are required", r.Experiment)
	}
	for try := 1; ; try++ {
		t, err := askFor[Ticket](ctx, s, s.cast.lobby, &join{r})
		if errors.Is(err, ErrGone) && try < maxJoins {
			continue // a session stopped between the Lobby's answer and its own
		}
		return t, err
	}
}

// maxJoins bounds how often Join is tried where sessions stop under its hands.
const maxJoins = 3

// Attach implements Platform.
func (s *System) Attach(ctx context.Context, id persistence.SessionID, p persistence.ParticipantID) (Connection, error) {
	question := &attach{p}
	c, err := askFor[*connection](ctx, s, s.session(id), question)
	if err != nil {
		if errors.Is(err, ErrTimeout) {
			s.cast.root.Send(s.session(id), &abandon{participant: p, attach: question})
		}
		return nil, err
	}
	return c, nil
}

// Leave implements Platform.
func (s *System) Leave(ctx context.Context, id persistence.SessionID, p persistence.ParticipantID) error {
	_, err := s.ask(ctx, s.session(id), &leave{p})
	return err
}

// Seat implements Platform.
func (s *System) Seat(ctx context.Context, id persistence.SessionID, p persistence.ParticipantID) (SessionView, SeatView, error) {
	v, err := askFor[SessionView](ctx, s, s.session(id), &look{})
	if err != nil {
		return SessionView{}, SeatView{}, err
	}
	for _, seat := range v.Seats {
		if seat.Participant == p && p != "" && !seat.Left {
			return v, seat, nil
		}
	}
	return SessionView{}, SeatView{}, fmt.Errorf("seat in %s: %w", id, ErrNotYours)
}

// Lobby implements Platform.
func (s *System) Lobby(ctx context.Context, link, room string) (LobbyView, error) {
	return askFor[LobbyView](ctx, s, s.cast.lobby, &countLobby{link, room})
}

// Sessions implements Platform. They come in the order in which they were opened.
func (s *System) Sessions(ctx context.Context) ([]SessionView, error) {
	pids, err := askFor[[]*actor.PID](ctx, s, s.cast.lobby, &list{})
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var views []SessionView
	var failed error
	for _, pid := range pids {
		wg.Go(func() {
			v, err := askFor[SessionView](ctx, s, pid, &look{})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, ErrGone): // ended in the meantime
			case err != nil:
				failed = err
			default:
				views = append(views, v)
			}
		})
	}
	wg.Wait()
	slices.SortFunc(views, func(a, b SessionView) int {
		if c := a.OpenedAt.Compare(b.OpenedAt); c != 0 {
			return c
		}
		return strings.Compare(string(a.ID), string(b.ID))
	})
	return views, failed
}

// Runners implements Platform.
func (s *System) Runners(ctx context.Context) ([]RunnerView, error) {
	return askFor[[]RunnerView](ctx, s, s.cast.queue, &listRunners{})
}

// Abort implements Platform.
func (s *System) Abort(ctx context.Context, id persistence.SessionID, by, reason string) error {
	if by == "" {
		return errors.New("actors: abort: who aborts is required")
	}
	_, err := s.ask(ctx, s.session(id), &abort{by: by, reason: reason})
	return err
}

// Health implements Platform. It asks nobody, and always answers at once.
func (s *System) Health(context.Context) Health {
	n := s.cast.counts
	since, err := s.cast.health.state()
	return Health{
		Store: err, StoreSince: since, UnstoredSteps: int(n.unstored.Load()), Sessions: int(n.sessions.Load()), Waiting: int(n.waiting.Load()),
		FreeSlots: int(n.freeSlots.Load()), Slots: int(n.slots.Load()), Draining: n.draining.Load(),
	}
}

// Drain implements Platform. It may take Limits.FlushWait longer than the context's
// deadline, for the store. A second call waits for the first.
func (s *System) Drain(ctx context.Context) error {
	s.once.Do(func() { s.drainErr = s.drainOnce(ctx) })
	return s.drainErr
}

// noDrainDeadline is the grace of a Drain whose context has no deadline.
const noDrainDeadline = 30 * time.Second

func (s *System) drainOnce(ctx context.Context) error {
	s.cast.counts.draining.Store(true)
	until, ok := ctx.Deadline()
	if !ok {
		until = time.Now().Add(noDrainDeadline)
	}
	if ctx.Err() != nil {
		until = time.Now()
	}
	// Behind the deadline come the runners' last steps, the goodbye and the store.
	l := s.cast.cfg.Limits
	limit := max(0, time.Until(until)) + l.StopWait + l.FlushWait + askTimeout
	_, err := s.cast.root.RequestFuture(s.cast.lobby, &drain{until: until}, limit).Result()
	if err != nil {
		err = fmt.Errorf("drain: sessions did not end: %w", err)
	}
	s.background()
	for _, pid := range []*actor.PID{s.cast.lobby, s.cast.queue, s.slots} {
		if stopErr := s.cast.root.StopFuture(pid).Wait(); stopErr != nil {
			err = errors.Join(err, fmt.Errorf("drain: stop %s: %w", pid.GetId(), stopErr))
		}
	}
	s.workers.Wait()
	if s.nodes != nil {
		s.nodes.Close() // with the goodbye to the nodes, after that to the players
	}
	s.as.Shutdown()
	s.cast.workers.close()
	return err
}
