package runner

import (
	"fmt"

	"sharpie/actors/messages"
	"sharpie/envs"
)

// ToMessage turns a value into its message. Arrays share their bytes with v:
// values and messages are both immutable. A nil value gives nil.
func ToMessage(v envs.Value) *messages.Value {
	switch v := v.(type) {
	case nil:
		return nil
	case envs.Int:
		return &messages.Value{Kind: &messages.Value_Integer{Integer: int64(v)}}
	case envs.Text:
		return &messages.Value{Kind: &messages.Value_Text{Text: string(v)}}
	case envs.Array:
		return &messages.Value{Kind: &messages.Value_Array{Array: &messages.Array{
			Dtype: string(v.DType), Shape: shapeOf(v.Shape), Data: v.Data,
		}}}
	case envs.Tuple:
		items := make([]*messages.Value, len(v))
		for i := range v {
			items[i] = ToMessage(v[i])
		}
		return &messages.Value{Kind: &messages.Value_Tuple{Tuple: &messages.List{Items: items}}}
	case envs.Dict:
		entries := make([]*messages.Entry, len(v))
		for i := range v {
			entries[i] = &messages.Entry{Key: v[i].Key, Value: ToMessage(v[i].Value)}
		}
		return &messages.Value{Kind: &messages.Value_Dict{Dict: &messages.Dict{Entries: entries}}}
	}
	panic(fmt.Sprintf("runner: value of type %T", v))
}

// FromMessage turns a message back into a value; nil gives nil. A plain real
// number is a float64 scalar.
func FromMessage(m *messages.Value) (envs.Value, error) {
	if m == nil {
		return nil, nil
	}
	switch k := m.Kind.(type) {
	case *messages.Value_Integer:
		return envs.Int(k.Integer), nil
	case *messages.Value_Text:
		return envs.Text(k.Text), nil
	case *messages.Value_Real:
		return float64Scalar(k.Real), nil
	case *messages.Value_Array:
		return arrayFromMessage(k.Array)
	case *messages.Value_Tuple:
		out := make(envs.Tuple, len(k.Tuple.GetItems()))
		for i, item := range k.Tuple.GetItems() {
			v, err := FromMessage(item)
			if err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
			out[i] = v
		}
		return out, nil
	case *messages.Value_Dict:
		out := make(envs.Dict, len(k.Dict.GetEntries()))
		for i, e := range k.Dict.GetEntries() {
			v, err := FromMessage(e.GetValue())
			if err != nil {
				return nil, fmt.Errorf("[%q]: %w", e.GetKey(), err)
			}
			out[i] = envs.Entry{Key: e.GetKey(), Value: v}
		}
		return out, nil
	}
	return nil, fmt.Errorf("runner: a value message without a value")
}

func arrayFromMessage(a *messages.Array) (envs.Value, error) {
	dtype := envs.DType(a.GetDtype())
	size := itemSize(dtype)
	if size == 0 {
		return nil, fmt.Errorf("runner: unknown dtype %q", a.GetDtype())
	}
	want := int64(size)
	shape := make([]int, len(a.GetShape()))
	for i, n := range a.GetShape() {
		if n < 0 || n > 1<<31 || (n > 0 && want > (1<<40)/n) {
			return nil, fmt.Errorf("runner: array of shape %v", a.GetShape())
		}
		shape[i], want = int(n), want*n
	}
	if want != int64(len(a.GetData())) {
		return nil, fmt.Errorf("runner: array %s%v has %d bytes, not %d", dtype, shape, len(a.GetData()), want)
	}
	return envs.Array{DType: dtype, Shape: shape, Data: a.GetData()}, nil
}

// itemSize is the size of one element in bytes, 0 for an unknown dtype.
func itemSize(t envs.DType) int {
	switch t {
	case envs.Float64, envs.Int64, envs.Uint64:
		return 8
	case envs.Float32, envs.Int32, envs.Uint32:
		return 4
	case envs.Int16, envs.Uint16:
		return 2
	case envs.Int8, envs.Uint8, envs.Bool:
		return 1
	}
	return 0
}

func shapeOf(shape []int) []int64 {
	out := make([]int64, len(shape))
	for i, n := range shape {
		out[i] = int64(n)
	}
	return out
}

// cell is the memory of one value message with its oneof wrapper and array, so
// that the usual observation costs no allocation of its own.
type cell struct {
	value   messages.Value
	array   messages.Array
	asArray messages.Value_Array
	asInt   messages.Value_Integer
}

// set fills the cell with v and returns its message. shape is the last shape this
// role had, shared between messages while it stays the same.
func (c *cell) set(v envs.Value, shape *[]int64) *messages.Value {
	switch v := v.(type) {
	case envs.Int:
		c.asInt.Integer = int64(v)
		c.value.Kind = &c.asInt
		return &c.value
	case envs.Array:
		if !sameShape(*shape, v.Shape) {
			*shape = shapeOf(v.Shape)
		}
		c.array.Dtype, c.array.Shape, c.array.Data = string(v.DType), *shape, v.Data
		c.asArray.Array = &c.array
		c.value.Kind = &c.asArray
		return &c.value
	}
	return ToMessage(v)
}

func sameShape(a []int64, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != int64(b[i]) {
			return false
		}
	}
	return true
}

// valueBytes is about how much memory a value holds, for the bound on unacked records.
func valueBytes(v envs.Value) int {
	switch v := v.(type) {
	case envs.Array:
		return 64 + len(v.Data)
	case envs.Text:
		return 32 + len(v)
	case envs.Tuple:
		n := 32
		for _, m := range v {
			n += valueBytes(m)
		}
		return n
	case envs.Dict:
		n := 32
		for _, m := range v {
			n += 32 + len(m.Key) + valueBytes(m.Value)
		}
		return n
	}
	return 16
}

// intValues are the messages of the points of a small Discrete space.
type intValues struct {
	start  int64
	values []*messages.Value
}

// maxIntValues bounds the messages that are made ahead.
const maxIntValues = 256

// newIntValues makes the messages of a Discrete space ahead; nil for another space.
func newIntValues(space envs.Space) *intValues {
	s, ok := space.(envs.Discrete)
	if !ok || s.N > maxIntValues {
		return nil
	}
	out := &intValues{start: s.Start}
	for i := range s.N {
		out.values = append(out.values, ToMessage(envs.Int(s.Start+i)))
	}
	return out
}

// message returns the message of an action.
func (c *intValues) message(v envs.Value) *messages.Value {
	if n, ok := v.(envs.Int); ok && c != nil {
		if i := int64(n) - c.start; i >= 0 && i < int64(len(c.values)) {
			return c.values[i]
		}
	}
	return ToMessage(v)
}
