package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sharpie/persistence"
)

// InsertRunnerKey implements persistence.Store.
func (s *Store) InsertRunnerKey(ctx context.Context, k *persistence.RunnerKey) error {
	return insert(ctx, s, runnerKeys, k)
}

// RunnerKeys implements persistence.Store.
func (s *Store) RunnerKeys(ctx context.Context) ([]*persistence.RunnerKey, error) {
	return many[persistence.RunnerKey](ctx, s, "runner keys", runnerKeys, bson.D{},
		options.Find().SetSort(bson.D{{Key: "server_created_at_us", Value: 1}, {Key: "_id", Value: 1}}))
}

// RevokeRunnerKey implements persistence.Store.
func (s *Store) RevokeRunnerKey(ctx context.Context, id string, at time.Time) error {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	const revoked = "server_revoked_at"
	what := "revoke runner key " + id
	r, err := s.db.Collection(runnerKeys).UpdateOne(ctx, append(byID(id), bson.E{Key: revoked, Value: nil}), setTime(revoked, at))
	if err != nil || r.MatchedCount == 1 {
		return wrap(what, err)
	}
	_, err = one[persistence.RunnerKey](ctx, s, what, runnerKeys, byID(id))
	return err
}

// TouchRunnerKey implements persistence.Store.
func (s *Store) TouchRunnerKey(ctx context.Context, id, node string, at time.Time) error {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	const used = "server_last_used_at"
	what := "use of runner key " + id
	r, err := s.db.Collection(runnerKeys).UpdateOne(ctx, byID(id), bson.D{{Key: "$set", Value: bson.D{
		{Key: used, Value: bson.DateTime(at.UnixMilli())}, {Key: used + "_us", Value: at.UnixMicro()}, {Key: "last_node", Value: node},
	}}})
	if err != nil || r.MatchedCount == 1 {
		return wrap(what, err)
	}
	_, err = one[persistence.RunnerKey](ctx, s, what, runnerKeys, byID(id))
	return err
}
