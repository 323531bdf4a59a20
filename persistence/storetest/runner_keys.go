package storetest

import (
	"testing"
	"time"

	"sharpie/persistence"
)

func testRunnerKeys(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	lab := &persistence.RunnerKey{ID: "rk1", Name: "lab", Prefix: "aaaa", Hash: "h1", Labels: []string{"gpu"}, CreatedAt: kept(now), CreatedBy: "Ann"}
	home := &persistence.RunnerKey{ID: "rk2", Name: "home", Prefix: "bbbb", Hash: "h2", Labels: []string{}, CreatedAt: kept(now).Add(time.Second), CreatedBy: "Ann"}
	t.Run("inserted are read back, oldest first", func(t *testing.T) {
		must(t, s.InsertRunnerKey(ctx, home))
		must(t, s.InsertRunnerKey(ctx, lab))
		equal(t, get[[]*persistence.RunnerKey](t)(s.RunnerKeys(ctx)), []*persistence.RunnerKey{lab, home})
	})
	t.Run("insert may be repeated", func(t *testing.T) { must(t, s.InsertRunnerKey(ctx, lab)) })
	t.Run("a taken prefix is ErrConflict", func(t *testing.T) {
		other := *lab
		other.ID = "rk3"
		wantErr(t, s.InsertRunnerKey(ctx, &other), persistence.ErrConflict)
	})
	t.Run("an empty hash is ErrInvalid", func(t *testing.T) {
		wantErr(t, s.InsertRunnerKey(ctx, &persistence.RunnerKey{ID: "x", Name: "x", Prefix: "x"}), persistence.ErrInvalid)
	})
	t.Run("its use is noted", func(t *testing.T) {
		at := kept(now).Add(time.Hour)
		must(t, s.TouchRunnerKey(ctx, "rk1", "box.aaaa", at))
		lab.LastUsedAt, lab.LastNode = &at, "box.aaaa"
		equal(t, get[[]*persistence.RunnerKey](t)(s.RunnerKeys(ctx))[0], lab)
	})
	t.Run("revoked once", func(t *testing.T) {
		at := kept(now).Add(2 * time.Hour)
		must(t, s.RevokeRunnerKey(ctx, "rk1", at))
		must(t, s.RevokeRunnerKey(ctx, "rk1", at.Add(time.Hour)))
		lab.RevokedAt = &at
		equal(t, get[[]*persistence.RunnerKey](t)(s.RunnerKeys(ctx))[0], lab)
	})
	t.Run("unknown is ErrNotFound", func(t *testing.T) {
		wantErr(t, s.RevokeRunnerKey(ctx, "nobody", now), persistence.ErrNotFound)
		wantErr(t, s.TouchRunnerKey(ctx, "nobody", "n", now), persistence.ErrNotFound)
	})
}
