package mongo

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sharpie/persistence"
)

// InsertStepChunks implements persistence.Store.
func (s *Store) InsertStepChunks(ctx context.Context, chunks []*persistence.StepChunk) error {
	return insertMany(ctx, s, stepChunks, chunks)
}

// insertMany stores records in one call; those that are there already must be the same.
func insertMany[T any, P record[T]](ctx context.Context, s *Store, collection string, list []*T) error {
	if len(list) == 0 {
		return nil
	}
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	what := "insert into " + collection
	docs := make([]bson.Raw, len(list))
	for i, v := range list {
		doc, err := s.marshal(P(v))
		if err != nil {
			return wrap(what, err)
		}
		docs[i] = doc
	}
	_, err := s.db.Collection(collection).InsertMany(ctx, docs, options.InsertMany().SetOrdered(false))
	if err == nil {
		return nil
	}
	var bulk mongo.BulkWriteException
	if !errors.As(err, &bulk) || bulk.WriteConcernError != nil || len(bulk.WriteErrors) == 0 {
		return wrap(what, err)
	}
	for _, e := range bulk.WriteErrors {
		if !mongo.IsDuplicateKeyError(e.WriteError) {
			return wrap(what, err)
		}
	}
	for _, e := range bulk.WriteErrors {
		if err := s.same(ctx, collection, docs[e.Index]); err != nil {
			return wrap(what, err)
		}
	}
	return nil
}

// StepChunks implements persistence.Store.
func (s *Store) StepChunks(ctx context.Context, id persistence.EpisodeID) iter.Seq2[*persistence.StepChunk, error] {
	return stream(ctx, s, fmt.Sprintf("steps of %s", id), stepChunks, bson.D{{Key: "episode_id", Value: string(id)}}, "first_step",
		func(c *persistence.StepChunk) position { return position{c.First, c.ID} })
}
