package classic

import (
	"fmt"
	"math"
	"math/rand/v2"

	"sharpie/envs"
	"sharpie/envs/draw"
	"sharpie/envs/internal/simulation"
)

// The constants of Gymnasium's cartpole.py, version 1 of the environment: Barto,
// Sutton & Anderson, "Neuronlike Adaptive Elements That Can Solve Difficult
// Learning Control Problem" (1983), with the corrected equations of Florian,
// "Correct equations for the dynamics of the cart-pole system" (2005). SI units.
const (
	poleGravity    = 9.8
	poleCartMass   = 1.0
	poleMass       = 0.1
	poleTotalMass  = poleMass + poleCartMass
	poleHalfLength = 0.5
	poleMoment     = poleMass * poleHalfLength
	poleForce      = 10.0
	poleTimeStep   = 0.02
	poleMaxAngle   = 12 * 2 * math.Pi / 360
	poleMaxX       = 2.4
)

// NewCartPole makes CartPole-v1: a pole on a cart that has to be kept upright by
// pushing the cart.
//
// Observation: float32 [x in m, its speed in m/s, angle in rad (to the right),
// its speed in rad/s]. Actions: 0 push left, 1 push right, with 10 N. Reward: 1
// for every step. Terminated: |x| > 2.4 m or |angle| > 12°. Start: each of the
// four uniform in [-0.05, 0.05).
//
// Keyword arguments: sutton_barto_reward (default false; true gives 0 for every
// step and -1 for the one that ends) and max_episode_steps (default 500, 0 is no
// limit).
func NewCartPole(kwargs map[string]any) (envs.Environment, error) {
	k := envs.NewKwargs(kwargs)
	p := &cartPole{suttonBarto: k.Bool("sutton_barto_reward", false)}
	limit := k.Int("max_episode_steps", 500, 0, 1_000_000)
	if err := k.Err(); err != nil {
		return nil, err
	}
	high := []float64{2 * poleMaxX, math.Inf(1), 2 * poleMaxAngle, math.Inf(1)}
	low := make([]float64, len(high))
	for i := range high {
		low[i] = -high[i]
	}
	return simulation.New(envs.Spec{
		ID: "CartPole-v1",
		Roles: []envs.RoleSpec{{
			Role:           "agent_0",
			Observation:    envs.Box{DType: envs.Float32, Shape: four, Low: low, High: high},
			Action:         envs.Discrete{N: 2},
			ActionMeanings: []string{"push left", "push right"},
		}},
		Width: sceneWidth, Height: sceneHeight, FPS: 50,
		MaxSteps: int(limit), Version: "1",
	}, p), nil
}

// cartPole is the dynamics.
type cartPole struct {
	suttonBarto bool
	state       cartPoleState
	canvas      *draw.Canvas // made by the first Draw
}

type cartPoleState struct {
	X        float64 `json:"x"`
	XDot     float64 `json:"x_dot"`
	Theta    float64 `json:"theta"`
	ThetaDot float64 `json:"theta_dot"`
}

func (p *cartPole) Reset(rng *rand.Rand) {
	for _, v := range [...]*float64{&p.state.X, &p.state.XDot, &p.state.Theta, &p.state.ThetaDot} {
		*v = -0.05 + 0.1*rng.Float64()
	}
}

func (p *cartPole) Step(actions []envs.Value, rewards []float64, _ *rand.Rand) bool {
	s := &p.state
	force := -poleForce
	if actions[0].(envs.Int) == 1 {
		force = poleForce
	}
	sin, cos := math.Sincos(s.Theta)
	temp := (force + poleMoment*(s.ThetaDot*s.ThetaDot)*sin) / poleTotalMass
	thetaAcc := (poleGravity*sin - cos*temp) /
		(poleHalfLength * (4.0/3.0 - poleMass*(cos*cos)/poleTotalMass))
	xAcc := temp - poleMoment*thetaAcc*cos/poleTotalMass

	// explicit Euler: positions with the old speeds
	s.X += poleTimeStep * s.XDot
	s.XDot += poleTimeStep * xAcc
	s.Theta += poleTimeStep * s.ThetaDot
	s.ThetaDot += poleTimeStep * thetaAcc

	terminated := math.Abs(s.X) > poleMaxX || math.Abs(s.Theta) > poleMaxAngle
	switch {
	case !p.suttonBarto:
		rewards[0] = 1
	case terminated:
		rewards[0] = -1
	default:
		rewards[0] = 0
	}
	return terminated
}

func (p *cartPole) Observe(out []*envs.RoleObservation) {
	s := &p.state
	out[0].Observation = float32s(four, s.X, s.XDot, s.Theta, s.ThetaDot)
}

func (p *cartPole) State() any { return &p.state }

// poleMaxState bounds the numbers of a restored state.
const poleMaxState = 1e6

func (p *cartPole) SetState(decode func(any) error) error {
	var s cartPoleState
	if err := decode(&s); err != nil {
		return err
	}
	for _, v := range [...]float64{s.X, s.XDot, s.Theta, s.ThetaDot} {
		if math.Abs(v) > poleMaxState {
			return fmt.Errorf("x, x_dot, theta, theta_dot are %v: allowed are %v to %v", s, -poleMaxState, poleMaxState)
		}
	}
	p.state = s
	return nil
}
