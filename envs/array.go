package envs

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Size is the number of bytes of one element, 0 for an unknown type.
func (d DType) Size() int {
	switch d {
	case Float64, Int64, Uint64:
		return 8
	case Float32, Int32, Uint32:
		return 4
	case Int16, Uint16:
		return 2
	case Int8, Uint8, Bool:
		return 1
	}
	return 0
}

// Float reports whether d is a floating-point type.
func (d DType) Float() bool { return d == Float32 || d == Float64 }

// intRange is the range of an integer type or of Bool.
func (d DType) intRange() (low, high float64) {
	switch d {
	case Int64:
		return math.MinInt64, math.MaxInt64
	case Int32:
		return math.MinInt32, math.MaxInt32
	case Int16:
		return math.MinInt16, math.MaxInt16
	case Int8:
		return math.MinInt8, math.MaxInt8
	case Uint64:
		return 0, math.MaxUint64
	case Uint32:
		return 0, math.MaxUint32
	case Uint16:
		return 0, math.MaxUint16
	case Uint8:
		return 0, math.MaxUint8
	}
	return 0, 1
}

// NewArray returns an array of zeros.
func NewArray(dtype DType, shape ...int) Array {
	return Array{DType: dtype, Shape: shape, Data: make([]byte, dtype.Size()*product(shape))}
}

// NewFloat32Array returns a float32 vector of the given elements.
func NewFloat32Array(values ...float32) Array {
	a := NewArray(Float32, len(values))
	for i, v := range values {
		binary.LittleEndian.PutUint32(a.Data[4*i:], math.Float32bits(v))
	}
	return a
}

// NewFloat64Array returns a float64 vector of the given elements.
func NewFloat64Array(values ...float64) Array {
	a := NewArray(Float64, len(values))
	for i, v := range values {
		binary.LittleEndian.PutUint64(a.Data[8*i:], math.Float64bits(v))
	}
	return a
}

// NewInt64Array returns an int64 vector of the given elements: a point of a
// MultiDiscrete space.
func NewInt64Array(values ...int64) Array {
	a := NewArray(Int64, len(values))
	for i, v := range values {
		binary.LittleEndian.PutUint64(a.Data[8*i:], uint64(v))
	}
	return a
}

// Len is the number of elements that Shape announces.
func (a Array) Len() int { return product(a.Shape) }

// Validate reports an unknown element type, a negative dimension, or data whose
// length does not fit type and shape.
func (a Array) Validate() error {
	size := a.DType.Size()
	if size == 0 {
		return fmt.Errorf("unknown dtype %q", a.DType)
	}
	n := 1
	for _, d := range a.Shape {
		if d < 0 || (d > 0 && n > math.MaxInt32/d) {
			return fmt.Errorf("impossible shape %s", shapeString(a.Shape))
		}
		n *= d
	}
	if len(a.Data) != size*n {
		return fmt.Errorf("%d bytes of data, but %s%s takes %d", len(a.Data), a.DType, shapeString(a.Shape), size*n)
	}
	return nil
}

// At returns element i (row-major) as a float64; int64 and uint64 beyond 2^53
// lose precision, Bool is 0 or 1. It panics outside the data.
func (a Array) At(i int) float64 {
	switch a.DType {
	case Float64:
		return math.Float64frombits(binary.LittleEndian.Uint64(a.Data[8*i:]))
	case Float32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(a.Data[4*i:])))
	case Uint64:
		return float64(binary.LittleEndian.Uint64(a.Data[8*i:]))
	}
	return float64(a.IntAt(i))
}

// IntAt returns element i (row-major) of an integer or Bool array; a float is
// rounded towards zero and a uint64 above the largest int64 wraps. It panics
// outside the data.
func (a Array) IntAt(i int) int64 {
	le := binary.LittleEndian
	switch a.DType {
	case Int64, Uint64:
		return int64(le.Uint64(a.Data[8*i:]))
	case Int32:
		return int64(int32(le.Uint32(a.Data[4*i:])))
	case Uint32:
		return int64(le.Uint32(a.Data[4*i:]))
	case Int16:
		return int64(int16(le.Uint16(a.Data[2*i:])))
	case Uint16:
		return int64(le.Uint16(a.Data[2*i:]))
	case Int8:
		return int64(int8(a.Data[i]))
	case Uint8, Bool:
		return int64(a.Data[i])
	case Float32, Float64:
		return int64(a.At(i))
	}
	panic(fmt.Sprintf("envs: array of unknown dtype %q", a.DType))
}

// Float64s returns all elements, row-major, as At does.
func (a Array) Float64s() []float64 {
	out := make([]float64, a.Len())
	for i := range out {
		out[i] = a.At(i)
	}
	return out
}

// set stores a number that is known to be in the element type's range.
func (a Array) set(i int, v float64) {
	le := binary.LittleEndian
	switch a.DType {
	case Float64:
		le.PutUint64(a.Data[8*i:], math.Float64bits(v))
	case Float32:
		le.PutUint32(a.Data[4*i:], math.Float32bits(float32(v)))
	case Uint64:
		// the conversion of a float above the largest uint64 is not defined
		if v >= math.MaxUint64 {
			le.PutUint64(a.Data[8*i:], math.MaxUint64)
			return
		}
		le.PutUint64(a.Data[8*i:], uint64(v))
	case Int64:
		if v >= math.MaxInt64 {
			a.setInt(i, math.MaxInt64)
			return
		}
		a.setInt(i, int64(v))
	default:
		a.setInt(i, int64(v))
	}
}

// setInt stores an integer that is known to be in the element type's range.
func (a Array) setInt(i int, v int64) {
	le := binary.LittleEndian
	switch a.DType.Size() {
	case 8:
		le.PutUint64(a.Data[8*i:], uint64(v))
	case 4:
		le.PutUint32(a.Data[4*i:], uint32(v))
	case 2:
		le.PutUint16(a.Data[2*i:], uint16(v))
	default:
		a.Data[i] = byte(v)
	}
}

// Equal reports whether two values are the same: same kind, type, shape and
// bits. Unlike numbers, a NaN equals the same NaN.
func Equal(a, b Value) bool {
	switch x := a.(type) {
	case Int:
		y, ok := b.(Int)
		return ok && x == y
	case Text:
		y, ok := b.(Text)
		return ok && x == y
	case Array:
		y, ok := b.(Array)
		return ok && x.DType == y.DType && slices.Equal(x.Shape, y.Shape) && string(x.Data) == string(y.Data)
	case Tuple:
		y, ok := b.(Tuple)
		return ok && slices.EqualFunc(x, y, Equal)
	case Dict:
		y, ok := b.(Dict)
		return ok && slices.EqualFunc(x, y, func(p, q Entry) bool {
			return p.Key == q.Key && Equal(p.Value, q.Value)
		})
	case nil:
		return b == nil
	}
	return false
}

// product is the number of elements of a shape.
func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// shapeString writes a shape as Python does: (), (2,), (2, 3).
func shapeString(shape []int) string {
	var b strings.Builder
	b.WriteByte('(')
	for i, d := range shape {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, d)
	}
	if len(shape) == 1 {
		b.WriteByte(',')
	}
	b.WriteByte(')')
	return b.String()
}
