package mpe

import (
	"math"
	"math/rand/v2"
	"strconv"

	"sharpie/envs"
	"sharpie/envs/draw"
	"sharpie/envs/internal/simulation"
)

// NewTag makes simple_tag_v3: slower adversaries hunt faster agents among obstacles.
//
// Roles adversary_0 … then agent_0 …. Observation, float32: own velocity (2), own
// position (2), obstacles relative to oneself (2 each), all others relative to
// oneself in the order of the roles (2 each), velocities of the other agents
// that are no adversaries (2 each). Actions: 0 stay, 1 left, 2 right, 3 down, 4 up,
// or with continuous_actions how much of each, float32 in [0, 1]. Reward of every
// adversary: 10 for each touching pair of an agent and an adversary. Reward of an
// agent: -10 for each adversary it touches, and per coordinate x, for leaving the
// field: 0 while |x| < 0.9, -10·(|x|-0.9) while |x| < 1, else -min(exp(2|x|-2), 10).
// Never terminated, truncated after max_cycles. Start: agents and adversaries
// uniform in the square from -1 to 1, obstacles from -0.9 to 0.9.
//
// Keyword arguments: num_good (1 to 20, default 1), num_adversaries (1 to 20,
// default 3), num_obstacles (0 to 20, default 2), max_cycles (1 to 1,000,000,
// default 25), continuous_actions (default false).
func NewTag(kwargs map[string]any) (envs.Environment, error) {
	k := envs.NewKwargs(kwargs)
	good := int(k.Int("num_good", 1, 1, 20))
	adversaries := int(k.Int("num_adversaries", 3, 1, 20))
	obstacles := int(k.Int("num_obstacles", 2, 0, 20))
	cycles := int(k.Int("max_cycles", 25, 1, 1_000_000))
	continuous := k.Bool("continuous_actions", false)
	if err := k.Err(); err != nil {
		return nil, err
	}
	n := good + adversaries
	agents, landmarks := make([]body, n), make([]body, obstacles)
	for i := range agents {
		agents[i] = body{size: 0.05, movable: true, collide: true, force: 4, maxSpeed: 1.3}
		if i < adversaries {
			agents[i] = body{size: 0.075, movable: true, collide: true, force: 3, maxSpeed: 1}
		}
	}
	for i := range landmarks {
		landmarks[i] = body{size: 0.2, collide: true}
	}
	hunter := 4 + 2*obstacles + 2*(n-1) + 2*good
	t := &tag{
		world: newWorld(agents, landmarks), adversaries: adversaries,
		hunterShape: []int{hunter}, preyShape: []int{hunter - 2},
	}
	spec := envs.Spec{
		ID: "simple_tag_v3", Width: fieldPixels, Height: fieldPixels + legendPixels,
		FPS: 10, MaxSteps: cycles, Version: "1",
	}
	space, meanings := actionSpace(continuous)
	for i := range n {
		role, length := "adversary_"+strconv.Itoa(i), hunter
		if i >= adversaries {
			role, length = "agent_"+strconv.Itoa(i-adversaries), hunter-2
		}
		spec.Roles = append(spec.Roles, envs.RoleSpec{
			Role: envs.Role(role), Observation: observationSpace(length),
			Action: space, ActionMeanings: meanings,
		})
	}
	return simulation.New(spec, t), nil
}

// tag is the scenario; the bodies are adversaries, agents, obstacles.
type tag struct {
	*world
	adversaries            int
	hunterShape, preyShape []int
	scene                  *tagScene
	canvas                 *draw.Canvas
}

func (t *tag) Reset(rng *rand.Rand) {
	t.scatter(0, t.agents, 1, rng)
	t.scatter(t.agents, len(t.bodies), 0.9, rng)
}

func (t *tag) Step(actions []envs.Value, rewards []float64, _ *rand.Rand) bool {
	t.step(actions)
	clear(rewards)
	caught := 0.0
	for prey := t.adversaries; prey < t.agents; prey++ {
		for hunter := range t.adversaries {
			if t.touching(prey, hunter) {
				caught += 10
				rewards[prey] -= 10
			}
		}
		for _, x := range t.state.Positions[prey] {
			rewards[prey] -= outside(math.Abs(x))
		}
	}
	for hunter := range t.adversaries {
		rewards[hunter] = caught
	}
	return false
}

// outside is the penalty for a coordinate near or beyond the field's border.
func outside(x float64) float64 {
	switch {
	case x < 0.9:
		return 0
	case x < 1:
		return (x - 0.9) * 10
	}
	return min(math.Exp(2*x-2), 10)
}

func (t *tag) Observe(out []*envs.RoleObservation) {
	w := writer{data: make([]byte, 4*t.hunterShape[0]*len(out))}
	p, v := t.state.Positions, t.state.Velocities
	for i, o := range out {
		from := w.at
		w.put(v[i], p[i])
		for l := t.agents; l < len(t.bodies); l++ {
			w.put(p[l].minus(p[i]))
		}
		for j := range t.agents {
			if j != i {
				w.put(p[j].minus(p[i]))
			}
		}
		for j := t.adversaries; j < t.agents; j++ {
			if j != i {
				w.put(v[j])
			}
		}
		shape := t.hunterShape
		if i >= t.adversaries {
			shape = t.preyShape
		}
		o.Observation = w.cut(from, shape)
	}
}
