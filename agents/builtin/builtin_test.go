package builtin

import (
	"errors"
	"strings"
	"testing"

	"sharpie/agents"
	"sharpie/agents/agenttest"
	"sharpie/envs"
)

// particles is the seat of a role in a particle environment with so many numbers.
func particles(environment string, role envs.Role, length int, roles ...envs.Role) agents.Spec {
	spec := agents.Spec{Environment: environment, Seed: 5}
	for _, r := range roles {
		rs := envs.RoleSpec{Role: r, Observation: envs.NewBox(envs.Float32, -3, 3, length), Action: envs.Discrete{N: 5}}
		spec.Roles = append(spec.Roles, rs)
		if r == role {
			spec.Role = rs
		}
	}
	return spec
}

func seat(observation, action envs.Space) agents.Spec {
	r := envs.RoleSpec{Role: "agent_0", Observation: observation, Action: action}
	return agents.Spec{Environment: "any", Role: r, Roles: []envs.RoleSpec{r}, Seed: 5}
}

func with(spec agents.Spec, kwargs map[string]any) agents.Spec {
	spec.Kwargs = kwargs
	return spec
}

func tagSpec(role envs.Role) agents.Spec {
	// 4 + 2 obstacles·2 + 3 others·2, and one velocity for adversaries
	if role == "agent_0" {
		return particles("simple_tag_v3", role, 14, "adversary_0", "adversary_1", "adversary_2", "agent_0")
	}
	return particles("simple_tag_v3", role, 16, "adversary_0", "adversary_1", "adversary_2", "agent_0")
}

func spreadSpec() agents.Spec {
	return particles("simple_spread_v3", "agent_1", 18, "agent_0", "agent_1", "agent_2")
}

func TestEveryPolicyKeepsTheContract(t *testing.T) {
	picture := envs.NewBox(envs.Uint8, 0, 255, 4, 4, 3)
	for _, c := range []struct {
		name, source string
		spec         agents.Spec
	}{
		{"random, discrete", "go:random", seat(picture, envs.Discrete{N: 3, Start: 1})},
		{"random, box", "go:random", seat(picture, envs.NewBox(envs.Float32, -1, 1, 2))},
		{"random, multi-discrete", "go:random", seat(picture, envs.MultiDiscrete{Nvec: []int64{2, 3}})},
		{"constant, discrete", "go:constant", with(seat(picture, envs.Discrete{N: 3, Start: 1}), map[string]any{"action": int64(2)})},
		{"constant, box", "go:constant", with(seat(picture, envs.NewBox(envs.Float32, -1, 1, 2)), map[string]any{"action": []any{0.5, int64(-1)}})},
		{"pursuer, adversary", "go:pursuer", tagSpec("adversary_1")},
		{"pursuer, good", "go:pursuer", tagSpec("agent_0")},
		{"spreader", "go:spreader", spreadSpec()},
		{"tamer", "go:tamer", seat(envs.Discrete{N: 16}, envs.Discrete{N: 4})},
		{"tamer, exploring", "go:tamer", with(seat(envs.Discrete{N: 16, Start: 3}, envs.Discrete{N: 4, Start: -1}), map[string]any{"epsilon": 0.3, "learning_rate": int64(1), "initial_value": -0.5})},
	} {
		t.Run(c.name, func(t *testing.T) {
			factory := func(spec agents.Spec) (agents.Agent, error) { return Registry().Make(c.source, spec) }
			agenttest.Run(t, factory, c.spec)
		})
	}
}

func TestFactoriesSayWhatTheyWant(t *testing.T) {
	continuous := spreadSpec()
	continuous.Role.Action = envs.NewBox(envs.Float32, 0, 1, 5)
	for _, c := range []struct {
		name, source string
		spec         agents.Spec
		want         []string
	}{
		{"unknown policy", "go:rnd", spreadSpec(), []string{"go:rnd", "go:random", "go:tamer"}},
		{"no prefix", "random", spreadSpec(), []string{"go:random"}},
		{"pursuer elsewhere", "go:pursuer", spreadSpec(), []string{"simple_tag_v3", "simple_spread_v3"}},
		{"spreader, continuous", "go:spreader", continuous, []string{"continuous_actions: false"}},
		{"spreader, wrong vector", "go:spreader", particles("simple_spread_v3", "agent_0", 17, "agent_0", "agent_1"), []string{"17 numbers"}},
		{"tamer, pictures", "go:tamer", seat(envs.NewBox(envs.Uint8, 0, 255, 4), envs.Discrete{N: 2}), []string{"discrete observation space"}},
		{"tamer, rate", "go:tamer", with(seat(envs.Discrete{N: 2}, envs.Discrete{N: 2}), map[string]any{"learning_rate": "fast"}), []string{"learning_rate", "0 to 1"}},
		{"constant, outside", "go:constant", with(seat(envs.Discrete{N: 2}, envs.Discrete{N: 2}), map[string]any{"action": int64(2)}), []string{"action", "0 to 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Registry().Make(c.source, c.spec)
			if err == nil {
				t.Fatal("the factory took it")
			}
			if !errors.Is(err, agents.ErrInvalidArgument) && !errors.Is(err, agents.ErrUnknown) {
				t.Errorf("got %v, want ErrInvalidArgument or ErrUnknown", err)
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("the error does not say %q: %v", w, err)
				}
			}
		})
	}
}
