package python

import (
	"strings"

	"sharpie/envs"
)

// maxInfoElements bounds an array in an info: a larger one is named, not copied. Info
// is recorded with every step; what is large belongs into an observation.
const maxInfoElements = 4096

// maxInfoDepth is how deeply an info may be nested (envtest: "info is plain").
const maxInfoDepth = 6

// info is the info of a role: plain values alone. It is nil where there is none.
func (m *message) info(n *node) (map[string]any, error) {
	if d := n.only("$dict"); d != nil {
		v, err := m.dict(d.list)
		if err != nil {
			return nil, err
		}
		dict, _ := v.(envs.Dict)
		return plainDict(dict, 1), nil
	}
	if n.kind != kindObject || len(n.list) == 0 {
		return nil, nil
	}
	out := make(map[string]any, len(n.list))
	for i := range n.list {
		v, err := m.value(&n.list[i])
		if err != nil {
			return nil, err
		}
		out[n.keys[i]] = plainValue(v, 1)
	}
	return out, nil
}

func plainDict(d envs.Dict, depth int) map[string]any {
	if len(d) == 0 {
		return nil
	}
	out := make(map[string]any, len(d))
	for _, e := range d {
		out[e.Key] = plainValue(e.Value, depth)
	}
	return out
}

// plainValue is a value as what every store can hold.
func plainValue(v envs.Value, depth int) any {
	if depth > maxInfoDepth {
		return "(nested too deeply)"
	}
	switch x := v.(type) {
	case envs.Tuple:
		if len(x) == 0 {
			return nil
		}
		out := make([]any, len(x))
		for i := range x {
			out[i] = plainValue(x[i], depth+1)
		}
		return out
	case envs.Dict:
		return plainDict(x, depth+1)
	case envs.Array:
		if x.Len() > maxInfoElements || len(x.Shape)+depth > maxInfoDepth {
			return "(" + string(x.DType) + " array of shape " + shapeText(x.Shape) + ")"
		}
	}
	return envs.ToDocument(v)
}

// shapeText writes a shape as Python does, near enough: (2, 3).
func shapeText(shape []int) string {
	var b strings.Builder
	b.WriteByte('(')
	for i, d := range shape {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(itoa(d))
	}
	return b.String() + ")"
}
