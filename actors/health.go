package actors

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"sharpie/persistence"
)

// storeHealth is whether the store works, as the last who asked it found.
type storeHealth struct {
	log *slog.Logger

	mu    sync.Mutex
	err   error // nil: well
	since time.Time
}

func newStoreHealth(log *slog.Logger) *storeHealth {
	return &storeHealth{log: log, since: time.Now()}
}

// well and ill say how a call went; a change is logged once.
func (h *storeHealth) well() { h.set(nil) }

func (h *storeHealth) ill(err error) { h.set(err) }

func (h *storeHealth) set(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	changed := (h.err == nil) != (err == nil)
	h.err = err
	if !changed {
		return
	}
	now := time.Now()
	if err != nil {
		h.log.Error("the store is away; sessions go on, and their records wait", "error", err)
	} else {
		h.log.Info("the store is back", "away", now.Sub(h.since))
	}
	h.since = now
}

// state says since when the store is as it is, and what is wrong with it: nil, nothing.
func (h *storeHealth) state() (since time.Time, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.since, h.err
}

// watch asks the store now and every few seconds, until the context ends.
func (h *storeHealth) watch(ctx context.Context, s persistence.Store, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		c, cancel := context.WithTimeout(ctx, every)
		err := s.Ping(c)
		cancel()
		if ctx.Err() == nil {
			h.set(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}
