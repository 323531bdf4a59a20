package export_test

import (
	"context"
	"iter"

	"sharpie/persistence"
	"sharpie/persistence/faulty"
)

// breaksAfter is a store that goes away after some chunks.
type breaksAfter struct {
	*faulty.Store
	chunks int
}

func (b *breaksAfter) StepChunks(ctx context.Context, id persistence.EpisodeID) iter.Seq2[*persistence.StepChunk, error] {
	return func(yield func(*persistence.StepChunk, error) bool) {
		for c, err := range b.Store.StepChunks(ctx, id) {
			if b.chunks--; b.chunks == 0 {
				b.Set(faulty.Unavailable)
			}
			if !yield(c, err) {
				return
			}
		}
	}
}
