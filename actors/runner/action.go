package runner

import (
	"encoding/binary"
	"fmt"
	"math"

	"sharpie/envs"
)

// actionOf turns a human value into an action of the space, or says why it is
// none. idle is the seat's default, from which several vectors differ.
//
//	Discrete       a whole number in range; a list of one such number
//	TextSpace      a text
//	MultiBinary    a list of as many 0 and 1 as the space has elements; from several
//	               keys at once, each such a list, those set in any; from one or more
//	               keys that are whole numbers, a vector with these elements set
//	               (the default is then a vector of zeros)
//	MultiDiscrete  a list of as many whole numbers; from several keys that are lists,
//	               element by element the newest that differs from the default
//	Box            a list of as many numbers, or one number for a space of one
//	               element; from several keys that are lists, the default plus all
//	               their differences from it, cut to the bounds
//	Opaque         every value: a whole number is an Int, another number a float64
//	               scalar, a list a Tuple; of a role with several keys always a Tuple,
//	               with the default alone where no key counts
//
// several says that the value is the list of the keys that count at once.
func actionOf(space envs.Space, h, idle human, several bool) (envs.Value, error) {
	v, err := shapeAction(space, h, idle, several)
	if err != nil {
		return nil, err
	}
	if err := space.Contains(v); err != nil {
		return nil, err
	}
	return v, nil
}

func shapeAction(space envs.Space, h, idle human, several bool) (envs.Value, error) {
	switch s := space.(type) {
	case envs.Discrete:
		if h.kind == humanList && len(h.list) == 1 {
			h = h.list[0]
		}
		n, ok := h.integer()
		if !ok {
			return nil, fmt.Errorf("%s takes one whole number", space)
		}
		return envs.Int(n), nil
	case envs.TextSpace:
		if h.kind != humanText {
			return nil, fmt.Errorf("%s takes a text", space)
		}
		return envs.Text(h.text), nil
	case envs.MultiBinary:
		if x, ok := indexes(h, several, idle, elements(s.Shape)); ok {
			return encode(envs.Int8, s.Shape, x), nil
		}
		x, err := vector(h, idle, elements(s.Shape), func(old, new, _ float64) float64 { return math.Max(old, new) })
		if err != nil {
			return nil, fmt.Errorf("%s: %w", space, err)
		}
		return encode(envs.Int8, s.Shape, x), nil
	case envs.MultiDiscrete:
		x, err := vector(h, idle, len(s.Nvec), func(old, new, rest float64) float64 {
			if new != rest {
				return new
			}
			return old
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", space, err)
		}
		return encode(envs.Int64, []int{len(s.Nvec)}, x), nil
	case envs.Box:
		x, err := vector(h, idle, elements(s.Shape), func(old, new, rest float64) float64 { return old + new - rest })
		if err != nil {
			return nil, fmt.Errorf("%s: %w", space, err)
		}
		if h.kind == humanList && len(h.list) > 0 && h.list[0].kind == humanList {
			clip(x, s)
		}
		return encode(s.DType, s.Shape, x), nil
	case envs.Opaque:
		return h.value(), nil
	}
	return nil, fmt.Errorf("%s cannot be played with keys or text", space)
}

// vector makes n numbers of a human value: one flat list, or several lists that
// are joined element by element, starting from the default.
func vector(h, idle human, n int, join func(old, new, rest float64) float64) ([]float64, error) {
	if h.kind == humanNumber && n == 1 {
		h = list(h)
	}
	if h.kind != humanList {
		return nil, fmt.Errorf("needs a list of %d numbers", n)
	}
	if len(h.list) == 0 || h.list[0].kind != humanList {
		return flat(h, n)
	}
	rest, err := flat(idle, n)
	if err != nil {
		rest = make([]float64, n)
	}
	out := append([]float64(nil), rest...)
	for _, member := range h.list {
		x, err := flat(member, n)
		if err != nil {
			return nil, err
		}
		for i := range out {
			out[i] = join(out[i], x[i], rest[i])
		}
	}
	return out, nil
}

func flat(h human, n int) ([]float64, error) {
	if h.kind != humanList || len(h.list) != n {
		return nil, fmt.Errorf("needs a list of %d numbers", n)
	}
	out := make([]float64, n)
	for i, m := range h.list {
		if m.kind != humanNumber {
			return nil, fmt.Errorf("needs a list of %d numbers", n)
		}
		out[i] = m.number
	}
	return out, nil
}

// indexes reads whole numbers as the elements to set: those of one key, or of the
// several that count at once. The default sets none.
func indexes(h human, several bool, idle human, n int) ([]float64, bool) {
	items := []human{h}
	if h.kind == humanList {
		if !several {
			return nil, false
		}
		items = h.list
	}
	out := make([]float64, n)
	for _, m := range items {
		i, ok := m.integer()
		if !ok || i < 0 || i >= int64(n) {
			return nil, false
		}
		out[i] = 1
	}
	if h.equal(idle) {
		clear(out)
	}
	return out, true
}

func elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// bound is the i-th bound of a Box; a single one holds for all elements.
func bound(b []float64, i int, none float64) float64 {
	switch {
	case i < len(b):
		return b[i]
	case len(b) == 1:
		return b[0]
	}
	return none
}

func clip(x []float64, b envs.Box) {
	for i := range x {
		x[i] = math.Min(math.Max(x[i], bound(b.Low, i, math.Inf(-1))), bound(b.High, i, math.Inf(1)))
	}
}

// encode makes an array of the numbers; a number that the dtype cannot hold
// exactly enough is for Space.Contains to find.
func encode(dtype envs.DType, shape []int, x []float64) envs.Value {
	le := binary.LittleEndian
	out := make([]byte, 0, len(x)*itemSize(dtype))
	for _, f := range x {
		switch dtype {
		case envs.Float64:
			out = le.AppendUint64(out, math.Float64bits(f))
		case envs.Float32:
			out = le.AppendUint32(out, math.Float32bits(float32(f)))
		case envs.Uint64:
			out = le.AppendUint64(out, uint64(f))
		default:
			for n, i := int64(f), 0; i < itemSize(dtype); i++ {
				out = append(out, byte(n>>(8*i)))
			}
		}
	}
	return envs.Array{DType: dtype, Shape: shape, Data: out}
}

// neutral is the action of last resort, where neither policy nor default can be
// used: the first legal number, the smallest text, zeros or the bound nearest to
// them, for composed spaces that of each member, and 0 where nothing is known.
func neutral(space envs.Space, mask []bool) envs.Value {
	switch s := space.(type) {
	case envs.Discrete:
		for i, ok := range mask {
			if ok {
				return envs.Int(s.Start + int64(i))
			}
		}
		return envs.Int(s.Start)
	case envs.TextSpace:
		c := " "
		for _, r := range s.Charset {
			c = string(r)
			break
		}
		out := ""
		for range s.MinLength {
			out += c
		}
		return envs.Text(out)
	case envs.MultiBinary:
		return encode(envs.Int8, s.Shape, make([]float64, elements(s.Shape)))
	case envs.MultiDiscrete:
		return encode(envs.Int64, []int{len(s.Nvec)}, make([]float64, len(s.Nvec)))
	case envs.Box:
		x := make([]float64, elements(s.Shape))
		clip(x, s)
		return encode(s.DType, s.Shape, x)
	case envs.TupleSpace:
		out := make(envs.Tuple, len(s))
		for i := range s {
			out[i] = neutral(s[i], nil)
		}
		return out
	case envs.DictSpace:
		out := make(envs.Dict, len(s))
		for i := range s {
			out[i] = envs.Entry{Key: s[i].Key, Value: neutral(s[i].Space, nil)}
		}
		return out
	case envs.Opaque:
		return envs.Int(0)
	}
	return nil
}

// legal reports whether the mask allows the action; masks belong to Discrete spaces.
func legal(space envs.Space, mask []bool, action envs.Value) bool {
	if mask == nil {
		return true
	}
	s, ok := space.(envs.Discrete)
	n, isInt := action.(envs.Int)
	if !ok || !isInt {
		return true
	}
	i := int64(n) - s.Start
	return i >= 0 && i < int64(len(mask)) && mask[i]
}
