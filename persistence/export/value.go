package export

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"sharpie/persistence"
)

// value is a cell that is JSON in every format.
type value struct{ v any }

// ordered is a JSON object with its members in this order.
type ordered []member

type member struct {
	name  string
	value any
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func timeOrNil(t *time.Time) any {
	if t == nil {
		return nil
	}
	return *t
}

// timeFormat is RFC 3339 with microseconds.
const timeFormat = "2006-01-02T15:04:05.000000Z07:00"

// appendJSON appends a value. NaN and the infinities, which JSON lacks, are the
// strings "NaN", "Infinity" and "-Infinity".
func appendJSON(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case uint64:
		return strconv.AppendUint(b, v, 10), nil
	case float64:
		return appendFloat(b, v, 64), nil
	case string:
		return appendString(b, v)
	case time.Time:
		return v.UTC().AppendFormat(append(b, '"'), timeFormat+`"`), nil
	case value:
		return appendJSON(b, v.v)
	case persistence.Array:
		return appendArray(b, v)
	case ordered:
		return appendMembers(b, v)
	case []any:
		return appendList(b, v)
	case map[string]any:
		members := make(ordered, 0, len(v))
		for name, value := range v {
			members = append(members, member{name, value})
		}
		slices.SortFunc(members, func(a, b member) int { return compare(a.name, b.name) })
		return appendMembers(b, members)
	case []byte:
		return appendString(b, base64.StdEncoding.EncodeToString(v))
	default:
		return nil, fmt.Errorf("a value of type %T", v)
	}
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func appendString(b []byte, s string) ([]byte, error) {
	text, err := json.Marshal(s)
	return append(b, text...), err
}

func appendFloat(b []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(b, `"-Infinity"`...)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'g', -1, bits)
	for _, c := range b[start:] {
		if c == '.' || c == 'e' {
			return b
		}
	}
	return append(b, ".0"...) // a whole number stays recognizable as a float
}

func appendList(b []byte, list []any) ([]byte, error) {
	b = append(b, '[')
	var err error
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendJSON(b, v); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func appendMembers(b []byte, members ordered) ([]byte, error) {
	b = append(b, '{')
	var err error
	for i, m := range members {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendString(b, m.name); err != nil {
			return nil, err
		}
		if b, err = appendJSON(append(b, ':'), m.value); err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return append(b, '}'), nil
}

// maxElements is the largest array that is written as numbers.
const maxElements = 4096

// appendArray appends an array as nested lists of numbers, or, where it is large
// (a picture) or its type has no numbers here, as {dtype, shape, base64}.
func appendArray(b []byte, a persistence.Array) ([]byte, error) {
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	size, element := elementOf(a.DType)
	if element == nil || n > maxElements || n*size != len(a.Data) {
		shape := make([]any, len(a.Shape))
		for i, d := range a.Shape {
			shape[i] = d
		}
		return appendMembers(b, ordered{{"dtype", a.DType}, {"shape", shape}, {"base64", a.Data}})
	}
	b, _ = appendNested(b, a.Shape, a.Data, size, element)
	return b, nil
}

// appendNested appends one dimension and returns what is left of the data.
func appendNested(b []byte, shape []int, data []byte, size int, element func([]byte, []byte) []byte) ([]byte, []byte) {
	if len(shape) == 0 {
		return element(b, data), data[size:]
	}
	b = append(b, '[')
	for i := range shape[0] {
		if i > 0 {
			b = append(b, ',')
		}
		b, data = appendNested(b, shape[1:], data, size, element)
	}
	return append(b, ']'), data
}

// elementOf returns the size of an element in bytes, and how it is appended; nil
// for a type without numbers.
func elementOf(dtype string) (int, func(b, data []byte) []byte) {
	le := binary.LittleEndian
	switch dtype {
	case "bool":
		return 1, func(b, d []byte) []byte { return strconv.AppendBool(b, d[0] != 0) }
	case "int8":
		return 1, func(b, d []byte) []byte { return strconv.AppendInt(b, int64(int8(d[0])), 10) }
	case "uint8":
		return 1, func(b, d []byte) []byte { return strconv.AppendUint(b, uint64(d[0]), 10) }
	case "int16":
		return 2, func(b, d []byte) []byte { return strconv.AppendInt(b, int64(int16(le.Uint16(d))), 10) }
	case "uint16":
		return 2, func(b, d []byte) []byte { return strconv.AppendUint(b, uint64(le.Uint16(d)), 10) }
	case "int32":
		return 4, func(b, d []byte) []byte { return strconv.AppendInt(b, int64(int32(le.Uint32(d))), 10) }
	case "uint32":
		return 4, func(b, d []byte) []byte { return strconv.AppendUint(b, uint64(le.Uint32(d)), 10) }
	case "int64":
		return 8, func(b, d []byte) []byte { return strconv.AppendInt(b, int64(le.Uint64(d)), 10) }
	case "uint64":
		return 8, func(b, d []byte) []byte { return strconv.AppendUint(b, le.Uint64(d), 10) }
	case "float32":
		return 4, func(b, d []byte) []byte { return appendFloat(b, float64(math.Float32frombits(le.Uint32(d))), 32) }
	case "float64":
		return 8, func(b, d []byte) []byte { return appendFloat(b, math.Float64frombits(le.Uint64(d)), 64) }
	}
	return 0, nil
}
