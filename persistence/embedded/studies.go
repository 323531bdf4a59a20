package embedded

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"sharpie/persistence"
)

var participants = newCollection("participants", []string{"rev", "user_id", "experiment", "created_us"},
	func(p *persistence.Participant) []any {
		return []any{string(p.ID), p.Rev, string(p.UserID), p.Experiment, p.CreatedAt.UnixMicro()}
	}, func(p *persistence.Participant) *int64 { return &p.Rev })

var consents = newCollection("consents", []string{"user_id", "experiment", "text_hash", "given_us", "withdrawn"},
	func(c *persistence.Consent) []any {
		return []any{c.ID, string(c.UserID), c.Experiment, c.TextHash, c.GivenAt.UnixMicro(), c.WithdrawnAt != nil}
	}, nil)

var responses = newCollection("responses", []string{"participant_id", "session_id"},
	func(r *persistence.Response) []any {
		return []any{r.ID, string(r.ParticipantID), string(r.SessionID)}
	}, nil)

// EnsureParticipant implements persistence.Store.
func (s *Store) EnsureParticipant(ctx context.Context, user persistence.UserID, link string, now time.Time) (*persistence.Participant, error) {
	what := fmt.Sprintf("participant of %s in %s", user, link)
	const query = `SELECT doc FROM participants WHERE user_id = ? AND experiment = ?`
	p, err := one[persistence.Participant](ctx, s, what, query, string(user), link)
	if !errors.Is(err, persistence.ErrNotFound) {
		return p, err
	}
	p = &persistence.Participant{
		ID:     persistence.ParticipantID(persistence.NewID("par")),
		UserID: user, Experiment: link, External: map[string]string{}, CreatedAt: micro(now),
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	doc, err := s.codec.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	row := participants.row(p, doc)
	stored, err := write(ctx, s, what, len(doc), false, func(tx *tx) (stored []byte, err error) {
		if _, err = tx.exec(participants.insert, row...); err != nil {
			return nil, err
		}
		return stored, tx.row(query, []any{string(user), link}, &stored)
	})
	if err != nil {
		return nil, err
	}
	p = &persistence.Participant{}
	if err := s.codec.Unmarshal(stored, p); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return p, nil
}

// UpdateParticipant implements persistence.Store.
func (s *Store) UpdateParticipant(ctx context.Context, p *persistence.Participant) error {
	return update(ctx, s, participants, p)
}

// Participant implements persistence.Store.
func (s *Store) Participant(ctx context.Context, id persistence.ParticipantID) (*persistence.Participant, error) {
	return one[persistence.Participant](ctx, s, fmt.Sprintf("participant %s", id), `SELECT doc FROM participants WHERE id = ?`, string(id))
}

// ParticipantsOf implements persistence.Store.
func (s *Store) ParticipantsOf(ctx context.Context, user persistence.UserID) ([]*persistence.Participant, error) {
	return many[persistence.Participant](ctx, s, fmt.Sprintf("participants of %s", user),
		`SELECT doc FROM participants WHERE user_id = ? ORDER BY created_us, id`, string(user))
}

// ParticipantsOfExperiment implements persistence.Store.
func (s *Store) ParticipantsOfExperiment(ctx context.Context, link string) iter.Seq2[*persistence.Participant, error] {
	return stream(ctx, s, "participants of "+link,
		`SELECT doc FROM participants WHERE experiment = ? AND (created_us, id) > (?, ?) ORDER BY created_us, id LIMIT ?`,
		func(last *persistence.Participant) []any {
			if last == nil {
				return []any{link, beginning, ""}
			}
			return []any{link, last.CreatedAt.UnixMicro(), string(last.ID)}
		})
}

// InsertConsent implements persistence.Store.
func (s *Store) InsertConsent(ctx context.Context, c *persistence.Consent) error {
	return insert(ctx, s, consents, c)
}

// ConsentFor implements persistence.Store.
func (s *Store) ConsentFor(ctx context.Context, user persistence.UserID, link, textHash string) (*persistence.Consent, error) {
	return one[persistence.Consent](ctx, s, fmt.Sprintf("consent of %s to %q", user, link),
		`SELECT doc FROM consents WHERE user_id = ? AND experiment = ? AND text_hash = ? AND NOT withdrawn
		 ORDER BY given_us DESC, id DESC LIMIT 1`, string(user), link, textHash)
}

// ConsentsOf implements persistence.Store.
func (s *Store) ConsentsOf(ctx context.Context, user persistence.UserID) ([]*persistence.Consent, error) {
	return many[persistence.Consent](ctx, s, fmt.Sprintf("consents of %s", user),
		`SELECT doc FROM consents WHERE user_id = ? ORDER BY given_us DESC, id DESC`, string(user))
}

// WithdrawConsent implements persistence.Store.
func (s *Store) WithdrawConsent(ctx context.Context, id string, at time.Time) error {
	_, err := modify(ctx, s, consents, "id = ?", []any{id}, func(c *persistence.Consent) (bool, error) {
		if c.WithdrawnAt != nil {
			return false, nil
		}
		c.WithdrawnAt = &at
		return true, nil
	})
	return err
}

// InsertResponse implements persistence.Store.
func (s *Store) InsertResponse(ctx context.Context, r *persistence.Response) error {
	return insert(ctx, s, responses, r)
}
