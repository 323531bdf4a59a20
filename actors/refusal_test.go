package actors

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
	"sharpie/actors/play"
	"sharpie/experiments"
)

// lack takes what experiments need away from a puppet's machine.
func lack(p *puppet) { on(p, func(p *puppet) bool { p.lacking = true; return true }) }

// What one machine lacks another one may have: people notice nothing.
func TestAnEpisodeGoesWhereItCanBePlayed(t *testing.T) {
	inTheatre(t, 2, func(th *theatre) {
		for _, p := range th.puppets {
			lack(p)
		}
		_, got := th.far("far", "inc_one")
		ann := th.come(definition(1), "ann")
		ann.sees(play.Phase_RUNNING)
		if len(got) != 1 {
			t.Fatalf("the other node was given %d episodes, want this one", len(got))
		}
		first := on(th.runner(), func(p *puppet) *messages.Start { return p.starts[0] })
		if s := <-got; s.GetSeed() != first.GetSeed() || s.GetAttempt() != 0 || s.GetEpisodeIndex() != 0 {
			t.Errorf("it was given as %v, want the same round", s)
		}
		asked, released := 0, 0
		for _, p := range th.puppets {
			asked += len(on(p, func(p *puppet) []*messages.Start { return p.starts }))
			released += on(p, func(p *puppet) int { return p.releases })
		}
		if asked != 1 || released != 1 {
			t.Errorf("the machine that cannot was asked %d times and released %d times, want each once", asked, released)
		}
		wait(time.Second)
		if k := th.store.kinds(); k["refused"] != 1 || k["failed"] != 0 {
			t.Errorf("events %v", k)
		}
	})
}

// Where nobody else is there, the researcher reads at once what is missing.
func TestAnEpisodeThatNobodyCanPlay(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		lack(th.puppets[0])
		ann := th.come(definition(1), "ann")
		wait(time.Second)
		ann.ended("aborted", closeNormal)
		if s := th.store.only(t); s.Reason.Code != "bad_experiment" || s.Reason.Detail != "bad_experiment in load: there is no Python here" {
			t.Errorf("stored reason %+v", s.Reason)
		}
		if k := th.store.kinds(); k["refused"] != 1 || k["failed"] != 1 {
			t.Errorf("events %v", k)
		}
	})
}

// An episode that looks for its next runner does not begin again because one of them
// lacks something.
func TestATakeoverIsRefusedByOneAndTakenByAnother(t *testing.T) {
	inTheatre(t, 2, func(th *theatre) {
		ann := playing(th, definition(1, resumes), "ann")[0]
		old := th.runner()
		old.advance(10)
		wait(2 * time.Second)
		for _, p := range th.puppets {
			lack(p)
		}
		old.root.Stop(on(old, func(p *puppet) *actor.PID { return p.pid }))
		wait(time.Second)
		ann.sees(play.Phase_QUEUED)
		_, got := th.far("far", "inc_one")
		synctest.Wait()
		if len(got) != 1 {
			t.Fatalf("the other node was given %d episodes, want this one", len(got))
		}
		if s := <-got; s.GetResumeThrough() != 10 || s.GetEpisodeId() != old.starts[0].GetEpisodeId() {
			t.Errorf("it was given as %v, want that it goes on after step 10", s)
		}
		if k := th.store.kinds(); k["refused"] != 1 || k["restarted"] != 0 || k["failed"] != 0 {
			t.Errorf("events %v", k)
		}
	})
}

// A machine that is about to have what is needed is waited for, and people read so.
func TestAnEpisodeWaitsForAMachineThatGetsReady(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		r := th.puppets[0]
		on(r, func(p *puppet) bool { p.lacking, p.soon = true, true; return true })
		ann := th.come(definition(1), "ann")
		if ph := ann.sees(play.Phase_QUEUED); ph.GetReason() == "" {
			t.Error("ann is not told that the game is being prepared")
		}
		if v := th.view(ann.ticket.Session); v.Problem != "there is no Python here" {
			t.Errorf("Admin reads %q", v.Problem)
		}
		again := func(readiness uint64) {
			on(r, func(p *puppet) bool { p.offered = readiness; return true })
			r.root.RequestWithCustomSender(th.sys.cast.queue, &messages.Offer{RunnerId: "node", Readiness: readiness}, on(r, func(p *puppet) *actor.PID { return p.pid }))
			synctest.Wait()
		}
		starts := func() int { return len(on(r, func(p *puppet) []*messages.Start { return p.starts })) }
		again(0)
		if n := starts(); n != 1 {
			t.Errorf("the machine was asked %d times, and nothing has changed there", n)
		}
		wait(10 * time.Second)
		on(r, func(p *puppet) bool { p.lacking = false; return true })
		again(1)
		ann.sees(play.Phase_RUNNING)
		if n := starts(); n != 2 {
			t.Errorf("the machine was asked %d times, want twice", n)
		}
		r.advance(3)
		r.end()
		wait(time.Second)
		ann.ended("completed", closeNormal)
	})
}

// It is not waited for longer than people wait for a runner, however often it refuses.
func TestAMachineThatDoesNotGetReadyIsNotWaitedForForEver(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		r := th.puppets[0]
		on(r, func(p *puppet) bool { p.lacking, p.soon = true, true; return true })
		ann := th.come(definition(1), "ann") // queue_timeout is a minute
		for i := range uint64(7) {
			wait(8 * time.Second)
			ann.sees(play.Phase_QUEUED)
			on(r, func(p *puppet) bool { p.offered = i + 1; return true })
			r.root.RequestWithCustomSender(th.sys.cast.queue, &messages.Offer{RunnerId: "node", Readiness: i + 1}, on(r, func(p *puppet) *actor.PID { return p.pid }))
			synctest.Wait()
		}
		wait(6 * time.Second)
		ann.ended("aborted", closeNormal)
		if s := th.store.only(t); s.Reason.Code != "bad_experiment" {
			t.Errorf("stored reason %+v", s.Reason)
		}
	})
}

// A round that has not begun is given to another runner in a moment, whatever
// on_runner_loss says: nothing of it is lost.
func TestARoundThatHasNotBegunGoesElsewhere(t *testing.T) {
	for _, loss := range []string{"resume", "restart", "abort"} {
		t.Run(loss, func(t *testing.T) {
			inTheatre(t, 2, func(th *theatre) {
				for _, p := range th.puppets {
					on(p, func(p *puppet) bool { p.loading = true; return true })
				}
				ann := th.come(definition(1, func(d *experiments.Definition) { d.Experiment.OnRunnerLoss = loss }), "ann")
				r := th.runner()
				wait(time.Second)
				for _, p := range th.puppets {
					on(p, func(p *puppet) bool { p.loading = false; return true })
				}
				th.cut(r)
				wait(2 * time.Second)
				ann.sees(play.Phase_RUNNING)
				fresh := th.other(r)
				if s := on(fresh, func(p *puppet) *messages.Start { return p.starts[0] }); s.GetAttempt() != 0 || s.ResumeThrough != nil || s.GetSeed() != r.starts[0].GetSeed() {
					t.Errorf("the other runner was told %v, want the same round", s)
				}
				fresh.advance(3)
				fresh.end()
				e := th.whole(ann.ticket.Session, 3)
				if e.Status != "terminated" || e.Attempt != 0 {
					t.Errorf("stored %+v", e)
				}
			})
		})
	}
}

// One that kills its runners before it begins does not do so for ever.
func TestRoundsThatNeverBeginAreBounded(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		th.mu.Lock()
		th.loading = true
		th.mu.Unlock()
		on(th.puppets[0], func(p *puppet) bool { p.loading = true; return true })
		ann := th.come(definition(1, resumes), "ann")
		for range maxAttempts {
			th.mu.Lock()
			r := th.puppets[len(th.puppets)-1] // in the slot now
			th.mu.Unlock()
			r.root.Stop(on(r, func(p *puppet) *actor.PID { return p.pid }))
			wait(5 * time.Second)
		}
		ann.ended("aborted", closeNormal)
		if s := th.store.only(t); s.Reason.Code != "runner_lost" {
			t.Errorf("stored reason %+v", s.Reason)
		}
	})
}
