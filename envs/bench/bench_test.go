package bench_test

import (
	"bytes"
	"context"
	"testing"

	"sharpie/envs"
	"sharpie/envs/bench"
)

func start(t *testing.T, kwargs map[string]any) envs.Environment {
	t.Helper()
	env, err := bench.New(kwargs)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := env.Reset(context.Background(), 3); err != nil {
		t.Fatal(err)
	}
	return env
}

// advance steps with the same action of every role and returns a copy of the picture.
func advance(t *testing.T, env envs.Environment, action envs.Int) []byte {
	t.Helper()
	var actions []envs.RoleAction
	for _, r := range env.Spec().Roles {
		actions = append(actions, envs.RoleAction{Role: r.Role, Action: action})
	}
	if _, err := env.Step(context.Background(), actions); err != nil {
		t.Fatal(err)
	}
	return pixels(t, env)
}

func pixels(t *testing.T, env envs.Environment) []byte {
	t.Helper()
	f, err := env.Render(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return append(bytes.Clone(f.RGB), f.Index...)
}

func TestGameAndNoiseChangeEveryStep(t *testing.T) {
	for _, kwargs := range []map[string]any{
		{"frames": "game"}, {"frames": "game", "size": 16}, {"frames": "game", "size": 300, "roles": 100}, {"frames": "noise"},
	} {
		env := start(t, kwargs)
		last := pixels(t, env)
		for i := range 200 {
			next := advance(t, env, envs.Int(i%5))
			if bytes.Equal(next, last) {
				t.Fatalf("%v: the picture is the same after step %d", kwargs, i+1)
			}
			last = next
		}
	}
}

func TestStillNeverChanges(t *testing.T) {
	env := start(t, map[string]any{"frames": "still"})
	want := pixels(t, env)
	for i := range 20 {
		if !bytes.Equal(advance(t, env, envs.Int(i%5)), want) {
			t.Fatalf("the picture changed in step %d", i+1)
		}
	}
}

func TestPictureDependsOnTheAction(t *testing.T) {
	for _, frames := range []string{"game", "noise"} {
		seen := map[string]envs.Int{}
		for action := range envs.Int(5) {
			picture := string(advance(t, start(t, map[string]any{"frames": frames}), action))
			if other, ok := seen[picture]; ok {
				t.Errorf("%s: actions %d and %d give the same picture", frames, other, action)
			}
			seen[picture] = action
		}
	}
}

func TestNoiseIsNoise(t *testing.T) {
	picture := advance(t, start(t, map[string]any{"frames": "noise", "size": 256}), 0)
	counts := [256]int{}
	for _, b := range picture {
		counts[b]++
	}
	want := len(picture) / 256
	for b, n := range counts {
		if n < want*4/5 || n > want*6/5 {
			t.Errorf("byte %d is there %d times, want about %d", b, n, want)
		}
	}
}

func TestGameHasFewColours(t *testing.T) {
	env := start(t, map[string]any{"roles": 8})
	f, err := env.Render(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(f.Palette) / 3; n > 16 {
		t.Errorf("the palette has %d colours, want 16 at most", n)
	}
}

func TestRolesAndSteps(t *testing.T) {
	env := start(t, map[string]any{"roles": 1000, "steps": 2})
	spec := env.Spec()
	if len(spec.Roles) != 1000 || spec.Roles[999].Role != "agent_999" {
		t.Fatalf("there are %d roles, the last is %s", len(spec.Roles), spec.Roles[len(spec.Roles)-1].Role)
	}
	advance(t, env, 1)
	tr, err := env.Step(context.Background(), all(spec, 0))
	if err != nil || !tr.Done() || !tr.Roles[7].Truncated || tr.Roles[7].Terminated {
		t.Errorf("the second step of two gives %v, done %t", err, tr.Done())
	}
}

func all(spec envs.Spec, action envs.Int) []envs.RoleAction {
	var out []envs.RoleAction
	for _, r := range spec.Roles {
		out = append(out, envs.RoleAction{Role: r.Role, Action: action})
	}
	return out
}
