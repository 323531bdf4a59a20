package actors

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sharpie/actors/link"
	"sharpie/persistence"
)

// keeping runs a roll in virtual time, and ends it.
func keeping(t *testing.T, test func(*roll, *memory)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		r := newRoll(m, slog.New(slog.DiscardHandler), time.Second)
		ctx, end := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.run(ctx)
		}()
		test(r, m)
		end()
		<-done
	})
}

func changeOf(c link.Change, code string) link.Event {
	e := link.Event{Change: c, Node: link.Node{
		ID: "gpu.box.aaaaaaaa", Incarnation: "inc_one", Version: "v1", Platform: "linux/amd64", Slots: 4, Labels: []string{"gpu"}, Remote: "10.0.0.7",
		Connected: code == "", JoinedAt: time.Now(), SeenAt: time.Now().Add(-3 * time.Second)}}
	if code != "" {
		e.Why = link.End{Code: code, Detail: "Nothing was heard for 3s."}
	}
	return e
}

// What becomes of a node is stored, in order, and who it is.
func TestNodesAreOnTheRoll(t *testing.T) {
	keeping(t, func(r *roll, m *memory) {
		r.note(changeOf(link.Joined, ""))
		synctest.Wait()
		if n := m.runners["gpu.box.aaaaaaaa"]; n.Name != "gpu.box" || n.Incarnation != "inc_one" || n.Slots != 4 || !slices.Equal(n.Labels, []string{"gpu"}) || !n.LastSeenAt.Equal(time.Now()) {
			t.Errorf("the node is stored as %+v", n)
		}
		r.note(changeOf(link.Away, "lost"))
		r.note(changeOf(link.Gone, "lost"))
		synctest.Wait()
		var kinds []string
		for _, e := range m.events {
			kinds = append(kinds, e.Kind)
		}
		if !slices.Equal(kinds, []string{"node.joined", "node.away", "node.gone"}) {
			t.Errorf("the events are %q", kinds)
		}
		if d := m.events[1].Detail; d["why"] != "Nothing was heard for 3s." || d["node"] != "gpu.box.aaaaaaaa" || d["from"] != "10.0.0.7" {
			t.Errorf("the event says %v", d)
		}
		if n := m.runners["gpu.box.aaaaaaaa"]; !n.LastSeenAt.Equal(time.Now().Add(-3 * time.Second)) {
			t.Errorf("a node that is away was seen last at %s, want three seconds ago", n.LastSeenAt)
		}
	})
}

// While the store is away nothing is lost, and the time is that of the change.
func TestTheRollWaitsForTheStore(t *testing.T) {
	keeping(t, func(r *roll, m *memory) {
		m.setAway(persistence.ErrUnavailable)
		then := time.Now()
		r.note(changeOf(link.Joined, ""))
		time.Sleep(time.Minute)
		m.setAway(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(m.events) != 1 || !m.events[0].At.Equal(then) {
			t.Errorf("the events are %v", m.events)
		}
	})
}

// Nodes that come and go all the time fill neither memory nor store, and a stop waits
// for a store that is away no longer than for one write.
func TestTheRollIsBounded(t *testing.T) {
	keeping(t, func(r *roll, m *memory) {
		m.setAway(persistence.ErrUnavailable)
		for range 10 * rollQueue {
			r.note(changeOf(link.Away, "lost"))
		}
		if n := len(r.changes); n > rollQueue {
			t.Errorf("%d changes wait", n)
		}
	})
	keeping(t, func(r *roll, m *memory) {
		for range 10 * rollQueue {
			r.note(changeOf(link.Away, "lost"))
		}
		synctest.Wait()
		if n := len(m.events); n > rollQueue {
			t.Errorf("%d events were stored at once", n)
		}
	})
}
