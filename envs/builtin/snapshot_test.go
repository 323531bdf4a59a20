package builtin_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"sharpie/envs"
	"sharpie/envs/builtin"
)

// started makes a variant and plays its first steps.
func started(tb testing.TB, id string, kwargs map[string]any) envs.Environment {
	tb.Helper()
	env, err := builtin.Registry().Make("go:"+id, kwargs)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := env.Reset(context.Background(), 5); err != nil {
		tb.Fatal(err)
	}
	return env
}

// first is the same legal action for every role: the lowest.
func first(env envs.Environment) []envs.RoleAction {
	var out []envs.RoleAction
	for _, r := range env.Spec().Roles {
		var v envs.Value = envs.Int(0)
		if b, ok := r.Action.(envs.Box); ok {
			v = envs.NewArray(b.DType, b.Shape...)
		}
		out = append(out, envs.RoleAction{Role: r.Role, Action: v})
	}
	return out
}

func TestRestoreSaysWhatIsWrong(t *testing.T) {
	tests := []struct {
		id, replace, with, want string
	}{
		{"MountainCar-v0", `"MountainCar-v0 1"`, `"MountainCar-v0 0"`, `the snapshot is of "MountainCar-v0 0", not of "MountainCar-v0 1"`},
		{"MountainCar-v0", `"steps":0`, `"steps":-1`, "steps is -1"},
		{"MountainCar-v0", `"position":-`, `"position":-9`, "position is -9"},
		{"MountainCar-v0", `"velocity":0`, `"velocity":0.2`, "velocity is 0.2"},
		{"MountainCar-v0", `"generator":"`, `"generator":"AAAA`, "generator"},
		{"CartPole-v1", `"x":`, `"x":1e9,"y":`, "x, x_dot, theta, theta_dot are"},
		{"FrozenLake-v1", `"cell":0`, `"cell":16`, "cell is 16: allowed are 0 to 15"},
		{"FrozenLake-v1", `"facing":-1`, `"facing":4`, "facing is 4"},
		{"simple_spread_v3", `"positions":[`, `"positions":[[0,0],`, "must have 6 elements"},
		{"simple_tag_v3", `"roles":4`, `"roles":3`, "the snapshot has 3 roles, not 4"},
		{"Bench-v0", `"actions":[0]`, `"actions":[]`, "must have 1 elements"},
		{"Bench-v0", `"actions":[0]`, `"actions":[5]`, "allowed are 0 to 4"},
	}
	for _, tt := range tests {
		env := started(t, tt.id, nil)
		data, err := env.(envs.Snapshotter).Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		bad := strings.Replace(string(data), tt.replace, tt.with, 1)
		if bad == string(data) {
			t.Fatalf("%s: %s has no %s", tt.id, data, tt.replace)
		}
		if err := env.(envs.Snapshotter).Restore([]byte(bad)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s with %s: Restore returned %v, want %q in it", tt.id, tt.with, err, tt.want)
		}
	}
}

// FuzzRestore makes sure that no snapshot that is accepted can crash a step, a
// picture or the next snapshot, or give an observation outside its space.
func FuzzRestore(f *testing.F) {
	for i, v := range variants {
		data, err := started(f, v.id, v.kwargs).(envs.Snapshotter).Snapshot()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(i, data)
		var doc map[string]any
		if err := json.Unmarshal(data, &doc); err != nil {
			f.Fatal(err)
		}
		doc["over"], doc["steps"] = true, 1e6
		changed, _ := json.Marshal(doc)
		f.Add(i, changed)
	}
	f.Add(6, []byte(`{"environment":"simple_spread_v3 1","roles":3,"generator":"cGNnOgAAAAAAAAABAAAAAAAAAAI=","state":{"positions":[[0,0],[0,0],[0,0],[1e6,-1e6],[0,0],[0,0]],"velocities":[[1e6,1e6],[0,0],[0,0],[0,0],[0,0],[0,0]]}}`))
	f.Fuzz(func(t *testing.T, which int, data []byte) {
		v := variants[uint(which)%uint(len(variants))]
		env := started(t, v.id, v.kwargs)
		sn := env.(envs.Snapshotter)
		if sn.Restore(data) != nil {
			return
		}
		ctx := context.Background()
		if _, err := env.Render(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := sn.Snapshot(); err != nil {
			t.Fatal(err)
		}
		tr, err := env.Step(ctx, first(env))
		if err != nil {
			return // the episode may be over
		}
		for i, r := range env.Spec().Roles {
			if err := r.Observation.Contains(tr.Roles[i].Observation); err != nil && v.id != "CartPole-v1" {
				t.Fatal(err)
			}
		}
		if _, err := env.Render(ctx); err != nil {
			t.Fatal(err)
		}
	})
}
