package runner

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sharpie/actors/messages"
	"sharpie/agents"
	"sharpie/envs"
	"sharpie/experiments"
)

const ms = time.Millisecond

func TestRealTimeTicksOnAbsoluteDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := play(t, definition("agent_0"), &world{env: newWalk("agent_0")}).begin().wait()
		want := []time.Duration{100 * ms, 200 * ms, 300 * ms, 400 * ms, 500 * ms}
		if d := cmp.Diff(want, p.times()); d != "" {
			t.Errorf("steps were reported at other times (-want +got):\n%s", d)
		}
		e := p.endOf()
		if e.How != messages.EpisodeEnded_TRUNCATED || e.Code != CodeMaxSteps || e.LastStep != 5 {
			t.Errorf("ended with %v, want truncated by max_steps at 5", e)
		}
		if r := p.records()[5].Roles[0]; !r.Truncated || r.Terminated {
			t.Errorf("the last step is not marked as truncated: %v", r)
		}
	})
}

func TestRealTimeDoesNotDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := definition("agent_0")
		def.Experiment.TargetFPS, def.Experiment.MaxSteps = 30, 600
		env := newWalk("agent_0")
		env.onStep = func(int) { time.Sleep(3 * ms) }
		p := play(t, def, &world{env: env}).begin().wait()
		at := p.times()
		for i, got := range at {
			want := time.Duration(float64(i+1)*1e9/30) + 3*ms
			if d := got - want; d < -ms || d > ms {
				t.Fatalf("step %d was reported after %v, want %v", i+1, got, want)
			}
		}
	})
}

func TestALateTickIsCaughtUpWithoutABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := definition("agent_0")
		def.Experiment.MaxSteps = 20
		env := newWalk("agent_0")
		env.onStep = func(step int) {
			switch step {
			case 3:
				time.Sleep(150 * ms) // behind by one tick and a half: caught up
			case 10:
				time.Sleep(1000 * ms) // behind by ten: the clock starts anew
			}
		}
		p := play(t, def, &world{env: env}).begin().wait()
		var got []int
		for _, at := range p.times() {
			got = append(got, int(at/ms))
		}
		want := []int{100, 200, 450, 450, 500, 600, 700, 800, 900, 2000, 2000, 2100, 2200, 2300, 2400, 2500, 2600, 2700, 2800, 2900}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("steps were reported at other times in ms (-want +got):\n%s", d)
		}
		late := []int64{}
		for _, r := range p.records()[1:] {
			late = append(late, r.TickLatenessUs/1000)
		}
		want64 := []int64{0, 0, 0, 50, 0, 0, 0, 0, 0, 0, 900, 0, 0, 0, 0, 0, 0, 0, 0, 0}
		if d := cmp.Diff(want64, late); d != "" {
			t.Errorf("other lateness in ms was recorded (-want +got):\n%s", d)
		}
	})
}

func TestPauseMovesTheDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := play(t, definition("agent_0"), &world{env: newWalk("agent_0")}).begin()
		time.Sleep(250 * ms)
		p.inbox.setPaused(true)
		time.Sleep(time.Minute)
		p.input(0, 1, "ArrowRight") // while paused: kept for the next step
		p.inbox.setPaused(false)
		p.wait()
		want := []time.Duration{100 * ms, 200 * ms, 60300 * ms, 60400 * ms, 60500 * ms}
		if d := cmp.Diff(want, p.times()); d != "" {
			t.Errorf("steps were reported at other times (-want +got):\n%s", d)
		}
		if r := p.records()[3]; r.Roles[0].Source != messages.Source_SOURCE_HUMAN || r.TickLatenessUs != 0 {
			t.Errorf("the first step after the pause is %v, want the human's, on time", r)
		}
	})
}

func TestInputsAreRecordedWithTheirSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newWalk("agent_0")
		p := play(t, definition("agent_0"), &world{env: env}).begin()
		time.Sleep(50 * ms)
		p.input(0, 1, "ArrowRight") // held from step 1 on
		time.Sleep(160 * ms)
		p.input(0, 2, "ArrowRight", "ArrowLeft") // a tap within the tick of step 3
		p.input(0, 3, "ArrowRight")
		time.Sleep(100 * ms)
		p.input(0, 4) // released before step 4
		p.wait()
		var took []envs.Value
		for _, a := range env.taken {
			took = append(took, a["agent_0"])
		}
		if d := cmp.Diff([]envs.Value{envs.Int(2), envs.Int(2), envs.Int(0), envs.Int(1), envs.Int(1)}, took); d != "" {
			t.Errorf("the environment got other actions (-want +got):\n%s", d)
		}
		h, d := messages.Source_SOURCE_HUMAN, messages.Source_SOURCE_DEFAULT
		if diff := cmp.Diff([]messages.Source{h, h, h, d, d}, p.sources(0)); diff != "" {
			t.Errorf("other sources (-want +got):\n%s", diff)
		}
		var seqs [][]uint64
		var values []any
		for _, r := range p.records()[1:] {
			var s []uint64
			for _, u := range r.Roles[0].Inputs {
				s = append(s, u.Input.Seq)
				values = append(values, simple(u.Value))
			}
			seqs = append(seqs, s)
		}
		if diff := cmp.Diff([][]uint64{{1}, nil, {2, 3}, {4}, nil}, seqs); diff != "" {
			t.Errorf("raw inputs are recorded at other steps (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]any{int64(2), int64(0), int64(2), int64(1)}, values); diff != "" {
			t.Errorf("raw inputs are recorded with other values (-want +got):\n%s", diff)
		}
	})
}

func TestOneStepInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := definition("a", "b")
		def.Policies = []experiments.Policy{{Name: "p", Source: "go:fixed", CheckpointInterval: 1}}
		def.Agents[1].Policy, def.Agents[1].Participant = "p", false
		def.Experiment.MaxSteps = 3
		var calls []string
		env, agent := newWalk("a", "b"), &fixed{action: envs.Int(2), calls: &calls}
		env.onStep = func(int) { calls = append(calls, "step") }
		p := play(t, def, &world{env: env, policies: map[string]agents.Agent{"go:fixed": agent}}).begin().wait()
		want := []string{"act", "step", "update", "act", "step", "update", "act", "step", "update"}
		if d := cmp.Diff(want, calls); d != "" {
			t.Errorf("another order (-want +got):\n%s", d)
		}
		var learned []string
		for _, u := range agent.updates {
			learned = append(learned, fmt.Sprint(u.Observation, u.Action, u.Reward, u.NextObservation, u.Truncated))
		}
		if d := cmp.Diff([]string{"3 2 1 4 false", "4 2 1 5 false", "5 2 1 6 true"}, learned); d != "" {
			t.Errorf("the learner got other transitions (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]envs.Role{"b", "a"}, env.order[0]); d != "" {
			t.Errorf("actions came in another order, want policies first (-want +got):\n%s", d)
		}
		var versions []string
		for _, r := range p.records() {
			versions = append(versions, r.Roles[1].PolicyVersion)
		}
		if d := cmp.Diff([]string{"fixed-0", "", "fixed-1", "fixed-2"}, versions); d != "" {
			t.Errorf("other versions of the policy (-want +got):\n%s", d)
		}
		e := p.endOf()
		if len(e.Checkpoints) != 1 || string(e.Checkpoints[0].Data) != "fixed-3" || e.Checkpoints[0].Role != "b" || e.Checkpoints[0].Step != 3 {
			t.Errorf("checkpoints are %v, want one of role b after 3 updates", e.Checkpoints)
		}
		if !agent.closed {
			t.Error("the agent was not closed")
		}
		if got, want := p.world.seeds["b"], AgentSeed(3, "b"); got != want || env.seed != 3 {
			t.Errorf("seeds are %d for the agent and %d for the environment, want %d and 3", got, env.seed, want)
		}
	})
}

func TestUpdateInterval(t *testing.T) {
	for interval, want := range map[int]string{0: "", -1: "", 1: "1 2 3 4 5 ", 2: "2 4 5 ", -2: "5 ", 5: "5 "} {
		synctest.Test(t, func(t *testing.T) {
			def := definition("a")
			def.Policies = []experiments.Policy{{Name: "p", Source: "go:fixed", CheckpointInterval: interval}}
			def.Agents[0].Policy, def.Agents[0].Participant = "p", false
			agent := &fixed{action: envs.Int(2)}
			play(t, def, &world{env: newWalk("a"), policies: map[string]agents.Agent{"go:fixed": agent}}).begin().wait()
			got := ""
			for _, u := range agent.updates { // role a begins at 3 and walks by 1
				got += fmt.Sprint(int(u.NextObservation.(envs.Int))-3, " ")
			}
			if got != want {
				t.Errorf("interval %d: updates after steps %q, want %q", interval, got, want)
			}
		})
	}
}

func TestARoleThatEndedActsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newWalk("a", "b")
		env.ends["a"], env.ends["b"] = 2, 4
		def := definition("a", "b")
		def.Experiment.MaxSteps = 0
		p := play(t, def, &world{env: env}).begin()
		time.Sleep(50 * ms)
		p.input(0, 1, "ArrowRight")
		time.Sleep(200 * ms)
		p.input(0, 2) // after its end
		p.wait()
		e := p.endOf()
		if e.How != messages.EpisodeEnded_TERMINATED || e.LastStep != 4 || e.Code != "" {
			t.Errorf("ended with %v, want terminated at step 4", e)
		}
		r := p.records()
		if !r[2].Roles[0].Terminated || !r[2].Roles[0].Live {
			t.Errorf("step 2 of role a is %v, want its end", r[2].Roles[0])
		}
		if got := r[3].Roles[0]; got.Live || got.Observation != nil || got.Source != messages.Source_SOURCE_NONE || len(got.Inputs) != 1 {
			t.Errorf("step 3 of role a is %v, want nothing but the late input", got)
		}
		if n := len(env.taken[2]); n != 1 {
			t.Errorf("step 3 had %d actions, want 1", n)
		}
	})
}

func TestUnstoredStepsStopTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := play(t, definition("agent_0"), &world{env: newWalk("agent_0")}, func(c *Config, _ *messages.Start) { c.MaxUnacked = 3 }).begin()
		time.Sleep(time.Minute)
		if n := len(p.records()); n != 3 {
			t.Fatalf("%d records were reported, want 3 and then a stop", n)
		}
		p.window.ack(1)
		p.inbox.ring()
		time.Sleep(time.Minute)
		if n := len(p.records()); n != 5 {
			t.Fatalf("%d records were reported after 2 were stored, want 5", n)
		}
		p.window.ack(4)
		p.inbox.ring()
		p.wait()
		for i, r := range p.records() {
			if r.Step != uint64(i) {
				t.Errorf("record %d is of step %d", i, r.Step)
			}
		}
	})
}

func TestEpisodeTimeoutAndStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := definition("agent_0")
		def.Experiment.MaxSteps, def.Experiment.EpisodeTimeout = 0, seconds(1.05)
		if e := play(t, def, &world{env: newWalk("agent_0")}).begin().wait().endOf(); e.How != messages.EpisodeEnded_TRUNCATED || e.Code != CodeEpisodeTimeout || e.LastStep != 10 {
			t.Errorf("ended with %v, want truncated by episode_timeout after step 10", e)
		}
		p := play(t, def, &world{env: newWalk("agent_0")}).begin()
		time.Sleep(320 * ms)
		p.inbox.putStop(&messages.Stop{Code: "aborted", Detail: "by an administrator"})
		if e := p.wait().endOf(); e.How != messages.EpisodeEnded_STOPPED || e.Code != "aborted" || e.Detail != "by an administrator" || e.LastStep != 3 {
			t.Errorf("ended with %v, want stopped after step 3", e)
		}
	})
}

func TestTheEnvironmentIsKeptForTheNextEpisode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newWalk("agent_0")
		w := &world{env: env}
		def := definition("agent_0")
		p := play(t, def, w, func(_ *Config, s *messages.Start) { s.KeepEnvironment = true }).begin().wait()
		if p.kept == nil || env.closed != 0 {
			t.Fatalf("kept %v, closed %d times; want it kept open", p.kept, env.closed)
		}
		next := play(t, def, w, func(_ *Config, s *messages.Start) { s.KeepEnvironment = true })
		next.loop.stage = p.kept
		next.begin().wait()
		if w.made != 1 {
			t.Errorf("the environment was made %d times, want once", w.made)
		}
		third := play(t, def, w, func(_ *Config, s *messages.Start) { s.KeepEnvironment, s.Definition = true, []byte("other") })
		third.loop.stage = next.kept
		third.begin().wait()
		if w.made != 2 || env.closed != 1 {
			t.Errorf("made %d and closed %d for another definition, want 2 and 1", w.made, env.closed)
		}
	})
}
