package mpe

import (
	"math"
	"math/rand/v2"
	"strconv"

	"sharpie/envs"
	"sharpie/envs/draw"
	"sharpie/envs/internal/simulation"
)

// captureRadius is the distance within which an agent covers a landmark, in
// mpe2's benchmark data; here it only colours the picture.
const captureRadius = 0.1

// NewSpread makes simple_spread_v3: N agents have to cover N landmarks and not to
// bump into each other.
//
// Roles agent_0 to agent_N-1. Observation, float32: own velocity (2), own position
// (2), landmarks relative to oneself (2·N), other agents relative to oneself
// (2·(N-1)), their messages, always 0 (2·(N-1)). Actions: 0 stay, 1 left, 2 right,
// 3 down, 4 up, or with continuous_actions how much of each, float32 in [0, 1].
// Reward: local_ratio · (-1 per agent one touches) + (1-local_ratio) · (minus the
// sum over landmarks of the distance of the nearest agent). Never terminated,
// truncated after max_cycles. Start: all uniform in the square from -1 to 1.
//
// Keyword arguments: N (1 to 20, default 3), local_ratio (0 to 1, default 0.5),
// max_cycles (1 to 1,000,000, default 25), continuous_actions (default false).
func NewSpread(kwargs map[string]any) (envs.Environment, error) {
	k := envs.NewKwargs(kwargs)
	n := int(k.Int("N", 3, 1, 20))
	local := k.Float("local_ratio", 0.5, 0, 1)
	cycles := int(k.Int("max_cycles", 25, 1, 1_000_000))
	continuous := k.Bool("continuous_actions", false)
	if err := k.Err(); err != nil {
		return nil, err
	}
	agents, landmarks := make([]body, n), make([]body, n)
	for i := range n {
		agents[i] = body{size: 0.15, movable: true, collide: true, force: sensitivity}
		landmarks[i] = body{size: 0.05}
	}
	length := 4 + 2*n + 4*(n-1)
	s := &spread{world: newWorld(agents, landmarks), n: n, localRatio: local, shape: []int{length}}
	spec := envs.Spec{
		ID: "simple_spread_v3", Width: fieldPixels, Height: fieldPixels + legendPixels,
		FPS: 10, MaxSteps: cycles, Version: "1",
	}
	space, meanings := actionSpace(continuous)
	for i := range n {
		spec.Roles = append(spec.Roles, envs.RoleSpec{
			Role:        envs.Role("agent_" + strconv.Itoa(i)),
			Observation: observationSpace(length), Action: space, ActionMeanings: meanings,
		})
	}
	return simulation.New(spec, s), nil
}

// spread is the scenario; bodies 0 to n-1 are agents, n to 2n-1 landmarks.
type spread struct {
	*world
	n          int
	localRatio float64
	shape      []int
	scene      *spreadScene
	canvas     *draw.Canvas
}

func (s *spread) Reset(rng *rand.Rand) { s.scatter(0, 2*s.n, 1, rng) }

func (s *spread) Step(actions []envs.Value, rewards []float64, _ *rand.Rand) bool {
	s.step(actions)
	global := 0.0
	for l := s.n; l < 2*s.n; l++ {
		global -= s.nearest(l)
	}
	for i := range s.n {
		local := 0.0
		for j := range s.n {
			if j != i && s.touching(i, j) {
				local--
			}
		}
		rewards[i] = global*(1-s.localRatio) + local*s.localRatio
	}
	return false
}

// nearest is the distance from a landmark to the agent nearest to it.
func (s *spread) nearest(landmark int) float64 {
	d := math.Inf(1)
	for i := range s.n {
		d = min(d, s.distance(i, landmark))
	}
	return d
}

func (s *spread) Observe(out []*envs.RoleObservation) {
	w := writer{data: make([]byte, 4*s.shape[0]*len(out))}
	p := s.state.Positions
	for i, o := range out {
		from := w.at
		w.put(s.state.Velocities[i], p[i])
		for l := s.n; l < 2*s.n; l++ {
			w.put(p[l].minus(p[i]))
		}
		for j := range s.n {
			if j != i {
				w.put(p[j].minus(p[i]))
			}
		}
		w.at += 4 * 2 * (s.n - 1) // the messages of silent agents
		o.Observation = w.cut(from, s.shape)
	}
}
