package actors

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sharpie/actors/messages"
	"sharpie/actors/play"
	"sharpie/experiments"
	"sharpie/persistence"
)

// playing opens a session with everybody in it, running, at step 0.
func playing(th *theatre, d *experiments.Definition, names ...string) []*person {
	th.t.Helper()
	var all []*person
	for _, n := range names {
		all = append(all, th.come(d, n))
	}
	if len(names) > 1 {
		wait(4 * time.Second) // the countdown
	}
	all[0].sees(play.Phase_RUNNING)
	return all
}

func onDropOut(p experiments.DropOut) func(*experiments.Definition) {
	return func(d *experiments.Definition) {
		d.Experiment.OnDropOut = p
		if p == experiments.DropOutAI {
			d.Experiment.DropOutPolicy = "stand-in"
		}
	}
}

// A reload keeps the seat: no duplicate, and the picture is there at once.
func TestReloadKeepsTheSeat(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		d := definition(2)
		people := playing(th, d, "ann", "bob")
		th.runner().advance(5)
		bob := people[1]
		bob.press("a")
		bob.drop()
		if s := people[0].messages(); len(s) == 0 {
			t.Fatal("ann sees nothing")
		}
		wait(10 * time.Second)
		if s := people[0].sees(play.Phase_RUNNING).Seats[1]; s.State != play.Seat_AWAY {
			t.Errorf("ann sees bob %v, want AWAY", s.State)
		}
		again := th.join(d, "bob")
		if !again.ticket.Rejoined || again.ticket.Session != bob.ticket.Session || again.ticket.Role != "r1" {
			t.Fatalf("bob's second Join gave %+v", again.ticket)
		}
		bob.attach()
		got := bob.messages()
		if w := got[0].GetWelcome(); w.GetNextSeq() != 2 || w.GetRole() != "r1" || w.GetWidth() != 8 {
			t.Errorf("the first message is %v, want a Welcome with next_seq 2", got[0])
		}
		if f := newest(bob, (*play.ServerMessage).GetFrame); f.GetStep() != 5 || !bytes.Equal(f.GetData(), []byte{5}) {
			t.Errorf("after the reload bob sees %v, want the picture of step 5", f)
		}
		wait(time.Second)
		if s := people[0].sees(play.Phase_RUNNING).Seats[1]; s.State != play.Seat_HERE {
			t.Errorf("ann sees bob %v, want HERE", s.State)
		}
		wait(time.Minute) // the grace of the first absence must not strike now
		people[0].sees(play.Phase_RUNNING)
		if n := th.store.kinds(); n["disconnect"] != 1 || n["reconnect"] != 1 || n["drop_out"] != 0 {
			t.Errorf("events %v, want one disconnect and one reconnect", n)
		}
	})
}

func TestNewestTabWins(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		second := &person{th: th, id: ann.id, ticket: ann.ticket, seq: 10}
		second.attach()
		ann.ended("replaced", closeReplaced)
		if err := ann.send(&play.ClientMessage{Kind: &play.ClientMessage_Input{Input: &play.Input{Seq: 1, Keys: []string{"a"}}}}); err != nil {
			t.Errorf("the old tab's input: %v", err)
		}
		second.press("b")
		wait(time.Minute) // the old tab's end starts no grace
		second.sees(play.Phase_RUNNING)
		in := on(th.runner(), func(p *puppet) []*messages.Input { return p.inputs })
		if len(in) != 1 || in[0].GetSeq() != 11 || in[0].GetKeys()[0] != "b" {
			t.Errorf("the runner got %v, want only the new tab's input", in)
		}
	})
}

func TestSeatsOfOthers(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		if _, err := th.sys.Attach(t.Context(), ann.ticket.Session, "eve"); !errors.Is(err, ErrNotYours) {
			t.Errorf("attach to a stranger's session: %v, want ErrNotYours", err)
		}
		if _, err := th.sys.Attach(t.Context(), "s_none", "ann"); !errors.Is(err, ErrGone) {
			t.Errorf("attach to no session: %v, want ErrGone", err)
		}
		if _, _, err := th.sys.Seat(t.Context(), ann.ticket.Session, "eve"); !errors.Is(err, ErrNotYours) {
			t.Errorf("seat of a stranger: %v, want ErrNotYours", err)
		}
		if err := th.sys.Leave(t.Context(), ann.ticket.Session, "eve"); !errors.Is(err, ErrNotYours) {
			t.Errorf("a stranger leaves: %v, want ErrNotYours", err)
		}
		v, s, err := th.sys.Seat(t.Context(), ann.ticket.Session, "ann")
		if err != nil || v.Phase != "running" || s.Role != "r0" || s.State != "here" || v.Episode != 1 || v.Runner != "node" {
			t.Errorf("ann's seat is %+v in %+v, %v", s, v, err)
		}
	})
}

func TestDropOut(t *testing.T) {
	grace := 21 * time.Second
	t.Run("pause, and they come back", func(t *testing.T) {
		inTheatre(t, 1, func(th *theatre) {
			people := playing(th, definition(2, onDropOut(experiments.DropOutPause)), "ann", "bob")
			people[1].drop()
			wait(19 * time.Second)
			people[0].sees(play.Phase_RUNNING)
			wait(2 * time.Second)
			ph := people[0].sees(play.Phase_PAUSED)
			if left := time.Until(time.UnixMicro(ph.GetDeadlineUs())).Round(time.Second); left != 59*time.Second {
				t.Errorf("the pause ends in %v, want 59s", left)
			}
			people[0].press("a") // does not count
			people[1].attach()
			people[0].sees(play.Phase_RUNNING)
			r := th.runner()
			if n := on(r, func(p *puppet) [3]int { return [3]int{p.pauses, p.resumes, len(p.inputs)} }); n != [3]int{1, 1, 0} {
				t.Errorf("the runner was paused, resumed and given inputs %v times, want 1, 1, 0", n)
			}
		})
	})
	t.Run("pause, and they do not", func(t *testing.T) {
		inTheatre(t, 1, func(th *theatre) {
			people := playing(th, definition(2, onDropOut(experiments.DropOutPause)), "ann", "bob")
			people[1].drop()
			wait(grace + 61*time.Second)
			people[0].ended("aborted", closeNormal)
			if s := th.store.only(t); s.Reason.Code != "dropped_out" || !s.Finished {
				t.Errorf("stored reason %q", s.Reason.Code)
			}
		})
	})
	t.Run("pause, but they left for good", func(t *testing.T) {
		inTheatre(t, 1, func(th *theatre) {
			people := playing(th, definition(2, onDropOut(experiments.DropOutPause)), "ann", "bob")
			if err := people[1].send(&play.ClientMessage{Kind: &play.ClientMessage_Leave{Leave: &play.Leave{}}}); err != nil {
				t.Fatal(err)
			}
			wait(time.Second)
			people[0].ended("aborted", closeNormal)
			people[1].ended("left", closeNormal)
		})
	})
	t.Run("abort", func(t *testing.T) {
		inTheatre(t, 1, func(th *theatre) {
			people := playing(th, definition(2, onDropOut(experiments.DropOutAbort)), "ann", "bob")
			people[1].drop()
			wait(grace)
			people[0].ended("aborted", closeNormal)
		})
	})
}

// A seat that is given up goes to a policy, or to the defaults, for good.
func TestDropOutReplaced(t *testing.T) {
	grace := 21 * time.Second
	for policy, occupant := range map[experiments.DropOut]messages.SetSeat_Occupant{
		experiments.DropOutAI: messages.SetSeat_POLICY, experiments.DropOutContinue: messages.SetSeat_DEFAULTS} {
		t.Run(string(policy), func(t *testing.T) {
			inTheatre(t, 1, func(th *theatre) {
				people := playing(th, definition(2, onDropOut(policy), func(d *experiments.Definition) { d.Experiment.NumberOfEpisodes = 2 }), "ann", "bob")
				people[1].drop()
				wait(grace)
				want := play.Seat_AI
				if policy == experiments.DropOutContinue {
					want = play.Seat_TAKEN
				}
				if s := people[0].sees(play.Phase_RUNNING).Seats[1].State; s != want {
					t.Errorf("ann sees the seat %v, want %v", s, want)
				}
				r := th.runner()
				if s := on(r, func(p *puppet) []*messages.SetSeat { return p.seats }); len(s) != 2 || s[0].GetRole() != 1 || s[0].GetOccupant() != messages.SetSeat_HUMAN || s[1].GetRole() != 1 || s[1].GetOccupant() != occupant {
					t.Fatalf("the runner was told %v, want the keys of role 1 let go at once, and %v after the grace", s, occupant)
				}
				if _, err := th.sys.Attach(t.Context(), people[1].ticket.Session, "bob"); !errors.Is(err, ErrNotYours) {
					t.Errorf("bob attaches to a seat given up: %v, want ErrNotYours", err)
				}
				if again := th.join(definition(2), "bob"); again.ticket.Rejoined {
					t.Errorf("bob got the seat again that another has")
				}
				r.end()
				wait(6 * time.Second)
				start := on(r, func(p *puppet) *messages.Start { return p.starts[1] })
				if policy == experiments.DropOutAI && !slices.Equal(start.GetAiRoles(), []string{"r1"}) {
					t.Errorf("the next episode's ai_roles are %v", start.GetAiRoles())
				}
				if n := on(r, func(p *puppet) int { return len(p.seats) }); policy == experiments.DropOutContinue && n != 3 {
					t.Errorf("the next episode's seat was not given to defaults")
				}
				people[0].drop()
				wait(grace)
				if s, err := th.store.Session(t.Context(), people[0].ticket.Session); err != nil || s.Reason.Code != "everybody_left" {
					t.Errorf("after the last one left: %v, %v", s, err)
				}
			})
		})
	}
}

// A session keeps its runner from its first episode to its last, and its learners'
// states go along.
func TestEpisodes(t *testing.T) {
	inTheatre(t, 2, func(th *theatre) {
		d := definition(1, func(d *experiments.Definition) {
			d.Experiment.NumberOfEpisodes, d.Experiment.Seeds, d.Experiment.CompletionCode = 3, []uint64{7, 1 << 63}, "THANKS"
			d.Policies, d.Agents[0].Policy = []experiments.Policy{{Name: "tamer", Source: "go:tamer"}}, "tamer"
		})
		th.store.participants["ann"] = persistence.Participant{ID: "ann"}
		ann := playing(th, d, "ann")[0]
		r := th.runner()
		r.advance(3)
		r.say(&messages.EpisodeEnded{EpisodeId: r.starts[0].EpisodeId, LastStep: 3, How: messages.EpisodeEnded_TERMINATED,
			Checkpoints: []*messages.Checkpoint{{EpisodeId: r.starts[0].EpisodeId, Role: "r0", Policy: "tamer", Version: "v3", Step: 3, Data: []byte("state")}}})
		ann.sees(play.Phase_BETWEEN)
		wait(5100 * time.Millisecond)
		if ph := ann.sees(play.Phase_RUNNING); ph.GetEpisode() != 2 {
			t.Errorf("the page shows episode %d, want 2", ph.GetEpisode())
		}
		r.end()
		if err := ann.send(&play.ClientMessage{Kind: &play.ClientMessage_Ready{Ready: &play.Ready{}}}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if ph := ann.sees(play.Phase_RUNNING); ph.GetEpisode() != 3 {
			t.Errorf("Ready did not shorten the break")
		}
		if n := on(r, func(p *puppet) [2]int { return [2]int{len(p.starts), p.releases} }); n != [2]int{3, 0} {
			t.Fatalf("the runner had %d episodes and %d releases, want 3 and 0", n[0], n[1])
		}
		second := r.starts[1]
		if s := second.GetStates(); len(s) != 1 || s[0].GetVersion() != "v3" || string(s[0].GetData()) != "state" {
			t.Errorf("the second episode starts with states %v", s)
		}
		if seeds := []uint64{r.starts[0].Seed, second.Seed, r.starts[2].Seed}; !slices.Equal(seeds, []uint64{7, 1 << 63, 7}) {
			t.Errorf("seeds %v, want the experiment's in turn", seeds)
		}
		r.end()
		wait(time.Second)
		if end := ann.ended("completed", closeNormal); end.GetNext() != "/s/"+string(ann.ticket.Session)+"/thanks" {
			t.Errorf("the page goes to %q", end.GetNext())
		}
		s := th.store.only(t)
		if s.Phase != "completed" || s.Reason.Code != "completed" || s.Episodes != 3 || !s.Finished || s.StartedAt == nil {
			t.Errorf("stored session %+v", s)
		}
		if code := th.store.participants["ann"].CompletionCode; code != "THANKS" {
			t.Errorf("completion code %q, want THANKS", code)
		}
		if n := on(r, func(p *puppet) int { return p.releases }); n != 1 {
			t.Errorf("the runner was released %d times, want 1", n)
		}
		episodes, _ := th.store.EpisodesOf(t.Context(), s.ID)
		for i, e := range episodes {
			if e.Status != "terminated" || e.Index != i || e.EndedAt == nil || e.Roles[0].Participant != "ann" {
				t.Errorf("stored episode %d: %+v", i, e)
			}
		}
		if e := episodes[0]; e.Steps != 3 || e.StoredSteps != 4 || e.Roles[0].Return != 4 || len(th.store.checkpoints) != 1 {
			t.Errorf("first episode has %d steps, %d stored, return %v, and %d checkpoints", e.Steps, e.StoredSteps, e.Roles[0].Return, len(th.store.checkpoints))
		}
	})
}

func TestRunnerLoss(t *testing.T) {
	kill := func(th *theatre, r *puppet) {
		r.root.Stop(r.pid)
		synctest.Wait()
	}
	t.Run("restart", func(t *testing.T) {
		inTheatre(t, 2, func(th *theatre) {
			ann := playing(th, definition(1), "ann")[0]
			lost := th.runner()
			lost.advance(40)
			kill(th, lost)
			r := th.runner()
			if r == lost {
				t.Fatal("the episode was not given to another runner")
			}
			ann.sees(play.Phase_RUNNING)
			if a, b := lost.starts[0], r.starts[0]; b.GetAttempt() != 1 || b.GetSeed() != a.GetSeed() || b.GetEpisodeIndex() != 0 || a.GetEpisodeId() == b.GetEpisodeId() {
				t.Errorf("the second attempt is %v, the first was %v", b, a)
			}
			r.end()
			wait(time.Second)
			episodes, _ := th.store.EpisodesOf(t.Context(), ann.ticket.Session)
			if len(episodes) != 2 || episodes[0].Status != "aborted" || episodes[0].Reason.Code != "runner_lost" || episodes[0].Steps != 40 || episodes[1].Status != "terminated" {
				t.Errorf("stored episodes %+v", episodes)
			}
			if got := th.store.steps(episodes[0].ID); len(got) != 41 {
				t.Errorf("%d steps of the lost attempt are stored, want 41", len(got))
			}
		})
	})
	t.Run("abort", func(t *testing.T) {
		inTheatre(t, 2, func(th *theatre) {
			ann := playing(th, definition(1, func(d *experiments.Definition) { d.Experiment.OnRunnerLoss = "abort" }), "ann")[0]
			kill(th, th.runner())
			wait(time.Second)
			ann.ended("aborted", closeNormal)
			if s := th.store.only(t); s.Reason.Code != "runner_lost" {
				t.Errorf("stored reason %q", s.Reason.Code)
			}
		})
	})
	t.Run("hung", func(t *testing.T) {
		inTheatre(t, 2, func(th *theatre) {
			playing(th, definition(1), "ann")
			hung := th.runner()
			on(hung, func(p *puppet) bool { p.deaf = true; return true })
			wait(11 * time.Minute)
			if th.runner() == hung {
				t.Error("a runner that ignores Stop keeps the episode")
			}
		})
	})
	t.Run("the slot comes again", func(t *testing.T) {
		inTheatre(t, 1, func(th *theatre) {
			ann := playing(th, definition(1), "ann")[0]
			kill(th, th.runner())
			wait(time.Second)
			ann.sees(play.Phase_RUNNING)
		})
	})
}

// What the researcher needs to know about a failure is stored; the participant
// reads a sentence.
func TestEpisodeFailed(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		r := th.runner()
		r.say(&messages.Failed{EpisodeId: r.starts[0].EpisodeId, Code: "env_error", Phase: "step", Type: "ZeroDivisionError", Message: "division by zero",
			Trace: "line 7", Log: "printed before"})
		wait(time.Second)
		if end := ann.ended("aborted", closeNormal); end.GetText() != reasonFailed.Public {
			t.Errorf("the participant reads %q", end.GetText())
		}
		s := th.store.only(t)
		if s.Reason.Code != "env_error" || s.Reason.Detail != "env_error in step: ZeroDivisionError: division by zero\nline 7" {
			t.Errorf("stored reason %+v", s.Reason)
		}
		episodes, _ := th.store.EpisodesOf(t.Context(), s.ID)
		want := &persistence.Fault{State: "env_error", Phase: "step", Type: "ZeroDivisionError", Message: "division by zero", Traceback: "line 7"}
		if diff := cmp.Diff(want, episodes[0].Fault); diff != "" || episodes[0].Log != "printed before" {
			t.Errorf("the episode's log is %q, and its fault (-want +got):\n%s", episodes[0].Log, diff)
		}
		if n := on(r, func(p *puppet) [2]int { return [2]int{len(p.starts), p.releases} }); n[0] != 1 || n[1] == 0 {
			t.Errorf("code that fails was started %d times and its runner released %d times, want one start and its release", n[0], n[1])
		}
	})
}

func TestAbortByAdmin(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		th.runner().advance(7)
		if err := th.sys.Abort(t.Context(), ann.ticket.Session, "root", "wrong version"); err != nil {
			t.Fatal(err)
		}
		wait(time.Second)
		ann.ended("aborted", closeNormal)
		s := th.store.only(t)
		if s.Reason.Code != "aborted_by_admin" || s.Reason.Detail != "by root: wrong version" {
			t.Errorf("stored reason %+v", s.Reason)
		}
		if e, _ := th.store.EpisodesOf(t.Context(), s.ID); len(e) != 1 || e[0].Status != "aborted" || e[0].StoredSteps != 8 {
			t.Errorf("stored episodes %+v", e)
		}
		if th.store.kinds()["admin.abort"] != 1 {
			t.Error("no event says who aborted")
		}
		if err := th.sys.Abort(t.Context(), ann.ticket.Session, "root", ""); !errors.Is(err, ErrGone) {
			t.Errorf("aborting twice: %v, want ErrGone", err)
		}
		if again := th.join(definition(1), "ann"); again.ticket.Rejoined {
			t.Error("Join gave the aborted session again")
		}
	})
}

// A session that panics says so to everybody, and its steps are stored.
func TestSessionFault(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		th.runner().advance(9)
		th.sys.cast.root.Send(th.sys.session(ann.ticket.Session), (*gone)(nil))
		wait(time.Second)
		ann.ended("aborted", closeNormal)
		s := th.store.only(t)
		if s.Reason.Code != "internal" || s.Phase != "aborted" {
			t.Errorf("stored session: %+v", s)
		}
		if e, _ := th.store.EpisodesOf(t.Context(), s.ID); len(th.store.steps(e[0].ID)) != 10 {
			t.Errorf("stored steps %v, want 0 to 9", th.store.steps(e[0].ID))
		}
		th.join(definition(1), "ann")
		if v := on(th.runner(), func(p *puppet) int { return p.releases }); v == 0 { // the Queue may ask too
			t.Error("the runner was not released")
		}
	})
}

// A recorder that panics ends the session; what it had is stored, and the books are
// closed.
func TestRecorderFault(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		th.runner().advance(9)
		for _, bucket := range th.sys.as.ProcessRegistry.LocalPIDs.LocalPIDs {
			for _, id := range bucket.Keys() {
				if strings.HasPrefix(id, "lobby/"+string(ann.ticket.Session)+"/") {
					th.sys.cast.root.Send(th.sys.as.NewLocalPID(id), (*record)(nil)) // the Participant drops it
				}
			}
		}
		wait(5 * time.Second)
		ann.ended("aborted", closeNormal)
		s := th.store.only(t)
		if s.Reason.Code != "internal" || s.Phase != "aborted" || !s.Finished {
			t.Errorf("stored session: %+v", s)
		}
		if e, _ := th.store.EpisodesOf(t.Context(), s.ID); len(e) != 1 || e[0].Status != "aborted" || e[0].Steps != 9 || e[0].StoredSteps != 10 || e[0].Roles[0].Return != 10 {
			t.Errorf("stored episodes %+v", e)
		}
		if h := th.sys.Health(t.Context()); h.UnstoredSteps != 0 || h.Sessions != 0 {
			t.Errorf("Health says %+v", h)
		}
	})
}

// A participant's actor that panics costs the socket, and nothing else.
func TestParticipantFault(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		people := playing(th, definition(2), "ann", "bob")
		people[1].press("a")
		th.sys.cast.root.Send(people[1].conn.(*connection).participant, (*detached)(nil))
		wait(time.Second)
		if people[1].closed == nil || people[1].closed.Code != closeInternal {
			t.Fatalf("bob's socket was closed with %+v, want %d", people[1].closed, closeInternal)
		}
		people[1].attach()
		if w := people[1].messages()[0].GetWelcome(); w.GetNextSeq() != 2 {
			t.Errorf("after the fault next_seq is %d, want 2", w.GetNextSeq())
		}
		people[0].sees(play.Phase_RUNNING)
	})
}
