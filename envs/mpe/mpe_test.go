package mpe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"sharpie/envs"
)

// place puts bodies at positions, at rest.
func place(t *testing.T, env envs.Environment, positions ...vec) {
	t.Helper()
	ctx := context.Background()
	if _, err := env.Reset(ctx, 1); err != nil {
		t.Fatal(err)
	}
	sn := env.(envs.Snapshotter)
	data, err := sn.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	doc["state"] = state{Positions: positions, Velocities: make([]vec, len(positions))}
	data, _ = json.Marshal(doc)
	if err := sn.Restore(data); err != nil {
		t.Fatal(err)
	}
}

func makeTag(t *testing.T, kwargs map[string]any) envs.Environment {
	t.Helper()
	env, err := NewTag(kwargs)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

var oneOnOne = map[string]any{"num_good": 1, "num_adversaries": 1, "num_obstacles": 1}

func step(t *testing.T, env envs.Environment, actions ...envs.Int) envs.Transition {
	t.Helper()
	var out []envs.RoleAction
	for i, r := range env.Spec().Roles {
		out = append(out, envs.RoleAction{Role: r.Role, Action: actions[i]})
	}
	tr, err := env.Step(context.Background(), out)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestTagRoles(t *testing.T) {
	tests := []struct {
		kwargs map[string]any
		want   string
	}{
		{nil, "adversary_0[16] adversary_1[16] adversary_2[16] agent_0[14]"},
		{oneOnOne, "adversary_0[10] agent_0[8]"},
	}
	for _, tt := range tests {
		var got []string
		for _, r := range makeTag(t, tt.kwargs).Spec().Roles {
			got = append(got, fmt.Sprintf("%s%v", r.Role, r.Observation.(envs.Box).Shape))
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%v has roles %s, want %s", tt.kwargs, s, tt.want)
		}
	}
}

func TestCatching(t *testing.T) {
	env := makeTag(t, oneOnOne)
	place(t, env, vec{0, 0}, vec{0.1, 0}, vec{0.5, 0.5})
	tr := step(t, env, 0, 0)
	if hunter, prey := tr.Roles[0].Reward, tr.Roles[1].Reward; hunter != 10 || prey != -10 {
		t.Errorf("touching gives the adversary %v and the agent %v, want 10 and -10", hunter, prey)
	}
	// they push each other away
	for range 5 {
		tr = step(t, env, 0, 0)
	}
	if hunter, prey := tr.Roles[0].Reward, tr.Roles[1].Reward; hunter != 0 || prey != 0 {
		t.Errorf("apart gives the adversary %v and the agent %v, want nothing", hunter, prey)
	}
}

func TestDirections(t *testing.T) {
	for action, want := range map[envs.Int]vec{0: {0, 0}, 1: {-1, 0}, 2: {1, 0}, 3: {0, -1}, 4: {0, 1}} {
		env := makeTag(t, oneOnOne)
		place(t, env, vec{0, 0}, vec{0.5, -0.5}, vec{-0.5, 0.5})
		step(t, env, action, 0)
		tr := step(t, env, action, 0)
		a := tr.Roles[0].Observation.(envs.Array)
		if got := (vec{sign(a.At(2)), sign(a.At(3))}); got != want {
			t.Errorf("action %d moves to %v, want %v", action, got, want)
		}
	}
}

func sign(x float64) float64 {
	switch {
	case x > 1e-9:
		return 1
	case x < -1e-9:
		return -1
	}
	return 0
}

func TestStartIsInTheField(t *testing.T) {
	env, err := NewSpread(map[string]any{"N": 20})
	if err != nil {
		t.Fatal(err)
	}
	far := 0.0
	for seed := range uint64(50) {
		obs, err := env.Reset(context.Background(), seed)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range obs {
			a := o.Observation.(envs.Array)
			for _, i := range []int{2, 3} {
				far = max(far, a.At(i), -a.At(i))
			}
		}
	}
	if far > 1 || far < 0.99 {
		t.Errorf("the farthest of 1,000 starts is %v, want a little less than 1", far)
	}
}

// TestEveryoneIsSeen makes sure that a body changes the picture wherever it is,
// also outside of what the picture shows.
func TestEveryoneIsSeen(t *testing.T) {
	env := makeTag(t, oneOnOne)
	picture := func(p vec) []byte {
		place(t, env, vec{0, 0}, p, vec{0.5, 0.5})
		f, err := env.Render(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Clone(f.Index)
	}
	seen := map[string]vec{}
	for _, p := range []vec{{-0.5, 0}, {3, 0}, {-3, 0}, {0, 3}, {0, -3}, {3, 3}, {1.18, 0}, {100, 40}} {
		s := string(picture(p))
		if other, ok := seen[s]; ok {
			t.Errorf("the agent at %v looks as it does at %v", p, other)
		}
		seen[s] = p
	}
}

func TestCoveredGoalIsShown(t *testing.T) {
	env, err := NewSpread(map[string]any{"N": 1})
	if err != nil {
		t.Fatal(err)
	}
	count := func(agent vec) int {
		place(t, env, agent, vec{0, 0})
		f, err := env.Render(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Count(f.Index[:fieldPixels*fieldPixels], []byte{byte(theSpread().covered)})
	}
	if n := count(vec{0.5, 0.5}); n != 0 {
		t.Errorf("%d pixels say covered while nobody is there", n)
	}
	if n := count(vec{0.05, 0}); n < 100 {
		t.Errorf("%d pixels say covered", n)
	}
}

func TestSamePlaceIsNoCrash(t *testing.T) {
	env := makeTag(t, oneOnOne)
	place(t, env, vec{0, 0}, vec{0, 0}, vec{0, 0})
	tr := step(t, env, 0, 0)
	for i, r := range env.Spec().Roles {
		if err := r.Observation.Contains(tr.Roles[i].Observation); err != nil {
			t.Error(err)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		step(t, env, envs.Int(rng.IntN(5)), envs.Int(rng.IntN(5)))
	}
}
