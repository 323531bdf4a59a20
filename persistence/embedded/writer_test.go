package embedded

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"sharpie/persistence"
)

func opened(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// group queues ops while the writer is busy, so that they commit together, and
// returns their errors.
func group(t *testing.T, s *Store, ops ...*op) []error {
	t.Helper()
	busy, release := make(chan struct{}), make(chan struct{})
	blocker := &op{ctx: context.Background(), done: make(chan error, 1), do: func(*tx) error {
		close(busy)
		<-release
		return nil
	}}
	s.ops <- blocker
	<-busy
	for _, o := range ops {
		o.done = make(chan error, 1)
		if o.ctx == nil {
			o.ctx = context.Background()
		}
		s.ops <- o
	}
	close(release)
	errs := make([]error, len(ops))
	for i, o := range ops {
		errs[i] = <-o.done
	}
	return errs
}

func put(id string) *op {
	return &op{do: func(tx *tx) error {
		_, err := tx.exec(`INSERT INTO bundles (id, doc) VALUES (?, x'00')`, id)
		return err
	}}
}

func has(t *testing.T, s *Store, id string) bool {
	t.Helper()
	var n int
	if err := s.reads.QueryRowContext(t.Context(), `SELECT count(*) FROM bundles WHERE id = ?`, id).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n == 1
}

func TestAWriteThatBreaksARuleFailsAlone(t *testing.T) {
	s := opened(t)
	half := &op{multi: true, do: func(tx *tx) error {
		if err := put("half").do(tx); err != nil {
			return err
		}
		return fmt.Errorf("second thoughts: %w", persistence.ErrConflict)
	}}
	errs := group(t, s, put("a"), put("a"), half, put("b"))
	if errs[0] != nil || errs[3] != nil {
		t.Errorf("good writes of the group failed: %v, %v", errs[0], errs[3])
	}
	for _, i := range []int{1, 2} {
		if !errors.Is(errs[i], persistence.ErrConflict) {
			t.Errorf("write %d: %v, want ErrConflict", i, errs[i])
		}
	}
	if !has(t, s, "a") || !has(t, s, "b") || has(t, s, "half") {
		t.Error("stored is not exactly what was acknowledged")
	}
}

func TestWhereTheFileFailsNothingOfTheGroupIsAcknowledged(t *testing.T) {
	s := opened(t)
	broken := &op{do: func(tx *tx) error {
		_, err := tx.exec(`INSERT INTO no_such_table VALUES (1)`)
		return err
	}}
	for i, err := range group(t, s, put("a"), broken, put("b")) {
		if !errors.Is(err, persistence.ErrUnavailable) {
			t.Errorf("write %d: %v, want ErrUnavailable", i, err)
		}
	}
	if has(t, s, "a") || has(t, s, "b") {
		t.Error("a write that was not acknowledged is stored")
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("the store does not work on: %v", err)
	}
}

func TestAWriteWhoseCallerGaveUpIsNotMade(t *testing.T) {
	s := opened(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	late := put("late")
	late.ctx = gone
	if errs := group(t, s, put("a"), late); errs[0] != nil || !errors.Is(errs[1], persistence.ErrUnavailable) {
		t.Errorf("errors %v, want nil and ErrUnavailable", errs)
	}
	if !has(t, s, "a") || has(t, s, "late") {
		t.Error("the late write was made, or took another with it")
	}
}

func TestACallerDoesNotWaitForABusyWriter(t *testing.T) {
	s := opened(t)
	busy, release := make(chan struct{}), make(chan struct{})
	s.ops <- &op{ctx: context.Background(), done: make(chan error, 1), do: func(*tx) error {
		close(busy)
		<-release
		return nil
	}}
	defer close(release)
	<-busy
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() { result <- s.Ping(ctx) }()
	cancel()
	if err := <-result; !errors.Is(err, persistence.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("ping of a busy store: %v, want ErrUnavailable and context.Canceled", err)
	}
}

func TestAFullDiskPasses(t *testing.T) {
	s := opened(t)
	limit := func(pages int) {
		t.Helper()
		set := &op{do: func(tx *tx) error {
			var n int
			return tx.row(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages), nil, &n)
		}}
		if errs := group(t, s, set); errs[0] != nil {
			t.Fatal(errs[0])
		}
	}
	limit(200)
	stored := 0
	var err error
	for ; err == nil && stored < 1000; stored++ {
		err = s.InsertBundle(t.Context(), &persistence.Bundle{Hash: fmt.Sprint(stored), Data: make([]byte, 100_000)})
	}
	if !errors.Is(err, persistence.ErrUnavailable) {
		t.Fatalf("after %d bundles: %v, want ErrUnavailable", stored, err)
	}
	failed := fmt.Sprint(stored - 1)
	if _, err := s.Bundle(t.Context(), "0"); err != nil {
		t.Errorf("reading while the disk is full: %v", err)
	}
	limit(1_000_000)
	if err := s.InsertBundle(t.Context(), &persistence.Bundle{Hash: failed, Data: make([]byte, 100_000)}); err != nil {
		t.Errorf("the same write once there is room again: %v", err)
	}
	for i := range stored {
		if _, err := s.Bundle(t.Context(), fmt.Sprint(i)); err != nil {
			t.Errorf("bundle %d, which was acknowledged: %v", i, err)
		}
	}
}
