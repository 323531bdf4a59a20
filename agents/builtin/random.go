package builtin

import (
	"context"
	"fmt"
	"math/rand/v2"

	"sharpie/agents"
	"sharpie/envs"
)

var _ agents.Agent = (*random)(nil)

// random acts uniformly at random in any action space; where the environment
// masks a discrete space, uniformly among the legal actions. No arguments.
type random struct {
	life
	space envs.Space
	rng   *rand.Rand
}

func newRandom(spec agents.Spec) (agents.Agent, error) {
	if err := arguments(envs.NewKwargs(spec.Kwargs)); err != nil {
		return nil, err
	}
	if spec.Role.Action == nil {
		return nil, fmt.Errorf("%w: the role %s has no action space", agents.ErrInvalidArgument, spec.Role.Role)
	}
	return &random{space: spec.Role.Action, rng: generator(spec)}, nil
}

// Act draws an action.
func (r *random) Act(ctx context.Context, in agents.Input) (envs.Value, error) {
	if err := r.check(ctx); err != nil {
		return nil, err
	}
	return r.space.Sample(r.rng, in.ActionMask), nil
}

// Version is constant: nothing is learned.
func (r *random) Version() string { return "random/1" }
