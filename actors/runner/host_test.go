package runner

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sharpie/actors/messages"
	"sharpie/envs"
	"sharpie/experiments"
)

func TestAHostTakesAStepInOneTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, h, w := together(experiments.InputActions, "b", "a")
		def.Agents[0], def.Agents[1] = def.Agents[1], def.Agents[0]
		def.Agents[0].Policy, def.Agents[1].Policy = "p", ""
		p := play(t, def, w).begin()
		time.Sleep(150 * ms)
		p.input(0, 1, "ArrowLeft")
		p.input(0, 2)
		p.wait()
		p.endOf()
		if d := cmp.Diff([]string{
			"[a acts=true ask=true 1 final=false learn=false][b acts=true ask=false 1 final=false learn=false]",
			"[a acts=true ask=true 0 final=true learn=true][b acts=true ask=false 1 final=false learn=false]",
			"[a acts=true ask=true 1 final=false learn=true][b acts=true ask=false 1 final=false learn=false]",
		}, h.turns); d != "" {
			t.Errorf("the host was given other turns (-want +got):\n%s", d)
		}
		var got []string
		for _, r := range p.records()[1:] {
			a := r.Roles[0]
			got = append(got, fmt.Sprint(a.PolicyAction.GetInteger(), a.Action.GetInteger(), a.Source, " ", a.PolicyVersion))
		}
		if d := cmp.Diff([]string{"2 2 SOURCE_POLICY ", "2 0 SOURCE_HUMAN a-1", "2 2 SOURCE_POLICY a-2"}, got); d != "" {
			t.Errorf("recorded otherwise (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]string{"a own false false", "a own false false", "a own false true"}, h.lessons); d != "" {
			t.Errorf("other lessons (-want +got):\n%s", d)
		}
		e := p.endOf()
		if len(e.Checkpoints) != 1 || e.Checkpoints[0].Version != "a-3" || e.Log != "printed" {
			t.Errorf("ended with %v, want the last version's state and the log", e)
		}
	})
}

func TestAHostSaysWhereItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, h, w := together(experiments.InputActions, "a")
		h.onStep = func(n int) {
			if n == 2 {
				h.info.Warnings = append(h.info.Warnings, "a late one")
			}
		}
		p := play(t, def, w).begin().wait()
		s := p.messages[0].(*messages.Started)
		if s.Interpreter != "Python 3.12" || s.Confinement != "none" || len(s.Warnings) != 1 || s.Width != 8 || s.Step.Picture == nil {
			t.Errorf("started with %v, want the host's info and a picture", s)
		}
		if d := cmp.Diff([]string{"a late one"}, p.endOf().Warnings); d != "" {
			t.Errorf("other warnings at the end (-want +got):\n%s", d)
		}
	})
}

func TestAPersonTeachesAHostedPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, h, w := together(experiments.InputReward, "a")
		def.Agents[0].KeyboardInputs = experiments.KeyMap{Default: int64(0), Bindings: []experiments.KeyBinding{{Key: "ArrowUp", Value: 0.5}}}
		p := play(t, def, w).begin()
		time.Sleep(150 * ms)
		p.input(0, 1, "ArrowUp")
		p.input(0, 2)
		p.wait()
		if d := cmp.Diff([]string{"a 0.5 false false", "a 0 false false", "a 0 false true"}, h.lessons); d != "" {
			t.Errorf("other lessons (-want +got):\n%s", d)
		}
	})
}

func TestAHostedPolicyIsAlwaysToldTheInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, h, w := together(experiments.InputOther, "a")
		p := play(t, def, w).begin()
		time.Sleep(250 * ms)
		p.input(0, 1, "ArrowRight")
		p.wait()
		if h.asked["a"] != envs.Value(envs.Int(2)) {
			t.Errorf("the policy was told %v", h.asked["a"])
		}
		def, h, w = together(experiments.InputOther, "a")
		p = play(t, def, w).begin()
		p.inbox.putSeat(&messages.SetSeat{Occupant: messages.SetSeat_DEFAULTS})
		p.wait()
		if h.asked["a"] != envs.Value(envs.Int(1)) {
			t.Errorf("without a person the policy was told %v, want the default 1", h.asked["a"])
		}
	})
}

func TestAGoPolicyInAHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, h, w := together(experiments.InputActions, "a")
		agent := &fixed{action: envs.Int(0)}
		w.policies["go:hosted"] = agent
		p := play(t, def, w).begin().wait()
		p.endOf()
		if d := cmp.Diff("[a acts=true ask=false 0 final=false learn=false]", h.turns[1]); d != "" {
			t.Errorf("the host was given another turn (-want +got):\n%s", d)
		}
		if len(agent.inputs) != 3 || len(agent.updates) != 3 || len(h.lessons) != 0 {
			t.Errorf("asked %d times, taught %d times, and the host %d; want 3, 3, 0", len(agent.inputs), len(agent.updates), len(h.lessons))
		}
		src := messages.Source_SOURCE_POLICY
		if d := cmp.Diff([]messages.Source{src, src, src}, p.sources(0)); d != "" {
			t.Error(d)
		}
	})
}

func TestFaultsOfAHost(t *testing.T) {
	for _, state := range []envs.State{envs.EnvError, envs.PolicyError, envs.Hung, envs.OutOfMemory, envs.Killed, envs.Exited} {
		for _, phase := range []string{"reset", "step", "update"} {
			t.Run(string(state)+" in "+phase, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					def, h, w := together(experiments.InputActions, "a")
					h.fault = func(now string) error {
						if now != phase {
							return nil
						}
						f := &envs.Fault{State: state, Phase: phase, Type: "ValueError", Message: "no \xff map", Traceback: "line 7", Log: "its log"}
						if state == envs.PolicyError {
							f.Role = "a"
						}
						return fmt.Errorf("host: %w", f)
					}
					p := play(t, def, w).begin().wait()
					f := p.failure()
					role := ""
					if state == envs.PolicyError {
						role = "a"
					}
					if f.Code != string(state) || f.Phase != phase || f.Type != "ValueError" || f.Message != "no  map" || f.Trace != "line 7" || f.Log != "its log" || f.Role != role {
						t.Errorf("failed with %v", f)
					}
					if p.kept != nil || h.closed != 1 {
						t.Errorf("the host is kept, or was closed %d times", h.closed)
					}
				})
			})
		}
	}
}

func TestAHostThatCannotBeLoaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, _, w := together(experiments.InputActions, "a")
		w.refuse = &envs.Fault{State: envs.BadLoad, Phase: "load", Role: "a", Type: "ImportError", Message: "no module torch"}
		f := play(t, def, w).begin().wait().failure()
		if f.Code != CodeBadExperiment || f.Phase != "load" || f.Role != "a" || f.Type != "ImportError" || f.Log != "printed" {
			t.Errorf("failed with %v", f)
		}
	})
}

// The host stops what hangs by itself, and says why; the loop gives it a little
// longer than the deadline.
func TestTheLoopLeavesDeadlinesToTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, h, w := together(experiments.InputActions, "a")
		h.fault = func(phase string) error {
			if phase != "step" {
				return nil
			}
			time.Sleep(6 * time.Second)
			return &envs.Fault{State: envs.Hung, Phase: "step", Message: "stopped at line 9"}
		}
		if f := play(t, def, w).begin().wait().failure(); f.Code != "hung" || f.Message != "stopped at line 9" {
			t.Errorf("failed with %v, want the host's own words", f)
		}
		never := make(chan struct{})
		def, h, w = together(experiments.InputActions, "a")
		h.fault = func(phase string) error {
			if phase == "step" {
				<-never
			}
			return nil
		}
		p := play(t, def, w).begin()
		time.Sleep(15 * time.Second)
		if f := p.failure(); f.Code != "hung" {
			t.Errorf("failed with %v", f)
		}
		close(never)
		p.wait()
	})
}

func TestTheLastUpdateHasItsOwnDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, h, w := together(experiments.InputActions, "a")
		def.Experiment.UpdateTimeout = seconds(60)
		h.fault = func(phase string) error {
			if phase == "update" {
				time.Sleep(time.Minute)
			}
			return nil
		}
		if e := play(t, def, w).begin().wait().endOf(); e.Checkpoints[0].Version != "a-3" {
			t.Errorf("ended with %v", e)
		}
	})
}

func TestOnlyReusableHostsAreKept(t *testing.T) {
	for _, reusable := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			def, h, w := together(experiments.InputActions, "a")
			h.reusable = reusable
			if !reusable {
				h.closing = make(chan struct{})
			}
			p := play(t, def, w).begin()
			time.Sleep(time.Second)
			p.endOf() // also while the old one is still closing
			if (p.kept != nil) != reusable {
				t.Errorf("kept is %v for a host that says %v", p.kept != nil, reusable)
			}
			if h.closing != nil {
				close(h.closing)
			}
			p.wait()
			if (h.closed == 0) != reusable {
				t.Errorf("closed %d times", h.closed)
			}
		})
	}
}

func TestCheckpointsDuringTheEpisode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, _, w := together(experiments.InputActions, "a")
		def.Policies[0].CheckpointEvery, def.Experiment.MaxSteps = 2, 6
		p := play(t, def, w).begin().wait()
		var got []string
		for _, m := range p.messages {
			if c, ok := m.(*messages.Checkpoint); ok {
				got = append(got, fmt.Sprintf("%s at %d", c.Version, c.Step))
			}
		}
		got = append(got, "end "+p.endOf().Checkpoints[0].Version)
		if d := cmp.Diff([]string{"a-2 at 3", "a-4 at 5", "end a-6"}, got); d != "" {
			t.Errorf("other checkpoints (-want +got):\n%s", d)
		}
	})
}

func TestAStateIsPutBackBeforeLoading(t *testing.T) {
	for name, c := range map[string]struct {
		state *messages.AgentState
		want  string
	}{
		"of a role that has a policy": {&messages.AgentState{Role: "a", Version: "v", Data: []byte("x")}, ""},
		"of a role without":           {&messages.AgentState{Role: "b", Version: "v"}, "states: the role \"b\" has no policy that could keep a state"},
		"of a role that there is not": {&messages.AgentState{Role: "z", Version: "v"}, "states: the experiment has no role \"z\""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				def, _, w := together(experiments.InputActions, "a", "b")
				p := play(t, def, w, func(_ *Config, s *messages.Start) { s.States = []*messages.AgentState{c.state} }).begin().wait()
				if c.want == "" {
					if r := w.policies["go:hosted"].(*resident); string(r.state) != "x" {
						t.Errorf("the policy was loaded with %q", r.state)
					}
					p.endOf()
					return
				}
				if f := p.failure(); f.Code != CodeBadExperiment || f.Message != c.want {
					t.Errorf("failed with %v, want %s", f, c.want)
				}
			})
		})
	}
}

// A drop-out policy in the host takes the place of the role's own: what that had
// learned is kept as it was.
func TestAStandInInTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, h, w := together(experiments.InputActions, "a")
		def.Experiment.DropOutPolicy, def.Experiment.MaxSteps = "q", 5
		def.Policies = append(def.Policies, experiments.Policy{Name: "q", Source: "go:other"})
		w.policies["go:other"] = &resident{&fixed{}, h, "a"}
		p := play(t, def, w).begin()
		time.Sleep(250 * ms)
		p.inbox.putSeat(&messages.SetSeat{Occupant: messages.SetSeat_POLICY})
		e := p.wait().endOf()
		if len(h.lessons) != 1 || len(e.Checkpoints) != 1 || e.Checkpoints[0].Version != "a-1" {
			t.Errorf("%d lessons, and the end has %v; want one, and the state before the stand-in came", len(h.lessons), e.Checkpoints)
		}
		if n := len(h.turns); n != 5 {
			t.Errorf("%d turns, want 5", n)
		}
	})
}

func TestReplayOfAHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, h, w := together(experiments.InputActions, "a", "b")
		h.walk.turns, def.Experiment.MaxSteps = true, 6
		p := play(t, def, w).begin()
		time.Sleep(250 * ms)
		p.input(1, 1, "ArrowLeft")
		p.wait()
		p.endOf()
		again := newHosted("a", "b")
		again.walk.turns = true
		rec, err := NewRecording(def, h.Spec())
		if err != nil {
			t.Fatal(err)
		}
		records := p.records()
		step := 0
		for hash, err := range Replay(t.Context(), again, 3, func(yield func([]envs.RoleAction, error) bool) {
			for _, r := range records[1:] {
				var actions []envs.Value
				for _, m := range r.Roles {
					v, err := FromMessage(m.Action)
					if err != nil {
						t.Error(err)
					}
					actions = append(actions, v)
				}
				if !yield(rec.Actions(actions), nil) {
					return
				}
			}
		}) {
			if err != nil {
				t.Fatal(err)
			}
			if hash != records[step].ObservationHash {
				t.Errorf("step %d gives another hash", step)
			}
			step++
		}
		if step != 7 {
			t.Errorf("%d steps were replayed, want 7 with step 0", step)
		}
	})
}

// Whatever became of the code, the slot is free within 2 s, also where its process
// takes long to close; and so is the next episode's beginning.
func TestAFaultFreesTheSlot(t *testing.T) {
	for _, state := range []envs.State{envs.EnvError, envs.PolicyError, envs.Hung, envs.OutOfMemory, envs.Killed, envs.Exited} {
		t.Run(string(state), func(t *testing.T) {
			def, h, w := together(experiments.InputActions, "a")
			def.Policies, def.Agents[0].Policy = nil, ""
			h.fault = func(phase string) error {
				if phase == "step" {
					return &envs.Fault{State: state, Phase: phase, Message: "it is over"}
				}
				return nil
			}
			inHouse(t, w, func(house *house) {
				h.closing = make(chan struct{})
				defer close(h.closing)
				house.start(house.session, "s", "e", def)
				next[*messages.Started](house, house.session)
				if f := next[*messages.Failed](house, house.session); f.Code != string(state) {
					t.Errorf("failed with %v", f)
				}
				failed := time.Now()
				house.send(&messages.Release{SessionId: "s"})
				next[*messages.Offer](house, house.queue)
				if took := time.Since(failed); took > 2*time.Second {
					t.Errorf("the slot was free after %v, want 2 s at most", took)
				}
			})
		})
	}
}

// Every episode of a host that knows one only has a new one.
func TestAHostForEachEpisode(t *testing.T) {
	def, _, _ := together(experiments.InputActions, "a")
	def.Policies, def.Agents[0].Policy = nil, ""
	var made []*hosted
	w := &world{fresh: func() envs.Environment {
		h := newHosted("a")
		made = append(made, h)
		return h
	}}
	inHouse(t, w, func(house *house) {
		for _, episode := range []string{"e1", "e2"} {
			house.start(house.session, "s", episode, def)
			next[*messages.Started](house, house.session)
			if e := next[*messages.EpisodeEnded](house, house.session); e.EpisodeId != episode {
				t.Errorf("ended with %v", e)
			}
		}
		synctest.Wait()
		if len(made) != 2 || made[0].closed != 1 || made[1].closed != 1 {
			t.Errorf("%d environments were made, want one for each episode, both closed", len(made))
		}
	})
}
