package builtin

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"

	"sharpie/agents"
	"sharpie/envs"
)

var (
	_ agents.Learner      = (*tamer)(nil)
	_ agents.Checkpointer = (*tamer)(nil)
)

// maxTamerStates and maxTamerActions bound the table.
const (
	maxTamerStates  = 1_000_000
	maxTamerActions = 1_000
)

// tamer is TAMER with a table: W. B. Knox and P. Stone, "Interactively Shaping
// Agents via Human Reinforcement: The TAMER Framework", K-CAP 2009,
// doi 10.1145/1597735.1597738. It learns a model H(s, a) of the reward that the
// human gives, and acts so as to get the most of it at once: the human is taken
// to have weighed the future already, so nothing is discounted or bootstrapped.
//
// Learning, once for each transition that the human judged (a reward of 0 is no
// judgement, as in the paper): one gradient step on ½·(h - H(s, a))²,
//
//	H(s, a) ← H(s, a) + learning_rate · (h - H(s, a))
//
// The environment's reward is never learned from. Delayed credit, which the paper
// uses for fast tasks, is not needed where each step waits for its judgement.
//
// Acting: the legal action of the greatest H(s, ·). Where several are greatest,
// one of them is drawn uniformly from the seat's seed. With probability epsilon
// any legal action is drawn instead; the paper explores not at all.
//
// Arguments: learning_rate (0 to 1, default 0.5), initial_value (-1000 to 1000,
// default 0), epsilon (0 to 1, default 0). Spaces: discrete both.
type tamer struct {
	life
	observations, actions envs.Discrete
	rate, initial, eps    float64
	rng                   *rand.Rand

	h       map[int64][]float64 // by observation; rows that were never judged are absent
	updates int64               // that changed H
	digest  uint64              // chain over all of them
	version string
}

func newTamer(spec agents.Spec) (agents.Agent, error) {
	k := envs.NewKwargs(spec.Kwargs)
	t := &tamer{
		rate:    k.Float("learning_rate", 0.5, 0, 1),
		initial: k.Float("initial_value", 0, -1000, 1000),
		eps:     k.Float("epsilon", 0, 0, 1),
		rng:     generator(spec),
		h:       map[int64][]float64{},
	}
	if err := arguments(k); err != nil {
		return nil, err
	}
	var ok bool
	if t.observations, ok = spec.Role.Observation.(envs.Discrete); !ok || t.observations.N > maxTamerStates {
		return nil, fmt.Errorf("%w: tamer keeps a table and wants a discrete observation space of at most %d, not %v",
			agents.ErrInvalidArgument, maxTamerStates, spec.Role.Observation)
	}
	if t.actions, ok = spec.Role.Action.(envs.Discrete); !ok || t.actions.N > maxTamerActions {
		return nil, fmt.Errorf("%w: tamer keeps a table and wants a discrete action space of at most %d, not %v",
			agents.ErrInvalidArgument, maxTamerActions, spec.Role.Action)
	}
	t.version = t.name()
	return t, nil
}

// Act returns the action of which the human is expected to think best.
func (t *tamer) Act(ctx context.Context, in agents.Input) (envs.Value, error) {
	if err := t.check(ctx); err != nil {
		return nil, err
	}
	s, err := t.state(in.Observation)
	if err != nil {
		return nil, err
	}
	if t.eps > 0 && t.rng.Float64() < t.eps {
		return t.actions.Sample(t.rng, in.ActionMask), nil
	}
	n := int(t.actions.N)
	mask := legal(in.ActionMask, n)
	row := t.h[s]
	choice, top, ties := -1, math.Inf(-1), 0
	for a := range n {
		if mask != nil && !mask[a] {
			continue
		}
		h := t.initial
		if row != nil {
			h = row[a]
		}
		switch {
		case h > top:
			choice, top, ties = a, h, 1
		case h == top: // each of k equals is kept with probability 1/k
			if ties++; t.rng.IntN(ties) == 0 {
				choice = a
			}
		}
	}
	return envs.Int(t.actions.Start + int64(choice)), nil
}

// Update learns from one judged transition; others teach nothing.
func (t *tamer) Update(ctx context.Context, tr agents.Transition) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	if !tr.Human || tr.Reward == 0 {
		return nil
	}
	if math.IsNaN(tr.Reward) || math.IsInf(tr.Reward, 0) {
		return fmt.Errorf("%w: a reward of %v", agents.ErrInvalidArgument, tr.Reward)
	}
	s, err := t.state(tr.Observation)
	if err != nil {
		return err
	}
	if err := t.actions.Contains(tr.Action); err != nil {
		return fmt.Errorf("%w: %w", agents.ErrInvalidArgument, err)
	}
	a := int64(tr.Action.(envs.Int)) - t.actions.Start
	row := t.h[s]
	if row == nil {
		row = t.freshRow()
	}
	old := row[a]
	row[a] += t.rate * (tr.Reward - old)
	if row[a] == old {
		return nil
	}
	t.h[s] = row
	t.updates++
	t.chain(s, a, row[a])
	t.version = t.name()
	return nil
}

func (t *tamer) freshRow() []float64 {
	row := make([]float64, t.actions.N)
	for i := range row {
		row[i] = t.initial
	}
	return row
}

// state returns the row of an observation.
func (t *tamer) state(v envs.Value) (int64, error) {
	if err := t.observations.Contains(v); err != nil {
		return 0, fmt.Errorf("%w: %w", errObservation, err)
	}
	return int64(v.(envs.Int)), nil
}

// chain folds one change of H into the digest, so that a version costs nothing
// to name.
func (t *tamer) chain(s, a int64, h float64) {
	d := fnv.New64a()
	var b [32]byte
	for i, v := range []uint64{t.digest, uint64(s), uint64(a), math.Float64bits(h)} {
		for j := range 8 {
			b[8*i+j] = byte(v >> (8 * j))
		}
	}
	d.Write(b[:])
	t.digest = d.Sum64()
}

// Version is "tamer/1+<changes of H>-<8 hex digits of a hash over all of them>".
func (t *tamer) Version() string { return t.version }

func (t *tamer) name() string {
	return fmt.Sprintf("tamer/1+%d-%08x", t.updates, uint32(t.digest^t.digest>>32))
}
