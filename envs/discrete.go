package envs

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

var (
	_ Space = Discrete{}
	_ Space = MultiDiscrete{}
	_ Space = MultiBinary{}
)

// Contains accepts an Int of Start … Start+N-1.
func (s Discrete) Contains(v Value) error {
	i, ok := v.(Int)
	if !ok {
		return fmt.Errorf("%s takes an integer, not %s", s, describe(v))
	}
	if int64(i) < s.Start || int64(i)-s.Start >= s.N {
		return fmt.Errorf("%d is outside %s: allowed are %d to %d", i, s, s.Start, s.Start+s.N-1)
	}
	return nil
}

// Sample draws among all values, or among those whose mask entry is true; where
// the mask allows none it returns Start, as Gymnasium does.
func (s Discrete) Sample(rng *rand.Rand, mask []bool) Value {
	if int64(len(mask)) != s.N {
		return Int(s.Start + rng.Int64N(max(s.N, 1)))
	}
	legal := 0
	for _, ok := range mask {
		if ok {
			legal++
		}
	}
	if legal == 0 {
		return Int(s.Start)
	}
	k := rng.IntN(legal)
	for i, ok := range mask {
		if !ok {
			continue
		}
		if k == 0 {
			return Int(s.Start + int64(i))
		}
		k--
	}
	panic("envs: unreachable: fewer legal actions than counted")
}

func (s Discrete) String() string {
	if s.Start != 0 {
		return fmt.Sprintf("Discrete(%d, start=%d)", s.N, s.Start)
	}
	return fmt.Sprintf("Discrete(%d)", s.N)
}

// Contains accepts an int64 vector with 0 ≤ x[i] < Nvec[i].
func (s MultiDiscrete) Contains(v Value) error {
	a, err := arrayOf(s, v, Int64, []int{len(s.Nvec)})
	if err != nil {
		return err
	}
	for i, n := range s.Nvec {
		if x := a.IntAt(i); x < 0 || x >= n {
			return fmt.Errorf("element %d of %s is %d: allowed are 0 to %d", i, s, x, n-1)
		}
	}
	return nil
}

// Sample draws every element by itself; the mask is not used.
func (s MultiDiscrete) Sample(rng *rand.Rand, _ []bool) Value {
	a := NewArray(Int64, len(s.Nvec))
	for i, n := range s.Nvec {
		a.setInt(i, rng.Int64N(max(n, 1)))
	}
	return a
}

func (s MultiDiscrete) String() string {
	return "MultiDiscrete(" + strings.ReplaceAll(fmt.Sprint(s.Nvec), " ", ", ") + ")"
}

// Contains accepts an int8 array of the shape, of zeros and ones.
func (s MultiBinary) Contains(v Value) error {
	a, err := arrayOf(s, v, Int8, s.Shape)
	if err != nil {
		return err
	}
	for i, x := range a.Data {
		if x > 1 {
			return fmt.Errorf("element %d of %s is %d: allowed are 0 and 1", i, s, int8(x))
		}
	}
	return nil
}

// Sample draws every element by itself; the mask is not used.
func (s MultiBinary) Sample(rng *rand.Rand, _ []bool) Value {
	a := NewArray(Int8, s.Shape...)
	for i := range a.Data {
		a.Data[i] = byte(rng.IntN(2))
	}
	return a
}

func (s MultiBinary) String() string {
	if len(s.Shape) == 1 {
		return fmt.Sprintf("MultiBinary(%d)", s.Shape[0])
	}
	return "MultiBinary" + shapeString(s.Shape)
}

// arrayOf returns v as a well-formed array of exactly this type and shape.
func arrayOf(s Space, v Value, dtype DType, shape []int) (Array, error) {
	a, ok := v.(Array)
	if !ok {
		return Array{}, fmt.Errorf("%s takes a %s array of shape %s, not %s", s, dtype, shapeString(shape), describe(v))
	}
	if a.DType != dtype || !slices.Equal(a.Shape, shape) {
		return Array{}, fmt.Errorf("%s takes a %s array of shape %s, not %s of shape %s",
			s, dtype, shapeString(shape), a.DType, shapeString(a.Shape))
	}
	if err := a.Validate(); err != nil {
		return Array{}, fmt.Errorf("%s: malformed array: %w", s, err)
	}
	return a, nil
}

// describe names a value's kind for an error message.
func describe(v Value) string {
	switch x := v.(type) {
	case nil:
		return "nothing"
	case Int:
		return fmt.Sprintf("the integer %d", x)
	case Text:
		if len(x) > 40 {
			x = x[:40] + "…"
		}
		return fmt.Sprintf("the text %q", string(x))
	case Array:
		return fmt.Sprintf("a %s array of shape %s", x.DType, shapeString(x.Shape))
	case Tuple:
		return fmt.Sprintf("a tuple of %d", len(x))
	case Dict:
		return fmt.Sprintf("a dict of %d", len(x))
	}
	return fmt.Sprintf("%T", v)
}
