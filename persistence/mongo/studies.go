package mongo

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sharpie/persistence"
)

// EnsureParticipant implements persistence.Store.
func (s *Store) EnsureParticipant(ctx context.Context, user persistence.UserID, link string, now time.Time) (*persistence.Participant, error) {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	what := fmt.Sprintf("participant of %s in %s", user, link)
	filter := bson.D{{Key: "user_id", Value: string(user)}, {Key: "experiment", Value: link}}
	p, err := one[persistence.Participant](ctx, s, what, participants, filter)
	if !errors.Is(err, persistence.ErrNotFound) {
		return p, err
	}
	p = &persistence.Participant{
		ID:     persistence.ParticipantID(persistence.NewID("par")),
		UserID: user, Experiment: link, External: map[string]string{}, CreatedAt: now,
	}
	err = insert(ctx, s, participants, p)
	if err != nil && !errors.Is(err, persistence.ErrConflict) {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return one[persistence.Participant](ctx, s, what, participants, filter)
}

// UpdateParticipant implements persistence.Store.
func (s *Store) UpdateParticipant(ctx context.Context, p *persistence.Participant) error {
	return update(ctx, s, participants, p, func(p *persistence.Participant) *int64 { return &p.Rev })
}

// Participant implements persistence.Store.
func (s *Store) Participant(ctx context.Context, id persistence.ParticipantID) (*persistence.Participant, error) {
	return one[persistence.Participant](ctx, s, fmt.Sprintf("participant %s", id), participants, byID(string(id)))
}

// ParticipantsOf implements persistence.Store.
func (s *Store) ParticipantsOf(ctx context.Context, user persistence.UserID) ([]*persistence.Participant, error) {
	return many[persistence.Participant](ctx, s, fmt.Sprintf("participants of %s", user), participants,
		bson.D{{Key: "user_id", Value: string(user)}},
		options.Find().SetSort(bson.D{{Key: "server_created_at_us", Value: 1}, {Key: "_id", Value: 1}}))
}

// ParticipantsOfExperiment implements persistence.Store.
func (s *Store) ParticipantsOfExperiment(ctx context.Context, link string) iter.Seq2[*persistence.Participant, error] {
	return stream(ctx, s, "participants of "+link, participants, bson.D{{Key: "experiment", Value: link}}, "server_created_at_us",
		func(p *persistence.Participant) position { return position{p.CreatedAt.UnixMicro(), string(p.ID)} })
}

// InsertConsent implements persistence.Store.
func (s *Store) InsertConsent(ctx context.Context, c *persistence.Consent) error {
	return insert(ctx, s, consents, c)
}

// ConsentFor implements persistence.Store.
func (s *Store) ConsentFor(ctx context.Context, user persistence.UserID, link, textHash string) (*persistence.Consent, error) {
	return one[persistence.Consent](ctx, s, fmt.Sprintf("consent of %s to %q", user, link), consents, bson.D{
		{Key: "user_id", Value: string(user)}, {Key: "experiment", Value: link},
		{Key: "text_hash", Value: textHash}, {Key: "server_withdrawn_at", Value: nil},
	}, newest("server_given_at_us")...)
}

// ConsentsOf implements persistence.Store.
func (s *Store) ConsentsOf(ctx context.Context, user persistence.UserID) ([]*persistence.Consent, error) {
	return many[persistence.Consent](ctx, s, fmt.Sprintf("consents of %s", user), consents,
		bson.D{{Key: "user_id", Value: string(user)}}, options.Find().SetSort(newest("server_given_at_us")))
}

// WithdrawConsent implements persistence.Store.
func (s *Store) WithdrawConsent(ctx context.Context, id string, at time.Time) error {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	const withdrawn = "server_withdrawn_at"
	what := "withdraw consent " + id
	r, err := s.db.Collection(consents).UpdateOne(ctx, append(byID(id), bson.E{Key: withdrawn, Value: nil}), setTime(withdrawn, at))
	if err != nil || r.MatchedCount == 1 {
		return wrap(what, err)
	}
	_, err = one[persistence.Consent](ctx, s, what, consents, byID(id))
	return err
}

// InsertResponse implements persistence.Store.
func (s *Store) InsertResponse(ctx context.Context, r *persistence.Response) error {
	return insert(ctx, s, responses, r)
}
