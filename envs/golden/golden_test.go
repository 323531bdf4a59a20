package golden_test

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"sharpie/envs"
	"sharpie/envs/builtin"
	"sharpie/envs/golden"
)

// tolerance is how far an observation or a reward may be off.
const tolerance = 1e-6

// TestTrajectories puts every built-in environment into the recorded state and
// repeats the recorded actions. The slippery lakes are tested beside their
// dynamics, where the chance can be given.
func TestTrajectories(t *testing.T) {
	names, err := golden.Names()
	if err != nil {
		t.Fatal(err)
	}
	steps := map[string]int{}
	for _, name := range names {
		trajectory, err := golden.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range trajectory.Episodes {
			steps[trajectory.Environment] += len(e.Actions)
		}
		slippery := trajectory.Environment == "FrozenLake-v1" && trajectory.Kwargs["is_slippery"] != false
		if slippery {
			continue
		}
		t.Run(name, func(t *testing.T) { repeat(t, trajectory) })
	}
	for _, id := range []string{"MountainCar-v0", "CartPole-v1", "FrozenLake-v1", "simple_spread_v3", "simple_tag_v3"} {
		if steps[id] < 1000 {
			t.Errorf("%s is recorded for %d steps, want 1000 and more", id, steps[id])
		}
	}
}

func repeat(t *testing.T, trajectory *golden.Trajectory) {
	ctx := context.Background()
	env, err := builtin.Registry().Make("go:"+trajectory.Environment, trajectory.Kwargs)
	if err != nil {
		t.Fatal(err)
	}
	spec := env.Spec()
	var roles []string
	for _, r := range spec.Roles {
		roles = append(roles, string(r.Role))
	}
	if got, want := strings.Join(roles, " "), strings.Join(trajectory.Roles, " "); got != want {
		t.Fatalf("the roles are %s, want %s", got, want)
	}
	for i, e := range trajectory.Episodes {
		if _, err := env.Reset(ctx, 1); err != nil {
			t.Fatal(err)
		}
		restore(t, env, e.State)
		for j := range e.Actions {
			tr, err := env.Step(ctx, actions(t, spec, e.Actions[j]))
			if err != nil {
				t.Fatalf("episode %d, step %d: %v", i, j, err)
			}
			compare(t, trajectory, e, i, j, tr)
			if t.Failed() {
				return
			}
		}
	}
}

// restore puts a recorded state into a snapshot, and that into the environment.
func restore(t *testing.T, env envs.Environment, state json.RawMessage) {
	t.Helper()
	sn := env.(envs.Snapshotter)
	data, err := sn.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var snapshot map[string]any
	if err := json.Unmarshal(data, &snapshot); err != nil {
		t.Fatal(err)
	}
	snapshot["state"] = state
	if data, err = json.Marshal(snapshot); err != nil {
		t.Fatal(err)
	}
	if err := sn.Restore(data); err != nil {
		t.Fatal(err)
	}
}

// perRole spreads a recorded value over the roles: a list of several, or one.
func perRole(roles int, doc any) []any {
	if roles == 1 {
		return []any{doc}
	}
	return doc.([]any)
}

func actions(t *testing.T, spec envs.Spec, doc any) []envs.RoleAction {
	t.Helper()
	var out []envs.RoleAction
	for i, d := range perRole(len(spec.Roles), doc) {
		v, err := envs.FromDocument(spec.Roles[i].Action, d)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, envs.RoleAction{Role: spec.Roles[i].Role, Action: v})
	}
	return out
}

func compare(t *testing.T, trajectory *golden.Trajectory, e golden.Episode, i, j int, tr envs.Transition) {
	t.Helper()
	n := len(trajectory.Roles)
	last := j == len(e.Actions)-1
	observed := 0
	if trajectory.Rotating {
		observed = j % n
	}
	if d := distance(tr.Roles[observed].Observation, e.Observations[j]); !(d <= tolerance) {
		t.Errorf("episode %d, step %d, role %s: the observation is %v, want %v (off by %g)", i, j,
			trajectory.Roles[observed], envs.ToDocument(tr.Roles[observed].Observation), e.Observations[j], d)
	}
	for k, want := range perRole(n, e.Rewards[j]) {
		r := tr.Roles[k]
		if !(math.Abs(r.Reward-want.(float64)) <= tolerance) {
			t.Errorf("episode %d, step %d, role %s: the reward is %v, want %v", i, j, r.Role, r.Reward, want)
		}
		if r.Terminated != (last && e.Terminated) || r.Truncated != (last && e.Truncated) {
			t.Errorf("episode %d, step %d, role %s: terminated %t, truncated %t, want %t, %t", i, j, r.Role,
				r.Terminated, r.Truncated, last && e.Terminated, last && e.Truncated)
		}
	}
}

// distance is the greatest difference of an element; infinite between kinds.
func distance(got envs.Value, want any) float64 {
	switch v := got.(type) {
	case envs.Int:
		return math.Abs(float64(v) - want.(float64))
	case envs.Array:
		list := want.([]any)
		if len(list) != v.Len() {
			return math.Inf(1)
		}
		worst := 0.0
		for i := range list {
			worst = max(worst, math.Abs(v.At(i)-list[i].(float64)))
		}
		return worst
	}
	return math.Inf(1)
}

// TestPackagesAreNamed makes sure that every recording says what it is of.
func TestPackagesAreNamed(t *testing.T) {
	names, err := golden.Names()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		trajectory, err := golden.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{"gymnasium", "mpe2", "numpy", "python"} {
			if trajectory.Packages[p] == "" {
				t.Errorf("%s does not say which version of %s it was recorded with", name, p)
			}
		}
	}
}
