package mpe

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"

	"sharpie/envs"
)

// The constants of mpe2's core.py. Lengths are in units of the field, which
// reaches from -1 to 1; the mass of every agent is 1.
const (
	timeStep      = 0.1
	damping       = 0.25
	contactForce  = 1e2
	contactMargin = 1e-3
	// sensitivity is the force of an action of an agent without accel.
	sensitivity = 5.0
)

// farthest bounds the positions and velocities of a restored state.
const farthest = 1e6

// vec is a vector of the plane: x to the right, y up.
type vec [2]float64

func (a vec) minus(b vec) vec { return vec{a[0] - b[0], a[1] - b[1]} }

func (a vec) length() float64 { return math.Sqrt(a[0]*a[0] + a[1]*a[1]) }

// body is what never changes about an agent or a landmark.
type body struct {
	size    float64
	movable bool
	collide bool
	// force is the size of an action's force; maxSpeed 0 is no limit.
	force, maxSpeed float64
}

// state is what changes, in the order of the bodies: agents, then landmarks.
type state struct {
	Positions  []vec `json:"positions"`
	Velocities []vec `json:"velocities"`
}

// world is bodies that push each other away.
type world struct {
	agents int
	bodies []body
	state  state
	forces []vec // scratch
}

func newWorld(agents, landmarks []body) *world {
	bodies := append(append([]body(nil), agents...), landmarks...)
	n := len(bodies)
	return &world{
		agents: len(agents), bodies: bodies,
		state:  state{Positions: make([]vec, n), Velocities: make([]vec, n)},
		forces: make([]vec, n),
	}
}

// scatter places bodies first to last-1 uniformly in a square of the given half side, at rest.
func (w *world) scatter(first, last int, half float64, rng *rand.Rand) {
	for i := first; i < last; i++ {
		w.state.Positions[i] = vec{half * (2*rng.Float64() - 1), half * (2*rng.Float64() - 1)}
		w.state.Velocities[i] = vec{}
	}
}

// step applies one action per agent for one time step.
func (w *world) step(actions []envs.Value) {
	clear(w.forces)
	for i, a := range actions {
		u := push(a)
		w.forces[i] = vec{u[0] * w.bodies[i].force, u[1] * w.bodies[i].force}
	}
	for i := range w.bodies {
		for j := i + 1; j < len(w.bodies); j++ {
			w.collide(i, j)
		}
	}
	w.integrate()
}

// push is the direction of an action: 0 nothing, 1 left, 2 right, 3 down, 4 up,
// or how much of each of these.
func push(action envs.Value) vec {
	switch a := action.(type) {
	case envs.Int:
		return [...]vec{{0, 0}, {-1, 0}, {1, 0}, {0, -1}, {0, 1}}[a]
	case envs.Array:
		return vec{a.At(2) - a.At(1), a.At(4) - a.At(3)}
	}
	return vec{}
}

// collide adds the forces with which two bodies push each other away. Two at
// exactly the same place do not, for want of a direction.
func (w *world) collide(i, j int) {
	a, b := &w.bodies[i], &w.bodies[j]
	if !a.collide || !b.collide {
		return
	}
	delta := w.state.Positions[i].minus(w.state.Positions[j])
	distance := delta.length()
	// farther than this, the force is below the smallest float64
	if distance == 0 || distance > a.size+b.size+1000*contactMargin {
		return
	}
	penetration := logAddExp(-(distance-a.size-b.size)/contactMargin) * contactMargin
	for k := range delta {
		f := contactForce * delta[k] / distance * penetration
		if a.movable {
			w.forces[i][k] += f
		}
		if b.movable {
			w.forces[j][k] -= f
		}
	}
}

// logAddExp is log(1 + exp(x)), without overflow.
func logAddExp(x float64) float64 {
	return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
}

// integrate moves everything that is movable by one time step.
func (w *world) integrate() {
	for i := range w.bodies {
		b := &w.bodies[i]
		if !b.movable {
			continue
		}
		p, v := &w.state.Positions[i], &w.state.Velocities[i]
		for k := range p {
			p[k] += v[k] * timeStep
			v[k] = v[k]*(1-damping) + w.forces[i][k]*timeStep
		}
		if speed := v.length(); b.maxSpeed > 0 && speed > b.maxSpeed {
			v[0], v[1] = v[0]/speed*b.maxSpeed, v[1]/speed*b.maxSpeed
		}
	}
}

// touching reports whether two bodies overlap.
func (w *world) touching(i, j int) bool {
	return w.distance(i, j) < w.bodies[i].size+w.bodies[j].size
}

func (w *world) distance(i, j int) float64 {
	return w.state.Positions[i].minus(w.state.Positions[j]).length()
}

// State is what a snapshot saves.
func (w *world) State() any { return &w.state }

// SetState takes over a saved state of a world with as many bodies.
func (w *world) SetState(decode func(any) error) error {
	var s state
	if err := decode(&s); err != nil {
		return err
	}
	if len(s.Positions) != len(w.bodies) || len(s.Velocities) != len(w.bodies) {
		return fmt.Errorf("positions and velocities must have %d elements, one per agent and landmark", len(w.bodies))
	}
	for i := range s.Positions {
		for k := range s.Positions[i] {
			if math.Abs(s.Positions[i][k]) > farthest || math.Abs(s.Velocities[i][k]) > farthest {
				return fmt.Errorf("body %d is at %v with velocity %v: allowed are -%g to %g", i, s.Positions[i], s.Velocities[i], farthest, farthest)
			}
		}
	}
	w.state = s
	return nil
}

// writer builds float32 vectors in one block of memory.
type writer struct {
	data []byte
	at   int
}

func (w *writer) put(vectors ...vec) {
	for _, v := range vectors {
		for _, x := range v {
			binary.LittleEndian.PutUint32(w.data[w.at:], math.Float32bits(float32(x)))
			w.at += 4
		}
	}
}

// cut returns what was written since the given place, as a vector of that shape.
func (w *writer) cut(from int, shape []int) envs.Value {
	return envs.Array{DType: envs.Float32, Shape: shape, Data: w.data[from:w.at:w.at]}
}

// actionSpace is mpe2's: five directions, or how much of each.
func actionSpace(continuous bool) (envs.Space, []string) {
	if continuous {
		return envs.NewBox(envs.Float32, 0, 1, 5), nil
	}
	return envs.Discrete{N: 5}, []string{"stay", "left", "right", "down", "up"}
}

// observationSpace is an unbounded float32 vector.
func observationSpace(n int) envs.Space {
	return envs.NewBox(envs.Float32, math.Inf(-1), math.Inf(1), n)
}
