package actors

import (
	"slices"
	"testing"
	"time"

	"sharpie/actors/messages"
	"sharpie/actors/play"
	"sharpie/experiments"
)

func needs(labels ...string) func(*experiments.Definition) {
	return func(d *experiments.Definition) { d.Experiment.Needs = labels }
}

// First come, first served; and a session hears of its runner in the same moment.
func TestQueueOrder(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		d := definition(1)
		ann := playing(th, d, "ann")[0]
		bob, cem := th.come(d, "bob"), th.come(d, "cem")
		bob.sees(play.Phase_QUEUED)
		cem.sees(play.Phase_QUEUED)
		if h := th.sys.Health(t.Context()); h.Waiting != 2 || h.Slots != 1 || h.FreeSlots != 0 || h.Sessions != 3 {
			t.Errorf("Health says %+v, want 2 waiting, 0 of 1 slots free, 3 sessions", h)
		}
		before := time.Now()
		th.runner().end()
		bob.sees(play.Phase_RUNNING)
		cem.sees(play.Phase_QUEUED)
		if d := time.Since(before); d > 10*time.Millisecond {
			t.Errorf("the next session got its runner after %v, want at once", d)
		}
		ann.ended("completed", closeNormal)
		v, err := th.sys.Runners(t.Context())
		if err != nil || len(v) != 1 || v[0].Session != bob.ticket.Session || v[0].Runner != "node" {
			t.Errorf("Admin shows the runners %+v, %v", v, err)
		}
	})
}

func TestQueueTimeout(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		playing(th, definition(1), "ann")
		bob := th.come(definition(1), "bob")
		wait(61 * time.Second)
		bob.ended("aborted", closeNormal)
		s, err := th.store.Session(t.Context(), bob.ticket.Session)
		if err != nil || s.Reason.Code != "queue_timeout" {
			t.Errorf("stored %+v, %v", s, err)
		}
		th.runner().end()
		if h := th.sys.Health(t.Context()); h.FreeSlots != 1 || h.Waiting != 0 {
			t.Errorf("Health says %+v, want the slot free and nobody waiting", h)
		}
	})
}

// A session whose needs nobody can meet is told so, and holds up nobody.
func TestQueueNeeds(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := th.come(definition(1, needs("cpu", "gpu")), "ann")
		if ph := ann.sees(play.Phase_QUEUED); ph.GetReason() == "" {
			t.Error("nobody told ann that no runner can serve her")
		}
		th.come(definition(1, needs("cpu")), "bob").sees(play.Phase_RUNNING)
		if th.store.kinds()["unsatisfiable"] != 1 {
			t.Errorf("events %v, want one unsatisfiable", th.store.kinds())
		}
	}, func(c *Config) { c.Labels = []string{"cpu", "disk"} })
}

// Somebody who leaves the queue takes no slot with them.
func TestQueueWithdraw(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		d := definition(1)
		playing(th, d, "ann")
		bob, cem := th.come(d, "bob"), th.come(d, "cem")
		if err := th.sys.Leave(t.Context(), bob.ticket.Session, "bob"); err != nil {
			t.Fatal(err)
		}
		th.runner().end()
		cem.sees(play.Phase_RUNNING)
		if n := len(on(th.runner(), func(p *puppet) []*messages.Start { return p.starts })); n != 2 {
			t.Errorf("the slot was given %d episodes, want ann's and cem's", n)
		}
	})
}

// A slot that was assigned too late is free again.
func TestQueueTooLate(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		d := definition(1)
		ann := playing(th, d, "ann")[0]
		bob := th.come(d, "bob")
		// The runner comes free in the moment in which bob's session is aborted.
		r := th.runner()
		r.root.Send(th.sys.session(bob.ticket.Session), &abort{by: "root"})
		r.end()
		ann.ended("completed", closeNormal)
		wait(time.Second)
		if h := th.sys.Health(t.Context()); h.FreeSlots != 1 {
			t.Errorf("%d slots are free, want 1", h.FreeSlots)
		}
		th.come(d, "cem").sees(play.Phase_RUNNING)
	})
}

// A fault in a central actor costs one message, not the sessions.
func TestCentralFault(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		th.sys.cast.root.Send(th.sys.cast.lobby, (*phaseChanged)(nil))
		th.sys.cast.root.Send(th.sys.cast.queue, (*withdraw)(nil))
		wait(time.Second)
		ann.sees(play.Phase_RUNNING)
		th.runner().end()
		ann.ended("completed", closeNormal)
		bob := th.come(definition(1), "bob")
		bob.sees(play.Phase_RUNNING)
	})
}

// Everything that waits is seen by Admin in the order in which it was opened.
func TestSessionsView(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		var want []string
		for _, who := range []string{"ann", "bob", "cem"} {
			want = append(want, string(th.join(definition(1), who).ticket.Session))
			wait(time.Millisecond)
		}
		all, err := th.sys.Sessions(t.Context())
		var got []string
		for _, v := range all {
			got = append(got, string(v.ID))
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("Sessions are %v, %v, want %v", got, err, want)
		}
	})
}

// An assignment for a wish that was taken back is left alone: the slot is another's.
func TestAssignmentOfAnOldWish(t *testing.T) {
	inTheatre(t, 0, func(th *theatre) {
		ann := th.come(definition(1), "ann")
		th.sys.cast.root.Send(th.sys.session(ann.ticket.Session), &assigned{number: 99, runner: th.sys.cast.queue, id: "node"})
		wait(time.Second)
		ann.sees(play.Phase_QUEUED)
		if v := th.view(ann.ticket.Session); v.Runner != "" || v.Episode != 0 {
			t.Errorf("ann's session took runner %q for episode %d", v.Runner, v.Episode)
		}
	})
}
