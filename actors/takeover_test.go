package actors

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
	"sharpie/actors/play"
	"sharpie/experiments"
	"sharpie/persistence"
)

func resumes(d *experiments.Definition) { d.Experiment.OnRunnerLoss = "resume" }

// cut lets nothing through between a session and a puppet, as when a link breaks.
func (th *theatre) cut(p *puppet) {
	th.t.Helper()
	to := on(p, func(p *puppet) *actor.PID { return p.session })
	ref, ok := th.sys.as.ProcessRegistry.Get(to)
	if !ok {
		th.t.Fatal("the session is gone")
	}
	ref.SendSystemMessage(to, &actor.Terminated{Who: on(p, func(p *puppet) *actor.PID { return p.pid }), Why: actor.TerminatedReason_AddressTerminated})
	synctest.Wait()
}

// recite sends old steps once more.
func (p *puppet) recite(from, to uint64) {
	for i := from; i <= to; i++ {
		p.say(on(p, func(p *puppet) any { return p.stepped(i, nil) }))
	}
}

// whole fails the test unless the steps 0 to last of the session's one episode are
// stored, each once. It returns the episode.
func (th *theatre) whole(id persistence.SessionID, last int) *persistence.Episode {
	th.t.Helper()
	wait(2 * time.Second)
	all, _ := th.store.EpisodesOf(th.t.Context(), id)
	if len(all) != 1 {
		th.t.Fatalf("%d attempts are stored, want one", len(all))
	}
	got := th.store.steps(all[0].ID)
	for i, step := range got {
		if step != int64(i) {
			th.t.Fatalf("record %d is of step %d: one is lost or doubled", i, step)
		}
	}
	if len(got) != last+1 {
		th.t.Fatalf("%d records are stored, want those of steps 0 to %d", len(got), last)
	}
	return all[0]
}

// A runner that comes back within the grace goes on from the very step.
func TestRunnerAwayAndBack(t *testing.T) {
	inTheatre(t, 2, func(th *theatre) {
		ann := playing(th, definition(1, resumes), "ann")[0]
		r := th.runner()
		r.advance(40)
		th.cut(r)
		if ph := ann.sees(play.Phase_PAUSED); ph.GetReason() != noticeAway || ph.GetDeadlineUs() == 0 {
			t.Errorf("ann reads %q, deadline %d", ph.GetReason(), ph.GetDeadlineUs())
		}
		ann.press("a")
		if n := len(on(r, func(p *puppet) []*messages.Input { return p.inputs })); n != 0 {
			t.Errorf("%d inputs were sent to a runner that is away", n)
		}
		wait(1200 * time.Millisecond)
		knocks := on(r, func(p *puppet) []*messages.Reattach { return p.knocks })
		if len(knocks) != 3 || knocks[2].GetReceived() != 40 || knocks[2].GetEpisodeId() != r.starts[0].GetEpisodeId() {
			t.Errorf("the session knocked with %v, want three times, after step 40", knocks)
		}
		r.recite(38, 43)
		ann.sees(play.Phase_RUNNING)
		if in := on(r, func(p *puppet) []*messages.Input { return p.inputs }); len(in) != 1 || !slices.Equal(in[0].GetKeys(), []string{"a"}) {
			t.Errorf("the runner was told of the keys %v, want that a is held", in)
		}
		on(r, func(p *puppet) bool { p.step = 43; return true })
		r.advance(7)
		if f := newest(ann, (*play.ServerMessage).GetFrame); f.GetStep() != 50 {
			t.Errorf("ann sees step %d, want 50", f.GetStep())
		}
		r.end()
		e := th.whole(ann.ticket.Session, 50)
		if e.Status != "terminated" || e.Steps != 50 || len(e.Runs) != 0 {
			t.Errorf("stored %+v", e)
		}
		if k := th.store.kinds(); k["runner_away"] != 1 || k["runner_back"] != 1 || k["runner_lost"] != 0 {
			t.Errorf("events %v", k)
		}
	})
}

// A step that got lost on the way is asked for; nothing after it is stored before it.
func TestGapIsAskedFor(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1, resumes), "ann")[0]
		r := th.runner()
		r.advance(5)
		on(r, func(p *puppet) bool { p.step = 7; return true })
		r.advance(2)
		if k := on(r, func(p *puppet) []*messages.Reattach { return p.knocks }); len(k) != 1 || k[0].GetReceived() != 5 {
			t.Fatalf("the session asked %v, want once for what follows step 5", k)
		}
		r.recite(6, 9)
		r.end()
		th.whole(ann.ticket.Session, 9)
	})
}

// A runner that is not back in a moment is replaced: the same episode goes on elsewhere,
// with every step once, and nothing that the old one still says counts.
func TestTakeover(t *testing.T) {
	inTheatre(t, 2, func(th *theatre) {
		ann := playing(th, definition(1, resumes), "ann")[0]
		old := th.runner()
		old.advance(300, func(m *messages.Stepped) {
			m.Record.ObservationHash = m.Record.Step * 7
			m.Record.Roles[0].Action = &messages.Value{Kind: &messages.Value_Integer{Integer: int64(m.Record.Step % 3)}}
		})
		th.cut(old)
		wait(2 * time.Second)
		fresh := th.other(old)
		ann.sees(play.Phase_RUNNING)
		start := on(fresh, func(p *puppet) *messages.Start { return p.starts[0] })
		if start.GetEpisodeId() != old.starts[0].GetEpisodeId() || start.GetResumeThrough() != 300 || start.GetResumeOffsetUs() != 300_000 || start.GetSeed() != old.starts[0].GetSeed() {
			t.Errorf("the other runner was told %v", start)
		}
		n := uint64(0)
		for _, part := range on(fresh, func(p *puppet) []*messages.Replay { return p.replays }) {
			for _, s := range part.GetSteps() {
				if s.GetObservationHash() != n*7 || (n > 0 && s.GetActions()[0].GetInteger() != int64(n%3)) || (n == 0 && len(s.GetActions()) != 0) {
					t.Fatalf("step %d is replayed as %v", n, s)
				}
				n++
			}
		}
		if n != 301 {
			t.Errorf("%d steps are replayed, want 301", n)
		}
		// the old one is back, and does not know
		late := on(old, func(p *puppet) any { return p.stepped(301, nil) })
		old.root.RequestWithCustomSender(on(old, func(p *puppet) *actor.PID { return p.session }), late, old.pid)
		fresh.advance(20)
		if f := newest(ann, (*play.ServerMessage).GetFrame); f.GetStep() != 320 {
			t.Errorf("ann sees step %d, want 320", f.GetStep())
		}
		fresh.end()
		e := th.whole(ann.ticket.Session, 320)
		if len(e.Runs) != 1 || e.Runs[0].FromStep != 300 || e.Status != "terminated" || e.Roles[0].Return != 321 {
			t.Errorf("stored %+v", e)
		}
		if k := th.store.kinds(); k["runner_away"] != 1 || k["runner_lost"] != 1 || k["resumed"] != 1 || k["restarted"] != 0 {
			t.Errorf("events %v", k)
		}
		if on(old, func(p *puppet) int { return p.releases }) != 1 {
			t.Error("the lost runner was not told that it is free")
		}
	})
}

// Who is there first goes on. A runner that is back before another one is free keeps
// the episode, and the wish for another one is withdrawn.
func TestTheOldRunnerIsQuickerThanAnother(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1, resumes), "ann")[0]
		r := th.runner()
		r.advance(10)
		th.cut(r)
		wait(4 * time.Second)
		r.recite(11, 11)
		ann.sees(play.Phase_RUNNING)
		th.waiting(0)
		on(r, func(p *puppet) bool { p.step = 11; return true })
		r.advance(4)
		r.end()
		if e := th.whole(ann.ticket.Session, 15); len(e.Runs) != 0 || e.Status != "terminated" {
			t.Errorf("stored %+v", e)
		}
		if k := th.store.kinds(); k["runner_back"] != 1 || k["runner_lost"] != 0 {
			t.Errorf("events %v", k)
		}
	})
}

// Where nothing but a new beginning is possible, another runner is not asked for
// before the grace is over.
func TestARestartIsNotHurried(t *testing.T) {
	restarts := func(d *experiments.Definition) { d.Experiment.OnRunnerLoss = "restart" }
	inTheatre(t, 2, func(th *theatre) {
		ann := playing(th, definition(1, restarts), "ann")[0]
		r := th.runner()
		r.advance(10)
		th.cut(r)
		wait(9 * time.Second)
		ann.sees(play.Phase_PAUSED)
		th.waiting(0)
		wait(2 * time.Second)
		if s := on(th.other(r), func(p *puppet) *messages.Start { return p.starts[0] }); s.GetAttempt() != 1 {
			t.Errorf("the other runner was told %v", s)
		}
	})
}

// Nobody hurries for people who are not there: the next runner is asked for when they
// are back.
func TestNoOtherRunnerWithoutPeople(t *testing.T) {
	inTheatre(t, 2, func(th *theatre) {
		people := playing(th, definition(2, resumes, onDropOut(experiments.DropOutPause), impatient), "ann", "bob")
		r := th.runner()
		r.advance(3)
		th.cut(r)
		people[1].drop()
		wait(3 * time.Second)
		people[0].sees(play.Phase_PAUSED)
		people[1].attach()
		wait(time.Second)
		people[0].sees(play.Phase_RUNNING)
		if s := on(th.other(r), func(p *puppet) *messages.Start { return p.starts[0] }); s.GetResumeThrough() != 3 {
			t.Errorf("the other runner was told %v", s)
		}
	})
}

func impatient(d *experiments.Definition) {
	d.Experiment.ReconnectGrace = experiments.Duration(time.Second)
}

// A session that ends while it waits for another runner leaves the Queue.
func TestAnEndWhileAnotherRunnerIsSought(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1, resumes), "ann")[0]
		r := th.runner()
		r.advance(3)
		th.cut(r)
		wait(3 * time.Second)
		th.waiting(1)
		if err := th.sys.Abort(t.Context(), ann.ticket.Session, "admin", "enough"); err != nil {
			t.Fatal(err)
		}
		wait(time.Second)
		ann.ended("aborted", closeNormal)
		th.waiting(0)
		th.whole(ann.ticket.Session, 3)
	})
}

// waiting fails the test unless so many sessions wait in the Queue.
func (th *theatre) waiting(want int) {
	th.t.Helper()
	synctest.Wait()
	if n := th.sys.Health(th.t.Context()).Waiting; n != want {
		th.t.Errorf("%d sessions wait for a runner, want %d", n, want)
	}
}

// other is the puppet that took over from another.
func (th *theatre) other(than *puppet) *puppet {
	th.t.Helper()
	th.mu.Lock()
	defer th.mu.Unlock()
	for _, p := range th.puppets {
		if p != than && on(p, func(p *puppet) int { return len(p.starts) }) > 0 {
			return p
		}
	}
	th.t.Fatal("no other runner was given the episode")
	return nil
}

// Where the episode cannot be replayed it begins again, with the same seed, and the
// researcher reads why.
func TestTakeoverFails(t *testing.T) {
	for name, prepare := range map[string]func(*theatre, *puppet){
		"mismatch": func(th *theatre, _ *puppet) {
			for _, p := range th.puppets {
				on(p, func(p *puppet) bool { p.clumsy = true; return true })
			}
		},
		"lost steps": func(th *theatre, _ *puppet) {
			th.store.mu.Lock()
			clear(th.store.chunks)
			th.store.mu.Unlock()
		},
	} {
		t.Run(name, func(t *testing.T) {
			inTheatre(t, 2, func(th *theatre) {
				ann := playing(th, definition(1, resumes), "ann")[0]
				old := th.runner()
				old.advance(10)
				wait(2 * time.Second)
				prepare(th, old)
				old.root.Stop(old.pid)
				wait(time.Second)
				r := th.runner()
				if s := r.starts[len(r.starts)-1]; s.GetAttempt() != 1 || s.ResumeThrough != nil || s.GetSeed() != old.starts[0].GetSeed() {
					t.Errorf("the round was given as %v", s)
				}
				ann.sees(play.Phase_RUNNING)
				if k := th.store.kinds(); k["restarted"] != 1 || k["resumed"] != 0 {
					t.Errorf("events %v", k)
				}
			})
		})
	}
}

// Losses of runners do not go on for ever.
func TestTakeoversAreBounded(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1, resumes), "ann")[0]
		for range maxAttempts {
			th.mu.Lock()
			r := th.puppets[len(th.puppets)-1] // in the slot now
			th.mu.Unlock()
			r.advance(1)
			r.root.Stop(on(r, func(p *puppet) *actor.PID { return p.pid }))
			wait(5 * time.Second)
		}
		ann.ended("aborted", closeNormal)
		if s := th.store.only(t); s.Reason.Code != "runner_lost" {
			t.Errorf("stored reason %+v", s.Reason)
		}
	})
}

// Losses that come long after each other have nothing to do with each other: an episode
// of hours survives more of them than one that kills its runners.
func TestRareLossesAreNotBounded(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1, resumes), "ann")[0]
		for range maxAttempts + 2 {
			th.mu.Lock()
			r := th.puppets[len(th.puppets)-1] // in the slot now
			th.mu.Unlock()
			r.advance(1)
			r.root.Stop(on(r, func(p *puppet) *actor.PID { return p.pid }))
			wait(2 * calmAfter)
		}
		ann.sees(play.Phase_RUNNING)
	})
}

// Somebody who leaves while the runner is away has left for good when it is back.
func TestSeatsWhileTheRunnerIsAway(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		d := definition(2, resumes, func(d *experiments.Definition) { d.Experiment.OnDropOut = experiments.DropOutContinue })
		people := playing(th, d, "ann", "bob")
		r := th.runner()
		r.advance(3)
		th.cut(r)
		if err := th.sys.Leave(t.Context(), people[1].ticket.Session, "bob"); err != nil {
			t.Fatal(err)
		}
		r.recite(4, 4)
		people[0].sees(play.Phase_RUNNING)
		seats := on(r, func(p *puppet) []*messages.SetSeat { return p.seats })
		if len(seats) != 1 || seats[0].GetRole() != 1 || seats[0].GetOccupant() != messages.SetSeat_DEFAULTS {
			t.Errorf("the runner was told %v, want that defaults act for bob", seats)
		}
	})
}

// A key that is held while the runner changes counts on, and is recorded once.
func TestAKeyThatIsHeldIsRecordedOnce(t *testing.T) {
	for name, used := range map[string]bool{"used before": true, "not used yet": false} {
		t.Run(name, func(t *testing.T) {
			inTheatre(t, 2, func(th *theatre) {
				ann := playing(th, definition(1, resumes), "ann")[0]
				old := th.runner()
				old.advance(3)
				ann.press("a")
				synctest.Wait()
				seq := on(old, func(p *puppet) uint64 { return p.inputs[0].GetSeq() })
				old.advance(1, func(m *messages.Stepped) {
					if used {
						m.InputSeqs = []uint64{seq}
					}
				})
				th.cut(old)
				wait(2 * time.Second)
				told := on(th.other(old), func(p *puppet) []*messages.Input { return p.inputs })
				want := seq
				if used {
					want = 0
				}
				if len(told) != 1 || len(told[0].GetKeys()) != 1 || told[0].GetSeq() != want {
					t.Errorf("the other runner was told %v, want the key, as input %d", told, want)
				}
			})
		})
	}
}

// People read why the round is at its beginning, although another runner is there at once.
func TestARoundThatStartsAgainSaysSo(t *testing.T) {
	restarts := func(d *experiments.Definition) { d.Experiment.OnRunnerLoss = "restart" }
	inTheatre(t, 2, func(th *theatre) {
		ann := playing(th, definition(1, restarts), "ann")[0]
		r := th.runner()
		r.advance(10)
		r.root.Stop(on(r, func(p *puppet) *actor.PID { return p.pid }))
		wait(time.Second)
		fresh := th.other(r)
		fresh.advance(3)
		if ph := ann.sees(play.Phase_RUNNING); ph.GetReason() != noticeRestart {
			t.Errorf("ann reads %q, want %q", ph.GetReason(), noticeRestart)
		}
		wait(2 * noticeTime)
		fresh.advance(1)
		if ph := ann.sees(play.Phase_RUNNING); ph.GetReason() != "" {
			t.Errorf("ann still reads %q", ph.GetReason())
		}
	})
}
