// Package builtin owns the policies that come with SHARPIE: uniform random
// ("go:random"), constant ("go:constant"), scripted pursuit and flight for
// simple_tag ("go:pursuer"), scripted covering of landmarks for simple_spread
// ("go:spreader") and tabular TAMER ("go:tamer"). It refuses to guess: a role, a
// space or an argument that a policy does not know is an error of its factory.
package builtin

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"sharpie/agents"
	"sharpie/envs"
)

// Registry returns a registry of all built-in policies.
func Registry() *agents.Registry {
	r := agents.NewRegistry()
	r.Register("random", newRandom)
	r.Register("constant", newConstant)
	r.Register("pursuer", newPursuer)
	r.Register("spreader", newSpreader)
	r.Register("tamer", newTamer)
	return r
}

// generator returns the seat's own stream of random numbers: PCG, seeded with
// the episode's seed and the FNV-1a hash of the role's name.
func generator(spec agents.Spec) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(spec.Role.Role))
	return rand.New(rand.NewPCG(spec.Seed, h.Sum64()))
}

// arguments wraps what is wrong with keyword arguments.
func arguments(k *envs.Kwargs) error {
	if err := k.Err(); err != nil {
		return fmt.Errorf("%w: %w", agents.ErrInvalidArgument, err)
	}
	return nil
}

// life is what all policies share: they end once.
type life struct{ closed bool }

// Close ends the agent; a second call does nothing.
func (l *life) Close() error {
	l.closed = true
	return nil
}

// check says why the agent cannot be used now.
func (l *life) check(ctx context.Context) error {
	if l.closed {
		return agents.ErrClosed
	}
	return ctx.Err()
}

// legal returns the mask of a discrete space of n actions, or nil where it
// restricts nothing: absent, of another length, or without any legal action.
func legal(mask []bool, n int) []bool {
	if len(mask) != n || !slices.Contains(mask, true) {
		return nil
	}
	return mask
}
