package actors

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sharpie/actors/messages"
	"sharpie/actors/play"
	"sharpie/agents"
	"sharpie/envs"
	"sharpie/experiments"
	"sharpie/persistence"
)

// mortal is the store as one process sees it: after its death nothing arrives.
type mortal struct {
	*memory
	dead atomic.Bool
}

func (m *mortal) check() error {
	if m.dead.Load() {
		return persistence.ErrUnavailable
	}
	return nil
}

func (m *mortal) UpdateSession(ctx context.Context, s *persistence.Session) error {
	if err := m.check(); err != nil {
		return err
	}
	return m.memory.UpdateSession(ctx, s)
}

func (m *mortal) UpdateEpisode(ctx context.Context, e *persistence.Episode) error {
	if err := m.check(); err != nil {
		return err
	}
	return m.memory.UpdateEpisode(ctx, e)
}

func (m *mortal) InsertStepChunks(ctx context.Context, c []*persistence.StepChunk) error {
	if err := m.check(); err != nil {
		return err
	}
	return m.memory.InsertStepChunks(ctx, c)
}

func (m *mortal) InsertEvents(ctx context.Context, e []*persistence.Event) error {
	if err := m.check(); err != nil {
		return err
	}
	return m.memory.InsertEvents(ctx, e)
}

// kill ends the server as a power cut would, and starts another one on its store.
func (th *theatre) kill(d *experiments.Definition) {
	th.t.Helper()
	old := th.sys
	doc, err := d.Document()
	if err != nil {
		th.t.Fatal(err)
	}
	th.store.mu.Lock()
	th.store.experiments = map[string]*persistence.Experiment{"x@1": {Link: "x", Version: 1, Definition: doc}}
	th.store.mu.Unlock()
	old.cast.cfg.Store.(*mortal).dead.Store(true)
	th.mu.Lock()
	th.puppets = nil
	th.mu.Unlock()
	cfg := Config{Store: &mortal{memory: th.store}, Maker: experiments.Registries{Environments: envs.NewRegistry(), Agents: agents.NewRegistry()}, Slots: 1}
	if th.sys, err = start(cfg, th.puppet); err != nil {
		th.t.Fatal(err)
	}
	th.t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = old.Drain(ctx) // its store is dead to it
		<-time.After(time.Minute)
	})
	synctest.Wait()
}

func onMortal(c *Config) { c.Store = &mortal{memory: c.Store.(*memory)} }

// The server is killed in mid-episode. Another process on the same store waits for
// the participants, and goes on from the last step that is stored.
func TestServerRestart(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		d := definition(2, resumes)
		people := playing(th, d, "ann", "bob")
		r := th.runner()
		people[0].press("a")
		r.advance(30, func(m *messages.Stepped) {
			m.Record.Roles[0].Inputs = []*messages.UsedInput{{Input: &messages.Input{Seq: m.Record.Step}}}
		})
		wait(2 * time.Second)
		r.advance(5) // these are not stored
		id := people[0].ticket.Session
		th.kill(d)

		people[0].attach()
		if ph := people[0].sees(play.Phase_PAUSED); ph.GetReason() == "" || ph.GetEpisode() != 1 {
			t.Errorf("ann finds %v", ph)
		}
		if w := newest(people[0], (*play.ServerMessage).GetWelcome); w.GetNextSeq() != 31 {
			t.Errorf("ann's inputs go on at %d, want after the 30 that are stored", w.GetNextSeq())
		}
		if again := th.join(d, "ann"); again.ticket.Session != id || !again.ticket.Rejoined {
			t.Errorf("ann's link leads to %+v, want to her session", again.ticket)
		}
		people[1].attach()
		people[1].sees(play.Phase_RUNNING)
		fresh := th.runner()
		if s := fresh.starts[0]; s.GetResumeThrough() != 30 || s.GetEpisodeId() != r.starts[0].GetEpisodeId() {
			t.Errorf("the runner was told %v, want to go on after step 30", s)
		}
		fresh.advance(10)
		if f := newest(people[0], (*play.ServerMessage).GetFrame); f.GetStep() != 40 {
			t.Errorf("ann sees step %d, want 40", f.GetStep())
		}
		fresh.end()
		e := th.whole(id, 40)
		if e.Status != "terminated" || e.Steps != 40 || e.StoredSteps != 41 || e.Roles[0].Return != 41 || len(e.Runs) != 1 || e.Runs[0].Why != "server_restarted" {
			t.Errorf("stored %+v", e)
		}
		if s := th.store.only(t); s.Phase != "completed" || !s.Finished {
			t.Errorf("stored %+v", s)
		}
		if k := th.store.kinds(); k["server_restarted"] != 1 || k["resumed"] != 1 {
			t.Errorf("events %v", k)
		}
		people[0].ended("completed", closeNormal)
	}, onMortal)
}

// Nobody comes back after a crash: the session ends as for people who dropped out.
func TestServerRestartWithNobody(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		d := definition(1, resumes)
		playing(th, d, "ann")
		th.runner().advance(30)
		wait(2 * time.Second)
		th.kill(d)
		wait(30 * time.Second)
		s := th.store.only(t)
		if s.Phase != "aborted" || s.Reason.Code != "dropped_out" || !s.Finished {
			t.Errorf("stored %+v", s)
		}
		all, _ := th.store.EpisodesOf(t.Context(), s.ID)
		if e := all[0]; e.Status != "aborted" || e.Steps != 30 || e.StoredSteps != 31 {
			t.Errorf("stored %+v", e)
		}
	}, onMortal)
}

// A server that dies between two episodes, or before the first, goes on with the next.
func TestServerRestartBetweenEpisodes(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		d := definition(1, resumes, func(d *experiments.Definition) { d.Experiment.NumberOfEpisodes = 2 })
		ann := playing(th, d, "ann")[0]
		th.runner().advance(4)
		th.runner().end()
		ann.sees(play.Phase_BETWEEN)
		wait(time.Second)
		th.kill(d)
		ann.attach()
		ann.sees(play.Phase_RUNNING)
		if s := th.runner().starts[0]; s.GetEpisodeIndex() != 1 || s.ResumeThrough != nil {
			t.Errorf("the runner was told %v, want the second episode", s)
		}
		th.runner().end()
		wait(time.Second)
		ann.ended("completed", closeNormal)
	}, onMortal)
}

// Of what cannot be replayed, the round begins again.
func TestServerRestartWithoutReplay(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		d := definition(1) // on_runner_loss: restart
		ann := playing(th, d, "ann")[0]
		seed := th.runner().starts[0].GetSeed()
		th.runner().advance(30)
		wait(2 * time.Second)
		th.kill(d)
		ann.attach()
		ann.sees(play.Phase_RUNNING)
		if s := th.runner().starts[0]; s.GetAttempt() != 1 || s.ResumeThrough != nil || s.GetSeed() != seed {
			t.Errorf("the runner was told %v", s)
		}
	}, onMortal)
}
