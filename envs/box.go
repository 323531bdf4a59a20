package envs

import (
	"fmt"
	"math"
	"math/rand/v2"
)

var _ Space = Box{}

// NewBox is a Box with the same bounds along every side.
func NewBox(dtype DType, low, high float64, shape ...int) Box {
	return Box{DType: dtype, Shape: shape, Low: []float64{low}, High: []float64{high}}
}

// Bounds returns the interval of element i (row-major), rounded to the element
// type: a float32 box up to 0.6 contains float32(0.6), which is a little more.
func (s Box) Bounds(i int) (low, high float64) {
	low, high = math.Inf(-1), math.Inf(1)
	if len(s.Low) == 1 {
		low = s.Low[0]
	} else if i < len(s.Low) {
		low = s.Low[i]
	}
	if len(s.High) == 1 {
		high = s.High[0]
	} else if i < len(s.High) {
		high = s.High[i]
	}
	switch {
	case s.DType == Float32:
		low, high = float64(float32(low)), float64(float32(high))
	case !s.DType.Float():
		least, most := s.DType.intRange()
		low, high = max(math.Ceil(low), least), min(math.Floor(high), most)
	}
	return low, high
}

// Contains accepts an array of the same type and shape whose elements are
// numbers (no NaN) between their bounds, bounds included.
func (s Box) Contains(v Value) error {
	a, err := arrayOf(s, v, s.DType, s.Shape)
	if err != nil {
		return err
	}
	for i := range a.Len() {
		low, high := s.Bounds(i)
		if x := a.At(i); !(x >= low && x <= high) {
			return fmt.Errorf("element %d of %s is %v: allowed are %v to %v", i, s, x, low, high)
		}
	}
	return nil
}

// Sample draws every element by itself: uniformly where both sides are bounded,
// low + Exp(1) or high - Exp(1) where one is, N(0, 1) where none is; integers
// are rounded down. The mask is not used.
func (s Box) Sample(rng *rand.Rand, _ []bool) Value {
	a := NewArray(s.DType, s.Shape...)
	for i := range a.Len() {
		low, high := s.Bounds(i)
		a.set(i, s.sampleSide(rng, low, high))
	}
	return a
}

func (s Box) sampleSide(rng *rand.Rand, low, high float64) float64 {
	lowBound, highBound := !math.IsInf(low, 0), !math.IsInf(high, 0)
	if !s.DType.Float() {
		// an integer type always has bounds, if only its own
		x := low + math.Floor(rng.Float64()*(high-low+1))
		return min(max(x, low), high)
	}
	var x float64
	switch {
	case lowBound && highBound:
		u := rng.Float64()
		x = low*(1-u) + high*u // does not overflow where high-low would
	case lowBound:
		x = low + rng.ExpFloat64()
	case highBound:
		x = high - rng.ExpFloat64()
	default:
		x = rng.NormFloat64()
	}
	return min(max(x, low), high)
}

func (s Box) String() string {
	return fmt.Sprintf("Box(%s, %s, %s, %s)", boundString(s.Low), boundString(s.High), shapeString(s.Shape), s.DType)
}

// boundString is the common bound, or all of them where they differ and are few.
func boundString(b []float64) string {
	if len(b) == 0 {
		return "unbounded"
	}
	same := true
	for _, v := range b {
		same = same && v == b[0]
	}
	switch {
	case same:
		return fmt.Sprint(b[0])
	case len(b) <= 8:
		return fmt.Sprint(b)
	}
	return fmt.Sprintf("[%v … %v]", b[0], b[len(b)-1])
}
