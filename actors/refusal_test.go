package actors

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
	"sharpie/actors/play"
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
