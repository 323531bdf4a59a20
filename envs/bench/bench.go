package bench

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"sharpie/envs"
	"sharpie/envs/internal/simulation"
)

// features is the length of every observation.
const features = 8

// sprites is how many players the picture shows; role i moves sprite i mod sprites.
const sprites = 8

// New makes Bench-v0. Keyword arguments:
//
//   - roles: number of roles, agent_0 and so on, 1 to 1000, default 1
//   - size: width and height of the picture in pixels, 16 to 2048, default 64
//   - frames: "game" (default): a few moving squares over a fixed background, at
//     most 16 colours, another picture after every step, dependent on the actions;
//     "noise": new RGB noise after every step; "still": always the same picture
//   - steps: truncates the episode, 0 to 1,000,000,000, default 0: never
//
// Observation: float32 [x, y, ball x, ball y, last action, last reward, step,
// role], each in [0, 1]: positions in parts of the picture, the action in
// quarters, the step modulo 1000 in thousandths, the role's index in
// thousandths. Actions: 0 stay, 1 left, 2 right, 3 up, 4 down; the world is a
// torus. Reward: 1 for an action other than 0. Never terminated.
func New(kwargs map[string]any) (envs.Environment, error) {
	k := envs.NewKwargs(kwargs)
	roles := int(k.Int("roles", 1, 1, 1000))
	size := int(k.Int("size", 64, 16, 2048))
	frames := k.OneOf("frames", "game", "game", "noise", "still")
	steps := int(k.Int("steps", 0, 0, 1_000_000_000))
	if err := k.Err(); err != nil {
		return nil, err
	}
	spec := envs.Spec{ID: "Bench-v0", Width: size, Height: size, FPS: 30, MaxSteps: steps, Version: "1"}
	for i := range roles {
		spec.Roles = append(spec.Roles, envs.RoleSpec{
			Role:           envs.Role("agent_" + strconv.Itoa(i)),
			Observation:    envs.NewBox(envs.Float32, 0, 1, features),
			Action:         envs.Discrete{N: 5},
			ActionMeanings: []string{"stay", "left", "right", "up", "down"},
		})
	}
	w := &world{size: size, roles: roles, picture: newPicture(size, frames)}
	w.state.Actions, w.state.Rewards = make([]int, roles), make([]float64, roles)
	return simulation.New(spec, w), nil
}

// world is the dynamics: squares on a torus, and a ball that nobody controls.
type world struct {
	size, roles int
	state       state
	picture     *picture
}

type state struct {
	// X and Y are the squares' left upper corners in pixels.
	X [sprites]int `json:"x"`
	Y [sprites]int `json:"y"`
	// Ball is the ball's position and step in pixels.
	Ball    [4]int    `json:"ball"`
	Steps   uint64    `json:"steps"`
	Actions []int     `json:"actions"`
	Rewards []float64 `json:"rewards"`
	// Noise is the key of the noise picture.
	Noise uint64 `json:"noise,string"`
}

// Reset places everything at random.
func (w *world) Reset(rng *rand.Rand) {
	s := &w.state
	for i := range s.X {
		s.X[i], s.Y[i] = rng.IntN(w.size), rng.IntN(w.size)
	}
	s.Ball = [4]int{rng.IntN(w.size), rng.IntN(w.size), 1, 2}
	s.Steps, s.Noise = 0, rng.Uint64()
	clear(s.Actions)
	clear(s.Rewards)
}

// Step moves the squares by the actions, and the ball.
func (w *world) Step(actions []envs.Value, rewards []float64, rng *rand.Rand) bool {
	s := &w.state
	stride := max(w.size/32, 1)
	for i, action := range actions {
		a := int(action.(envs.Int))
		at := i % sprites
		switch a {
		case 1:
			s.X[at] = (s.X[at] - stride + w.size) % w.size
		case 2:
			s.X[at] = (s.X[at] + stride) % w.size
		case 3:
			s.Y[at] = (s.Y[at] - stride + w.size) % w.size
		case 4:
			s.Y[at] = (s.Y[at] + stride) % w.size
		}
		rewards[i] = 0
		if a != 0 {
			rewards[i] = 1
		}
		s.Actions[i], s.Rewards[i] = a, rewards[i]
		s.Noise = (s.Noise + uint64(a)) * 0x9E3779B97F4A7C15
	}
	s.Ball[0] = (s.Ball[0] + s.Ball[2]*stride) % w.size
	s.Ball[1] = (s.Ball[1] + s.Ball[3]*stride) % w.size
	s.Steps++
	s.Noise ^= rng.Uint64()
	return false
}

// Observe writes all observations into one block of memory.
func (w *world) Observe(out []*envs.RoleObservation) {
	s := &w.state
	data := make([]byte, 4*features*len(out))
	scale := 1 / float32(w.size)
	step := float32(s.Steps%1000) / 1000
	for i, o := range out {
		block := data[4*features*i : 4*features*(i+1) : 4*features*(i+1)]
		for j, v := range [features]float32{
			float32(s.X[i%sprites]) * scale, float32(s.Y[i%sprites]) * scale,
			float32(s.Ball[0]) * scale, float32(s.Ball[1]) * scale,
			float32(s.Actions[i]) / 4, float32(s.Rewards[i]), step, float32(i) / 1000,
		} {
			binary.LittleEndian.PutUint32(block[4*j:], math.Float32bits(v))
		}
		o.Observation = envs.Array{DType: envs.Float32, Shape: shape, Data: block}
	}
}

// shape is the shape of every observation.
var shape = []int{features}

// State is what a snapshot saves.
func (w *world) State() any { return &w.state }

// SetState takes over a saved state.
func (w *world) SetState(decode func(any) error) error {
	var s state
	if err := decode(&s); err != nil {
		return err
	}
	if len(s.Actions) != w.roles || len(s.Rewards) != w.roles {
		return fmt.Errorf("actions and rewards must have %d elements, one per role", w.roles)
	}
	for i := range sprites {
		if s.X[i] < 0 || s.X[i] >= w.size || s.Y[i] < 0 || s.Y[i] >= w.size {
			return fmt.Errorf("square %d is at (%d, %d): allowed are 0 to %d", i, s.X[i], s.Y[i], w.size-1)
		}
	}
	b := s.Ball
	if b[0] < 0 || b[0] >= w.size || b[1] < 0 || b[1] >= w.size || b[2] != 1 || b[3] != 2 {
		return fmt.Errorf("ball is %v: allowed are positions of 0 to %d and steps of 1 and 2", b, w.size-1)
	}
	for i, a := range s.Actions {
		if a < 0 || a > 4 || (s.Rewards[i] != 0 && s.Rewards[i] != 1) {
			return fmt.Errorf("action %d of role %d with reward %v: allowed are 0 to 4, and 0 or 1", a, i, s.Rewards[i])
		}
	}
	w.state = s
	return nil
}

// Draw is the picture.
func (w *world) Draw() envs.Frame { return w.picture.draw(&w.state, w.roles) }
