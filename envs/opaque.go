package envs

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
)

var errNoValue = errors.New("there is no value")

// Opaque is a space of which nothing is known: every value is a point of it. The
// environments of researchers that declare no spaces have it; what is legal there
// only the environment knows.
type Opaque struct{}

var _ Space = Opaque{}

// Contains accepts every value but nil.
func (Opaque) Contains(v Value) error {
	if v == nil {
		return errNoValue
	}
	return nil
}

// Sample returns 0: there is nothing to draw from.
func (Opaque) Sample(*rand.Rand, []bool) Value { return Int(0) }

// String returns "Opaque".
func (Opaque) String() string { return "Opaque" }

// fromAny turns a document into the value it looks like: whole numbers are Int,
// other numbers and truth values scalars, texts Text, lists Tuple, maps Dict in the
// order of their keys.
func fromAny(doc any) (Value, error) {
	switch x := doc.(type) {
	case nil:
		return nil, errNoValue
	case bool:
		a := NewArray(Bool)
		if x {
			a.setInt(0, 1)
		}
		return a, nil
	case string:
		return Text(x), nil
	case []any:
		out := make(Tuple, len(x))
		for i := range x {
			v, err := fromAny(x[i])
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	case map[string]any:
		out := make(Dict, 0, len(x))
		for _, k := range slices.Sorted(maps.Keys(x)) {
			v, err := fromAny(x[k])
			if err != nil {
				return nil, err
			}
			out = append(out, Entry{Key: k, Value: v})
		}
		return out, nil
	}
	if i, ok := documentInt(doc); ok {
		return Int(i), nil
	}
	f, ok := documentFloat(doc)
	if !ok {
		return nil, errNoValue
	}
	a := NewArray(Float64)
	a.set(0, f)
	return a, nil
}
