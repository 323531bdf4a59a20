package toytext

import (
	"encoding/json"
	"math"
	"testing"

	"sharpie/envs"
	"sharpie/envs/golden"
)

// TestSlipping repeats the recorded actions with the recorded chances, which
// decide where Gymnasium's lake lets one slip.
func TestSlipping(t *testing.T) {
	for _, name := range []string{"frozenlake_4x4", "frozenlake_8x8"} {
		t.Run(name, func(t *testing.T) {
			trajectory, err := golden.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			model, err := newLake(envs.NewKwargs(trajectory.Kwargs))
			if err != nil {
				t.Fatal(err)
			}
			for i, e := range trajectory.Episodes {
				err := model.SetState(func(into any) error { return json.Unmarshal(e.State, into) })
				if err != nil {
					t.Fatal(err)
				}
				for j, a := range e.Actions {
					reward, terminated := model.move(int(a.(float64)), e.Chances[j])
					o := observe(model)
					last := j == len(e.Actions)-1
					switch {
					case float64(o.Observation.(envs.Int)) != e.Observations[j]:
						t.Fatalf("episode %d, step %d: the cell is %v, want %v", i, j, o.Observation, e.Observations[j])
					case math.Abs(reward-e.Rewards[j].(float64)) > 1e-6:
						t.Fatalf("episode %d, step %d: the reward is %v, want %v", i, j, reward, e.Rewards[j])
					case terminated != (last && e.Terminated):
						t.Fatalf("episode %d, step %d: terminated is %t, want %t", i, j, terminated, !terminated)
					case math.Abs(o.Info["prob"].(float64)-e.Probabilities[j]) > 1e-6:
						t.Fatalf("episode %d, step %d: the probability is %v, want %v", i, j, o.Info["prob"], e.Probabilities[j])
					}
				}
			}
		})
	}
}

func observe(l *frozenLake) envs.RoleObservation {
	var o envs.RoleObservation
	l.Observe([]*envs.RoleObservation{&o})
	return o
}
