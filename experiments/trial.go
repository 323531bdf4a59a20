package experiments

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"sharpie/agents"
	"sharpie/envs"
)

// trial plays some steps of one episode as the runner would: policies are asked and
// taught, and participants press each of their keys in turn. Time does not count.
type trial struct {
	*checker
	host  envs.Host // nil: the environment runs no policies
	rng   *rand.Rand
	now   map[envs.Role]envs.RoleObservation
	acted map[envs.Role]bool // in the step before
	done  map[envs.Role]bool
	step  int
}

func (c *checker) trial() {
	t := &trial{checker: c, rng: rand.New(rand.NewPCG(1, 2)), now: map[envs.Role]envs.RoleObservation{}, acted: map[envs.Role]bool{}, done: map[envs.Role]bool{}}
	t.host, _ = c.env.(envs.Host)
	if err := t.play(); err != nil {
		c.fail(t.key(err), "%s", explain(err))
	}
}

// key is the place in the file that a failed trial belongs to.
func (t *trial) key(err error) string {
	var fault *envs.Fault
	if errors.As(err, &fault) && fault.Role != "" {
		for i := range t.d.Agents {
			if t.cast[i].role.Role != fault.Role {
				continue
			}
			if at := t.policyOf(i); at >= 0 && t.d.Policies[at].Source == "" {
				return fmt.Sprintf("policies[%d].filepaths", at)
			}
		}
	}
	return t.blame(err)
}

func (c *checker) policyOf(i int) int {
	return slices.IndexFunc(c.d.Policies, func(p Policy) bool { return p.Name == c.d.Agents[i].Policy })
}

func (t *trial) play() error {
	began := time.Now()
	seen, err := t.env.Reset(t.ctx, 1)
	if err != nil {
		return fmt.Errorf("reset: %w", err)
	}
	t.report.ResetTime = time.Since(began)
	for _, o := range seen {
		t.now[o.Role] = o
	}
	picture, err := t.env.Render(t.ctx)
	if err != nil {
		return fmt.Errorf("render: %w", err)
	}
	t.report.Width, t.report.Height = picture.Width, picture.Height
	began = time.Now()
	for ; t.step < t.steps && !t.report.Ended; t.step++ {
		if err := t.once(); err != nil {
			return fmt.Errorf("step %d: %w", t.step+1, err)
		}
	}
	t.report.Steps = t.step
	t.report.StepTime = time.Since(began) / time.Duration(max(t.step, 1))
	if t.host == nil {
		return nil
	}
	if turns := t.lessons(); len(turns) > 0 {
		if _, err := t.host.Learn(t.ctx, turns); err != nil {
			return fmt.Errorf("the last update: %w", err)
		}
		t.report.Updates += len(turns)
	}
	t.report.Warnings = union(t.report.Warnings, t.host.Info().Warnings)
	return nil
}

// union adds what is not there yet.
func union(list, more []string) []string {
	for _, w := range more {
		if !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list
}

// sequence is the agents in the order of their turns: those with a policy first.
func (t *trial) sequence() []int {
	var out []int
	for _, policy := range []bool{true, false} {
		for i := range t.d.Agents {
			if (t.d.Agents[i].Policy != "") == policy {
				out = append(out, i)
			}
		}
	}
	return out
}

// once takes one step.
func (t *trial) once() error {
	var turns []envs.RoleTurn
	for _, i := range t.sequence() {
		turn, err := t.turn(i)
		if err != nil {
			return err
		}
		if turn.Acts || turn.Learn != nil {
			turns = append(turns, turn)
		}
	}
	var result envs.Transition
	if t.host != nil {
		out, err := t.host.Turn(t.ctx, turns)
		if err != nil {
			return err
		}
		result = out.Transition
	} else {
		var actions []envs.RoleAction
		for _, turn := range turns {
			if turn.Acts {
				actions = append(actions, envs.RoleAction{Role: turn.Role, Action: turn.Action})
			}
		}
		var err error
		if result, err = t.env.Step(t.ctx, actions); err != nil {
			return err
		}
		if err := t.teach(turns, result); err != nil {
			return err
		}
		if _, err := t.env.Render(t.ctx); err != nil {
			return fmt.Errorf("render: %w", err)
		}
	}
	clear(t.acted)
	for _, turn := range turns {
		t.acted[turn.Role] = turn.Acts
	}
	for _, r := range result.Roles {
		t.now[r.Role] = r.RoleObservation
		t.done[r.Role] = t.done[r.Role] || r.Terminated || r.Truncated
	}
	t.report.Ended = result.Done()
	return nil
}

// turn is one role's part in the next step.
func (t *trial) turn(i int) (envs.RoleTurn, error) {
	a, s := &t.d.Agents[i], &t.cast[i]
	role := s.role.Role
	seen := t.now[role]
	turn := envs.RoleTurn{Role: role, Acts: !t.done[role] && !seen.Waits}
	hosted := t.hosted(i)
	value := t.pressed(a)
	if hosted && t.teaches(i) && t.acted[role] {
		turn.Learn = t.lesson(a, value)
		t.report.Updates++
	}
	if !turn.Acts {
		return turn, nil
	}
	turn.Action = s.role.Action.Sample(t.rng, seen.ActionMask)
	if a.Participant && a.InputsType == InputOther {
		turn.Advice, _ = actionOf(envs.Opaque{}, value)
	}
	switch {
	case hosted:
		turn.Ask = true
	case s.agent != nil:
		in := agents.Input{Observation: seen.Observation, ActionMask: seen.ActionMask, Human: turn.Advice}
		said, err := s.agent.Act(t.ctx, in)
		if err != nil {
			return turn, err
		}
		if said != nil {
			turn.Action = said
		}
	}
	if a.Participant && a.InputsType == InputActions && (s.agent == nil || !reflect.DeepEqual(value, a.KeyboardInputs.Default)) {
		if v, err := actionOf(s.role.Action, value); err == nil && legal(s.role.Action, v, seen.ActionMask) {
			turn.Action, turn.Final = v, hosted
		}
	}
	return turn, nil
}

// legal reports whether the mask allows the action of a discrete space.
func legal(space envs.Space, v envs.Value, mask []bool) bool {
	d, ok := space.(envs.Discrete)
	if !ok || mask == nil {
		return true
	}
	at, ok := v.(envs.Int)
	return ok && int64(at)-d.Start >= 0 && int64(at)-d.Start < int64(len(mask)) && mask[int64(at)-d.Start]
}

// pressed is the participant's input of this step: nothing, then key by key.
func (t *trial) pressed(a *Agent) any {
	keys := a.KeyboardInputs
	value := keys.Default
	if at := t.step % (len(keys.Bindings) + 1); at > 0 {
		value = keys.Bindings[at-1].Value
	}
	if _, list := value.([]any); a.MultipleKeyboardInputs && !list {
		return []any{value}
	}
	return value
}

func (t *trial) hosted(i int) bool {
	h, ok := t.cast[i].agent.(Hosted)
	return ok && t.host != nil && h.HostedBy(t.env)
}

// teaches reports whether the role's policy gets updates.
func (t *trial) teaches(i int) bool {
	at := t.policyOf(i)
	if at < 0 {
		return false
	}
	n := t.d.Policies[at].CheckpointInterval
	h, ok := t.cast[i].agent.(Hosted)
	return (n > 0 || n == -2) && ok && h.Learns()
}

func (t *trial) lesson(a *Agent, value any) *envs.Lesson {
	lesson := &envs.Lesson{}
	if a.Participant && a.InputsType == InputReward && isNumber(value) {
		reward := toFloat(value)
		lesson.Reward = &reward
	}
	return lesson
}

// lessons are the updates after the last step.
func (t *trial) lessons() []envs.RoleTurn {
	var out []envs.RoleTurn
	for _, i := range t.sequence() {
		role := t.cast[i].role.Role
		if t.hosted(i) && t.teaches(i) && t.acted[role] {
			lesson := t.lesson(&t.d.Agents[i], t.pressed(&t.d.Agents[i]))
			lesson.Terminated = t.done[role]
			out = append(out, envs.RoleTurn{Role: role, Learn: lesson})
		}
	}
	return out
}

// teach updates policies that live by themselves. Their observation is the one that
// they acted on, which now still holds.
func (t *trial) teach(turns []envs.RoleTurn, result envs.Transition) error {
	for i := range t.d.Agents {
		learner, ok := t.cast[i].agent.(agents.Learner)
		role := t.cast[i].role.Role
		at := slices.IndexFunc(result.Roles, func(r envs.RoleTransition) bool { return r.Role == role })
		turn := slices.IndexFunc(turns, func(r envs.RoleTurn) bool { return r.Role == role && r.Acts })
		if !ok || at < 0 || turn < 0 {
			continue
		}
		r := &result.Roles[at]
		err := learner.Update(t.ctx, agents.Transition{
			Observation: t.now[role].Observation, Action: turns[turn].Action, Reward: r.Reward,
			NextObservation: r.Observation, Terminated: r.Terminated, Truncated: r.Truncated,
		})
		if err != nil {
			return fmt.Errorf("update: %w", err)
		}
		t.report.Updates++
	}
	return nil
}
