package python

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"sharpie/envs"
)

// value is what a node of the header says, with its arrays in the blobs. The value
// shares the blobs' memory.
func (m *message) value(n *node) (envs.Value, error) {
	switch n.kind {
	case kindNull:
		return envs.Tuple{}, nil
	case kindBool:
		return boolean(n.yes), nil
	case kindText:
		return envs.Text(n.text), nil
	case kindNumber:
		return number(n.text)
	case kindList:
		return m.tuple(n.list)
	}
	return m.object(n)
}

// opinion is a value, or nil where the worker says null: a policy had none.
func (m *message) opinion(n *node) (envs.Value, error) {
	if n.kind == kindNull {
		return nil, nil
	}
	return m.value(n)
}

func (m *message) object(n *node) (envs.Value, error) {
	if n.get("$array").kind == kindNumber {
		a, err := m.array(n)
		if i, _ := n.get("$array").integer(); err == nil && int(i) == m.shared {
			a.Data = bytes.Clone(a.Data) // a value never changes, the picture's memory does
		}
		return a, err
	}
	if t := n.only("$tuple"); t != nil && t.kind == kindList {
		return m.tuple(t.list)
	}
	if d := n.only("$dict"); d != nil && d.kind == kindList {
		return m.dict(d.list)
	}
	if f := n.only("$float"); f != nil {
		x, err := special(f)
		return scalar(x), err
	}
	if o := n.get("$opaque"); o.kind == kindText {
		return envs.Dict{
			{Key: "python_type", Value: envs.Text(o.text)},
			{Key: "sha256", Value: envs.Text(n.get("sha256").str())},
		}, nil
	}
	out := make(envs.Dict, len(n.list))
	for i := range n.list {
		v, err := m.value(&n.list[i])
		if err != nil {
			return nil, err
		}
		out[i] = envs.Entry{Key: n.keys[i], Value: v}
	}
	return out, nil
}

func (m *message) tuple(list []node) (envs.Value, error) {
	out := make(envs.Tuple, len(list))
	for i := range list {
		v, err := m.value(&list[i])
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (m *message) dict(pairs []node) (envs.Value, error) {
	out := make(envs.Dict, len(pairs))
	for i := range pairs {
		pair := pairs[i].list
		if len(pair) != 2 || pair[0].kind != kindText {
			return nil, fmt.Errorf("%w: a $dict takes pairs of a key and a value", errProtocol)
		}
		v, err := m.value(&pair[1])
		if err != nil {
			return nil, err
		}
		out[i] = envs.Entry{Key: pair[0].text, Value: v}
	}
	return out, nil
}

// array is a well-formed array over a blob.
func (m *message) array(n *node) (envs.Array, error) {
	i, ok := n.get("$array").integer()
	if !ok || i < 0 || i >= int64(len(m.blobs)) {
		return envs.Array{}, fmt.Errorf("%w: an array names blob %s of %d", errProtocol, n.get("$array").text, len(m.blobs))
	}
	a := envs.Array{DType: envs.DType(n.get("dtype").str()), Data: m.blobs[i]}
	dims := n.get("shape").list
	if len(dims) > 0 {
		a.Shape = make([]int, len(dims))
	}
	for k := range dims {
		d, err := dims[k].size("a dimension", math.MaxInt32)
		if err != nil {
			return envs.Array{}, fmt.Errorf("%w: %w", errProtocol, err)
		}
		a.Shape[k] = d
	}
	if err := a.Validate(); err != nil {
		return envs.Array{}, fmt.Errorf("%w: an array: %w", errProtocol, err)
	}
	return a, nil
}

// picture is the frame of a reply, in the memory of its blob; null is none.
func (m *message) picture(n *node) (envs.Frame, error) {
	if n.kind == kindNull {
		return envs.Frame{}, nil
	}
	a, err := m.array(n)
	if err != nil {
		return envs.Frame{}, err
	}
	if a.DType != envs.Uint8 || len(a.Shape) != 3 || a.Shape[2] != 3 || len(a.Data) == 0 {
		return envs.Frame{}, fmt.Errorf("%w: a picture of type %s and shape %v: uint8 and height × width × 3 are allowed", errProtocol, a.DType, a.Shape)
	}
	return envs.Frame{Width: a.Shape[1], Height: a.Shape[0], RGB: a.Data}, nil
}

// number is an Int, or a float64 where it has a fraction, an exponent or no place in one.
func number(text string) (envs.Value, error) {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return envs.Int(i), nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil, fmt.Errorf("%w: the number %q", errProtocol, text)
	}
	return scalar(f), nil
}

// float is a number of any kind; null is 0.
func float(n *node) (float64, error) {
	switch n.kind {
	case kindNull:
		return 0, nil
	case kindBool:
		if n.yes {
			return 1, nil
		}
		return 0, nil
	case kindNumber:
		f, err := strconv.ParseFloat(n.text, 64)
		if err != nil && !math.IsInf(f, 0) {
			return 0, fmt.Errorf("%w: the number %q", errProtocol, n.text)
		}
		return f, nil
	}
	if f := n.only("$float"); f != nil {
		return special(f)
	}
	return 0, fmt.Errorf("%w: a number is expected", errProtocol)
}

func special(n *node) (float64, error) {
	switch n.str() {
	case "nan":
		return math.NaN(), nil
	case "inf":
		return math.Inf(1), nil
	case "-inf":
		return math.Inf(-1), nil
	}
	return 0, fmt.Errorf("%w: a $float is nan, inf or -inf", errProtocol)
}

func scalar(x float64) envs.Array {
	a := envs.NewFloat64Array(x)
	a.Shape = nil
	return a
}

func boolean(yes bool) envs.Array {
	a := envs.NewArray(envs.Bool)
	if yes {
		a.Data[0] = 1
	}
	return a
}

// mask is a role's legal actions; null is all.
func mask(n *node) ([]bool, error) {
	if n.kind == kindNull {
		return nil, nil
	}
	if n.kind != kindList {
		return nil, fmt.Errorf("%w: a mask is a list", errProtocol)
	}
	out := make([]bool, len(n.list))
	for i := range n.list {
		out[i] = n.list[i].truth()
	}
	return out, nil
}
