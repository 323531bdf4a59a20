package runner

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"sharpie/actors/messages"
	agentsbuiltin "sharpie/agents/builtin"
	"sharpie/envs"
	envsbuiltin "sharpie/envs/builtin"
	"sharpie/envs/python"
	"sharpie/envs/python/interpreter"
	"sharpie/envs/python/pythontest"
	"sharpie/experiments"
	"sharpie/experiments/bundle"
	"sharpie/experiments/making"
)

// school is a Maker with the Python of the tests, and a folder as a bundle.
func school(t *testing.T, folder string) (experiments.Maker, string) {
	t.Helper()
	program := pythontest.Interpreter(t)
	pool, err := python.NewPool(python.Config{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	packed, err := bundle.Pack(filepath.FromSlash(folder))
	if err != nil {
		t.Fatal(err)
	}
	cache := &bundle.Cache{Dir: t.TempDir()}
	if _, err := cache.Add(t.Context(), packed.Hash, packed.Data); err != nil {
		t.Fatal(err)
	}
	return making.New(making.Config{
		Registries: experiments.Registries{Environments: envsbuiltin.Registry(), Agents: agentsbuiltin.Registry()},
		Pool:       pool, Bundles: cache, OwnInterpreter: true,
		Interpreters: interpreter.New(interpreter.Config{Dir: t.TempDir(), Default: program}),
	}), packed.Hash
}

// lesson is Frozen Lake without slipping, whose policy is TAMER in Python; a person
// judges each step: "+" is 1, "-" is -1.
func lesson(source string, wait bool) *experiments.Definition {
	kwargs := map[string]any{"is_slippery": false}
	return &experiments.Definition{
		Environment: experiments.Environment{Name: "Lake", Source: source, Kwargs: kwargs},
		Policies: []experiments.Policy{{
			Name: "tamer", Filepaths: map[string]string{"policy": "policy.py"}, CheckpointInterval: 1,
			CheckpointScope: "session",
		}},
		Agents: []experiments.Agent{{
			Role: "agent_0", Name: "learner", Policy: "tamer", Participant: true, InputsType: experiments.InputReward,
			KeyboardInputs: experiments.KeyMap{Default: int64(0), Bindings: []experiments.KeyBinding{
				{Key: "+", Value: int64(1)}, {Key: "-", Value: int64(-1)},
			}},
		}},
		Experiment: experiments.Experiment{
			Link: "lake", Name: "Lake", NumberOfEpisodes: 1, WaitForInputs: wait, MaxSteps: 40,
			LoadTimeout: seconds(60), ResetTimeout: seconds(30), StepTimeout: seconds(20), UpdateTimeout: seconds(60),
			EpisodeTimeout: seconds(600), InputTimeout: seconds(30), FeedbackGrace: seconds(0.2),
		},
	}
}

// better says whether a step on the 4×4 lake leads nearer to the goal; a hole is
// never nearer, and neither is staying where one was.
func better(from, to int64) bool {
	distance := []int{6, 5, 4, 5, 5, 9, 3, 9, 4, 3, 2, 9, 9, 2, 1, 0}
	return distance[to] < distance[from]
}

// teach plays one episode: with judge, a person judges every step by better. It
// returns whether the goal was reached, and what the policy had learned.
func teach(t *testing.T, maker experiments.Maker, hash, source string, seed uint64, judge bool, state *messages.AgentState) (bool, *messages.AgentState) {
	t.Helper()
	def := lesson(source, judge)
	if !judge { // nobody is there: the policy goes on by itself, without a pause
		def.Experiment.WaitForInputs, def.Experiment.TargetFPS = false, 240
		def.Policies[0].CheckpointInterval = -1
	}
	p := play(t, def, nil, func(c *Config, s *messages.Start) {
		c.Maker = maker
		s.EpisodeId, s.Seed, s.BundleHash = fmt.Sprintf("e%d", seed), seed, hash
		if state != nil {
			s.States = []*messages.AgentState{state}
		}
	}).begin()
	end := time.After(2 * time.Minute)
	judged := 0 // the step that was judged last; nothing was done before step 1
	for open := true; open; {
		select {
		case <-p.ended:
			open = false
		case <-end:
			t.Fatal("the episode does not end")
		case <-time.After(time.Millisecond):
		}
		records := p.records()
		if !judge || len(records)-1 <= judged {
			continue
		}
		judged = len(records) - 1
		key := "-"
		if better(place(t, records[judged-1]), place(t, records[judged])) {
			key = "+"
		}
		p.input(0, uint64(2*judged+1), key)
		p.input(0, uint64(2*judged+2))
	}
	if f, failed := p.last().(*messages.Failed); failed {
		t.Fatalf("the episode failed: %s: %s\n%s", f.Code, f.Message, f.Trace)
	}
	e := p.endOf()
	records := p.records()
	reached := place(t, records[len(records)-1]) == 15
	if len(e.Checkpoints) == 0 {
		return reached, nil
	}
	c := e.Checkpoints[0]
	return reached, &messages.AgentState{Role: c.Role, Version: c.Version, Data: c.Data}
}

// place is the field that a record shows.
func place(t *testing.T, r *messages.StepRecord) int64 {
	t.Helper()
	return r.Roles[0].Observation.GetInteger()
}

// goals counts the episodes of so many that reach the goal, without a teacher.
func goals(t *testing.T, maker experiments.Maker, hash, source string, state *messages.AgentState, episodes int) int {
	t.Helper()
	reached := 0
	for i := range episodes {
		if ok, _ := teach(t, maker, hash, source, uint64(1000+i), false, state); ok {
			reached++
		}
	}
	return reached
}

func TestTAMERInPythonLearnsFrozenLakeFromATeacher(t *testing.T) {
	const episodes = 6
	for _, source := range []string{"gymnasium:FrozenLake-v1", "go:FrozenLake-v1"} {
		t.Run(source, func(t *testing.T) {
			maker, hash := school(t, "../../experiments/making/testdata/tamer")
			before := goals(t, maker, hash, source, nil, episodes)
			var state *messages.AgentState
			for i := range 10 {
				_, after := teach(t, maker, hash, source, uint64(i), true, state)
				if after == nil || len(after.Data) == 0 {
					t.Fatal("nothing of what was learned is kept")
				}
				if state != nil && after.Version == state.Version && i < 3 {
					t.Errorf("lesson %d left the version at %s", i, after.Version)
				}
				state = after
			}
			after := goals(t, maker, hash, source, state, episodes)
			t.Logf("%s: the goal was reached in %d of %d episodes before the lessons, in %d after them", source, before, episodes, after)
			if after <= before || after < episodes-1 {
				t.Errorf("the goal was reached in %d of %d episodes before the lessons, in %d after them", before, episodes, after)
			}
		})
	}
}

func TestARecordedPythonEpisodeIsReplayed(t *testing.T) {
	for _, source := range []string{"gymnasium:FrozenLake-v1", "gymnasium:Blackjack-v1", "pettingzoo:mpe2.simple_spread_v3", "pettingzoo:pettingzoo.classic.tictactoe_v3"} {
		t.Run(source, func(t *testing.T) {
			maker, hash := school(t, "../../experiments/making/testdata/tamer")
			def := &experiments.Definition{
				Environment: experiments.Environment{Name: "x", Source: source},
				Policies:    []experiments.Policy{{Name: "random", Source: "go:random"}},
				Experiment: experiments.Experiment{
					Link: "x", Name: "x", NumberOfEpisodes: 1, TargetFPS: 240, MaxSteps: 30, LoadTimeout: seconds(60),
					ResetTimeout: seconds(30), StepTimeout: seconds(20), EpisodeTimeout: seconds(300), InputTimeout: seconds(30),
				},
			}
			order := experiments.Order{Definition: def, BundleHash: hash, Seed: 3, Label: "replay"}
			env, err := maker.Environment(t.Context(), order)
			if err != nil {
				t.Fatal(err)
			}
			defer env.Close()
			for _, r := range env.Spec().Roles {
				def.Agents = append(def.Agents, experiments.Agent{Role: r.Role, Name: string(r.Role), Policy: "random", InputsType: experiments.InputActions})
			}
			p := play(t, def, nil, func(c *Config, s *messages.Start) { c.Maker, s.BundleHash = maker, hash }).begin().wait()
			p.endOf()
			records := p.records()
			steps := func(yield func([]envs.RoleAction, error) bool) {
				for _, r := range records[1:] {
					var actions []envs.RoleAction
					for i, role := range r.Roles {
						if role.Action != nil {
							spec := env.Spec().Roles[i]
							actions = append(actions, envs.RoleAction{Role: spec.Role, Action: envs.Int(role.Action.GetInteger())})
						}
					}
					if !yield(actions, nil) {
						return
					}
				}
			}
			n := 0
			for got, err := range Replay(t.Context(), env, 3, steps) {
				if err != nil {
					t.Fatal(err)
				}
				if want := records[n].ObservationHash; got != want {
					t.Fatalf("step %d: hash %016x, recorded was %016x", n, got, want)
				}
				n++
			}
			if n != len(records) || n < 2 {
				t.Errorf("%d of %d steps were replayed", n, len(records))
			}
		})
	}
}
