package runner

import (
	"context"
	"fmt"
	"iter"

	"sharpie/envs"
)

// Replay resets the environment with the seed, takes the recorded final actions
// one step after the other, and yields the ObservationHash of every step, step 0
// first. It ends with the actions, or with an error that says at which step.
// The environment is used, not closed.
func Replay(ctx context.Context, env envs.Environment, seed uint64, actions iter.Seq2[[]envs.RoleAction, error]) iter.Seq2[uint64, error] {
	return func(yield func(uint64, error) bool) {
		first, err := env.Reset(ctx, seed)
		if err != nil {
			yield(0, fmt.Errorf("replay: reset with seed %d: %w", seed, err))
			return
		}
		var h hasher
		for i := range first {
			h.role(first[i].Role, first[i].Observation)
		}
		if !yield(h.sum(), nil) {
			return
		}
		step := 0
		for acts, err := range actions {
			step++
			if err != nil {
				yield(0, fmt.Errorf("replay: actions of step %d: %w", step, err))
				return
			}
			t, err := env.Step(ctx, acts)
			if err != nil {
				yield(0, fmt.Errorf("replay: step %d: %w", step, err))
				return
			}
			h.reset()
			for i := range t.Roles {
				h.role(t.Roles[i].Role, t.Roles[i].Observation)
			}
			if !yield(h.sum(), nil) {
				return
			}
		}
	}
}
