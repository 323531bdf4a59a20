package export

import (
	"context"
	"errors"
	"fmt"

	"sharpie/persistence"
)

// staff stands for anybody who did something without sitting in the session.
const staff = "staff"

func (e *exporter) events(ctx context.Context, w *rowWriter) error {
	for s, err := range e.store.SessionsOfExperiment(ctx, e.link) {
		if err != nil {
			return err
		}
		people, err := e.people(ctx, s)
		if err != nil {
			return fmt.Errorf("session %s: %w", s.ID, err)
		}
		for ev, err := range e.store.EventsOf(ctx, s.ID) {
			if err != nil {
				return fmt.Errorf("session %s: %w", s.ID, err)
			}
			actor, known := people[ev.Actor]
			if id, ok := ev.Detail["participant_id"].(string); !known && ok && id != "" {
				actor, known = id, true // someone whose seat another person has now
				people[ev.Actor] = id
			}
			if !known {
				actor = staff
			}
			if err := w.row(ev.ID, ev.At, ev.Kind, actor, string(ev.SessionID), orNil(string(ev.EpisodeID)), orNil(ev.Role),
				value{withoutNames(ev.Detail)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// people says under which name each possible actor of a session's events appears.
func (e *exporter) people(ctx context.Context, s *persistence.Session) (map[string]string, error) {
	people := map[string]string{"": "system", "system": "system", "participant": "participant"}
	for _, seat := range s.Seats {
		people[seat.Role] = seat.Role
		if seat.User == "" {
			continue
		}
		name, ok := e.names[seat.User]
		if !ok {
			u, err := e.store.User(ctx, seat.User)
			if err != nil && !errors.Is(err, persistence.ErrNotFound) {
				return nil, err
			}
			if u != nil {
				name = u.Name
			}
			e.remember(seat.User, name)
		}
		people[string(seat.User)] = string(seat.Participant)
		people[string(seat.Participant)] = string(seat.Participant)
		if name != "" {
			people[name] = string(seat.Participant)
		}
	}
	return people, nil
}

// remember keeps a bounded number of names.
func (e *exporter) remember(id persistence.UserID, name string) {
	if len(e.names) >= 10_000 {
		clear(e.names)
	}
	e.names[id] = name
}

// withoutNames leaves out what would say who somebody is.
func withoutNames(d persistence.Document) any {
	if len(d) == 0 {
		return nil
	}
	out := make(map[string]any, len(d))
	for k, v := range d {
		if k != "user" && k != "user_id" && k != "user_name" {
			out[k] = v
		}
	}
	return out
}
