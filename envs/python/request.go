package python

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"sharpie/envs"
)

// request builds a frame: its header piece by piece, its blobs beside it. The memory
// is used again for the next one.
type request struct {
	head  []byte
	blobs [][]byte
	// lengths is the memory of the frame's lengths.
	lengths []byte
}

// begin starts a request, up to the first member behind "op".
func (q *request) begin(op string) *request {
	q.head = append(q.head[:0], `{"op":`...)
	q.head = appendText(q.head, op)
	clear(q.blobs)
	q.blobs = q.blobs[:0]
	return q
}

// raw appends JSON as it is.
func (q *request) raw(s string) *request { q.head = append(q.head, s...); return q }

// key appends a member's name, with the comma before it unless it is the first.
func (q *request) key(name string) *request {
	switch q.head[len(q.head)-1] {
	case '{', '[', ',':
	default:
		q.head = append(q.head, ',')
	}
	q.head = append(q.head, '"')
	q.head = append(q.head, name...)
	q.head = append(q.head, '"', ':')
	return q
}

// item puts a comma before the next item of a list, unless it is the first.
func (q *request) item() *request {
	if q.head[len(q.head)-1] != '[' {
		q.head = append(q.head, ',')
	}
	return q
}

func (q *request) text(s string) *request { q.head = appendText(q.head, s); return q }

func (q *request) int(i int64) *request { q.head = strconv.AppendInt(q.head, i, 10); return q }

func (q *request) uint(i uint64) *request { q.head = strconv.AppendUint(q.head, i, 10); return q }

func (q *request) bool(b bool) *request { q.head = strconv.AppendBool(q.head, b); return q }

// float appends a number, also one that JSON lacks.
func (q *request) float(x float64) *request {
	switch {
	case math.IsNaN(x):
		return q.raw(`{"$float":"nan"}`)
	case math.IsInf(x, 1):
		return q.raw(`{"$float":"inf"}`)
	case math.IsInf(x, -1):
		return q.raw(`{"$float":"-inf"}`)
	}
	from := len(q.head)
	q.head = strconv.AppendFloat(q.head, x, 'g', -1, 64)
	for _, c := range q.head[from:] {
		if c == '.' || c == 'e' {
			return q
		}
	}
	return q.raw(".0") // or the other side would read an integer
}

// document appends anything that encoding/json can write.
func (q *request) document(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	q.head = append(q.head, data...)
	return nil
}

// blob appends a reference to bytes, which must stay as they are until it is sent.
func (q *request) blob(data []byte) *request {
	q.int(int64(len(q.blobs)))
	q.blobs = append(q.blobs, data)
	return q
}

// value appends a value as its space wants it; a nil space is envs.Opaque.
func (q *request) value(space envs.Space, v envs.Value) *request {
	switch x := v.(type) {
	case envs.Int:
		return q.int(int64(x))
	case envs.Text:
		return q.text(string(x))
	case envs.Array:
		return q.array(space, x)
	case envs.Tuple:
		return q.tuple(space, x)
	case envs.Dict:
		sub, _ := space.(envs.DictSpace)
		q.raw(`{"$dict":[`)
		for i, e := range x {
			var s envs.Space
			if i < len(sub) {
				s = sub[i].Space
			}
			q.item().raw("[").text(e.Key).raw(",").value(s, e.Value).raw("]")
		}
		return q.raw("]}")
	}
	return q.raw("null")
}

// array appends an array; of an opaque space a single element is a plain number.
func (q *request) array(space envs.Space, a envs.Array) *request {
	if plain(space) && len(a.Shape) == 0 && a.Validate() == nil {
		switch {
		case a.DType == envs.Bool:
			return q.bool(a.Data[0] != 0)
		case a.DType.Float():
			return q.float(a.At(0))
		case a.DType == envs.Uint64:
			return q.uint(uint64(a.IntAt(0)))
		}
		return q.int(a.IntAt(0))
	}
	q.raw(`{"$array":`).blob(a.Data).raw(`,"dtype":`).text(string(a.DType)).raw(`,"shape":[`)
	for i, d := range a.Shape {
		if i > 0 {
			q.raw(",")
		}
		q.int(int64(d))
	}
	return q.raw("]}")
}

// tuple appends a tuple, or a list where nothing is known of the space.
func (q *request) tuple(space envs.Space, t envs.Tuple) *request {
	sub, _ := space.(envs.TupleSpace)
	open, shut := `{"$tuple":[`, "]}"
	if plain(space) {
		open, shut = "[", "]"
	}
	q.raw(open)
	for i, v := range t {
		var s envs.Space
		if i < len(sub) {
			s = sub[i]
		}
		q.item().value(s, v)
	}
	return q.raw(shut)
}

// plain reports whether nothing is known of a space.
func plain(space envs.Space) bool {
	if space == nil {
		return true
	}
	_, opaque := space.(envs.Opaque)
	return opaque
}

// frame closes the header and returns the pieces of the frame, to be written in order.
func (q *request) frame() ([][]byte, error) {
	q.head = append(q.head, '}')
	total := 4 + int64(len(q.head))
	for _, b := range q.blobs {
		total += 4 + int64(len(b))
	}
	if total > maxFrame || len(q.head) > maxHeader || len(q.blobs) > maxBlobs {
		return nil, fmt.Errorf("a request of %d bytes, %d in its header: allowed are %d and %d", total, len(q.head), maxFrame, maxHeader)
	}
	q.lengths = binary.LittleEndian.AppendUint32(q.lengths[:0], uint32(total))
	q.lengths = binary.LittleEndian.AppendUint32(q.lengths, uint32(len(q.head)))
	for _, b := range q.blobs {
		q.lengths = binary.LittleEndian.AppendUint32(q.lengths, uint32(len(b)))
	}
	if len(q.blobs) == 0 {
		// one write, one piece
		q.head = append(q.head, q.lengths...)
		n := len(q.head) - len(q.lengths)
		copy(q.head[len(q.lengths):], q.head[:n])
		copy(q.head, q.lengths)
		return [][]byte{q.head}, nil
	}
	out := make([][]byte, 0, 2+2*len(q.blobs))
	out = append(out, q.lengths[:8], q.head)
	for i, b := range q.blobs {
		out = append(out, q.lengths[8+4*i:12+4*i], b)
	}
	return out, nil
}

// appendText appends a JSON text; the common one needs no escapes.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			data, err := json.Marshal(s)
			if err != nil {
				return append(b, `""`...) // a string is always written
			}
			return append(b, data...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
