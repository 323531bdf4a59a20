// Package faulty wraps a persistence.Store for tests of what uses one: it fails,
// hangs or loses acknowledgements at the turn of a switch. It owns the switch and
// nothing else, and has no use outside tests.
package faulty

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"sharpie/persistence"
)

// Mode is how the store behaves.
type Mode int

const (
	// Healthy passes every call on.
	Healthy Mode = iota
	// Unavailable answers every call with ErrUnavailable, at once.
	Unavailable
	// Hang keeps every call waiting until its context ends (MaxWait where it has
	// no deadline), then answers ErrUnavailable; a change of mode frees it.
	Hang
	// LoseAnswers passes writes on, and answers ErrUnavailable all the same, as when
	// the connection breaks after the write. Reads are answered.
	LoseAnswers
)

// Store is a store with a switch. It is safe for concurrent use.
type Store struct {
	persistence.Store

	mu      sync.Mutex
	mode    Mode
	changed chan struct{} // closed at the next change of mode
	calls   int
}

var _ persistence.Store = (*Store)(nil)

// Wrap makes a healthy store of s.
func Wrap(s persistence.Store) *Store {
	return &Store{Store: s, changed: make(chan struct{})}
}

// Set changes how the store behaves from now on.
func (s *Store) Set(mode Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode = mode
	close(s.changed)
	s.changed = make(chan struct{})
}

// Calls is how many calls there were, whatever became of them.
func (s *Store) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

func (s *Store) state() (Mode, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mode, s.changed
}

// gate lets a call pass, or not.
func (s *Store) gate(ctx context.Context) (Mode, error) {
	s.mu.Lock()
	s.calls++
	s.mu.Unlock()
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	for {
		mode, changed := s.state()
		switch mode {
		case Unavailable:
			return mode, fmt.Errorf("faulty: %w", persistence.ErrUnavailable)
		case Hang:
			select {
			case <-changed:
			case <-ctx.Done():
				return mode, fmt.Errorf("faulty: %w: %w", persistence.ErrUnavailable, ctx.Err())
			}
		default:
			return mode, nil
		}
	}
}

// write passes a write on.
func (s *Store) write(ctx context.Context, do func() error) error {
	mode, err := s.gate(ctx)
	if err != nil {
		return err
	}
	err = do()
	if mode == LoseAnswers {
		return fmt.Errorf("faulty: the answer was lost: %w", persistence.ErrUnavailable)
	}
	return err
}

// read passes a read on.
func read[T any](ctx context.Context, s *Store, do func() (T, error)) (T, error) {
	if _, err := s.gate(ctx); err != nil {
		var none T
		return none, err
	}
	return do()
}

// stream passes a stream on, each record through the gate.
func stream[T any](ctx context.Context, s *Store, seq iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if _, err := s.gate(ctx); err != nil {
			yield(none, err)
			return
		}
		for v, err := range seq {
			if !yield(v, err) || err != nil {
				return
			}
			if _, err := s.gate(ctx); err != nil {
				yield(none, err)
				return
			}
		}
	}
}
