package builtin

import (
	"errors"
	"fmt"
	"math"

	"sharpie/agents"
	"sharpie/envs"
)

// The dynamics of the multi-agent particle environments, as in mpe2's
// _mpe_utils/core.py and simple_env.py (https://mpe2.farama.org; Lowe et al. 2017,
// arXiv:1706.02275): a step moves the position by velocity·dt, then damps the
// velocity, then adds the force; a unit action is a force of the agent's
// acceleration, and every mass is 1.
const (
	particleStep    = 0.1  // dt
	particleDamping = 0.25 // share of the velocity lost in a step
)

// The five actions of a movable, silent particle: no_action, move_left,
// move_right, move_down, move_up.
const particleActions = 5

// vec is a point or a direction in the plane; x to the right, y up.
type vec struct{ x, y float64 }

func (a vec) plus(b vec) vec          { return vec{a.x + b.x, a.y + b.y} }
func (a vec) minus(b vec) vec         { return vec{a.x - b.x, a.y - b.y} }
func (a vec) times(f float64) vec     { return vec{a.x * f, a.y * f} }
func (a vec) dot(b vec) float64       { return a.x*b.x + a.y*b.y }
func (a vec) norm() float64           { return math.Sqrt(a.x*a.x + a.y*a.y) }
func (a vec) distance(b vec) float64  { return a.minus(b).norm() }
func (a vec) left() vec               { return vec{-a.y, a.x} }
func (a vec) unit() vec               { return a.times(1 / max(a.norm(), 1e-9)) }
func (a vec) clip(length float64) vec { return a.times(min(1, length/max(a.norm(), 1e-9))) }

// direction is the unit force of a discrete action.
func direction(action int) vec {
	return [particleActions]vec{{}, {-1, 0}, {1, 0}, {0, -1}, {0, 1}}[action]
}

// body is a particle that moves by itself.
type body struct {
	pos, vel vec
	accel    float64 // force of a unit action
	maxSpeed float64 // 0: no limit
}

// pushed returns the body one step later, under a force in the given direction
// (of length 1, or 0 for none).
func (b body) pushed(way vec) body {
	b.pos = b.pos.plus(b.vel.times(particleStep))
	b.vel = b.vel.times(1 - particleDamping).plus(way.times(b.accel * particleStep))
	if b.maxSpeed > 0 {
		b.vel = b.vel.clip(b.maxSpeed)
	}
	return b
}

// after returns the body after holding an action for so many steps, without
// collisions.
func (b body) after(action, steps int) body {
	for range steps {
		b = b.pushed(direction(action))
	}
	return b
}

// outside returns the body as an obstacle in its way leaves it: at the edge, and
// no longer moving inwards. radius is the obstacle's and the body's together.
func (b body) outside(obstacles []vec, radius float64) body {
	for _, o := range obstacles {
		away := b.pos.minus(o)
		if away.norm() >= radius {
			continue
		}
		away = away.unit()
		b.pos = o.plus(away.times(radius))
		if in := b.vel.dot(away); in < 0 {
			b.vel = b.vel.minus(away.times(in))
		}
	}
	return b
}

// rest is where the body comes to rest if it only rolls: the sum of a geometric
// series of velocities.
func (b body) rest() vec { return b.pos.plus(b.vel.times(particleStep / particleDamping)) }

// best returns the allowed action of the greatest score, the first where several
// are equal.
func best(mask []bool, score func(action int) float64) envs.Int {
	choice, top := -1, math.Inf(-1)
	mask = legal(mask, particleActions)
	for a := range particleActions {
		if mask != nil && !mask[a] {
			continue
		}
		if s := score(a); choice < 0 || s > top {
			choice, top = a, s
		}
	}
	return envs.Int(choice)
}

// particleSpaces wants a role that moves by the five discrete actions and sees a
// vector of so many numbers, at least.
func particleSpaces(spec agents.Spec, environment string) (length int, err error) {
	if spec.Environment != environment {
		return 0, fmt.Errorf("%w: the policy plays %s, not %s", agents.ErrInvalidArgument, environment, spec.Environment)
	}
	if d, ok := spec.Role.Action.(envs.Discrete); !ok || d.N != particleActions || d.Start != 0 {
		return 0, fmt.Errorf("%w: the policy takes the five discrete actions (continuous_actions: false), not %v", agents.ErrInvalidArgument, spec.Role.Action)
	}
	box, ok := spec.Role.Observation.(envs.Box)
	if !ok || len(box.Shape) != 1 {
		return 0, fmt.Errorf("%w: the policy sees a vector, not %v", agents.ErrInvalidArgument, spec.Role.Observation)
	}
	return box.Shape[0], nil
}

// errObservation is returned by Act for an observation outside the space.
var errObservation = errors.New("builtin: the observation is not of the role's space")

// vectorOf reads an observation of so many numbers.
func vectorOf(v envs.Value, length int) (reader, error) {
	a, ok := v.(envs.Array)
	if !ok || len(a.Shape) != 1 || a.Shape[0] != length || a.Validate() != nil {
		return reader{}, fmt.Errorf("%w: want a vector of %d numbers", errObservation, length)
	}
	return reader{a: a}, nil
}

// reader takes points off an observation, in order.
type reader struct {
	a envs.Array
	i int
}

func (r *reader) next() vec {
	v := vec{r.a.At(r.i), r.a.At(r.i + 1)}
	r.i += 2
	return v
}

func (r *reader) points(n int) []vec {
	out := make([]vec, n)
	for i := range out {
		out[i] = r.next()
	}
	return out
}
