package mongo

import (
	"context"
	"fmt"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"

	"sharpie/persistence"
)

// InsertStepChunks implements persistence.Store. Concurrent calls are sent together.
func (s *Store) InsertStepChunks(ctx context.Context, chunks []*persistence.StepChunk) error {
	docs, err := marshalAll(s, chunks)
	if err != nil || len(docs) == 0 {
		return wrap("insert step chunks", err)
	}
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	return wrap("insert step chunks", s.chunks.store(ctx, docs))
}

func marshalAll[T any, P record[T]](s *Store, list []*T) ([]bson.Raw, error) {
	docs := make([]bson.Raw, len(list))
	for i, v := range list {
		doc, err := s.marshal(P(v))
		if err != nil {
			return nil, err
		}
		docs[i] = doc
	}
	return docs, nil
}

// StepChunks implements persistence.Store.
func (s *Store) StepChunks(ctx context.Context, id persistence.EpisodeID) iter.Seq2[*persistence.StepChunk, error] {
	return stream(ctx, s, fmt.Sprintf("steps of %s", id), stepChunks, bson.D{{Key: "episode_id", Value: string(id)}}, "first_step",
		func(c *persistence.StepChunk) position { return position{c.First, c.ID} })
}
