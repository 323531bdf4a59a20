package actors

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/link"
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
		if err != nil || len(v) != 1 || v[0].Session != bob.ticket.Session || v[0].Runner != "node" || v[0].Node {
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

// Slots of a node that began anew are not those that it had before.
func TestIncarnations(t *testing.T) {
	inTheatre(t, 0, func(th *theatre) {
		th.far("far", "inc_one", "gpu")
		_, got := th.far("far", "inc_two", "gpu")
		th.far("far", "inc_one", "gpu") // a straggler
		v, err := th.sys.Runners(t.Context())
		if err != nil || len(v) != 1 || v[0].Incarnation != "inc_two" {
			t.Fatalf("Admin shows %+v, %v, want the newer one alone", v, err)
		}
		th.come(definition(1, needs("gpu")), "ann")
		if len(got) != 1 {
			t.Errorf("%d slots were given ann's episode", len(got))
		}
	})
}

// far is a slot of a node, which takes what it is given and says nothing.
func (th *theatre) far(node, incarnation string, labels ...string) (*actor.PID, chan *messages.Start) {
	got := make(chan *messages.Start, 10)
	pid := th.sys.cast.root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			ctx.Request(th.sys.cast.queue, &messages.Offer{RunnerId: node, Incarnation: incarnation, Labels: labels})
		case *messages.Start:
			got <- m
		}
	}))
	synctest.Wait()
	return pid, got
}

// A session that needs what nobody has hears so, and again when that changes; the
// sentence is calm as long as nodes may be on their way.
func TestNodesComeAndGo(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := th.come(definition(1, needs("gpu")), "ann")
		soon := ann.sees(play.Phase_QUEUED).GetReason()
		if v := th.view(ann.ticket.Session); v.Problem != "no runner that is connected has the labels [gpu]" || soon == "" {
			t.Errorf("Admin reads %q, ann %q, want both to know at once, and Admin which label", v.Problem, soon)
		}
		wait(11 * time.Second)
		if final := ann.sees(play.Phase_QUEUED).GetReason(); final == soon {
			t.Errorf("after ten seconds ann still reads %q", final)
		}
		_, got := th.far("far", "inc_one", "gpu")
		ann.sees(play.Phase_RUNNING)
		if len(got) != 1 {
			t.Error("the node was not given ann's episode")
		}
		bob := th.come(definition(1, needs("gpu")), "bob")
		if r := bob.sees(play.Phase_QUEUED).GetReason(); r != "" {
			t.Errorf("bob reads %q, and waits only for ann", r)
		}
		th.sys.cast.root.Send(th.sys.cast.queue, &nodeChanged{link.Event{Change: link.Gone, Node: link.Node{ID: "far", Incarnation: "inc_one"}}})
		synctest.Wait()
		if r := bob.sees(play.Phase_QUEUED).GetReason(); r == "" {
			t.Error("nobody told bob that the node is gone")
		}
		th.far("far", "inc_two", "gpu")
		// Ann's episode had begun, so it is hers.
		ann.sees(play.Phase_RUNNING)
		bob.sees(play.Phase_QUEUED)
		if k := th.store.kinds(); k["unsatisfiable"] < 2 || k["satisfiable"] < 1 {
			t.Errorf("events %v", k)
		}
	})
}

// A node that is away gets no session until it is back.
func TestNodeAway(t *testing.T) {
	inTheatre(t, 0, func(th *theatre) {
		_, got := th.far("far", "inc_one")
		tell := func(c link.Change) {
			th.sys.cast.root.Send(th.sys.cast.queue, &nodeChanged{link.Event{Change: c, Node: link.Node{ID: "far", Incarnation: "inc_one"}}})
			synctest.Wait()
		}
		tell(link.Away)
		ann := th.come(definition(1), "ann")
		ann.sees(play.Phase_QUEUED)
		if v, _ := th.sys.Runners(t.Context()); len(v) != 1 || !v[0].Away {
			t.Errorf("Admin shows %+v", v)
		}
		tell(link.Back)
		ann.sees(play.Phase_RUNNING)
		if len(got) != 1 {
			t.Error("the node was not given ann's episode")
		}
	})
}

// A machine with something special is kept for those who need it, and of machines that
// are alike the one with the least to do plays.
func TestWhichSlotIsChosen(t *testing.T) {
	inTheatre(t, 0, func(th *theatre) {
		given := map[string]int{}
		for _, node := range []string{"gpu", "gpu", "one", "one", "two", "two"} {
			var labels []string
			if node == "gpu" {
				labels = []string{"gpu"}
			}
			_, got := th.far(node, "inc_"+node, labels...)
			go func() {
				<-got
				th.mu.Lock()
				defer th.mu.Unlock()
				given[node]++
			}()
		}
		for i, want := range []map[string]int{{"one": 1}, {"one": 1, "two": 1}, {"gpu": 1, "one": 1, "two": 1}} {
			var change []func(*experiments.Definition)
			if i == 2 {
				change = append(change, needs("gpu"))
			}
			th.come(definition(1, change...), fmt.Sprint("person", i))
			th.mu.Lock()
			if !maps.Equal(given, want) {
				t.Errorf("after %d sessions the nodes were given %v, want %v", i+1, given, want)
			}
			th.mu.Unlock()
		}
		for i := 3; i < 6; i++ {
			th.come(definition(1), fmt.Sprint("person", i))
		}
		th.mu.Lock()
		defer th.mu.Unlock()
		if want := map[string]int{"gpu": 2, "one": 2, "two": 2}; !maps.Equal(given, want) {
			t.Errorf("six sessions are with %v, want %v", given, want)
		}
	})
}
