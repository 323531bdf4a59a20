package making_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sharpie/agents"
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

// workshop is a Maker with the Python of the tests, and the bundles of testdata.
type workshop struct {
	*making.Maker
	t      *testing.T
	hashes map[string]string // by folder of testdata
}

func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	program := pythontest.Interpreter(t)
	pool, err := python.NewPool(python.Config{Dir: t.TempDir(), Spares: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	cache := &bundle.Cache{Dir: t.TempDir()}
	w := &workshop{t: t, hashes: map[string]string{}, Maker: making.New(making.Config{
		Registries: experiments.Registries{Environments: envsbuiltin.Registry(), Agents: agentsbuiltin.Registry()},
		Pool:       pool, Bundles: cache, OwnInterpreter: true,
		Interpreters: interpreter.New(interpreter.Config{Dir: t.TempDir(), Default: program}),
	})}
	folders, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		packed, err := bundle.Pack(filepath.Join("testdata", f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cache.Add(t.Context(), packed.Hash, packed.Data); err != nil {
			t.Fatal(err)
		}
		w.hashes[f.Name()] = packed.Hash
	}
	return w
}

// open makes an environment; folder names one of testdata, "" none.
func (w *workshop) open(d *experiments.Definition, folder string) (experiments.Order, envs.Environment) {
	w.t.Helper()
	o := experiments.Order{Definition: d, BundleHash: w.hashes[folder], Seed: 7, Label: w.t.Name()}
	env, err := w.Environment(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := env.Close(); err != nil {
			w.t.Errorf("close: %v", err)
		}
	})
	return o, env
}

// walk plays an episode of at most so many steps with drawn legal actions, and returns
// every observation.
func walk(t *testing.T, env envs.Environment, steps int) (seen []envs.Value, pictures int) {
	t.Helper()
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(3, 3))
	roles := map[envs.Role]envs.RoleSpec{}
	for _, r := range env.Spec().Roles {
		roles[r.Role] = r
	}
	now, err := env.Reset(ctx, 11)
	if err != nil {
		t.Fatal(err)
	}
	for range steps {
		var actions []envs.RoleAction
		for _, o := range now {
			if err := roles[o.Role].Observation.Contains(o.Observation); err != nil {
				t.Fatalf("%s sees what is no observation: %v", o.Role, err)
			}
			seen = append(seen, o.Observation)
			if !o.Waits {
				actions = append(actions, envs.RoleAction{Role: o.Role, Action: roles[o.Role].Action.Sample(rng, o.ActionMask)})
			}
		}
		if len(now) == 0 {
			return seen, pictures
		}
		tr, err := env.Step(ctx, actions)
		if err != nil {
			t.Fatal(err)
		}
		f, err := env.Render(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if f.Width > 0 && f.Height > 0 {
			pictures++
		}
		now = now[:0:0]
		for _, r := range tr.Roles {
			if !r.Terminated && !r.Truncated {
				now = append(now, r.RoleObservation)
			}
		}
	}
	return seen, pictures
}

func TestIdsOfEveryKindOfSpaceRunAndRepeat(t *testing.T) {
	for _, c := range []struct {
		name, source, folder string
		kwargs, metadata     map[string]any
	}{
		{name: "box and discrete", source: "gymnasium:CartPole-v1"},
		{name: "box and discrete, long", source: "gymnasium:MountainCar-v0"},
		{name: "continuous actions", source: "gymnasium:MountainCarContinuous-v0"},
		{name: "torque", source: "gymnasium:Pendulum-v1"},
		{name: "three torques", source: "gymnasium:Acrobot-v1"},
		{name: "discrete, slippery", source: "gymnasium:FrozenLake-v1"},
		{name: "discrete, with masks in the info", source: "gymnasium:Taxi-v4"},
		{name: "a cliff", source: "gymnasium:CliffWalking-v1"},
		{name: "tuple", source: "gymnasium:Blackjack-v1"},
		{name: "three roles", source: "pettingzoo:mpe2.simple_spread_v3"},
		{name: "two kinds of roles", source: "pettingzoo:mpe2.simple_tag_v3"},
		{name: "spaces by role", source: "pettingzoo:mpe2.simple_speaker_listener_v4"},
		{name: "leaders who speak", source: "pettingzoo:mpe2.simple_world_comm_v3"},
		{name: "turns and masks", source: "pettingzoo:pettingzoo.classic.tictactoe_v3"},
		{name: "turns, a larger board", source: "pettingzoo:pettingzoo.classic.connect_four_v3"},
		{name: "a file with all kinds", folder: "spaces", metadata: map[string]any{"steps": int64(20)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorkshop(t)
			d := &experiments.Definition{Environment: experiments.Environment{Source: c.source, Kwargs: c.kwargs, Metadata: c.metadata}}
			if c.folder != "" {
				d.Environment.Filepaths = map[string]string{"environment": "environment.py"}
				d.Agents = []experiments.Agent{{Role: "agent_0", Participant: true}}
			}
			_, env := w.open(d, c.folder)
			first, pictures := walk(t, env, 50)
			if pictures == 0 {
				t.Error("it never shows a picture")
			}
			if host, ok := env.(envs.Host); !ok || !host.Reusable() {
				_, env = w.open(d, c.folder)
			}
			second, _ := walk(t, env, 50)
			if len(first) != len(second) {
				t.Fatalf("the same seed and actions gave %d observations, then %d", len(first), len(second))
			}
			for i := range first {
				if !envs.Equal(first[i], second[i]) {
					t.Fatalf("observation %d was %v, then %v", i, first[i], second[i])
				}
			}
		})
	}
}

// cast makes the agent of a seat.
func (w *workshop) cast(o experiments.Order, env envs.Environment, seat int, p *experiments.Policy, role envs.RoleSpec, state []byte) (agents.Agent, error) {
	return w.Agent(w.t.Context(), o, env, experiments.Casting{Agent: seat, Policy: p, State: state, Spec: agents.Spec{
		Role: role, Roles: env.Spec().Roles, Environment: env.Spec().ID, Seed: uint64(seat) + 1, Kwargs: p.Kwargs,
	}})
}

func tamer(name string) experiments.Policy {
	return experiments.Policy{Name: name, Filepaths: map[string]string{"policy": "policy.py"}, CheckpointInterval: 1}
}

func TestPoliciesInPythonOfAGoEnvironmentShareAProcess(t *testing.T) {
	w := newWorkshop(t)
	d := &experiments.Definition{Environment: experiments.Environment{Source: "go:simple_spread_v3"}, Policies: []experiments.Policy{tamer("t")}}
	o, env := w.open(d, "tamer")
	roles := env.Spec().Roles
	var cast []agents.Agent
	for i := range roles[:2] {
		d.Agents = append(d.Agents, experiments.Agent{Role: roles[i].Role, Policy: "t"})
		p := d.Policies[0]
		p.Kwargs = map[string]any{"actions": int64(5)}
		a, err := w.cast(o, env, i, &p, roles[i], nil)
		if err != nil {
			t.Fatal(err)
		}
		cast = append(cast, a)
	}
	if cast[0].Version() == "" || cast[0].Version() != cast[1].Version() {
		t.Errorf("fresh policies of one file are %q and %q", cast[0].Version(), cast[1].Version())
	}
	if err := cast[0].Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := cast[1].(agents.Checkpointer).State(); err != nil {
		t.Errorf("the second policy ended with the first: %v", err)
	}
	if err := cast[1].Close(); err != nil {
		t.Fatal(err)
	}
	again, err := w.cast(o, env, 0, &d.Policies[0], roles[0], nil)
	if err != nil {
		t.Fatalf("nobody can come after all have left: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestAStateMovesFromAHostToAPolicyAloneAndBack(t *testing.T) {
	w := newWorkshop(t)
	d := &experiments.Definition{
		Environment: experiments.Environment{Source: "go:FrozenLake-v1"}, Policies: []experiments.Policy{tamer("t")},
		Agents: []experiments.Agent{{Role: "agent_0", Policy: "t", Participant: true}},
	}
	o, env := w.open(d, "tamer")
	role := env.Spec().Roles[0]
	first, err := w.cast(o, env, 0, &d.Policies[0], role, nil)
	if err != nil {
		t.Fatal(err)
	}
	fresh := first.Version()
	if err := first.(agents.Learner).Update(t.Context(), agents.Transition{
		Observation: envs.Int(0), Action: envs.Int(2), NextObservation: envs.Int(1), Reward: 1, Human: true,
	}); err != nil {
		t.Fatal(err)
	}
	state, err := first.(agents.Checkpointer).State()
	if err != nil {
		t.Fatal(err)
	}
	learned := first.Version()
	if learned == fresh {
		t.Errorf("it learned, and is still %q", fresh)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	hosted := *d
	hosted.Environment = experiments.Environment{Source: "gymnasium:FrozenLake-v1"}
	o, env = w.open(&hosted, "tamer")
	second, err := w.cast(o, env, 0, &hosted.Policies[0], env.Spec().Roles[0], state)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if h, ok := second.(experiments.Hosted); !ok || !h.HostedBy(env) || !h.Learns() {
		t.Errorf("%T does not live with its environment, or does not learn", second)
	}
	if second.Version() != learned {
		t.Errorf("with the state of %q it is %q", learned, second.Version())
	}
	again, err := second.(agents.Checkpointer).State()
	if err != nil || string(again) != string(state) {
		t.Errorf("it gives another state: %v", err)
	}
}

func TestGoPoliciesActInPythonEnvironments(t *testing.T) {
	for _, c := range []struct {
		source string
		role   int
		policy experiments.Policy
	}{
		{"gymnasium:FrozenLake-v1", 0, experiments.Policy{Name: "tamer", Source: "go:tamer"}},
		{"gymnasium:Pendulum-v1", 0, experiments.Policy{Name: "random", Source: "go:random"}},
		{"pettingzoo:mpe2.simple_tag_v3", 0, experiments.Policy{Name: "pursuer", Source: "go:pursuer"}},
		{"pettingzoo:mpe2.simple_spread_v3", 1, experiments.Policy{Name: "spreader", Source: "go:spreader"}},
	} {
		t.Run(c.policy.Name, func(t *testing.T) {
			w := newWorkshop(t)
			d := &experiments.Definition{Environment: experiments.Environment{Source: c.source}, Policies: []experiments.Policy{c.policy}}
			o, env := w.open(d, "")
			role := env.Spec().Roles[c.role]
			a, err := w.cast(o, env, c.role, &d.Policies[0], role, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			first, err := env.Reset(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			v, err := a.Act(t.Context(), agents.Input{Observation: first[c.role].Observation, ActionMask: first[c.role].ActionMask})
			if err != nil {
				t.Fatal(err)
			}
			if err := role.Action.Contains(v); err != nil {
				t.Errorf("%s chose %v: %v", c.policy.Name, v, err)
			}
		})
	}
}

func TestWhatCannotBeMadeSaysWhatIsMissing(t *testing.T) {
	w := newWorkshop(t)
	for want, o := range map[string]experiments.Order{
		"sharpie import FOLDER": {Definition: &experiments.Definition{Environment: experiments.Environment{
			Filepaths: map[string]string{"environment": "environment.py"}}}},
		"CartPol-v1":           {Definition: &experiments.Definition{Environment: experiments.Environment{Source: "gymnasium:CartPol-v1"}}},
		"no_such_package":      {Definition: &experiments.Definition{Environment: experiments.Environment{Source: "pettingzoo:no_such_package.game_v0"}}},
		"sharpie python build": {Definition: &experiments.Definition{Environment: experiments.Environment{Source: "gymnasium:CartPole-v1"}, Dependencies: []string{"gymnasium==0.1.2"}}},
		"there is no /nowhere": {Definition: &experiments.Definition{Environment: experiments.Environment{Source: "gymnasium:CartPole-v1"}, Interpreter: "/nowhere/bin/python"}},
	} {
		env, err := w.Environment(t.Context(), o)
		if err == nil {
			_ = env.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
		if here := want == "sharpie import FOLDER" || want == "CartPol-v1" || want == "no_such_package"; errors.Is(err, experiments.ErrNotHere) == here {
			t.Errorf("another machine may have it: %t: %v", !here, err)
		}
	}
	without := making.New(making.Config{})
	if _, err := without.Environment(t.Context(), experiments.Order{Definition: &experiments.Definition{
		Environment: experiments.Environment{Source: "gymnasium:CartPole-v1"}}}); err == nil {
		t.Error("Python runs without a pool")
	}
}
