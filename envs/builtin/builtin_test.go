package builtin_test

import (
	"errors"
	"strings"
	"testing"

	"sharpie/envs"
	"sharpie/envs/builtin"
	"sharpie/envs/envtest"
)

// variants are the built-in environments with keyword arguments that matter.
var variants = []struct {
	name, id string
	kwargs   map[string]any
}{
	{"mountain car", "MountainCar-v0", map[string]any{"max_episode_steps": 60}},
	{"mountain car without limit", "MountainCar-v0", map[string]any{"max_episode_steps": 0}},
	{"cart-pole", "CartPole-v1", nil},
	{"frozen lake", "FrozenLake-v1", nil},
	{"frozen lake 8x8, not slippery", "FrozenLake-v1", map[string]any{"map_name": "8x8", "is_slippery": false}},
	{"frozen lake of one's own", "FrozenLake-v1", map[string]any{"desc": []any{"SFS", "HFG"}, "reward_schedule": []any{10, -1, -0.1}}},
	{"spread", "simple_spread_v3", nil},
	{"spread of one, continuous", "simple_spread_v3", map[string]any{"N": 1, "continuous_actions": true}},
	{"tag", "simple_tag_v3", nil},
	{"tag of two, long, without obstacles", "simple_tag_v3", map[string]any{
		"num_good": 1, "num_adversaries": 1, "num_obstacles": 0, "max_cycles": 60,
	}},
	{"tag, continuous", "simple_tag_v3", map[string]any{"num_good": 2, "continuous_actions": true}},
	{"bench game", "Bench-v0", map[string]any{"roles": 20, "steps": 50}},
	{"bench noise", "Bench-v0", map[string]any{"frames": "noise", "size": 16}},
	{"bench still", "Bench-v0", map[string]any{"frames": "still", "size": 33}},
}

func TestContract(t *testing.T) {
	registry := builtin.Registry()
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			envtest.Run(t, func() (envs.Environment, error) { return registry.Make("go:"+v.id, v.kwargs) },
				envtest.Options{Steps: 80})
		})
	}
}

func TestEveryEnvironmentIsTested(t *testing.T) {
	tested := map[string]bool{}
	for _, v := range variants {
		tested[v.id] = true
	}
	for _, id := range builtin.Registry().IDs() {
		if !tested[id] {
			t.Errorf("%s is registered, but no variant of it is tested", id)
		}
	}
}

func TestSpecHasTheRegisteredID(t *testing.T) {
	registry := builtin.Registry()
	for _, id := range registry.IDs() {
		env, err := registry.Make("go:"+id, nil)
		if err != nil {
			t.Fatal(err)
		}
		if spec := env.Spec(); spec.ID != id || !spec.Replayable {
			t.Errorf("%s has ID %q, replayable %t", id, spec.ID, spec.Replayable)
		}
		if _, ok := env.(envs.Snapshotter); !ok {
			t.Errorf("%s has no snapshots", id)
		}
	}
}

func TestBadArguments(t *testing.T) {
	tests := []struct {
		id     string
		kwargs map[string]any
		want   string
	}{
		{"MountainCar-v0", map[string]any{"gravity": 1}, `unknown "gravity"`},
		{"MountainCar-v0", map[string]any{"gravity": 1}, "goal_velocity"},
		{"MountainCar-v0", map[string]any{"max_episode_steps": -1}, "max_episode_steps must be an integer from 0"},
		{"CartPole-v1", map[string]any{"sutton_barto_reward": "yes"}, "sutton_barto_reward must be true or false"},
		{"FrozenLake-v1", map[string]any{"map_name": "5x5"}, "one of 4x4, 8x8"},
		{"FrozenLake-v1", map[string]any{"success_rate": 1.5}, "success_rate must be a number from 0 to 1"},
		{"FrozenLake-v1", map[string]any{"desc": []any{"SF", "FX"}}, `row 1, cell 1 is "X"`},
		{"FrozenLake-v1", map[string]any{"desc": []any{"SF", "FGF"}}, "row 1 has 3 cells"},
		{"FrozenLake-v1", map[string]any{"desc": []any{"SF", "FF"}}, "there is no G"},
		{"FrozenLake-v1", map[string]any{"reward_schedule": []any{1, 0}}, "reward_schedule"},
		{"simple_spread_v3", map[string]any{"N": 0}, "N must be an integer from 1 to 20"},
		{"simple_spread_v3", map[string]any{"local_ratio": "half"}, "local_ratio must be a number from 0 to 1"},
		{"simple_tag_v3", map[string]any{"num_good": 1.5}, "num_good must be an integer"},
		{"Bench-v0", map[string]any{"frames": "movie"}, "one of game, noise, still"},
	}
	for _, tt := range tests {
		env, err := builtin.Registry().Make("go:"+tt.id, tt.kwargs)
		if !errors.Is(err, envs.ErrInvalidArgument) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s with %v gives %v, %v; want an error with %q", tt.id, tt.kwargs, env, err, tt.want)
		}
	}
}
