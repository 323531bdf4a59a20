package runner

import (
	"fmt"
	"slices"

	"sharpie/actors/messages"
	"sharpie/envs"
	"sharpie/experiments"
)

// reading is what a seat's input amounts to at one step, in every form that the
// step needs. It is immutable.
type reading struct {
	// idle: the value equals the default, so the seat said nothing.
	idle bool
	// message is the value as recorded.
	message *messages.Value
	// action is the value in the role's action space; nil where it is not in it.
	action envs.Value
	// reward is the value as a reward; numeric says that it is one.
	reward  float64
	numeric bool
	// advice is what a policy sees of it (inputs_type "other").
	advice envs.Value
}

// keymap turns held keys and texts of one seat into readings. Readings of
// combinations are made once and kept, up to maxCombinations.
type keymap struct {
	space   envs.Space
	several bool
	texts   bool
	keys    []string
	values  []human
	single  []*reading
	rest    human
	idle    *reading
	combos  map[string]*reading
}

// maxCombinations bounds the readings that a keymap keeps.
const maxCombinations = 256

// newKeymap reads the inputs of an agent; the error names the field.
func newKeymap(a *experiments.Agent, space envs.Space) (*keymap, error) {
	m := &keymap{space: space, several: a.MultipleKeyboardInputs, texts: a.TextualInputs}
	rest, err := humanOf(a.KeyboardInputs.Default)
	if err != nil {
		return nil, fmt.Errorf("keyboard_inputs.default: %w", err)
	}
	m.rest = rest
	if m.several {
		m.rest = list(rest)
	}
	m.idle = m.read(m.rest)
	for _, b := range a.KeyboardInputs.Bindings {
		v, err := humanOf(b.Value)
		if err != nil {
			return nil, fmt.Errorf("keyboard_inputs[%q]: %w", b.Key, err)
		}
		m.keys = append(m.keys, b.Key)
		m.values = append(m.values, v)
		if m.several {
			v = list(v)
		}
		m.single = append(m.single, m.read(v))
	}
	return m, nil
}

// read makes the reading of a value.
func (m *keymap) read(h human) *reading {
	r := &reading{idle: h.equal(m.rest), message: h.message(), advice: h.value()}
	r.reward, r.numeric = h.reward()
	if !r.idle && h.kind == humanList && m.several {
		r.idle = !slices.ContainsFunc(h.list, func(x human) bool { return !x.equal(m.rest.list[0]) })
	}
	if v, err := actionOf(m.space, h, m.rest, m.several); err == nil {
		r.action = v
	}
	return r
}

// index finds a key; -1 where the seat has no such key.
func (m *keymap) index(key string) int {
	for i := range m.keys {
		if m.keys[i] == key {
			return i
		}
	}
	return -1
}

// reading returns what the pressed keys amount to, given in the order of their
// presses: the newest one, or all of them.
func (m *keymap) reading(pressed []uint8) *reading {
	switch {
	case len(pressed) == 0:
		return m.idle
	case len(pressed) == 1 || !m.several:
		return m.single[pressed[len(pressed)-1]]
	}
	if r := m.combos[string(pressed)]; r != nil {
		return r
	}
	h := human{kind: humanList}
	for _, i := range pressed {
		h.list = append(h.list, m.values[i])
	}
	r := m.read(h)
	if m.combos == nil || len(m.combos) >= maxCombinations {
		m.combos = make(map[string]*reading)
	}
	m.combos[string(pressed)] = r
	return r
}

// blocked lists the keys whose action the mask forbids.
func (m *keymap) blocked(mask []bool) []uint32 {
	if mask == nil {
		return nil
	}
	var out []uint32
	for i, r := range m.single {
		if r.action != nil && !legal(m.space, mask, r.action) {
			out = append(out, uint32(i))
		}
	}
	return out
}

// text returns the reading of a text.
func (m *keymap) text(s string) *reading { return m.read(text(s)) }
