package runner

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"sharpie/actors/messages"
	"sharpie/envs"
)

// human is the value of a participant's input: a number, a text, or a list.
// Exactly one of the three is in use, as kind says.
type human struct {
	kind   humanKind
	number float64
	text   string
	list   []human
}

type humanKind uint8

const (
	humanNumber humanKind = iota
	humanText
	humanList
)

func number(n float64) human    { return human{kind: humanNumber, number: n} }
func text(s string) human       { return human{kind: humanText, text: s} }
func list(items ...human) human { return human{kind: humanList, list: items} }

// humanOf reads a value of an experiment: what JSON or YAML gave, nil meaning 0.
func humanOf(v any) (human, error) {
	switch v := v.(type) {
	case nil:
		return number(0), nil
	case bool:
		if v {
			return number(1), nil
		}
		return number(0), nil
	case int:
		return number(float64(v)), nil
	case int64:
		return number(float64(v)), nil
	case uint64:
		return number(float64(v)), nil
	case float64:
		return number(v), nil
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return human{}, fmt.Errorf("%q is not a number", v.String())
		}
		return number(f), nil
	case string:
		return text(v), nil
	case []any:
		out := human{kind: humanList, list: make([]human, len(v))}
		for i := range v {
			h, err := humanOf(v[i])
			if err != nil {
				return human{}, err
			}
			out.list[i] = h
		}
		return out, nil
	}
	return human{}, fmt.Errorf("a %T is neither a number, nor a text, nor a list of them", v)
}

// equal reports whether both are the same value.
func (h human) equal(o human) bool {
	if h.kind != o.kind {
		return false
	}
	switch h.kind {
	case humanNumber:
		return h.number == o.number
	case humanText:
		return h.text == o.text
	}
	if len(h.list) != len(o.list) {
		return false
	}
	for i := range h.list {
		if !h.list[i].equal(o.list[i]) {
			return false
		}
	}
	return true
}

// integer returns the number as an integer, if it is one.
func (h human) integer() (int64, bool) {
	if h.kind != humanNumber || h.number != math.Trunc(h.number) || math.Abs(h.number) > 1<<53 {
		return 0, false
	}
	return int64(h.number), true
}

// reward is the value as a reward: a number, or the sum of a list of numbers.
func (h human) reward() (float64, bool) {
	switch h.kind {
	case humanNumber:
		return h.number, true
	case humanList:
		sum := 0.0
		for _, m := range h.list {
			n, ok := m.reward()
			if !ok {
				return 0, false
			}
			sum += n
		}
		return sum, true
	}
	return 0, false
}

// message is the value as it is recorded.
func (h human) message() *messages.Value {
	switch h.kind {
	case humanText:
		return &messages.Value{Kind: &messages.Value_Text{Text: h.text}}
	case humanList:
		items := make([]*messages.Value, len(h.list))
		for i := range h.list {
			items[i] = h.list[i].message()
		}
		return &messages.Value{Kind: &messages.Value_Tuple{Tuple: &messages.List{Items: items}}}
	}
	if n, ok := h.integer(); ok {
		return &messages.Value{Kind: &messages.Value_Integer{Integer: n}}
	}
	return &messages.Value{Kind: &messages.Value_Real{Real: h.number}}
}

// value is what a policy sees with inputs_type "other": an integer is an Int,
// another number a float64 scalar, a text a Text, a list a Tuple of them.
func (h human) value() envs.Value {
	switch h.kind {
	case humanText:
		return envs.Text(h.text)
	case humanList:
		out := make(envs.Tuple, len(h.list))
		for i := range h.list {
			out[i] = h.list[i].value()
		}
		return out
	}
	if n, ok := h.integer(); ok {
		return envs.Int(n)
	}
	return float64Scalar(h.number)
}

func float64Scalar(f float64) envs.Value {
	return envs.Array{DType: envs.Float64, Shape: []int{}, Data: binary.LittleEndian.AppendUint64(nil, math.Float64bits(f))}
}
