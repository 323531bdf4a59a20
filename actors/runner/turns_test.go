package runner

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sharpie/actors/messages"
	"sharpie/agents"
	"sharpie/envs"
	"sharpie/experiments"
)

// turns is definition, turn-based: 10 steps per second at most.
func turns(roles ...string) *experiments.Definition {
	d := definition(roles...)
	d.Experiment.WaitForInputs = true
	return d
}

// waits are the sets of seats that were waited for, and when.
func (p *played) waits() (sets [][]uint32, at []time.Duration, left []time.Duration) {
	var zero time.Time
	for i, m := range p.messages {
		switch m := m.(type) {
		case *messages.Started:
			zero = p.at[i]
		case *messages.Waiting:
			sets, at = append(sets, m.Roles), append(at, p.at[i].Sub(zero))
			left = append(left, time.Duration(m.RemainingUs)*time.Microsecond)
		}
	}
	return sets, at, left
}

func TestTurnsWaitForEveryPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := turns("a", "b")
		def.Experiment.MaxSteps = 1
		p := play(t, def, &world{env: newWalk("a", "b")}).begin()
		time.Sleep(time.Second)
		p.input(1, 1, "ArrowLeft")
		p.input(1, 2) // a tap
		time.Sleep(time.Second)
		p.input(0, 1, "ArrowRight")
		p.wait()
		if d := cmp.Diff([]time.Duration{2 * time.Second}, p.times()); d != "" {
			t.Errorf("the step was taken at another time (-want +got):\n%s", d)
		}
		sets, at, left := p.waits()
		if d := cmp.Diff([][]uint32{{0, 1}, {0}}, sets); d != "" {
			t.Errorf("waited for other seats (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]time.Duration{120 * ms, time.Second}, at); d != "" {
			t.Errorf("waits were told at other times (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]time.Duration{60*time.Second - 20*ms, 60*time.Second - 900*ms}, left); d != "" {
			t.Errorf("other times were left (-want +got):\n%s", d)
		}
		if r := p.records()[1]; r.Roles[0].Source != messages.Source_SOURCE_HUMAN || r.Roles[1].Source != messages.Source_SOURCE_HUMAN || r.TickLatenessUs != 0 {
			t.Errorf("the step is %v, want both persons' actions", r)
		}
	})
}

func TestATurnEndsWithDefaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := turns("a")
		def.Experiment.MaxSteps, def.Experiment.InputTimeout = 2, seconds(3)
		p := play(t, def, &world{env: newWalk("a")}).begin().wait()
		if d := cmp.Diff([]time.Duration{3100 * ms, 6200 * ms}, p.times()); d != "" {
			t.Errorf("steps were taken at other times (-want +got):\n%s", d)
		}
		d := messages.Source_SOURCE_DEFAULT
		if diff := cmp.Diff([]messages.Source{d, d}, p.sources(0)); diff != "" {
			t.Errorf("other sources (-want +got):\n%s", diff)
		}
	})
}

func TestAKeyHeldOnCountsAgainOnlyWithAPause(t *testing.T) {
	for fps, want := range map[float64][]time.Duration{10: {100 * ms, 200 * ms, 300 * ms}, 0: {50 * ms, 450 * ms, 500 * ms}} {
		synctest.Test(t, func(t *testing.T) {
			def := turns("a")
			def.Experiment.TargetFPS, def.Experiment.MaxSteps = fps, 3
			p := play(t, def, &world{env: newWalk("a")}).begin()
			time.Sleep(50 * ms)
			p.input(0, 1, "ArrowRight")
			time.Sleep(400 * ms)
			p.input(0, 2, "ArrowRight") // the same again
			time.Sleep(50 * ms)
			p.input(0, 3, "ArrowRight", "ArrowLeft")
			p.wait()
			if d := cmp.Diff(want, p.times()); d != "" {
				t.Errorf("at %g steps per second, steps were taken at other times (-want +got):\n%s", fps, d)
			}
		})
	}
}

func TestAnUnusableKeyIsNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := turns("a")
		def.Experiment.MaxSteps = 1
		env := newWalk("a")
		env.mask = []bool{false, true, true}
		p := play(t, def, &world{env: env}).begin()
		time.Sleep(time.Second)
		p.input(0, 1, "ArrowLeft") // forbidden by the mask
		p.input(0, 2)
		time.Sleep(time.Second)
		p.input(0, 3, "ArrowRight")
		p.wait()
		if d := cmp.Diff([]time.Duration{2 * time.Second}, p.times()); d != "" {
			t.Errorf("the step was taken at another time (-want +got):\n%s", d)
		}
	})
}

func TestNobodyWaitsForSomeoneWhoLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := turns("a", "b")
		def.Policies = []experiments.Policy{{Name: "p", Source: "go:fixed"}}
		def.Experiment.DropOutPolicy, def.Experiment.MaxSteps = "p", 3
		agent := &fixed{action: envs.Int(2)}
		p := play(t, def, &world{env: newWalk("a", "b"), policies: map[string]agents.Agent{"go:fixed": agent}}).begin()
		time.Sleep(time.Second)
		p.input(0, 1, "ArrowLeft")
		time.Sleep(time.Second)
		p.inbox.putSeat(&messages.SetSeat{Role: 1, Occupant: messages.SetSeat_DEFAULTS})
		time.Sleep(time.Second)
		p.inbox.putSeat(&messages.SetSeat{Role: 1, Occupant: messages.SetSeat_POLICY})
		p.inbox.putSeat(&messages.SetSeat{Role: 0, Occupant: messages.SetSeat_POLICY})
		p.wait()
		// Role a holds ArrowLeft: with a pause it counts again at 2.1, 2.2 s.
		if d := cmp.Diff([]time.Duration{2000 * ms, 2100 * ms, 2200 * ms}, p.times()); d != "" {
			t.Errorf("steps were taken at other times (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]messages.Source{messages.Source_SOURCE_DEFAULT, messages.Source_SOURCE_DEFAULT, messages.Source_SOURCE_DEFAULT}, p.sources(1)); d != "" {
			t.Errorf("other sources of the empty seat (-want +got):\n%s", d)
		}
	})
}

func TestASeatChangesHands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := definition("a")
		def.Policies = []experiments.Policy{{Name: "p", Source: "go:fixed"}}
		def.Experiment.DropOutPolicy, def.Experiment.MaxSteps = "p", 7
		agent := &fixed{action: envs.Int(0)}
		p := play(t, def, &world{env: newWalk("a"), policies: map[string]agents.Agent{"go:fixed": agent}}).begin()
		p.input(0, 1, "ArrowRight")
		time.Sleep(150 * ms)
		p.inbox.putSeat(&messages.SetSeat{Role: 0, Occupant: messages.SetSeat_HUMAN}) // lost the connection: keys are let go
		time.Sleep(100 * ms)
		p.inbox.putSeat(&messages.SetSeat{Role: 0, Occupant: messages.SetSeat_POLICY})
		time.Sleep(100 * ms)
		p.input(0, 2, "ArrowRight") // nobody's input is recorded and has no effect
		time.Sleep(100 * ms)
		p.inbox.putSeat(&messages.SetSeat{Role: 0, Occupant: messages.SetSeat_HUMAN})
		time.Sleep(100 * ms)
		p.input(0, 3, "ArrowLeft")
		p.wait()
		h, d, ai := messages.Source_SOURCE_HUMAN, messages.Source_SOURCE_DEFAULT, messages.Source_SOURCE_POLICY
		if diff := cmp.Diff([]messages.Source{h, d, ai, ai, d, h, h}, p.sources(0)); diff != "" {
			t.Errorf("other sources (-want +got):\n%s", diff)
		}
		r := p.records()
		if r[3].Roles[0].PolicyVersion != "fixed-0" || r[4].Roles[0].PolicyVersion != "" {
			t.Errorf("versions at the hand-over are %q and %q, want fixed-0 once", r[3].Roles[0].PolicyVersion, r[4].Roles[0].PolicyVersion)
		}
		if n := len(r[4].Roles[0].Inputs); n != 1 {
			t.Errorf("%d inputs are recorded while the policy acts, want 1", n)
		}
		if !agent.closed {
			t.Error("the drop-out policy was not closed")
		}
	})
}

func TestAISeatsFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := definition("a")
		def.Policies = []experiments.Policy{{Name: "p", Source: "go:fixed"}}
		def.Experiment.DropOutPolicy, def.Experiment.MaxSteps = "p", 1
		p := play(t, def, &world{env: newWalk("a"), policies: map[string]agents.Agent{"go:fixed": &fixed{action: envs.Int(0)}}},
			func(_ *Config, s *messages.Start) { s.AiRoles = []string{"a"} }).begin().wait()
		if d := cmp.Diff([]messages.Source{messages.Source_SOURCE_POLICY}, p.sources(0)); d != "" {
			t.Errorf("other sources (-want +got):\n%s", d)
		}
	})
}
