package python

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"sharpie/envs"
)

// Coerce makes what Python code returned a point of a space where only the form
// differs: an integer from any scalar without fraction, an array of the space's type
// and shape from a number, a list, a tuple or an array of another type, a dict in the
// space's order. Of envs.Opaque everything is as it is. The error says what is allowed.
func Coerce(space envs.Space, v envs.Value) (envs.Value, error) {
	out, err := coerce(space, v)
	if err != nil {
		return nil, err
	}
	return out, space.Contains(out)
}

// fit is Coerce for what is only recorded: what does not fit stays as it is.
func fit(space envs.Space, v envs.Value) envs.Value {
	switch s := space.(type) {
	case envs.Opaque:
		return v
	case envs.Discrete:
		if _, ok := v.(envs.Int); ok {
			return v
		}
	case envs.Box:
		if a, ok := v.(envs.Array); ok && a.DType == s.DType && slices.Equal(a.Shape, s.Shape) {
			return v
		}
	}
	if out, err := Coerce(space, v); err == nil {
		return out
	}
	return v
}

func coerce(space envs.Space, v envs.Value) (envs.Value, error) {
	switch s := space.(type) {
	case envs.Discrete:
		if x, ok := whole(v); ok {
			return envs.Int(x), nil
		}
	case envs.Box:
		return coerceArray(s, v, s.DType, s.Shape)
	case envs.MultiDiscrete:
		return coerceArray(s, v, envs.Int64, []int{len(s.Nvec)})
	case envs.MultiBinary:
		return coerceArray(s, v, envs.Int8, s.Shape)
	case envs.TupleSpace:
		if t, ok := v.(envs.Tuple); ok && len(t) == len(s) {
			return coerceTuple(s, t)
		}
	case envs.DictSpace:
		if d, ok := v.(envs.Dict); ok && len(d) == len(s) {
			return coerceDict(s, d)
		}
	}
	return v, nil // Contains has the words for what does not fit
}

func coerceTuple(s envs.TupleSpace, t envs.Tuple) (envs.Value, error) {
	out := make(envs.Tuple, len(t))
	for i := range t {
		v, err := coerce(s[i], t[i])
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
		out[i] = v
	}
	return out, nil
}

func coerceDict(s envs.DictSpace, d envs.Dict) (envs.Value, error) {
	out := make(envs.Dict, 0, len(d))
	for _, sub := range s {
		i := slices.IndexFunc(d, func(e envs.Entry) bool { return e.Key == sub.Key })
		if i < 0 {
			return nil, fmt.Errorf("%s lacks the key %q", s, sub.Key)
		}
		v, err := coerce(sub.Space, d[i].Value)
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", sub.Key, err)
		}
		out = append(out, envs.Entry{Key: sub.Key, Value: v})
	}
	return out, nil
}

// whole is the number of a scalar, or of an array of one element, without fraction.
func whole(v envs.Value) (int64, bool) {
	switch x := v.(type) {
	case envs.Int:
		return int64(x), true
	case envs.Tuple:
		if len(x) == 1 {
			return whole(x[0])
		}
	case envs.Array:
		if x.Len() != 1 || x.Validate() != nil {
			return 0, false
		}
		if !x.DType.Float() {
			return x.IntAt(0), x.DType != envs.Uint64 || x.IntAt(0) >= 0
		}
		f := x.At(0)
		return int64(f), f == math.Trunc(f) && math.Abs(f) <= 1<<53
	}
	return 0, false
}

// coerceArray makes an array of this type and shape of anything with as many numbers.
func coerceArray(s envs.Space, v envs.Value, dtype envs.DType, shape []int) (envs.Value, error) {
	if a, ok := v.(envs.Array); ok && a.DType == dtype && slices.Equal(a.Shape, shape) {
		return a, nil
	}
	flat, got, ok := flatten(v)
	if !ok {
		return v, nil
	}
	out := envs.NewArray(dtype, shape...)
	// a number and a list of one are the same action; other shapes are not guessed
	if !slices.Equal(got, shape) && (len(flat) != 1 || out.Len() != 1) {
		return nil, fmt.Errorf("%s takes an array of shape %s, not of shape %s", s, shapeText(shape), shapeText(got))
	}
	for i, x := range flat {
		if err := put(out, i, x); err != nil {
			return nil, fmt.Errorf("element %d of %s: %w", i, s, err)
		}
	}
	return out, nil
}

// flatten returns the numbers of a scalar, an array, or lists of one shape.
func flatten(v envs.Value) (flat []float64, shape []int, ok bool) {
	switch x := v.(type) {
	case envs.Int:
		return []float64{float64(x)}, nil, int64(float64(x)) == int64(x)
	case envs.Array:
		if x.Validate() != nil {
			return nil, nil, false
		}
		return x.Float64s(), x.Shape, true
	case envs.Tuple:
		var inner []int
		for i := range x {
			f, s, ok := flatten(x[i])
			if !ok || i > 0 && !slices.Equal(s, inner) {
				return nil, nil, false
			}
			flat, inner = append(flat, f...), s
		}
		return flat, append([]int{len(x)}, inner...), true
	}
	return nil, nil, false
}

// put stores a number that its type can hold.
func put(a envs.Array, i int, x float64) error {
	le := binary.LittleEndian
	switch a.DType {
	case envs.Float64:
		le.PutUint64(a.Data[8*i:], math.Float64bits(x))
		return nil
	case envs.Float32:
		le.PutUint32(a.Data[4*i:], math.Float32bits(float32(x)))
		return nil
	}
	low, high := envs.Box{DType: a.DType}.Bounds(0)
	if x != math.Trunc(x) || x < low || x > high || math.Abs(x) > 1<<53 {
		return fmt.Errorf("%v is not a whole number from %v to %v", x, low, high)
	}
	k := int64(x)
	switch a.DType.Size() {
	case 8:
		le.PutUint64(a.Data[8*i:], uint64(k))
	case 4:
		le.PutUint32(a.Data[4*i:], uint32(k))
	case 2:
		le.PutUint16(a.Data[2*i:], uint16(k))
	default:
		a.Data[i] = byte(k)
	}
	return nil
}
