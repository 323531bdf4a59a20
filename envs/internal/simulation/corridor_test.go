package simulation_test

import (
	"fmt"
	"math/rand/v2"

	"sharpie/envs"
	"sharpie/envs/draw"
	"sharpie/envs/internal/simulation"
)

// NewCorridor makes Corridor-v0: walk to the right end of a corridor.
//
// Observation: the cell, from 0. Actions: 0 left, 1 right. Reward: 1 at the end, else
// -0.1. Terminated: at the end. Start: any of the first three cells.
//
// Keyword arguments: length (4 to 100 cells, default 8), max_episode_steps
// (default 50, 0 is no limit).
func NewCorridor(kwargs map[string]any) (envs.Environment, error) {
	k := envs.NewKwargs(kwargs)
	length := k.Int("length", 8, 4, 100)
	limit := k.Int("max_episode_steps", 50, 0, 1_000_000)
	if err := k.Err(); err != nil {
		return nil, err
	}
	spec := envs.Spec{
		ID: "Corridor-v0",
		Roles: []envs.RoleSpec{{
			Role:           "agent_0",
			Observation:    envs.Discrete{N: length},
			Action:         envs.Discrete{N: 2},
			ActionMeanings: []string{"left", "right"},
		}},
		Width: 400, Height: 100, FPS: 4,
		MaxSteps: int(limit), Version: "1",
	}
	return simulation.New(spec, &corridor{length: int(length)}), nil
}

type corridor struct {
	length int
	state  corridorState
}

type corridorState struct {
	Cell int `json:"cell"`
}

func (c *corridor) Reset(rng *rand.Rand) { c.state = corridorState{Cell: rng.IntN(3)} }

func (c *corridor) Step(actions []envs.Value, rewards []float64, _ *rand.Rand) (terminated bool) {
	if actions[0].(envs.Int) == 1 {
		c.state.Cell++
	} else {
		c.state.Cell = max(c.state.Cell-1, 0)
	}
	terminated = c.state.Cell == c.length-1
	rewards[0] = -0.1
	if terminated {
		rewards[0] = 1
	}
	return terminated
}

func (c *corridor) Observe(out []*envs.RoleObservation) {
	out[0].Observation = envs.Int(c.state.Cell)
}

func (c *corridor) Draw() envs.Frame {
	var p draw.Palette
	paper, floor, walker := p.Add(draw.Paper), p.Add(draw.Slate), p.Add(draw.Blue)
	p.Ramp(paper, walker)
	canvas := draw.NewCanvas(400, 100, p.Done(), paper)
	canvas.Rect(0, 80, 400, 84, floor)
	width := 400 / float64(c.length)
	canvas.Disc((float64(c.state.Cell)+0.5)*width, 80-width/3, width/3, walker)
	return canvas.Frame()
}

func (c *corridor) State() any { return &c.state }

func (c *corridor) SetState(decode func(any) error) error {
	var s corridorState
	if err := decode(&s); err != nil {
		return err
	}
	if s.Cell < 0 || s.Cell >= c.length {
		return fmt.Errorf("cell is %d: allowed are 0 to %d", s.Cell, c.length-1)
	}
	c.state = s
	return nil
}
