package mongo

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sharpie/persistence"
)

// InsertEvents implements persistence.Store.
func (s *Store) InsertEvents(ctx context.Context, list []*persistence.Event) error {
	docs, err := marshalAll(s, list)
	if err != nil || len(docs) == 0 {
		return wrap("insert events", err)
	}
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	return wrap("insert events", errors.Join(s.insertDocs(ctx, events, docs)...))
}

// Events implements persistence.Store.
func (s *Store) Events(ctx context.Context, f persistence.EventFilter, page persistence.Page) ([]*persistence.Event, error) {
	filter := bson.D{}
	if f.SessionID != "" {
		filter = append(filter, bson.E{Key: "session_id", Value: string(f.SessionID)})
	}
	if f.Kind != "" {
		filter = append(filter, bson.E{Key: "kind", Value: f.Kind})
	}
	return many[persistence.Event](ctx, s, "events", events, filter, paged(page, newest("server_at_us")))
}

// EventsOf implements persistence.Store.
func (s *Store) EventsOf(ctx context.Context, id persistence.SessionID) iter.Seq2[*persistence.Event, error] {
	return stream(ctx, s, fmt.Sprintf("events of %s", id), events, bson.D{{Key: "session_id", Value: string(id)}}, "server_at_us",
		func(e *persistence.Event) position { return position{e.At.UnixMicro(), e.ID} })
}

// UpsertRunner implements persistence.Store.
func (s *Store) UpsertRunner(ctx context.Context, r *persistence.Runner) error {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	what := fmt.Sprintf("runner %s", r.ID)
	for {
		next := *r
		former, err := one[persistence.Runner](ctx, s, what, runners, byID(string(r.ID)))
		switch {
		case errors.Is(err, persistence.ErrNotFound):
			next.Rev = 1
			err = insert(ctx, s, runners, &next)
		case err == nil:
			next.Rev, next.FirstSeenAt = former.Rev, former.FirstSeenAt
			err = update(ctx, s, runners, &next, func(r *persistence.Runner) *int64 { return &r.Rev })
		}
		if errors.Is(err, persistence.ErrConflict) {
			continue // another call came between
		}
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		r.Rev, r.FirstSeenAt = next.Rev, next.FirstSeenAt
		return nil
	}
}

// Runners implements persistence.Store.
func (s *Store) Runners(ctx context.Context) ([]*persistence.Runner, error) {
	return many[persistence.Runner](ctx, s, "runners", runners, bson.D{},
		options.Find().SetSort(bson.D{{Key: "name", Value: 1}, {Key: "_id", Value: 1}}))
}
