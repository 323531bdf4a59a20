package embedded

import (
	"context"
	"fmt"
	"iter"

	"sharpie/persistence"
)

var stepChunks = newCollection("step_chunks", []string{"episode_id", "first_step"},
	func(c *persistence.StepChunk) []any { return []any{c.ID, string(c.EpisodeID), c.First} }, nil)

// InsertStepChunks implements persistence.Store. All are stored, or none.
func (s *Store) InsertStepChunks(ctx context.Context, chunks []*persistence.StepChunk) error {
	if len(chunks) == 0 {
		return nil
	}
	rows, bytes := make([][]any, len(chunks)), 0
	for i, c := range chunks {
		doc, err := s.codec.Marshal(c)
		if err != nil {
			return fmt.Errorf("insert step chunks: %w", err)
		}
		rows[i], bytes = stepChunks.row(c, doc), bytes+len(doc)
	}
	return s.submit(ctx, "insert step chunks", &op{bytes: bytes, multi: len(rows) > 1, steps: true, do: func(tx *tx) error {
		for _, row := range rows {
			if err := stepChunks.put(tx, row); err != nil {
				return err
			}
		}
		return nil
	}})
}

// StepChunks implements persistence.Store.
func (s *Store) StepChunks(ctx context.Context, id persistence.EpisodeID) iter.Seq2[*persistence.StepChunk, error] {
	return stream(ctx, s, fmt.Sprintf("steps of %s", id),
		`SELECT doc FROM step_chunks WHERE episode_id = ? AND first_step > ? ORDER BY first_step LIMIT ?`,
		func(last *persistence.StepChunk) []any {
			if last == nil {
				return []any{string(id), -1}
			}
			return []any{string(id), last.First}
		})
}
