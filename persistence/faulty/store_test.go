package faulty_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"sharpie/persistence"
	"sharpie/persistence/embedded"
	"sharpie/persistence/faulty"
	"sharpie/persistence/storetest"
)

func open(t *testing.T) *faulty.Store {
	t.Helper()
	s, err := embedded.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return faulty.Wrap(s)
}

func TestHealthyKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) persistence.Store { return open(t) })
}

func ann() *persistence.User {
	return &persistence.User{ID: "ann", Name: "Ann", NameKey: "ann"}
}

func TestUnavailableAnswersNothing(t *testing.T) {
	s := open(t)
	s.Set(faulty.Unavailable)
	if err := s.InsertUser(t.Context(), ann()); !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("insert: %v, want ErrUnavailable", err)
	}
	s.Set(faulty.Healthy)
	if _, err := s.User(t.Context(), "ann"); !errors.Is(err, persistence.ErrNotFound) {
		t.Errorf("the write of an unavailable store was made: %v", err)
	}
	if s.Calls() != 2 {
		t.Errorf("%d calls, want 2", s.Calls())
	}
}

func TestLoseAnswersWritesAllTheSame(t *testing.T) {
	s := open(t)
	s.Set(faulty.LoseAnswers)
	if err := s.InsertUser(t.Context(), ann()); !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("insert: %v, want ErrUnavailable", err)
	}
	if _, err := s.User(t.Context(), "ann"); err != nil {
		t.Errorf("the write was not made: %v", err)
	}
}

// none is a store that is never asked.
type none struct{ persistence.Store }

func (none) Ping(context.Context) error { return nil }

func TestHangWaitsForItsContextOrTheSwitch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := faulty.Wrap(none{})
		s.Set(faulty.Hang)
		start := time.Now()
		if err := s.Ping(t.Context()); !errors.Is(err, persistence.ErrUnavailable) || time.Since(start) != persistence.MaxWait {
			t.Errorf("after %v: %v, want ErrUnavailable after %v", time.Since(start), err, persistence.MaxWait)
		}
		result := make(chan error)
		go func() { result <- s.Ping(t.Context()) }()
		synctest.Wait()
		s.Set(faulty.Healthy)
		if err := <-result; err != nil {
			t.Errorf("a call that hung until the store was back: %v", err)
		}
	})
}
