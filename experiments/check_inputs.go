package experiments

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"sharpie/envs"
)

// inputs looks at what a seat's keys and texts mean.
func (c *checker) inputs(path string, a *Agent, r envs.RoleSpec) {
	keys := path + ".keyboard_inputs"
	if a.InputsType != InputActions && a.Policy == "" {
		c.fail(path+".policy", "inputs_type: %s is for a policy, and the role %q has none: give it a policy, or set inputs_type: actions", a.InputsType, a.Role)
	}
	if len(a.KeyboardInputs.Bindings) == 0 && !a.TextualInputs {
		if c.d.Experiment.WaitForInputs {
			c.fail(keys, "every step waits for an input (wait_for_inputs: true), and this seat has no key and no text")
		} else if a.Policy == "" {
			c.fail(keys, "this seat has no key, no text and no policy: nobody would act")
		}
	}
	if c.d.Experiment.WaitForInputs {
		c.countable(keys, a)
	}
	switch a.InputsType {
	case InputActions:
		c.actions(path, a, r)
	case InputReward:
		c.rewards(path, a)
	}
}

// countable: in turn-based play a key that equals the default is no input.
func (c *checker) countable(keys string, a *Agent) {
	for _, b := range a.KeyboardInputs.Bindings {
		if reflect.DeepEqual(b.Value, a.KeyboardInputs.Default) {
			c.fail(keys+"."+b.Key, "the value %v equals the default, so that no step would go on by this key (wait_for_inputs: true); give default a value that no key has, such as -1", b.Value)
		}
	}
}

// actions: the value of every key is an action of the role.
func (c *checker) actions(path string, a *Agent, r envs.RoleSpec) {
	keys := path + ".keyboard_inputs"
	for _, b := range a.KeyboardInputs.Bindings {
		if err := pointOf(r.Action, b.Value); err != nil {
			c.fail(keys+"."+b.Key, "the value is no action of %q: %v%s", r.Role, err, meanings(r))
		}
	}
	// In real time a seat that sends nothing does its default. Turn-based play
	// waits, and a policy acts instead.
	if a.Policy == "" && !c.d.Experiment.WaitForInputs {
		if err := pointOf(r.Action, a.KeyboardInputs.Default); err != nil {
			c.fail(keys+".default", "the value of a seat that sends nothing is no action of %q: %v%s", r.Role, err, meanings(r))
		}
	}
	if a.MultipleKeyboardInputs {
		switch r.Action.(type) {
		case envs.Discrete, envs.TextSpace:
			c.fail(path+".multiple_keyboard_inputs", "several keys make a list, and %v takes one value: set it to false", r.Action)
		}
	}
	switch r.Action.(type) {
	case envs.TextSpace, envs.Opaque: // what is not declared takes a text as it is
		return
	}
	if a.TextualInputs {
		c.fail(path+".textual_inputs", "a text is no action of %v: set it to false, or inputs_type to other", r.Action)
	}
}

// rewards: the value of every key is a number.
func (c *checker) rewards(path string, a *Agent) {
	keys := path + ".keyboard_inputs"
	for _, b := range a.KeyboardInputs.Bindings {
		if !isNumber(b.Value) {
			c.fail(keys+"."+b.Key, "a reward is a number, got %v (inputs_type: reward)", b.Value)
		}
	}
	if !isNumber(a.KeyboardInputs.Default) {
		c.fail(keys+".default", "a reward is a number, got %v (inputs_type: reward)", a.KeyboardInputs.Default)
	}
	if a.TextualInputs {
		c.fail(path+".textual_inputs", "a text is no reward (inputs_type: reward): set it to false")
	}
}

// pointOf says why a value of the file is no action of the space.
func pointOf(space envs.Space, v any) error {
	_, err := actionOf(space, v)
	return err
}

// actionOf is a value of the file as an action of the space, as the runner reads it:
// beside what the space itself takes, a list of one number for a discrete space, and
// for a multi-binary one the number of the element to set. Of an opaque space every
// value is an action.
func actionOf(space envs.Space, v any) (envs.Value, error) {
	if s, ok := space.(envs.MultiBinary); ok {
		if i, ok := v.(int64); ok {
			n := product(s.Shape)
			if i < 0 || i >= int64(n) {
				return nil, fmt.Errorf("%v has the elements 0 to %d, not %d", space, n-1, i)
			}
			a := envs.NewArray(envs.Int8, s.Shape...)
			a.Data[i] = 1
			return a, nil
		}
	}
	if _, ok := space.(envs.Discrete); ok {
		if list, ok := v.([]any); ok && len(list) == 1 {
			v = list[0]
		}
	}
	if b, ok := space.(envs.Box); ok && product(b.Shape) == 1 && isNumber(v) {
		v = []any{v}
	}
	switch space.(type) {
	case envs.TupleSpace, envs.DictSpace:
		return nil, errors.New(space.String() + " cannot be played with keys")
	}
	return envs.FromDocument(space, v)
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// meanings lists the actions of a discrete space, where they have names.
func meanings(r envs.RoleSpec) string {
	d, ok := r.Action.(envs.Discrete)
	if !ok || int64(len(r.ActionMeanings)) != d.N || d.N > 20 {
		return ""
	}
	var out []string
	for i, m := range r.ActionMeanings {
		out = append(out, fmt.Sprintf("%d %s", d.Start+int64(i), m))
	}
	return " (" + strings.Join(out, ", ") + ")"
}

func isNumber(v any) bool {
	switch v.(type) {
	case int64, float64:
		return true
	}
	return false
}
