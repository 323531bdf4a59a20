package actors

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"sharpie/persistence"
)

// The store is away for a minute while people play: it costs nothing.
func TestStoreAway(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		r := th.runner()
		r.advance(10)
		wait(2 * time.Second)
		if acks := on(r, func(p *puppet) []uint64 { return slices.Clone(p.acks) }); !slices.Equal(acks, []uint64{0, 10}) && !slices.Equal(acks, []uint64{10}) {
			t.Fatalf("acknowledged %v, want up to 10", acks)
		}
		before := len(on(r, func(p *puppet) []uint64 { return p.acks }))
		th.store.setAway(fmt.Errorf("no route: %w", persistence.ErrUnavailable))
		for range 60 {
			r.advance(30)
			wait(time.Second)
		}
		if n := len(on(r, func(p *puppet) []uint64 { return p.acks })); n != before {
			t.Errorf("the runner got %d acknowledgements while the store was away", n-before)
		}
		h := th.sys.Health(t.Context())
		if h.Store == nil || h.UnstoredSteps != 1800 {
			t.Errorf("Health says store %v with %d unstored steps, want an error and 1800", h.Store, h.UnstoredSteps)
		}
		if v := th.view(ann.ticket.Session); v.Unstored != 1800 || v.Phase != "running" {
			t.Errorf("Admin shows %d unstored in phase %s", v.Unstored, v.Phase)
		}
		if n := ann.notices(); len(n) != 0 {
			t.Errorf("the participant was told %v", n)
		}
		th.store.setAway(nil)
		wait(10 * time.Second)
		r.end()
		wait(time.Second)
		ann.ended("completed", closeNormal)
		e, _ := th.store.EpisodesOf(t.Context(), ann.ticket.Session)
		steps := th.store.steps(e[0].ID)
		if len(steps) != 1811 || steps[1810] != 1810 || e[0].StoredSteps != 1811 {
			t.Errorf("%d step records are stored, want 1811 without a gap", len(steps))
		}
		if h := th.sys.Health(t.Context()); h.Store != nil || h.UnstoredSteps != 0 {
			t.Errorf("afterwards Health says %v with %d unstored steps", h.Store, h.UnstoredSteps)
		}
		if acks := on(r, func(p *puppet) []uint64 { return p.acks }); !slices.IsSorted(acks) || acks[len(acks)-1] != 1810 {
			t.Errorf("acknowledged %v, want growing up to 1810", acks)
		}
	})
}

// A store that is away when the session ends: people are let go, the books wait.
func TestStoreAwayAtTheEnd(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		r := th.runner()
		r.advance(10)
		th.store.setAway(persistence.ErrUnavailable)
		r.end()
		wait(4 * time.Second)
		ann.ended("completed", closeNormal)
		if again := th.join(definition(1), "ann"); again.ticket.Rejoined {
			t.Error("Join gave a completed session again")
		}
		wait(10 * time.Minute)
		th.store.setAway(nil)
		wait(10 * time.Second)
		s, err := th.store.Session(t.Context(), ann.ticket.Session)
		if err != nil || s.Phase != "completed" || !s.Finished {
			t.Errorf("stored session %+v, %v", s, err)
		}
		e, _ := th.store.EpisodesOf(t.Context(), ann.ticket.Session)
		if len(e) != 1 || len(th.store.steps(e[0].ID)) != 11 {
			t.Errorf("stored episodes %v", e)
		}
	})
}

// Everything is written in the order in which it happened, and chunks hold at most
// a second or 256 steps.
func TestRecorderOrder(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		r := th.runner()
		r.advance(600)
		if acks := on(r, func(p *puppet) []uint64 { return p.acks }); !slices.Equal(acks, []uint64{255, 511}) {
			t.Errorf("of 601 records at once, %v were acknowledged, want 255 and 511", acks)
		}
		for range 5 {
			r.advance(1)
			wait(time.Second)
		}
		r.end()
		wait(time.Second)
		th.store.mu.Lock()
		order := slices.DeleteFunc(slices.Clone(th.store.order), func(s string) bool { return s == "event" })
		th.store.mu.Unlock()
		order = slices.Compact(order)
		want := []string{"session", "session queued", "session running", "episode", "chunk", "episode terminated", "session completed"}
		if !slices.Equal(order, want) {
			t.Errorf("written in the order %q, want %q", order, want)
		}
		e, _ := th.store.EpisodesOf(t.Context(), ann.ticket.Session)
		for c := range th.store.StepChunks(t.Context(), e[0].ID) {
			if c.Count > 256 {
				t.Errorf("a chunk has %d steps", c.Count)
			}
		}
		if n := len(th.store.steps(e[0].ID)); n != 606 {
			t.Errorf("%d records are stored, want 606", n)
		}
	})
}

// A store that refuses a document for good ends the session, and says so.
func TestStoreRefuses(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		th.store.mu.Lock()
		th.store.noChunks = fmt.Errorf("too large: %w", persistence.ErrInvalid)
		th.store.mu.Unlock()
		th.runner().advance(3)
		wait(7 * time.Second)
		ann.ended("aborted", closeNormal)
		if s := th.store.only(t); s.Reason.Code != "store_refused" {
			t.Errorf("stored reason %+v", s.Reason)
		}
	})
}

// Steps beyond what may wait are not acknowledged, and the session ends.
func TestStoreAwayTooLong(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		th.store.setAway(persistence.ErrUnavailable)
		th.runner().advance(100 + 300) // a runner that keeps no bound of its own
		wait(10 * time.Second)
		ann.ended("aborted", closeNormal)
		th.store.setAway(nil)
		wait(10 * time.Second)
		if s := th.store.only(t); s.Reason.Code != "store_away" {
			t.Errorf("stored reason %+v", s.Reason)
		}
	}, func(c *Config) { c.Limits.UnstoredSteps = 100 })
}

func TestBackoff(t *testing.T) {
	for tries, bounds := range map[int][2]time.Duration{
		1: {37 * time.Millisecond, 50 * time.Millisecond}, 4: {300 * time.Millisecond, 400 * time.Millisecond},
		8: {3750 * time.Millisecond, 5 * time.Second}, 1000: {3750 * time.Millisecond, 5 * time.Second},
	} {
		for range 100 {
			if d := backoff(tries); d < bounds[0] || d > bounds[1] {
				t.Fatalf("after %d tries wait %v, want %v to %v", tries, d, bounds[0], bounds[1])
			}
		}
	}
}

func TestRandomCode(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		c := randomCode()
		if len(c) != 10 || seen[c] {
			t.Fatalf("code %q: length %d, seen before %v", c, len(c), seen[c])
		}
		seen[c] = true
	}
}
