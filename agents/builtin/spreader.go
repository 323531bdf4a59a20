package builtin

import (
	"context"
	"fmt"
	"math"

	"sharpie/agents"
	"sharpie/envs"
)

var _ agents.Agent = (*spreader)(nil)

// spreaderAccel is simple_spread's force of a unit action (the default
// sensitivity of mpe2's simple_env.py).
const spreaderAccel = 5.0

// spreader covers landmarks in simple_spread_v3 without talking to anyone. No
// arguments.
//
// What it sees (mpe2's simple_spread.py, observation()), all in one vector of
// 4 + 2·L + 4·(N-1) numbers for N agents and L = N landmarks:
//
//	own velocity 2 · own position 2 · each landmark, relative 2·L ·
//	each other agent, relative, in the order of roles 2·(N-1) · their messages 2·(N-1)
//
// Every agent is given a landmark by the same rule, so that agents which follow it
// agree: of all pairs of free agent and free landmark the closest is taken, again
// and again. The rule looks only at positions, so that a landmark on which
// somebody else stands is taken, whoever that is. Then it chooses the action after
// which it would come to rest closest to its landmark.
type spreader struct {
	life
	agents, landmarks, length int
}

func newSpreader(spec agents.Spec) (agents.Agent, error) {
	if err := arguments(envs.NewKwargs(spec.Kwargs)); err != nil {
		return nil, err
	}
	length, err := particleSpaces(spec, "simple_spread_v3")
	if err != nil {
		return nil, err
	}
	n := len(spec.Roles)
	landmarks := (length - 4 - 4*(n-1)) / 2
	if n < 1 || landmarks < 1 || 4+2*landmarks+4*(n-1) != length {
		return nil, fmt.Errorf("%w: %d numbers are no observation of %d agents", agents.ErrInvalidArgument, length, n)
	}
	return &spreader{agents: n, landmarks: landmarks, length: length}, nil
}

// Act moves towards the agent's own landmark.
func (s *spreader) Act(ctx context.Context, in agents.Input) (envs.Value, error) {
	if err := s.check(ctx); err != nil {
		return nil, err
	}
	r, err := vectorOf(in.Observation, s.length)
	if err != nil {
		return nil, err
	}
	me := body{vel: r.next(), accel: spreaderAccel}
	r.next() // positions are relative to the agent's own, which is the origin
	landmarks := r.points(s.landmarks)
	others := r.points(s.agents - 1)

	target, ok := s.mine(landmarks, others)
	if !ok {
		return best(in.ActionMask, func(a int) float64 { return -me.after(a, 1).vel.norm() }), nil
	}
	return best(in.ActionMask, func(a int) float64 {
		return -me.after(a, 1).rest().distance(target)
	}), nil
}

// mine returns the landmark that the rule gives to the agent at the origin.
// false: there are fewer landmarks than agents and none is left.
func (s *spreader) mine(landmarks, others []vec) (vec, bool) {
	free := append([]vec{{}}, others...)
	taken := make([]bool, len(landmarks))
	gone := make([]bool, len(free))
	for range min(len(free), len(landmarks)) {
		agent, landmark, least := -1, -1, math.Inf(1)
		for i, p := range free {
			for j, l := range landmarks {
				if d := p.distance(l); !gone[i] && !taken[j] && d < least {
					agent, landmark, least = i, j, d
				}
			}
		}
		if agent < 0 { // not a number among the positions
			return vec{}, false
		}
		if agent == 0 {
			return landmarks[landmark], true
		}
		gone[agent], taken[landmark] = true, true
	}
	return vec{}, false
}

// Version is constant: nothing is learned.
func (s *spreader) Version() string { return "spreader/1" }
