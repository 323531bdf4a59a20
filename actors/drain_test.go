package actors

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"sharpie/actors/link"
	"sharpie/actors/messages"
	"sharpie/actors/play"
	"sharpie/experiments"
	"sharpie/persistence"
)

// drainIn begins a Drain with so much grace; the channel gives its result.
func drainIn(th *theatre, grace time.Duration) chan error {
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		done <- th.sys.Drain(ctx)
	}()
	synctest.Wait()
	return done
}

// Drain turns newcomers away, ends lobbies at once, and lets an episode come to its end.
func TestDrain(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		bob := th.come(definition(2), "bob")
		r := th.runner()
		done := drainIn(th, time.Minute)
		wait(time.Second)
		bob.ended("aborted", closeStopping)
		if _, err := th.sys.Join(t.Context(), request(definition(1), "cem")); !errors.Is(err, ErrDraining) {
			t.Errorf("Join while draining: %v, want ErrDraining", err)
		}
		if !th.sys.Health(t.Context()).Draining {
			t.Error("Health does not say that the server drains")
		}
		r.advance(5)
		ann.sees(play.Phase_RUNNING)
		r.end()
		wait(time.Second)
		ann.ended("completed", closeNormal)
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Drain: %v", err)
			}
		default:
			t.Error("Drain goes on though every session has ended")
		}
		s, err := th.store.Session(t.Context(), bob.ticket.Session)
		if err != nil || s.Reason.Code != "server_stopping" || !s.Finished {
			t.Errorf("bob's session is stored as %+v, %v", s, err)
		}
	})
}

// What still runs at the deadline is aborted, with every step stored.
func TestDrainDeadline(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		th.runner().advance(20)
		done := drainIn(th, 5*time.Second)
		wait(4 * time.Second)
		ann.sees(play.Phase_RUNNING)
		th.runner().advance(20)
		wait(3 * time.Second)
		ann.ended("aborted", closeStopping)
		if err := <-done; err != nil {
			t.Errorf("Drain: %v", err)
		}
		s := th.store.only(t)
		if s.Reason.Code != "server_stopping" || !s.Finished {
			t.Errorf("stored session %+v", s)
		}
		if e, _ := th.store.EpisodesOf(t.Context(), s.ID); len(th.store.steps(e[0].ID)) != 41 || e[0].Status != "aborted" {
			t.Errorf("stored episode %+v", e[0])
		}
	})
}

// A store that stays away cannot hold up the end for ever.
func TestDrainWithoutStore(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		playing(th, definition(1), "ann")
		th.store.setAway(persistence.ErrUnavailable)
		began := time.Now()
		if err := <-drainIn(th, 5*time.Second); err != nil {
			t.Errorf("Drain: %v", err)
		}
		if d := time.Since(began); d > 25*time.Second {
			t.Errorf("Drain took %v", d)
		}
	})
}

// What a crash left open is closed with what is stored of it.
func TestRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		old := time.Now()
		wait(time.Second)
		m.sessions["s1"] = persistence.Session{ID: "s1", Experiment: "x", Phase: "running", Node: "web", OpenedAt: old}
		m.sessions["s2"] = persistence.Session{ID: "s2", Experiment: "x", Phase: "completed", Node: "web", OpenedAt: old, EndedAt: &old, Reason: reasonCompleted}
		m.sessions["s3"] = persistence.Session{ID: "s3", Experiment: "x", Phase: "running", Node: "other", OpenedAt: old}
		m.sessions["s4"] = persistence.Session{ID: "s4", Experiment: "x", Phase: "waiting", Node: "web", OpenedAt: time.Now()}
		m.episodes["e1"] = persistence.Episode{ID: "e1", SessionID: "s1", Experiment: "x", Status: "terminated", Steps: 3}
		m.episodes["e2"] = persistence.Episode{ID: "e2", SessionID: "s1", Experiment: "x", Index: 1, Status: "running", Roles: []persistence.EpisodeRole{{Role: "r0"}}}
		chunk, _ := chunkOf("s1", "e2", []string{"r0"}, records(5), nil, old)
		m.chunks[chunk.ID] = chunk
		n, _, err := (&recovery{store: m, node: "web", before: time.Now()}).once(t.Context())
		if err != nil || n != 2 {
			t.Fatalf("closed %d sessions, %v, want 2", n, err)
		}
		if s := m.sessions["s1"]; s.Phase != "aborted" || s.Reason.Code != "server_restarted" || !s.Finished || s.EndedAt == nil {
			t.Errorf("the crashed session is %+v", s)
		}
		if s := m.sessions["s2"]; s.Phase != "completed" || !s.Finished || s.Reason.Code != "completed" {
			t.Errorf("the session that had ended is %+v", s)
		}
		if m.sessions["s3"].Finished || m.sessions["s4"].Finished {
			t.Error("a session of another node, or of this run, was closed")
		}
		if e := m.episodes["e2"]; e.Status != "aborted" || e.Steps != 4 || e.StoredSteps != 5 || e.Roles[0].Return != 10 {
			t.Errorf("the crashed episode is %+v, want 4 steps, 5 stored, return 10", e)
		}
		if e := m.episodes["e1"]; e.Status != "terminated" {
			t.Errorf("an episode that had ended is %+v", e)
		}
	})
}

func episodesOf(n int) func(*experiments.Definition) {
	return func(d *experiments.Definition) { d.Experiment.NumberOfEpisodes = n }
}

// leaving tells the Queue that the node of all puppets takes nothing new.
func (th *theatre) leaving() {
	th.sys.cast.root.Send(th.sys.cast.queue, &nodeChanged{link.Event{Change: link.Leaving, Node: link.Node{ID: "node"}}})
	synctest.Wait()
}

// A node that leaves plays the episode to its end; the next one is played elsewhere.
func TestASessionLeavesALeavingNodeBetweenEpisodes(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1, episodesOf(2)), "ann")[0]
		r := th.runner()
		th.leaving()
		r.advance(5)
		_, got := th.far("far", "inc_one")
		if len(got) != 0 {
			t.Fatal("the session left in the middle of an episode")
		}
		r.end()
		wait(5 * time.Second)
		ann.sees(play.Phase_RUNNING)
		if len(got) != 1 || len(on(r, func(p *puppet) []*messages.Start { return p.starts })) != 1 {
			t.Errorf("the other node was given %d episodes, want the second one", len(got))
		}
		if n := on(r, func(p *puppet) int { return p.releases }); n != 1 {
			t.Errorf("the node that leaves was released %d times, want once", n)
		}
		if k := th.store.kinds(); k["moved"] != 1 || k["runner_lost"] != 0 {
			t.Errorf("events %v", k)
		}
	})
}

// Where nobody else is free the node that leaves plays on, and people do not wait.
func TestALeavingNodePlaysOnWhereNobodyElseCan(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1, episodesOf(2)), "ann")[0]
		r := th.runner()
		th.leaving()
		bob := th.come(definition(1), "bob")
		if ph := bob.sees(play.Phase_QUEUED); ph.GetReason() == "" {
			t.Error("bob is not told that nobody takes new sessions")
		}
		r.advance(5)
		r.end()
		wait(5 * time.Second)
		ann.sees(play.Phase_RUNNING)
		if n := len(on(r, func(p *puppet) []*messages.Start { return p.starts })); n != 2 {
			t.Errorf("the node was given %d episodes, want both", n)
		}
		r.advance(5)
		r.end()
		ann.ended("completed", closeNormal)
		bob.sees(play.Phase_QUEUED)
	})
}
