package builtin

import (
	"context"
	"fmt"
	"slices"

	"sharpie/agents"
	"sharpie/envs"
)

var _ agents.Agent = (*constant)(nil)

// constant always takes the action of its one argument:
//
//	action  a point of the action space, as one writes it in YAML: a number for a
//	        discrete space, lists for arrays. Default: 0, or the first action.
//
// Where a mask forbids it, it takes the first legal action instead.
type constant struct {
	life
	action envs.Value
	first  int64 // of a discrete space
	index  int   // of the action, from 0; -1 where the space is not discrete
	n      int
}

func newConstant(spec agents.Spec) (agents.Agent, error) {
	k := envs.NewKwargs(spec.Kwargs)
	given := k.Document("action", "a point of the action space")
	if err := arguments(k); err != nil {
		return nil, err
	}
	c := &constant{index: -1}
	discrete, isDiscrete := spec.Role.Action.(envs.Discrete)
	if given == nil {
		if given = any(int64(0)); isDiscrete {
			given = discrete.Start
		}
	}
	action, err := envs.FromDocument(spec.Role.Action, given)
	if err != nil {
		return nil, fmt.Errorf("%w: action: %w", agents.ErrInvalidArgument, err)
	}
	c.action = action
	if isDiscrete {
		c.first, c.n = discrete.Start, int(discrete.N)
		c.index = int(int64(action.(envs.Int)) - discrete.Start)
	}
	return c, nil
}

// Act returns the action.
func (c *constant) Act(ctx context.Context, in agents.Input) (envs.Value, error) {
	if err := c.check(ctx); err != nil {
		return nil, err
	}
	mask := legal(in.ActionMask, c.n)
	if c.index < 0 || mask == nil || mask[c.index] {
		return c.action, nil
	}
	return envs.Int(c.first + int64(slices.Index(mask, true))), nil
}

// Version is constant: nothing is learned.
func (c *constant) Version() string { return "constant/1" }
