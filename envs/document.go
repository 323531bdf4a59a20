package envs

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// ToDocument returns a value as what encoding/json writes well: an Int as
// int64, a Text as string, an Array as nested lists (numpy's tolist), a Tuple as
// a list and a Dict as a map. Numbers that JSON lacks become the strings "NaN",
// "Infinity" and "-Infinity"; a malformed array becomes nil.
func ToDocument(v Value) any {
	switch x := v.(type) {
	case Int:
		return int64(x)
	case Text:
		return string(x)
	case Array:
		if x.Validate() != nil {
			return nil
		}
		doc, _ := x.nested(x.Shape, 0)
		return doc
	case Tuple:
		out := make([]any, len(x))
		for i := range x {
			out[i] = ToDocument(x[i])
		}
		return out
	case Dict:
		out := make(map[string]any, len(x))
		for _, e := range x {
			out[e.Key] = ToDocument(e.Value)
		}
		return out
	}
	return nil
}

// nested returns the elements from offset on as lists of the shape, and the
// offset behind them.
func (a Array) nested(shape []int, offset int) (any, int) {
	if len(shape) == 0 {
		return a.number(offset), offset + 1
	}
	out := make([]any, shape[0])
	for i := range out {
		out[i], offset = a.nested(shape[1:], offset)
	}
	return out, offset
}

func (a Array) number(i int) any {
	switch {
	case a.DType == Bool:
		return a.Data[i] != 0
	case a.DType == Uint64:
		return uint64(a.IntAt(i))
	case !a.DType.Float():
		return a.IntAt(i)
	}
	x := a.At(i)
	switch {
	case math.IsNaN(x):
		return "NaN"
	case math.IsInf(x, 1):
		return "Infinity"
	case math.IsInf(x, -1):
		return "-Infinity"
	case a.DType == Float32:
		// the shortest decimal that names this float32: 0.1 and not 0.10000000149
		short, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', -1, 32), 64)
		return short
	}
	return x
}

// FromDocument turns what JSON or YAML decodes to into a point of the space:
// numbers, strings, bools, lists (of any depth for arrays) and maps. It is how
// the value of a key, a keyword argument or a stored action becomes an action.
// The error says what is allowed.
func FromDocument(space Space, doc any) (Value, error) {
	v, err := fromDocument(space, doc)
	if err != nil {
		return nil, err
	}
	if err := space.Contains(v); err != nil {
		return nil, err
	}
	return v, nil
}

func fromDocument(space Space, doc any) (Value, error) {
	switch s := space.(type) {
	case Discrete:
		x, ok := documentInt(doc)
		if !ok {
			return nil, fmt.Errorf("%s takes an integer, not %s", s, describeDocument(doc))
		}
		return Int(x), nil
	case MultiDiscrete:
		return documentArray(s, doc, Int64, []int{len(s.Nvec)})
	case MultiBinary:
		return documentArray(s, doc, Int8, s.Shape)
	case Box:
		return documentArray(s, doc, s.DType, s.Shape)
	case TextSpace:
		x, ok := doc.(string)
		if !ok {
			return nil, fmt.Errorf("%s takes text, not %s", s, describeDocument(doc))
		}
		return Text(x), nil
	case TupleSpace:
		return documentTuple(s, doc)
	case DictSpace:
		return documentDict(s, doc)
	case Opaque:
		return fromAny(doc)
	}
	return nil, fmt.Errorf("no value of %s can be written down", space)
}

func documentTuple(s TupleSpace, doc any) (Value, error) {
	list, ok := doc.([]any)
	if !ok || len(list) != len(s) {
		return nil, fmt.Errorf("%s takes a list of %d, not %s", s, len(s), describeDocument(doc))
	}
	out := make(Tuple, len(s))
	for i := range s {
		v, err := fromDocument(s[i], list[i])
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
		out[i] = v
	}
	return out, nil
}

func documentDict(s DictSpace, doc any) (Value, error) {
	m, ok := doc.(map[string]any)
	if !ok || len(m) != len(s) {
		return nil, fmt.Errorf("%s takes a map of %d, not %s", s, len(s), describeDocument(doc))
	}
	out := make(Dict, len(s))
	for i, sub := range s {
		item, ok := m[sub.Key]
		if !ok {
			return nil, fmt.Errorf("%s lacks the key %q", s, sub.Key)
		}
		v, err := fromDocument(sub.Space, item)
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", sub.Key, err)
		}
		out[i] = Entry{Key: sub.Key, Value: v}
	}
	return out, nil
}

// documentArray reads nested lists, or a bare number for an array of one element.
func documentArray(s Space, doc any, dtype DType, shape []int) (Value, error) {
	a := NewArray(dtype, shape...)
	if _, isList := doc.([]any); !isList && a.Len() == 1 {
		return a, a.setDocument(s, 0, doc)
	}
	offset := 0
	var fill func(shape []int, doc any) error
	fill = func(shape []int, doc any) error {
		if len(shape) == 0 {
			offset++
			return a.setDocument(s, offset-1, doc)
		}
		list, ok := doc.([]any)
		if !ok || len(list) != shape[0] {
			return fmt.Errorf("%s takes a list of %d, not %s", s, shape[0], describeDocument(doc))
		}
		for _, item := range list {
			if err := fill(shape[1:], item); err != nil {
				return err
			}
		}
		return nil
	}
	return a, fill(shape, doc)
}

// setDocument stores a number, or says why the element type cannot hold it.
func (a Array) setDocument(s Space, i int, doc any) error {
	if a.DType.Float() {
		x, ok := documentFloat(doc)
		if !ok {
			return fmt.Errorf("element %d of %s takes a number, not %s", i, s, describeDocument(doc))
		}
		a.set(i, x)
		return nil
	}
	if b, ok := doc.(bool); ok && (a.DType == Bool || a.DType == Int8) {
		if b {
			a.setInt(i, 1)
		}
		return nil
	}
	if x, ok := doc.(uint64); ok && a.DType == Uint64 {
		a.setInt(i, int64(x))
		return nil
	}
	x, ok := documentInt(doc)
	if !ok {
		return fmt.Errorf("element %d of %s takes an integer, not %s", i, s, describeDocument(doc))
	}
	if low, high := a.DType.intRange(); float64(x) < low || float64(x) > high {
		return fmt.Errorf("element %d of %s takes %v to %v, not %d", i, s, low, high, x)
	}
	a.setInt(i, x)
	return nil
}

// documentInt accepts every integer type that decoders give, and floats without
// a fraction.
func documentInt(doc any) (int64, bool) {
	switch x := doc.(type) {
	case int:
		return int64(x), true
	case int64:
		return x, true
	case int32:
		return int64(x), true
	case uint64:
		return int64(x), x <= math.MaxInt64
	case uint:
		return int64(x), uint64(x) <= math.MaxInt64
	case float64:
		if x != math.Trunc(x) || math.Abs(x) > 1<<53 {
			return 0, false
		}
		return int64(x), true
	case json.Number:
		if i, err := x.Int64(); err == nil {
			return i, true
		}
		f, err := x.Float64()
		if err != nil {
			return 0, false
		}
		return documentInt(f)
	}
	return 0, false
}

func documentFloat(doc any) (float64, bool) {
	switch x := doc.(type) {
	case float64:
		return x, true
	case float32:
		return float64(x), true
	case json.Number:
		f, err := x.Float64()
		return f, err == nil
	case string:
		switch x {
		case "NaN":
			return math.NaN(), true
		case "Infinity":
			return math.Inf(1), true
		case "-Infinity":
			return math.Inf(-1), true
		}
		return 0, false
	case uint64:
		return float64(x), true
	}
	i, ok := documentInt(doc)
	return float64(i), ok
}

func describeDocument(doc any) string {
	switch x := doc.(type) {
	case nil:
		return "nothing"
	case string:
		return describe(Text(x))
	case bool:
		return fmt.Sprintf("the truth value %t", x)
	case []any:
		return fmt.Sprintf("a list of %d", len(x))
	case map[string]any:
		return fmt.Sprintf("a map of %d", len(x))
	case int, int32, int64, uint, uint64, float32, float64, json.Number:
		return fmt.Sprintf("the number %v", x)
	}
	return fmt.Sprintf("%T", doc)
}
