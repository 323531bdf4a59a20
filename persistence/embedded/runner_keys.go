package embedded

import (
	"context"
	"time"

	"sharpie/persistence"
)

var runnerKeys = newCollection("runner_keys", []string{"prefix", "created_us"},
	func(k *persistence.RunnerKey) []any { return []any{k.ID, k.Prefix, k.CreatedAt.UnixMicro()} }, nil)

// InsertRunnerKey implements persistence.Store.
func (s *Store) InsertRunnerKey(ctx context.Context, k *persistence.RunnerKey) error {
	return insert(ctx, s, runnerKeys, k)
}

// RunnerKeys implements persistence.Store.
func (s *Store) RunnerKeys(ctx context.Context) ([]*persistence.RunnerKey, error) {
	return many[persistence.RunnerKey](ctx, s, "runner keys", `SELECT doc FROM runner_keys ORDER BY created_us, id`)
}

// RevokeRunnerKey implements persistence.Store.
func (s *Store) RevokeRunnerKey(ctx context.Context, id string, at time.Time) error {
	_, err := modify(ctx, s, runnerKeys, "id = ?", []any{id}, func(k *persistence.RunnerKey) (bool, error) {
		if k.RevokedAt != nil {
			return false, nil
		}
		k.RevokedAt = &at
		return true, nil
	})
	return err
}

// TouchRunnerKey implements persistence.Store.
func (s *Store) TouchRunnerKey(ctx context.Context, id, node string, at time.Time) error {
	_, err := modify(ctx, s, runnerKeys, "id = ?", []any{id}, func(k *persistence.RunnerKey) (bool, error) {
		k.LastUsedAt, k.LastNode = &at, node
		return true, nil
	})
	return err
}
