package envs

import "math/rand/v2"

// Space is a set of values, after gymnasium.spaces.
type Space interface {
	// Contains reports whether v is a point of the space; the error says why not
	// and what is allowed.
	Contains(v Value) error
	// Sample draws a uniform point (after Gymnasium: exponential or normal along
	// unbounded sides of a Box). mask restricts a Discrete space, nil is no mask.
	Sample(rng *rand.Rand, mask []bool) Value
	// String is a short description such as "Discrete(3)".
	String() string
}

// Discrete is {Start, …, Start+N-1}.
type Discrete struct{ N, Start int64 }

// MultiDiscrete is a vector of discrete numbers: 0 ≤ x[i] < Nvec[i], dtype int64.
type MultiDiscrete struct{ Nvec []int64 }

// MultiBinary is an int8 array of zeros and ones.
type MultiBinary struct{ Shape []int }

// Box is a product of closed intervals. Low and High hold one bound per element
// (row-major), or one bound for all; infinities are allowed.
type Box struct {
	DType     DType
	Shape     []int
	Low, High []float64
}

// TextSpace is strings of MinLength to MaxLength characters of Charset; an empty
// Charset allows every character.
type TextSpace struct {
	MinLength, MaxLength int
	Charset              string
}

// TupleSpace is an ordered product of spaces.
type TupleSpace []Space

// DictSpace is a product of named spaces, in order.
type DictSpace []NamedSpace

// NamedSpace is one member of a DictSpace.
type NamedSpace struct {
	Key   string
	Space Space
}
