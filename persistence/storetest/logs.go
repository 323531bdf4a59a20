package storetest

import (
	"testing"
	"time"

	"sharpie/persistence"
)

func event(n int, session, kind string) *persistence.Event {
	return &persistence.Event{
		ID: id("ev%03d", n), At: kept(now).Add(time.Duration(n/2) * time.Microsecond), Kind: kind, Actor: "system",
		SessionID: persistence.SessionID(session), Role: "agent_0", Detail: persistence.Document{"from": "waiting", "n": 1.0},
	}
}

func testEvents(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	var all []*persistence.Event
	for i := range 6 {
		all = append(all, event(i, id("s%d", i%2), []string{"phase", "drop_out", "admin.abort"}[i%3]))
	}
	ids := func(list []*persistence.Event) (ids []string) {
		for _, e := range list {
			ids = append(ids, e.ID)
		}
		return ids
	}
	t.Run("inserted is read back", func(t *testing.T) {
		must(t, s.InsertEvents(ctx, all[:1]))
		equal(t, get[[]*persistence.Event](t)(s.Events(ctx, persistence.EventFilter{}, persistence.Page{})), all[:1])
	})
	t.Run("insert may be repeated, alone and among new ones", func(t *testing.T) {
		must(t, s.InsertEvents(ctx, all))
		must(t, s.InsertEvents(ctx, all))
	})
	t.Run("another event under the id is ErrConflict", func(t *testing.T) {
		wantErr(t, s.InsertEvents(ctx, []*persistence.Event{event(0, "s9", "phase")}), persistence.ErrConflict)
	})
	t.Run("without an id or kind is ErrInvalid", func(t *testing.T) {
		wantErr(t, s.InsertEvents(ctx, []*persistence.Event{{Kind: "phase"}}), persistence.ErrInvalid)
		wantErr(t, s.InsertEvents(ctx, []*persistence.Event{{ID: "x"}}), persistence.ErrInvalid)
	})
	t.Run("filtered, newest first, by id at one time", func(t *testing.T) {
		for _, c := range []struct {
			filter persistence.EventFilter
			page   persistence.Page
			want   []string
		}{
			{persistence.EventFilter{}, persistence.Page{}, []string{"ev005", "ev004", "ev003", "ev002", "ev001", "ev000"}},
			{persistence.EventFilter{}, persistence.Page{Offset: 1, Limit: 2}, []string{"ev004", "ev003"}},
			{persistence.EventFilter{SessionID: "s1"}, persistence.Page{}, []string{"ev005", "ev003", "ev001"}},
			{persistence.EventFilter{Kind: "phase"}, persistence.Page{}, []string{"ev003", "ev000"}},
			{persistence.EventFilter{SessionID: "s0", Kind: "phase"}, persistence.Page{}, []string{"ev000"}},
		} {
			equal(t, ids(get[[]*persistence.Event](t)(s.Events(ctx, c.filter, c.page))), c.want)
		}
	})
	t.Run("a session's stream is oldest first, none twice or missing", func(t *testing.T) {
		const n = 300
		list := make([]*persistence.Event, n)
		for i := range list {
			list[i] = event(i, "many", "phase")
			list[i].ID = "many-" + list[i].ID
		}
		must(t, s.InsertEvents(ctx, list))
		equal(t, ids(collect(t, s.EventsOf(ctx, "many"))), ids(list))
	})
}

func testRunners(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	r := &persistence.Runner{ID: "r1", Name: "b", Incarnation: "i1", Version: "v", Slots: 4, Labels: []string{"gpu"}, FirstSeenAt: kept(now), LastSeenAt: kept(now)}
	t.Run("made and replaced, whatever the Rev", func(t *testing.T) {
		must(t, s.UpsertRunner(ctx, r))
		again := &persistence.Runner{ID: "r1", Name: "b", Incarnation: "i2", FirstSeenAt: now.Add(time.Hour), LastSeenAt: kept(now).Add(time.Hour)}
		must(t, s.UpsertRunner(ctx, again))
		if again.Rev != 2 || !again.FirstSeenAt.Equal(kept(now)) {
			t.Errorf("rev %d, first seen %v", again.Rev, again.FirstSeenAt)
		}
		equal(t, get[[]*persistence.Runner](t)(s.Runners(ctx)), []*persistence.Runner{again})
	})
	t.Run("by name", func(t *testing.T) {
		must(t, s.UpsertRunner(ctx, &persistence.Runner{ID: "r2", Name: "a"}))
		var names []string
		for _, r := range get[[]*persistence.Runner](t)(s.Runners(ctx)) {
			names = append(names, r.Name)
		}
		equal(t, names, []string{"a", "b"})
	})
	t.Run("many at once", func(t *testing.T) {
		for _, err := range concurrently(10, func(int) error {
			return s.UpsertRunner(ctx, &persistence.Runner{ID: "r3", Name: "c"})
		}) {
			must(t, err)
		}
		if list := get[[]*persistence.Runner](t)(s.Runners(ctx)); len(list) != 3 {
			t.Errorf("%d runners, want 3", len(list))
		}
	})
	t.Run("without an id is ErrInvalid", func(t *testing.T) {
		wantErr(t, s.UpsertRunner(ctx, &persistence.Runner{Name: "x"}), persistence.ErrInvalid)
	})
}
