package toytext

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"sharpie/envs"
	"sharpie/envs/internal/simulation"
)

// The actions, which are directions as well.
const (
	left = iota
	down
	right
	up
)

// maps are Gymnasium's: S start, F frozen, H hole, G goal.
func maps(name string) []string {
	if name == "8x8" {
		return []string{"SFFFFFFF", "FFFFFFFF", "FFFHFFFF", "FFFFFHFF", "FFFHFFFF", "FHHFFFHF", "FHFFHFHF", "FFFHFFFG"}
	}
	return []string{"SFFF", "FHFH", "FFFH", "HFFG"}
}

// maxSide is the longest side of a map, in cells.
const maxSide = 32

// NewFrozenLake makes FrozenLake-v1: cross a frozen lake from start to goal
// without falling into a hole; on slippery ice one moves where one wants only
// with probability success_rate, else to either side of it.
//
// Observation: the cell, row · columns + column. Actions: 0 left, 1 down, 2 right,
// 3 up; at the border one stays. Reward: reward_schedule for reaching goal, hole,
// any other cell. Terminated: on a hole or the goal. Start: a uniform S cell. Info:
// prob, the probability of what happened.
//
// Keyword arguments: map_name ("4x4", the default, or "8x8"), desc (a list of equally
// long strings of S, F, H and G, 2 to 32 by 2 to 32, with at least one S and one G; it
// goes before map_name), is_slippery (default true), success_rate (0 to 1, default
// 1/3), reward_schedule (three numbers, default [1, 0, 0]), max_episode_steps
// (default 100, 0 is no limit).
func NewFrozenLake(kwargs map[string]any) (envs.Environment, error) {
	l, err := newLake(envs.NewKwargs(kwargs))
	if err != nil {
		return nil, err
	}
	return simulation.New(envs.Spec{
		ID: "FrozenLake-v1",
		Roles: []envs.RoleSpec{{
			Role:           "agent_0",
			Observation:    envs.Discrete{N: int64(len(l.cells))},
			Action:         envs.Discrete{N: 4},
			ActionMeanings: []string{"left", "down", "right", "up"},
		}},
		Width: l.columns * l.cell(), Height: l.rows * l.cell(), FPS: 4,
		MaxSteps: l.limit, Version: "1",
	}, l), nil
}

// newLake reads all keyword arguments.
func newLake(k *envs.Kwargs) (*frozenLake, error) {
	rows := maps(k.OneOf("map_name", "4x4", "4x4", "8x8"))
	desc := k.Strings("desc")
	l := &frozenLake{
		slippery: k.Bool("is_slippery", true),
		success:  k.Float("success_rate", 1.0/3.0, 0, 1),
		rewards:  [3]float64{1, 0, 0},
		limit:    int(k.Int("max_episode_steps", 100, 0, 1_000_000)),
	}
	schedule := k.Document("reward_schedule", "a list of three numbers")
	if err := k.Err(); err != nil {
		return nil, err
	}
	if desc != nil {
		if err := checkMap(desc); err != nil {
			return nil, fmt.Errorf("%w: desc: %w", envs.ErrInvalidArgument, err)
		}
		rows = desc
	}
	if schedule != nil {
		three, err := envs.FromDocument(envs.NewBox(envs.Float64, -1e9, 1e9, 3), schedule)
		if err != nil {
			return nil, fmt.Errorf("%w: reward_schedule: %w", envs.ErrInvalidArgument, err)
		}
		copy(l.rewards[:], three.(envs.Array).Float64s())
	}
	l.cells, l.rows, l.columns = strings.Join(rows, ""), len(rows), len(rows[0])
	l.prepare()
	return l, nil
}

// checkMap reports what is wrong with a map.
func checkMap(rows []string) error {
	if len(rows) < 2 || len(rows) > maxSide {
		return fmt.Errorf("%d rows: allowed are 2 to %d", len(rows), maxSide)
	}
	for i, row := range rows {
		if len(row) < 2 || len(row) > maxSide || len(row) != len(rows[0]) {
			return fmt.Errorf("row %d has %d cells: allowed are 2 to %d, the same in every row", i, len(row), maxSide)
		}
		if at := strings.IndexFunc(row, func(r rune) bool { return !strings.ContainsRune("SFHG", r) }); at >= 0 {
			return fmt.Errorf("row %d, cell %d is %q: allowed are S, F, H and G", i, at, row[at:at+1])
		}
	}
	for _, need := range [...]string{"S", "G"} {
		if !strings.Contains(strings.Join(rows, ""), need) {
			return fmt.Errorf("there is no %s: at least one is needed", need)
		}
	}
	return nil
}

// frozenLake is the dynamics.
type frozenLake struct {
	cells         string
	rows, columns int
	slippery      bool
	success       float64
	rewards       [3]float64 // on G, H, F or S
	limit         int        // of steps; 0 is none

	starts     []int
	directions [3]float64        // cumulated: one side, as intended, the other side
	infos      [4]map[string]any // prob of a side, as intended, the other side; 1

	state   lakeState
	picture lakePicture
}

type lakeState struct {
	Cell int `json:"cell"`
	// Facing is the direction of the last action, -1 before the first.
	Facing int `json:"facing"`
	// Chance is which of infos describes the last transition.
	Chance int `json:"chance"`
}

func (l *frozenLake) prepare() {
	for i := range l.cells {
		if l.cells[i] == 'S' {
			l.starts = append(l.starts, i)
		}
	}
	fail := (1 - l.success) / 2
	l.directions = [3]float64{fail, fail + l.success, fail + l.success + fail}
	for i, p := range [...]float64{fail, l.success, fail, 1} {
		l.infos[i] = map[string]any{"prob": p}
	}
}

func (l *frozenLake) Reset(rng *rand.Rand) {
	l.state = lakeState{Cell: l.starts[rng.IntN(len(l.starts))], Facing: -1, Chance: 3}
}

func (l *frozenLake) Step(actions []envs.Value, rewards []float64, rng *rand.Rand) bool {
	chance := 0.0
	if l.slippery {
		chance = rng.Float64()
	}
	reward, terminated := l.move(int(actions[0].(envs.Int)), chance)
	rewards[0] = reward
	return terminated
}

// move takes an action with a number drawn from [0, 1), which decides where one
// slips as it does in Gymnasium: to the direction before the intended one, as
// intended, or to the direction after it.
func (l *frozenLake) move(action int, chance float64) (reward float64, terminated bool) {
	l.state.Facing, l.state.Chance = action, 3
	direction := action
	if l.slippery {
		slip := 0
		for slip < 2 && l.directions[slip] <= chance {
			slip++
		}
		l.state.Chance = slip
		direction = (action + slip + 3) % 4
	}
	row, column := l.state.Cell/l.columns, l.state.Cell%l.columns
	switch direction {
	case left:
		column = max(column-1, 0)
	case down:
		row = min(row+1, l.rows-1)
	case right:
		column = min(column+1, l.columns-1)
	case up:
		row = max(row-1, 0)
	}
	l.state.Cell = row*l.columns + column
	switch l.cells[l.state.Cell] {
	case 'G':
		return l.rewards[0], true
	case 'H':
		return l.rewards[1], true
	}
	return l.rewards[2], false
}

func (l *frozenLake) Observe(out []*envs.RoleObservation) {
	out[0].Observation = envs.Int(l.state.Cell)
	out[0].Info = l.infos[l.state.Chance]
}

func (l *frozenLake) State() any { return &l.state }

func (l *frozenLake) SetState(decode func(any) error) error {
	s := lakeState{Facing: -1, Chance: 3}
	if err := decode(&s); err != nil {
		return err
	}
	switch {
	case s.Cell < 0 || s.Cell >= len(l.cells):
		return fmt.Errorf("cell is %d: allowed are 0 to %d", s.Cell, len(l.cells)-1)
	case s.Facing < -1 || s.Facing > up:
		return fmt.Errorf("facing is %d: allowed are -1 to %d", s.Facing, up)
	case s.Chance < 0 || s.Chance > 3:
		return fmt.Errorf("chance is %d: allowed are 0 to 3", s.Chance)
	}
	l.state = s
	return nil
}
