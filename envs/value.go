package envs

// Value is an observation or an action: a point of a Space. The concrete types
// are Int, Text, Array, Tuple and Dict. Values are immutable once handed over.
type Value interface{ isValue() }

// Int is a point of a Discrete space.
type Int int64

// Text is a point of a TextSpace.
type Text string

// DType is the element type of an Array, by numpy's name.
type DType string

// The element types, little-endian in Array.Data.
const (
	Float64 DType = "float64"
	Float32 DType = "float32"
	Int64   DType = "int64"
	Int32   DType = "int32"
	Int16   DType = "int16"
	Int8    DType = "int8"
	Uint8   DType = "uint8"
	Uint16  DType = "uint16"
	Uint32  DType = "uint32"
	Uint64  DType = "uint64"
	Bool    DType = "bool"
)

// Array is a point of a Box, MultiDiscrete or MultiBinary space: a dense array
// in row-major (C) order.
type Array struct {
	DType DType
	// Shape in elements; empty for a scalar.
	Shape []int
	// Data is the elements, little-endian: len = size(DType) · product(Shape).
	Data []byte
}

// Tuple is a point of a TupleSpace.
type Tuple []Value

// Dict is a point of a DictSpace, in the space's order of keys.
type Dict []Entry

// Entry is one named member of a Dict.
type Entry struct {
	Key   string
	Value Value
}

func (Int) isValue()   {}
func (Text) isValue()  {}
func (Array) isValue() {}
func (Tuple) isValue() {}
func (Dict) isValue()  {}
