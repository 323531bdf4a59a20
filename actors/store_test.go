package actors

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"sharpie/persistence"
)

// memory is a store of what the actors write, with faults on demand. What the
// actors never call is missing, and panics.
type memory struct {
	persistence.Store

	mu           sync.Mutex
	away         error         // every call fails with it
	noChunks     error         // InsertStepChunks fails with it
	slow         time.Duration // LatestCheckpoint takes so long
	sessions     map[persistence.SessionID]persistence.Session
	episodes     map[persistence.EpisodeID]persistence.Episode
	chunks       map[string]*persistence.StepChunk
	order        []string // ids of chunks and kinds of writes, as they came
	events       []*persistence.Event
	checkpoints  []*persistence.Checkpoint
	participants map[persistence.ParticipantID]persistence.Participant
	experiments  map[string]*persistence.Experiment
	runners      map[persistence.RunnerID]persistence.Runner
}

func newMemory() *memory {
	return &memory{
		sessions: map[persistence.SessionID]persistence.Session{}, episodes: map[persistence.EpisodeID]persistence.Episode{},
		chunks: map[string]*persistence.StepChunk{}, participants: map[persistence.ParticipantID]persistence.Participant{},
		runners: map[persistence.RunnerID]persistence.Runner{},
	}
}

// setAway makes every call fail, or work again.
func (m *memory) setAway(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.away = err
}

// setSlow makes LatestCheckpoint take so long.
func (m *memory) setSlow(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.slow = d
}

// write runs a write as the store would.
func (m *memory) write(ctx context.Context, what string, do func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away != nil {
		return m.away
	}
	if err := do(); err != nil {
		return err
	}
	m.order = append(m.order, what)
	return nil
}

func (m *memory) Ping(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.away
}

func (m *memory) InsertSession(ctx context.Context, s *persistence.Session) error {
	return m.write(ctx, "session", func() error { m.sessions[s.ID] = *s; return s.Validate() })
}

func (m *memory) UpdateSession(ctx context.Context, s *persistence.Session) error {
	return m.write(ctx, "session "+s.Phase, func() error {
		if m.sessions[s.ID].Rev != s.Rev {
			return fmt.Errorf("rev %d: %w", s.Rev, persistence.ErrConflict)
		}
		s.Rev++
		m.sessions[s.ID] = *s
		return nil
	})
}

func (m *memory) Session(_ context.Context, id persistence.SessionID) (*persistence.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.sessions[id]
	if !ok {
		return nil, persistence.ErrNotFound
	}
	return &s, m.away
}

func (m *memory) UnfinishedSessions(_ context.Context, node string) ([]*persistence.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []*persistence.Session
	for _, s := range m.sessions {
		if s.Node == node && !s.Finished {
			out = append(out, &s)
		}
	}
	return out, m.away
}

func (m *memory) ExperimentVersion(_ context.Context, link string, version int) (*persistence.Experiment, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if x := m.experiments[fmt.Sprintf("%s@%d", link, version)]; x != nil {
		return x, m.away
	}
	return nil, persistence.ErrNotFound
}

func (m *memory) User(_ context.Context, id persistence.UserID) (*persistence.User, error) {
	return &persistence.User{ID: id, Name: "user of " + string(id)}, nil
}

func (m *memory) InsertEpisode(ctx context.Context, e *persistence.Episode) error {
	return m.write(ctx, "episode", func() error { m.episodes[e.ID] = *e; return e.Validate() })
}

func (m *memory) UpdateEpisode(ctx context.Context, e *persistence.Episode) error {
	return m.write(ctx, "episode "+e.Status, func() error {
		if m.episodes[e.ID].Rev != e.Rev {
			return persistence.ErrConflict
		}
		e.Rev++
		m.episodes[e.ID] = *e
		return nil
	})
}

func (m *memory) EpisodesOf(_ context.Context, id persistence.SessionID) ([]*persistence.Episode, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []*persistence.Episode
	for _, e := range m.episodes {
		if e.SessionID == id {
			out = append(out, &e)
		}
	}
	slices.SortFunc(out, func(a, b *persistence.Episode) int { return 1000*(a.Index-b.Index) + a.Attempt - b.Attempt })
	return out, m.away
}

func (m *memory) InsertStepChunks(ctx context.Context, chunks []*persistence.StepChunk) error {
	return m.write(ctx, "chunk", func() error {
		if m.noChunks != nil {
			return m.noChunks
		}
		for _, c := range chunks {
			if err := c.Validate(); err != nil {
				return err
			}
			if old, ok := m.chunks[c.ID]; ok && !reflect.DeepEqual(old, c) {
				return fmt.Errorf("chunk %s: %w", c.ID, persistence.ErrConflict)
			}
			m.chunks[c.ID] = c
		}
		return nil
	})
}

func (m *memory) StepChunks(_ context.Context, id persistence.EpisodeID) iter.Seq2[*persistence.StepChunk, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []*persistence.StepChunk
	for _, c := range m.chunks {
		if c.EpisodeID == id {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b *persistence.StepChunk) int { return int(a.First - b.First) })
	return func(yield func(*persistence.StepChunk, error) bool) {
		for _, c := range out {
			if !yield(c, nil) {
				return
			}
		}
	}
}

func (m *memory) InsertCheckpoint(ctx context.Context, c *persistence.Checkpoint) error {
	return m.write(ctx, "checkpoint", func() error { m.checkpoints = append(m.checkpoints, c); return c.Validate() })
}

func (m *memory) LatestCheckpoint(ctx context.Context, scope, role, policy string) (*persistence.Checkpoint, error) {
	m.mu.Lock()
	slow := m.slow
	m.mu.Unlock()
	if slow > 0 {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(slow):
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away != nil {
		return nil, m.away
	}
	var latest *persistence.Checkpoint
	for _, c := range m.checkpoints {
		if c.Scope == scope && c.Role == role && c.Policy == policy && (latest == nil || c.ReceivedAt.After(latest.ReceivedAt)) {
			latest = c
		}
	}
	if latest == nil {
		return nil, persistence.ErrNotFound
	}
	return latest, nil
}

func (m *memory) InsertEvents(ctx context.Context, events []*persistence.Event) error {
	return m.write(ctx, "event", func() error { m.events = append(m.events, events...); return nil })
}

func (m *memory) UpsertRunner(ctx context.Context, r *persistence.Runner) error {
	return m.write(ctx, "runner", func() error { m.runners[r.ID] = *r; return nil })
}

func (m *memory) Participant(_ context.Context, id persistence.ParticipantID) (*persistence.Participant, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.participants[id]
	if !ok {
		return nil, persistence.ErrNotFound
	}
	return &p, m.away
}

func (m *memory) UpdateParticipant(ctx context.Context, p *persistence.Participant) error {
	return m.write(ctx, "participant", func() error { p.Rev++; m.participants[p.ID] = *p; return nil })
}

// steps is every stored step number of an episode, in order.
func (m *memory) steps(id persistence.EpisodeID) []int64 {
	var out []int64
	for c := range m.StepChunks(context.Background(), id) {
		for i := range c.Count {
			out = append(out, c.First+int64(i))
		}
	}
	return out
}

// only returns the one session that there is.
func (m *memory) only(t *testing.T) persistence.Session {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.sessions) != 1 {
		t.Fatalf("the store has %d sessions, want 1", len(m.sessions))
	}
	for _, s := range m.sessions {
		return s
	}
	panic("unreachable")
}

// kinds counts events by kind.
func (m *memory) kinds() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]int{}
	for _, e := range m.events {
		out[e.Kind]++
	}
	return out
}
