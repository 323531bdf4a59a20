package mongo

import (
	"context"
	"fmt"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sharpie/persistence"
)

// InsertSession implements persistence.Store.
func (s *Store) InsertSession(ctx context.Context, v *persistence.Session) error {
	return insert(ctx, s, sessions, v)
}

// UpdateSession implements persistence.Store.
func (s *Store) UpdateSession(ctx context.Context, v *persistence.Session) error {
	return update(ctx, s, sessions, v, func(v *persistence.Session) *int64 { return &v.Rev })
}

// Session implements persistence.Store.
func (s *Store) Session(ctx context.Context, id persistence.SessionID) (*persistence.Session, error) {
	return one[persistence.Session](ctx, s, fmt.Sprintf("session %s", id), sessions, byID(string(id)))
}

// Sessions implements persistence.Store.
func (s *Store) Sessions(ctx context.Context, f persistence.SessionFilter, page persistence.Page) ([]*persistence.Session, error) {
	filter := bson.D{}
	if f.Experiment != "" {
		filter = append(filter, bson.E{Key: "experiment", Value: f.Experiment})
	}
	if f.Unfinished {
		filter = append(filter, bson.E{Key: "finished", Value: false})
	}
	return many[persistence.Session](ctx, s, "sessions", sessions, filter, paged(page, newest("server_opened_at_us")))
}

// UnfinishedSessions implements persistence.Store.
func (s *Store) UnfinishedSessions(ctx context.Context, node string) ([]*persistence.Session, error) {
	return many[persistence.Session](ctx, s, "unfinished sessions of "+node, sessions,
		bson.D{{Key: "node", Value: node}, {Key: "finished", Value: false}},
		options.Find().SetSort(bson.D{{Key: "server_opened_at_us", Value: 1}, {Key: "_id", Value: 1}}))
}

// SessionsOfExperiment implements persistence.Store.
func (s *Store) SessionsOfExperiment(ctx context.Context, link string) iter.Seq2[*persistence.Session, error] {
	return stream(ctx, s, "sessions of "+link, sessions, bson.D{{Key: "experiment", Value: link}}, "server_opened_at_us",
		func(v *persistence.Session) position { return position{v.OpenedAt.UnixMicro(), string(v.ID)} })
}

// InsertEpisode implements persistence.Store.
func (s *Store) InsertEpisode(ctx context.Context, e *persistence.Episode) error {
	return insert(ctx, s, episodes, e)
}

// UpdateEpisode implements persistence.Store.
func (s *Store) UpdateEpisode(ctx context.Context, e *persistence.Episode) error {
	return update(ctx, s, episodes, e, func(e *persistence.Episode) *int64 { return &e.Rev })
}

// Episode implements persistence.Store.
func (s *Store) Episode(ctx context.Context, id persistence.EpisodeID) (*persistence.Episode, error) {
	return one[persistence.Episode](ctx, s, fmt.Sprintf("episode %s", id), episodes, byID(string(id)))
}

// EpisodesOf implements persistence.Store.
func (s *Store) EpisodesOf(ctx context.Context, id persistence.SessionID) ([]*persistence.Episode, error) {
	return many[persistence.Episode](ctx, s, fmt.Sprintf("episodes of %s", id), episodes,
		bson.D{{Key: "session_id", Value: string(id)}},
		options.Find().SetSort(bson.D{{Key: "index", Value: 1}, {Key: "attempt", Value: 1}}))
}

// EpisodesOfExperiment implements persistence.Store.
func (s *Store) EpisodesOfExperiment(ctx context.Context, link string) iter.Seq2[*persistence.Episode, error] {
	return stream(ctx, s, "episodes of "+link, episodes, bson.D{{Key: "experiment", Value: link}}, "server_started_at_us",
		func(e *persistence.Episode) position { return position{e.ReceivedAt.UnixMicro(), string(e.ID)} })
}

// InsertCheckpoint implements persistence.Store.
func (s *Store) InsertCheckpoint(ctx context.Context, c *persistence.Checkpoint) error {
	if err := c.Validate(); err != nil {
		return wrap("insert into checkpoints", err)
	}
	stored := *c
	var err error
	if stored.Data, stored.Parts, err = s.insertParts(ctx, c.Data); err != nil {
		return fmt.Errorf("insert checkpoint %s: %w", c.ID, err)
	}
	return insert(ctx, s, checkpoints, &stored)
}

// LatestCheckpoint implements persistence.Store.
func (s *Store) LatestCheckpoint(ctx context.Context, scope, role, policy string) (*persistence.Checkpoint, error) {
	what := fmt.Sprintf("checkpoint of %s, %s, %s", scope, role, policy)
	c, err := one[persistence.Checkpoint](ctx, s, what, checkpoints, bson.D{
		{Key: "scope", Value: scope}, {Key: "role", Value: role}, {Key: "policy", Value: policy},
	}, newest("server_received_at_us")...)
	if err != nil {
		return nil, err
	}
	if c.Data, err = s.joinParts(ctx, c.Data, c.Parts, persistence.MaxCheckpoint); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	c.Parts = nil
	return c, nil
}
