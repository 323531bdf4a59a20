package embedded

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"sharpie/persistence"
)

var events = newCollection("events", []string{"at_us", "session_id", "kind"},
	func(e *persistence.Event) []any {
		return []any{e.ID, e.At.UnixMicro(), string(e.SessionID), e.Kind}
	}, nil)

var runners = newCollection("runners", []string{"rev", "name"},
	func(r *persistence.Runner) []any { return []any{string(r.ID), r.Rev, r.Name} },
	func(r *persistence.Runner) *int64 { return &r.Rev })

// InsertEvents implements persistence.Store. All are stored, or none.
func (s *Store) InsertEvents(ctx context.Context, list []*persistence.Event) error {
	if len(list) == 0 {
		return nil
	}
	rows, bytes := make([][]any, len(list)), 0
	for i, e := range list {
		if err := e.Validate(); err != nil {
			return fmt.Errorf("insert events: %w", err)
		}
		doc, err := s.codec.Marshal(e)
		if err != nil {
			return fmt.Errorf("insert events: %w", err)
		}
		rows[i], bytes = events.row(e, doc), bytes+len(doc)
	}
	_, err := write(ctx, s, "insert events", bytes, len(rows) > 1, func(tx *tx) (struct{}, error) {
		for _, row := range rows {
			if err := events.put(tx, row); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	return err
}

// Events implements persistence.Store.
func (s *Store) Events(ctx context.Context, f persistence.EventFilter, page persistence.Page) ([]*persistence.Event, error) {
	query, args := `SELECT doc FROM events WHERE true`, []any{}
	if f.SessionID != "" {
		query, args = query+` AND session_id = ?`, append(args, string(f.SessionID))
	}
	if f.Kind != "" {
		query, args = query+` AND kind = ?`, append(args, f.Kind)
	}
	offset, limit := page.Bounds()
	return many[persistence.Event](ctx, s, "events", query+` ORDER BY at_us DESC, id DESC LIMIT ? OFFSET ?`, append(args, limit, offset)...)
}

// EventsOf implements persistence.Store.
func (s *Store) EventsOf(ctx context.Context, id persistence.SessionID) iter.Seq2[*persistence.Event, error] {
	return stream(ctx, s, fmt.Sprintf("events of %s", id),
		`SELECT doc FROM events WHERE session_id = ? AND (at_us, id) > (?, ?) ORDER BY at_us, id LIMIT ?`,
		func(last *persistence.Event) []any {
			if last == nil {
				return []any{string(id), beginning, ""}
			}
			return []any{string(id), last.At.UnixMicro(), last.ID}
		})
}

// UpsertRunner implements persistence.Store.
func (s *Store) UpsertRunner(ctx context.Context, r *persistence.Runner) error {
	what := fmt.Sprintf("runner %s", r.ID)
	if err := r.Validate(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	next := *r
	stored, err := write(ctx, s, what, 0, true, func(tx *tx) (*persistence.Runner, error) {
		next.Rev = 1
		var doc []byte
		err := tx.row(`SELECT doc FROM runners WHERE id = ?`, []any{string(next.ID)}, &doc)
		if err != nil && !errors.Is(err, persistence.ErrNotFound) {
			return nil, err
		}
		if err == nil {
			former := new(persistence.Runner)
			if err := s.codec.Unmarshal(doc, former); err != nil {
				return nil, fmt.Errorf("%w: %w", persistence.ErrInvalid, err)
			}
			next.Rev, next.FirstSeenAt = former.Rev+1, former.FirstSeenAt
		}
		if doc, err = s.codec.Marshal(&next); err != nil {
			return nil, err
		}
		_, err = tx.exec(runners.upsert, runners.row(&next, doc)...)
		return &next, err
	})
	if err == nil {
		r.Rev, r.FirstSeenAt = stored.Rev, stored.FirstSeenAt
	}
	return err
}

// Runners implements persistence.Store.
func (s *Store) Runners(ctx context.Context) ([]*persistence.Runner, error) {
	return many[persistence.Runner](ctx, s, "runners", `SELECT doc FROM runners ORDER BY name, id`)
}
