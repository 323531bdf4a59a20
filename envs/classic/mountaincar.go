package classic

import (
	"fmt"
	"math"
	"math/rand/v2"

	"sharpie/envs"
	"sharpie/envs/draw"
	"sharpie/envs/internal/simulation"
)

// The constants of Gymnasium's mountain_car.py, version 0 of the environment:
// Moore, "Efficient Memory-based Learning for Robot Control" (1990), as given by
// Sutton & Barto. Positions and velocities have no unit.
const (
	carMinPosition  = -1.2
	carMaxPosition  = 0.6
	carMaxSpeed     = 0.07
	carGoalPosition = 0.5
	carForce        = 0.001
	carGravity      = 0.0025
)

// NewMountainCar makes MountainCar-v0: an underpowered car in a valley that has
// to swing itself up to the flag on the right.
//
// Observation: float32 [position, velocity]. Actions: 0 push left, 1 do nothing,
// 2 push right. Reward: -1 for every step. Terminated: position ≥ 0.5 and velocity
// ≥ goal_velocity. Start: position uniform in [-0.6, -0.4), velocity 0.
//
// Keyword arguments: goal_velocity (number, default 0) and max_episode_steps
// (default 200, 0 is no limit).
func NewMountainCar(kwargs map[string]any) (envs.Environment, error) {
	k := envs.NewKwargs(kwargs)
	m := &mountainCar{goalVelocity: k.Float("goal_velocity", 0, -carMaxSpeed, carMaxSpeed)}
	limit := k.Int("max_episode_steps", 200, 0, 1_000_000)
	if err := k.Err(); err != nil {
		return nil, err
	}
	return simulation.New(envs.Spec{
		ID: "MountainCar-v0",
		Roles: []envs.RoleSpec{{
			Role: "agent_0",
			Observation: envs.Box{
				DType: envs.Float32, Shape: pair,
				Low:  []float64{carMinPosition, -carMaxSpeed},
				High: []float64{carMaxPosition, carMaxSpeed},
			},
			Action:         envs.Discrete{N: 3},
			ActionMeanings: []string{"push left", "do nothing", "push right"},
		}},
		Width: sceneWidth, Height: sceneHeight, FPS: 30,
		MaxSteps: int(limit), Version: "1",
	}, m), nil
}

// mountainCar is the dynamics.
type mountainCar struct {
	goalVelocity float64
	state        mountainCarState
	canvas       *draw.Canvas // made by the first Draw
}

type mountainCarState struct {
	Position float64 `json:"position"`
	Velocity float64 `json:"velocity"`
}

func (m *mountainCar) Reset(rng *rand.Rand) {
	m.state = mountainCarState{Position: -0.6 + 0.2*rng.Float64()}
}

func (m *mountainCar) Step(actions []envs.Value, rewards []float64, _ *rand.Rand) bool {
	s := &m.state
	push := float64(actions[0].(envs.Int) - 1)
	s.Velocity += push*carForce - math.Cos(3*s.Position)*carGravity
	s.Velocity = min(max(s.Velocity, -carMaxSpeed), carMaxSpeed)
	s.Position += s.Velocity
	s.Position = min(max(s.Position, carMinPosition), carMaxPosition)
	if s.Position == carMinPosition && s.Velocity < 0 {
		s.Velocity = 0
	}
	rewards[0] = -1
	return s.Position >= carGoalPosition && s.Velocity >= m.goalVelocity
}

func (m *mountainCar) Observe(out []*envs.RoleObservation) {
	out[0].Observation = float32s(pair, m.state.Position, m.state.Velocity)
}

func (m *mountainCar) State() any { return &m.state }

func (m *mountainCar) SetState(decode func(any) error) error {
	var s mountainCarState
	if err := decode(&s); err != nil {
		return err
	}
	if s.Position < carMinPosition || s.Position > carMaxPosition {
		return fmt.Errorf("position is %v: allowed are %v to %v", s.Position, carMinPosition, carMaxPosition)
	}
	if math.Abs(s.Velocity) > carMaxSpeed {
		return fmt.Errorf("velocity is %v: allowed are %v to %v", s.Velocity, -carMaxSpeed, carMaxSpeed)
	}
	m.state = s
	return nil
}
