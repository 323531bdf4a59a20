package python

import (
	"fmt"
	"math"
	"strconv"

	"sharpie/envs"
)

// maxElements bounds the elements of a space, against sizes that nothing could hold.
const maxElements = maxFrame

func itoa(i int) string { return strconv.Itoa(i) }

// space is what a node says of a space.
func space(n *node, depth int) (envs.Space, error) {
	if depth > 16 {
		return nil, fmt.Errorf("%w: a space nested too deeply", errProtocol)
	}
	switch t := n.get("type").str(); t {
	case "discrete":
		return discrete(n)
	case "multidiscrete":
		return multiDiscrete(n)
	case "multibinary":
		shape, err := shapeOf(n.get("shape"))
		return envs.MultiBinary{Shape: shape}, err
	case "box":
		return box(n)
	case "text":
		least, err := n.get("min_length").size("min_length", math.MaxInt32)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errProtocol, err)
		}
		most, err := n.get("max_length").size("max_length", math.MaxInt32)
		if err != nil || most < least {
			return nil, fmt.Errorf("%w: a text space of %d to %s characters", errProtocol, least, n.get("max_length").text)
		}
		return envs.TextSpace{MinLength: least, MaxLength: most, Charset: n.get("charset").str()}, nil
	case "tuple":
		var out envs.TupleSpace
		for i := range n.get("spaces").list {
			s, err := space(&n.get("spaces").list[i], depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
		}
		return out, nil
	case "dict":
		return dictSpace(n.get("spaces"), depth)
	case "opaque", "":
		return envs.Opaque{}, nil
	default:
		return nil, fmt.Errorf("%w: a space of type %q", errProtocol, t)
	}
}

func discrete(n *node) (envs.Space, error) {
	size, ok := n.get("n").integer()
	start, _ := n.get("start").integer()
	if !ok || size < 1 || start > math.MaxInt64-size {
		return nil, fmt.Errorf("%w: a discrete space of %q values from %d", errProtocol, n.get("n").text, start)
	}
	return envs.Discrete{N: size, Start: start}, nil
}

func multiDiscrete(n *node) (envs.Space, error) {
	list := n.get("nvec").list
	out := envs.MultiDiscrete{Nvec: make([]int64, len(list))}
	for i := range list {
		k, ok := list[i].integer()
		if !ok || k < 1 {
			return nil, fmt.Errorf("%w: element %d of a multidiscrete space has %q values", errProtocol, i, list[i].text)
		}
		out.Nvec[i] = k
	}
	return out, nil
}

func dictSpace(n *node, depth int) (envs.Space, error) {
	out := envs.DictSpace{}
	for i := range n.list {
		pair := n.list[i].list
		if len(pair) != 2 || pair[0].kind != kindText {
			return nil, fmt.Errorf("%w: the members of a dict space are pairs of a key and a space", errProtocol)
		}
		s, err := space(&pair[1], depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, envs.NamedSpace{Key: pair[0].text, Space: s})
	}
	return out, nil
}

func box(n *node) (envs.Space, error) {
	dtype := envs.DType(n.get("dtype").str())
	if dtype.Size() == 0 {
		return nil, fmt.Errorf("%w: a box of dtype %q", errProtocol, dtype)
	}
	shape, err := shapeOf(n.get("shape"))
	if err != nil {
		return nil, err
	}
	size := 1
	for _, d := range shape {
		size *= d
	}
	low, err := bounds(n.get("low"), size)
	if err != nil {
		return nil, err
	}
	high, err := bounds(n.get("high"), size)
	return envs.Box{DType: dtype, Shape: shape, Low: low, High: high}, err
}

// shapeOf reads a shape whose elements something could hold.
func shapeOf(n *node) ([]int, error) {
	out := make([]int, 0, len(n.list))
	size := 1
	for i := range n.list {
		d, err := n.list[i].size("a dimension", maxElements)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errProtocol, err)
		}
		if d > 0 && size > maxElements/d {
			return nil, fmt.Errorf("%w: a space of more than %d elements", errProtocol, maxElements)
		}
		size *= d
		out = append(out, d)
	}
	return out, nil
}

// bounds reads one bound for all elements, or one for each.
func bounds(n *node, size int) ([]float64, error) {
	if n.kind != kindList {
		x, err := bound(n)
		return []float64{x}, err
	}
	if len(n.list) != size && len(n.list) != 1 {
		return nil, fmt.Errorf("%w: a box of %d elements with %d bounds", errProtocol, size, len(n.list))
	}
	out := make([]float64, len(n.list))
	for i := range n.list {
		x, err := bound(&n.list[i])
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, nil
}

func bound(n *node) (float64, error) {
	switch n.str() {
	case "inf":
		return math.Inf(1), nil
	case "-inf":
		return math.Inf(-1), nil
	}
	return float(n)
}

// appendSpace appends a space to a request, as the protocol writes it.
func (q *request) space(s envs.Space) *request {
	switch x := s.(type) {
	case envs.Discrete:
		return q.raw(`{"type":"discrete"`).key("n").int(x.N).key("start").int(x.Start).raw("}")
	case envs.MultiDiscrete:
		q.raw(`{"type":"multidiscrete","nvec":[`)
		for _, n := range x.Nvec {
			q.item().int(n)
		}
		return q.raw("]}")
	case envs.MultiBinary:
		return q.raw(`{"type":"multibinary","shape":`).ints(x.Shape).raw("}")
	case envs.Box:
		q.raw(`{"type":"box"`).key("dtype").text(string(x.DType)).key("shape").ints(x.Shape)
		return q.key("low").bounds(x.Low, math.Inf(-1)).key("high").bounds(x.High, math.Inf(1)).raw("}")
	case envs.TextSpace:
		return q.raw(`{"type":"text"`).key("min_length").int(int64(x.MinLength)).
			key("max_length").int(int64(x.MaxLength)).key("charset").text(x.Charset).raw("}")
	case envs.TupleSpace:
		q.raw(`{"type":"tuple","spaces":[`)
		for _, sub := range x {
			q.item().space(sub)
		}
		return q.raw("]}")
	case envs.DictSpace:
		q.raw(`{"type":"dict","spaces":[`)
		for _, sub := range x {
			q.item().raw("[").text(sub.Key).raw(",").space(sub.Space).raw("]")
		}
		return q.raw("]}")
	}
	repr := "Opaque"
	if s != nil {
		repr = s.String()
	}
	return q.raw(`{"type":"opaque"`).key("repr").text(repr).raw("}")
}

func (q *request) ints(list []int) *request {
	q.raw("[")
	for i, d := range list {
		if i > 0 {
			q.raw(",")
		}
		q.int(int64(d))
	}
	return q.raw("]")
}

// bounds appends one number for all, or one for each; none is the given one.
func (q *request) bounds(list []float64, none float64) *request {
	if len(list) == 0 {
		return q.bound(none)
	}
	if len(list) == 1 {
		return q.bound(list[0])
	}
	q.raw("[")
	for _, x := range list {
		q.item().bound(x)
	}
	return q.raw("]")
}

func (q *request) bound(x float64) *request {
	switch {
	case math.IsInf(x, 1):
		return q.text("inf")
	case math.IsInf(x, -1):
		return q.text("-inf")
	}
	return q.float(x)
}
