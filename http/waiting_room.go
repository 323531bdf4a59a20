package http

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"sharpie/actors"
)

// waitingFresh is how long a list of sessions serves the waiting rooms: each asks
// every few seconds.
const waitingFresh = 2 * time.Second

// waitingViews is the newest list of sessions, one for everybody who waits.
type waitingViews struct {
	mu    sync.Mutex // also while the actors are asked, so that one asks for all
	at    time.Time
	views []actors.SessionView
}

func (w *waitingViews) get(ctx context.Context, now time.Time, ask func(context.Context) ([]actors.SessionView, error)) ([]actors.SessionView, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if age := now.Sub(w.at); w.views != nil && age >= 0 && age < waitingFresh {
		return w.views, nil
	}
	views, err := ask(ctx)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	w.at, w.views = now, views
	return views, nil
}

// waitingRoom tells somebody who waits, in a sentence, that others wait in the same
// room whom they cannot meet: two people who want one part never do. An empty text
// is nothing to tell.
func (s *Server) waitingRoom(c *fiber.Ctx, v *visitor) error {
	id, err := sessionID(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	t, err := s.ticketOf(ctx, id, v.user.ID)
	if err != nil {
		return err
	}
	own, seat, err := s.cfg.Platform.Seat(ctx, id, t.participant)
	if err != nil && !errors.Is(err, actors.ErrGone) && !errors.Is(err, actors.ErrNotYours) {
		return fmt.Errorf("session %s: %w", id, err)
	}
	text := ""
	if err == nil && own.Phase == phaseWaiting {
		views, err := s.waitingViews.get(ctx, s.cfg.Clock(), s.cfg.Platform.Sessions)
		if err != nil {
			return err
		}
		text = elsewhere(views, own, seat)
	}
	c.Type("txt", "utf-8")
	return c.SendString(text)
}

// elsewhere says that somebody waits in another session of the same room, for the
// part that this one has.
func elsewhere(views []actors.SessionView, own actors.SessionView, seat actors.SeatView) string {
	people := 0
	for _, v := range views {
		if v.ID == own.ID || v.Experiment != own.Experiment || v.Room != own.Room || v.Phase != phaseWaiting {
			continue
		}
		for _, other := range v.Seats {
			if other.Role == seat.Role && other.Participant != "" && !other.Left {
				people++
			}
		}
	}
	name := seat.Name
	if name == "" {
		name = seat.Role
	}
	switch people {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("Somebody else is waiting for the part %q, too. To play together, one of you leaves and chooses another part, or any.", name)
	default:
		return fmt.Sprintf("%d others are waiting for the part %q, too. To play with them, leave and choose another part, or any.", people, name)
	}
}
