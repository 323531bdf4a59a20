package envs_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"sharpie/envs"
)

var inf = math.Inf(1)

// wild is a space with one of everything.
var wild = envs.DictSpace{
	{Key: "pos", Space: envs.Box{DType: envs.Float32, Shape: []int{2}, Low: []float64{-1.2, -0.07}, High: []float64{0.6, 0.07}}},
	{Key: "pair", Space: envs.TupleSpace{envs.Discrete{N: 3, Start: -1}, envs.TextSpace{MinLength: 1, MaxLength: 4, Charset: "añb"}}},
	{Key: "pixels", Space: envs.NewBox(envs.Uint8, 0, 255, 2, 3)},
	{Key: "multi", Space: envs.MultiDiscrete{Nvec: []int64{2, 5}}},
	{Key: "bits", Space: envs.MultiBinary{Shape: []int{4}}},
	{Key: "free", Space: envs.NewBox(envs.Float64, -inf, inf)},
}

func TestContains(t *testing.T) {
	short := envs.NewFloat32Array(1, 2)
	short.Data = short.Data[:7]
	box := envs.Box{DType: envs.Float32, Shape: []int{2}, Low: []float64{-1.2, -1}, High: []float64{0.6, inf}}
	tests := []struct {
		name  string
		space envs.Space
		value envs.Value
		want  string // part of the error; empty: contained
	}{
		{"discrete", envs.Discrete{N: 3}, envs.Int(2), ""},
		{"discrete above", envs.Discrete{N: 3}, envs.Int(3), "3 is outside Discrete(3): allowed are 0 to 2"},
		{"discrete below start", envs.Discrete{N: 3, Start: 5}, envs.Int(4), "allowed are 5 to 7"},
		{"discrete takes no array", envs.Discrete{N: 3}, envs.NewInt64Array(1), "takes an integer, not a int64 array of shape (1,)"},
		{"discrete takes no nil", envs.Discrete{N: 3}, nil, "not nothing"},
		{"box", box, envs.NewFloat32Array(0, 1e30), ""},
		{"box bound in float32", box, envs.NewFloat32Array(-1.2, 0), ""},
		{"box outside", box, envs.NewFloat32Array(0.7, 0), "element 0"},
		{"box not a number", box, envs.NewFloat32Array(0, float32(math.NaN())), "element 1"},
		{"box of another dtype", box, envs.NewFloat64Array(0, 0), "takes a float32 array of shape (2,), not float64"},
		{"box of another shape", box, envs.NewFloat32Array(0), "not float32 of shape (1,)"},
		{"box with short data", envs.NewBox(envs.Float32, 0, 3, 2), short, "7 bytes of data"},
		{"multi-discrete", envs.MultiDiscrete{Nvec: []int64{2, 5}}, envs.NewInt64Array(1, 4), ""},
		{"multi-discrete outside", envs.MultiDiscrete{Nvec: []int64{2, 5}}, envs.NewInt64Array(2, 4), "element 0 of MultiDiscrete([2, 5]) is 2: allowed are 0 to 1"},
		{"multi-binary", envs.MultiBinary{Shape: []int{2}}, envs.Array{DType: envs.Int8, Shape: []int{2}, Data: []byte{0, 1}}, ""},
		{"multi-binary outside", envs.MultiBinary{Shape: []int{2}}, envs.Array{DType: envs.Int8, Shape: []int{2}, Data: []byte{0, 255}}, "element 1 of MultiBinary(2) is -1"},
		{"text", envs.TextSpace{MinLength: 1, MaxLength: 2}, envs.Text("äö"), ""},
		{"text too long", envs.TextSpace{MinLength: 1, MaxLength: 2}, envs.Text("abc"), "a text of 3 characters"},
		{"text of another charset", envs.TextSpace{MaxLength: 2, Charset: "ab"}, envs.Text("ac"), "'c'"},
		{"text that is none", envs.TextSpace{MaxLength: 2}, envs.Text("\xff"), "valid UTF-8"},
		{"tuple too short", envs.TupleSpace{envs.Discrete{N: 2}}, envs.Tuple{}, "a tuple of 1, not a tuple of 0"},
		{"tuple item", envs.TupleSpace{envs.Discrete{N: 2}}, envs.Tuple{envs.Int(2)}, "item 0"},
		{"dict key", envs.DictSpace{{Key: "a", Space: envs.Discrete{N: 2}}}, envs.Dict{{Key: "b", Value: envs.Int(0)}}, `"a" as its key 0, not "b"`},
		{"dict value", envs.DictSpace{{Key: "a", Space: envs.Discrete{N: 2}}}, envs.Dict{{Key: "a", Value: envs.Int(7)}}, `key "a"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.space.Contains(tt.value)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && err == nil:
				t.Errorf("accepted, want an error with %q", tt.want)
			case tt.want != "" && !strings.Contains(err.Error(), tt.want):
				t.Errorf("the error is %q, want %q in it", err, tt.want)
			}
		})
	}
}

func TestSamplesLieInTheirSpace(t *testing.T) {
	spaces := []envs.Space{
		wild,
		envs.Discrete{N: 5, Start: -2},
		envs.NewBox(envs.Float64, -math.MaxFloat64, math.MaxFloat64, 3),
		envs.NewBox(envs.Float32, 0, inf, 3),
		envs.NewBox(envs.Float32, -inf, 0, 3),
		envs.NewBox(envs.Int64, -inf, inf, 3),
		envs.NewBox(envs.Uint64, 0, inf, 3),
		envs.NewBox(envs.Int8, -3.5, 3.5, 8),
		envs.NewBox(envs.Bool, 0, 1, 8),
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range spaces {
		seen := map[string]bool{}
		for range 200 {
			v := s.Sample(rng, nil)
			if err := s.Contains(v); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
			if a, ok := v.(envs.Array); ok {
				seen[string(a.Data)] = true
			}
		}
		if _, box := s.(envs.Box); box && len(seen) < 50 {
			t.Errorf("%s gives only %d different samples of 200", s, len(seen))
		}
	}
}

func TestSampleHeedsTheMask(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	s := envs.Discrete{N: 4, Start: 10}
	counts := map[envs.Value]int{}
	for range 1000 {
		counts[s.Sample(rng, []bool{false, true, false, true})]++
	}
	if len(counts) != 2 || counts[envs.Int(11)] < 400 || counts[envs.Int(13)] < 400 {
		t.Errorf("samples are %v, want 11 and 13 about equally often", counts)
	}
	if v := s.Sample(rng, make([]bool, 4)); v != envs.Int(10) {
		t.Errorf("a mask that allows nothing gives %v, want the first", v)
	}
}

func TestSpaceStrings(t *testing.T) {
	tests := map[string]envs.Space{
		"Discrete(3)":                    envs.Discrete{N: 3},
		"Discrete(3, start=-1)":          envs.Discrete{N: 3, Start: -1},
		"MultiDiscrete([2, 5])":          envs.MultiDiscrete{Nvec: []int64{2, 5}},
		"MultiBinary(4)":                 envs.MultiBinary{Shape: []int{4}},
		"Box(-Inf, +Inf, (4,), float32)": envs.NewBox(envs.Float32, -inf, inf, 4),
		"Box([0 1], [2 3], (2,), int64)": envs.Box{DType: envs.Int64, Shape: []int{2}, Low: []float64{0, 1}, High: []float64{2, 3}},
		"Text(1, 5)":                     envs.TextSpace{MinLength: 1, MaxLength: 5},
		`Dict("a": Tuple(Discrete(2)))`:  envs.DictSpace{{Key: "a", Space: envs.TupleSpace{envs.Discrete{N: 2}}}},
	}
	for want, s := range tests {
		if got := s.String(); got != want {
			t.Errorf("%T is %s, want %s", s, got, want)
		}
	}
}
