package builtin_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"sharpie/envs"
)

// benchmarked are the variants that are played, and Bench-v0 at the sizes that
// matter to the platform's own benchmark.
var benchmarked = []struct {
	name, id string
	kwargs   map[string]any
}{
	{"mountain car", "MountainCar-v0", map[string]any{"max_episode_steps": 0}},
	{"cart-pole", "CartPole-v1", nil},
	{"frozen lake 4x4", "FrozenLake-v1", nil},
	{"frozen lake 8x8", "FrozenLake-v1", map[string]any{"map_name": "8x8"}},
	{"spread", "simple_spread_v3", nil},
	{"tag", "simple_tag_v3", nil},
	{"bench 64", "Bench-v0", nil},
	{"bench 64, 250 roles", "Bench-v0", map[string]any{"roles": 250}},
	{"bench 1024", "Bench-v0", map[string]any{"size": 1024}},
	{"bench noise 1024", "Bench-v0", map[string]any{"size": 1024, "frames": "noise"}},
}

func BenchmarkStep(b *testing.B) { benchmark(b, false) }

// BenchmarkStepAndRender is Step and Render: a picture that nothing moved in
// since the last one costs less than one that is shown.
func BenchmarkStepAndRender(b *testing.B) { benchmark(b, true) }

func benchmark(b *testing.B, render bool) {
	ctx := context.Background()
	for _, v := range benchmarked {
		b.Run(v.name, func(b *testing.B) {
			env := started(b, v.id, v.kwargs)
			// actions are drawn ahead, so that only the environment is measured
			rng := rand.New(rand.NewPCG(1, 2))
			var actions [64][]envs.RoleAction
			for i := range actions {
				actions[i] = first(env)
				for j, r := range env.Spec().Roles {
					actions[i][j].Action = r.Action.Sample(rng, nil)
				}
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				tr, err := env.Step(ctx, actions[i%len(actions)])
				if err != nil {
					b.Fatal(err)
				}
				if render {
					if _, err := env.Render(ctx); err != nil {
						b.Fatal(err)
					}
				}
				if tr.Done() {
					if _, err := env.Reset(ctx, uint64(i)); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
