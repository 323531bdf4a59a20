package embedded

import (
	"context"
	"fmt"
	"iter"
	"math"

	"sharpie/persistence"
)

// beginning is before every time, in µs.
const beginning = math.MinInt64

var sessions = newCollection("sessions", []string{"rev", "experiment", "node", "finished", "opened_us"},
	func(s *persistence.Session) []any {
		return []any{string(s.ID), s.Rev, s.Experiment, s.Node, s.Finished, s.OpenedAt.UnixMicro()}
	}, func(s *persistence.Session) *int64 { return &s.Rev })

var episodes = newCollection("episodes", []string{"rev", "session_id", "idx", "attempt", "experiment", "started_us"},
	func(e *persistence.Episode) []any {
		return []any{string(e.ID), e.Rev, string(e.SessionID), e.Index, e.Attempt, e.Experiment, e.ReceivedAt.UnixMicro()}
	}, func(e *persistence.Episode) *int64 { return &e.Rev })

var checkpoints = newCollection("checkpoints", []string{"scope", "role", "policy", "received_us"},
	func(c *persistence.Checkpoint) []any {
		return []any{c.ID, c.Scope, c.Role, c.Policy, c.ReceivedAt.UnixMicro()}
	}, nil)

// InsertSession implements persistence.Store.
func (s *Store) InsertSession(ctx context.Context, v *persistence.Session) error {
	return insert(ctx, s, sessions, v)
}

// UpdateSession implements persistence.Store.
func (s *Store) UpdateSession(ctx context.Context, v *persistence.Session) error {
	return update(ctx, s, sessions, v)
}

// Session implements persistence.Store.
func (s *Store) Session(ctx context.Context, id persistence.SessionID) (*persistence.Session, error) {
	return one[persistence.Session](ctx, s, fmt.Sprintf("session %s", id), `SELECT doc FROM sessions WHERE id = ?`, string(id))
}

// Sessions implements persistence.Store.
func (s *Store) Sessions(ctx context.Context, f persistence.SessionFilter, page persistence.Page) ([]*persistence.Session, error) {
	query, args := `SELECT doc FROM sessions WHERE true`, []any{}
	if f.Experiment != "" {
		query, args = query+` AND experiment = ?`, append(args, f.Experiment)
	}
	if f.Unfinished {
		query += ` AND NOT finished`
	}
	offset, limit := page.Bounds()
	return many[persistence.Session](ctx, s, "sessions", query+` ORDER BY opened_us DESC, id DESC LIMIT ? OFFSET ?`, append(args, limit, offset)...)
}

// UnfinishedSessions implements persistence.Store.
func (s *Store) UnfinishedSessions(ctx context.Context, node string) ([]*persistence.Session, error) {
	return many[persistence.Session](ctx, s, "unfinished sessions of "+node,
		`SELECT doc FROM sessions WHERE node = ? AND NOT finished ORDER BY opened_us, id`, node)
}

// SessionsOfExperiment implements persistence.Store.
func (s *Store) SessionsOfExperiment(ctx context.Context, link string) iter.Seq2[*persistence.Session, error] {
	return stream(ctx, s, "sessions of "+link,
		`SELECT doc FROM sessions WHERE experiment = ? AND (opened_us, id) > (?, ?) ORDER BY opened_us, id LIMIT ?`,
		func(last *persistence.Session) []any {
			if last == nil {
				return []any{link, beginning, ""}
			}
			return []any{link, last.OpenedAt.UnixMicro(), string(last.ID)}
		})
}

// InsertEpisode implements persistence.Store.
func (s *Store) InsertEpisode(ctx context.Context, e *persistence.Episode) error {
	return insert(ctx, s, episodes, e)
}

// UpdateEpisode implements persistence.Store.
func (s *Store) UpdateEpisode(ctx context.Context, e *persistence.Episode) error {
	return update(ctx, s, episodes, e)
}

// Episode implements persistence.Store.
func (s *Store) Episode(ctx context.Context, id persistence.EpisodeID) (*persistence.Episode, error) {
	return one[persistence.Episode](ctx, s, fmt.Sprintf("episode %s", id), `SELECT doc FROM episodes WHERE id = ?`, string(id))
}

// EpisodesOf implements persistence.Store.
func (s *Store) EpisodesOf(ctx context.Context, id persistence.SessionID) ([]*persistence.Episode, error) {
	return many[persistence.Episode](ctx, s, fmt.Sprintf("episodes of %s", id),
		`SELECT doc FROM episodes WHERE session_id = ? ORDER BY idx, attempt`, string(id))
}

// EpisodesOfExperiment implements persistence.Store.
func (s *Store) EpisodesOfExperiment(ctx context.Context, link string) iter.Seq2[*persistence.Episode, error] {
	return stream(ctx, s, "episodes of "+link,
		`SELECT doc FROM episodes WHERE experiment = ? AND (started_us, id) > (?, ?) ORDER BY started_us, id LIMIT ?`,
		func(last *persistence.Episode) []any {
			if last == nil {
				return []any{link, beginning, ""}
			}
			return []any{link, last.ReceivedAt.UnixMicro(), string(last.ID)}
		})
}

// InsertCheckpoint implements persistence.Store.
func (s *Store) InsertCheckpoint(ctx context.Context, c *persistence.Checkpoint) error {
	if err := c.Validate(); err != nil {
		return fmt.Errorf("insert into checkpoints: %w", err)
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
	c, err := one[persistence.Checkpoint](ctx, s, what,
		`SELECT doc FROM checkpoints WHERE scope = ? AND role = ? AND policy = ? ORDER BY received_us DESC, id DESC LIMIT 1`, scope, role, policy)
	if err != nil {
		return nil, err
	}
	if c.Data, err = s.joinParts(ctx, c.Data, c.Parts, persistence.MaxCheckpoint); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	c.Parts = nil
	return c, nil
}
