package actors

import (
	"errors"
	"slices"
	"testing"
	"time"

	"sharpie/actors/messages"
	"sharpie/actors/play"
	"sharpie/experiments"
)

// learning is an experiment whose first role has a policy that learns for a scope.
func learning(scope string, seats int) *experiments.Definition {
	return definition(seats, func(d *experiments.Definition) {
		d.Policies = []experiments.Policy{{Name: "tamer", Source: "go:tamer", CheckpointScope: scope}}
		d.Agents[0].Policy = "tamer"
	})
}

// learned ends the episode that runs, with what its policy has learned.
func (p *puppet) learned(version string) {
	id := on(p, func(p *puppet) string { return p.starts[len(p.starts)-1].EpisodeId })
	p.say(&messages.EpisodeEnded{EpisodeId: id, How: messages.EpisodeEnded_TERMINATED, Checkpoints: []*messages.Checkpoint{
		{EpisodeId: id, Role: "r0", Policy: "tamer", Version: version, Step: 3, Data: []byte("what " + version + " knows")}}})
	wait(10 * time.Second)
}

// begins are the versions that the newest episode of a runner began with.
func (p *puppet) begins() []string {
	var out []string
	for _, s := range on(p, func(p *puppet) []*messages.AgentState { return p.starts[len(p.starts)-1].States }) {
		out = append(out, s.Version+": "+string(s.Data))
	}
	return out
}

// What a policy has learned is there for whom its scope says: nobody else's session,
// the same person's, or everybody's.
func TestScopesOfWhatIsLearned(t *testing.T) {
	for scope, want := range map[string]struct {
		ann, bob []string
		stored   string
	}{
		"session":     {stored: ""},
		"participant": {ann: []string{"v1: what v1 knows"}, stored: "participant:ann"},
		"experiment":  {ann: []string{"v1: what v1 knows"}, bob: []string{"v1: what v1 knows"}, stored: "experiment:x"},
	} {
		t.Run(scope, func(t *testing.T) {
			inTheatre(t, 1, func(th *theatre) {
				playing(th, learning(scope, 1), "ann")
				r := th.runner()
				if got := r.begins(); got != nil {
					t.Errorf("the first episode begins with %q", got)
				}
				r.learned("v1")
				playing(th, learning(scope, 1), "bob")
				if got := r.begins(); !slices.Equal(got, want.bob) {
					t.Errorf("another person's session begins with %q, want %q", got, want.bob)
				}
				r.end()
				wait(10 * time.Second)
				playing(th, learning(scope, 1), "ann")
				if got := r.begins(); !slices.Equal(got, want.ann) {
					t.Errorf("the same person's session begins with %q, want %q", got, want.ann)
				}
				r.learned("v2")
				last := th.store.checkpoints[len(th.store.checkpoints)-1]
				if want.stored != "" && (last.Scope != want.stored || last.Parent != "v1" || last.Version != "v2" || len(last.Hash) != 64) {
					t.Errorf("stored is %+v, want scope %s and parent v1", last, want.stored)
				}
			})
		})
	}
}

// The learned state of a role without a seat is that of who has the first one.
func TestAPolicysRoleLearnsForTheFirstParticipant(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		d := learning("participant", 2)
		d.Agents[0].Participant = false
		playing(th, d, "bob")
		th.runner().learned("v1")
		if c := th.store.checkpoints; len(c) != 1 || c[0].Scope != "participant:bob" {
			t.Errorf("stored %+v", c)
		}
	})
}

// A store that is away keeps nobody waiting for long: the episode begins with what
// the session has, and the researcher learns of it.
func TestStatesOfAStoreThatIsAway(t *testing.T) {
	away := func(th *theatre) { th.store.setAway(errors.New("no route")) }
	for name, c := range map[string]struct {
		spoil func(*theatre)
		delay time.Duration
	}{
		"away": {away, 0},
		"slow": {func(th *theatre) { th.store.setSlow(time.Minute) }, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inTheatre(t, 1, func(th *theatre) {
				d := learning("experiment", 1)
				d.Experiment.NumberOfEpisodes = 2
				ann := playing(th, d, "ann")[0]
				r := th.runner()
				c.spoil(th)
				id := r.starts[0].EpisodeId
				r.say(&messages.EpisodeEnded{EpisodeId: id, How: messages.EpisodeEnded_TERMINATED, Checkpoints: []*messages.Checkpoint{
					{EpisodeId: id, Role: "r0", Policy: "tamer", Version: "v1", Data: []byte("own")}}})
				wait(5*time.Second + c.delay)
				if got := r.begins(); len(on(r, func(p *puppet) []*messages.Start { return p.starts })) != 2 || !slices.Equal(got, []string{"v1: own"}) {
					t.Errorf("the second episode begins with %q, want the session's own", got)
				}
				ann.sees(play.Phase_RUNNING)
				th.store.setAway(nil)
				wait(time.Minute)
				if th.store.kinds()["states_unread"] == 0 {
					t.Errorf("no event says so: %v", th.store.kinds())
				}
			})
		})
	}
}

// An episode that ends or pauses before its Start was sent does no harm.
func TestWhileStatesAreRead(t *testing.T) {
	reading := func(t *testing.T, change func(*experiments.Definition), then func(*theatre, *person, *puppet)) {
		inTheatre(t, 1, func(th *theatre) {
			d := learning("experiment", 1)
			change(d)
			d.Experiment.NumberOfEpisodes = 2
			ann := playing(th, d, "ann")[0]
			r := th.runner()
			r.end()
			th.store.setSlow(2 * time.Second)
			wait(5100 * time.Millisecond)
			then(th, ann, r)
		})
	}
	t.Run("aborted", func(t *testing.T) {
		reading(t, func(*experiments.Definition) {}, func(th *theatre, ann *person, r *puppet) {
			if err := th.sys.Abort(t.Context(), ann.ticket.Session, "root", "enough"); err != nil {
				t.Fatal(err)
			}
			wait(500 * time.Millisecond)
			ann.ended("aborted", closeNormal)
			wait(5 * time.Second)
			if n := on(r, func(p *puppet) [2]int { return [2]int{len(p.starts), len(p.stops)} }); n != [2]int{1, 0} || on(r, func(p *puppet) int { return p.releases }) == 0 {
				t.Errorf("the runner got %d starts and %d stops, want 1 and 0, and its release", n[0], n[1])
			}
		})
	})
	t.Run("paused", func(t *testing.T) {
		pause := func(d *experiments.Definition) {
			d.Experiment.OnDropOut, d.Experiment.ReconnectGrace = experiments.DropOutPause, experiments.Duration(time.Second)
		}
		reading(t, pause, func(_ *theatre, ann *person, r *puppet) {
			ann.drop()
			wait(5 * time.Second)
			if n := on(r, func(p *puppet) [2]int { return [2]int{len(p.starts), p.pauses} }); n != [2]int{2, 1} {
				t.Errorf("the runner got %d starts and %d pauses, want 2 and 1", n[0], n[1])
			}
		})
	})
}

// An episode that is begun again learns from where it began first.
func TestALostEpisodeForgetsWhatItLearned(t *testing.T) {
	inTheatre(t, 2, func(th *theatre) {
		d := learning("experiment", 1)
		playing(th, d, "ann")
		lost := th.runner()
		lost.advance(2)
		id := lost.starts[0].EpisodeId
		lost.say(&messages.Checkpoint{EpisodeId: id, Role: "r0", Policy: "tamer", Version: "half", Data: []byte("half")})
		lost.root.Stop(lost.pid)
		wait(time.Second)
		r := th.runner()
		if start := r.starts[len(r.starts)-1]; start.Attempt != 1 || len(start.States) != 0 {
			t.Errorf("attempt %d begins with %v, want 1 and nothing", start.Attempt, start.States)
		}
	})
}

// The same state is stored once, however often it is reported.
func TestAnUnchangedStateIsNotStoredAgain(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		playing(th, learning("session", 1), "ann")
		r := th.runner()
		for _, version := range []string{"v1", "v1", "v2"} {
			r.say(&messages.Checkpoint{EpisodeId: r.starts[0].EpisodeId, Role: "r0", Policy: "tamer", Version: version, Data: []byte(version)})
		}
		r.end()
		wait(5 * time.Second)
		var got []string
		for _, c := range th.store.checkpoints {
			got = append(got, c.Version+" from "+c.Parent)
		}
		if want := []string{"v1 from ", "v2 from v1"}; !slices.Equal(got, want) {
			t.Errorf("stored %q, want %q", got, want)
		}
	})
}

// Where the code runs, and what is to be known of it, is stored with the episode.
func TestWhereTheCodeRuns(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		r := th.runner()
		r.say(&messages.EpisodeEnded{EpisodeId: r.starts[0].EpisodeId, How: messages.EpisodeEnded_TERMINATED, Log: "printed", Warnings: []string{"no seed"}})
		wait(time.Second)
		episodes, _ := th.store.EpisodesOf(t.Context(), ann.ticket.Session)
		e := episodes[0]
		if e.Log != "printed" || e.Interpreter != "Python 3.12" || e.Confinement != "bubblewrap" || !slices.Equal(e.Warnings, []string{"an alias", "no seed"}) || e.Fault != nil {
			t.Errorf("stored %+v", e)
		}
		if th.store.kinds()["warnings"] != 1 {
			t.Errorf("events: %v", th.store.kinds())
		}
	})
}

// A page shows at once whose turn it is, and which of its keys are no legal action.
func TestTurnsAndBlockedKeys(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		people := playing(th, definition(2), "ann", "bob")
		r := th.runner()
		view := func(waits int, blocked ...uint32) func(*messages.Stepped) {
			return func(m *messages.Stepped) {
				m.Picture, m.Returns = nil, nil
				m.Seats = []*messages.SeatView{{}, {}}
				m.Seats[waits].Waits, m.Record.Roles[waits].Waits = true, true
				m.Seats[1-waits].BlockedKeys = blocked
			}
		}
		shown := func(p *person) *play.Status { return newest(p, (*play.ServerMessage).GetStatus) }
		r.advance(1, view(1, 1))
		for i, p := range people {
			want := [][]uint32{{1}, nil}[i]
			if s := shown(p); !slices.Equal(s.GetTurn(), []uint32{0}) || !slices.Equal(s.GetBlockedKeys(), want) {
				t.Errorf("%s is shown %v, want turn 0 and blocked keys %v", p.id, s, want)
			}
		}
		r.advance(1, view(0))
		for _, p := range people {
			if s := shown(p); !slices.Equal(s.GetTurn(), []uint32{1}) || len(s.GetBlockedKeys()) != 0 {
				t.Errorf("%s is shown %v, want turn 1 and no blocked keys", p.id, s)
			}
		}
		before := len(people[0].messages())
		r.advance(3, view(0))
		if n := len(people[0].messages()); n != before {
			t.Errorf("%d messages came although nothing changed", n-before)
		}
	})
}

// Nobody is told of turns where all act at once.
func TestNoTurnsWhereAllActAtOnce(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		th.runner().advance(40)
		if s := newest(ann, (*play.ServerMessage).GetStatus); s != nil && len(s.Turn) > 0 {
			t.Errorf("the page is shown turns: %v", s)
		}
	})
}
