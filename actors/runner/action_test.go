package runner

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sharpie/envs"
)

func TestActionOf(t *testing.T) {
	numbers := func(n ...float64) human {
		out := human{kind: humanList}
		for _, x := range n {
			out.list = append(out.list, number(x))
		}
		return out
	}
	box := envs.Box{DType: envs.Float32, Shape: []int{2}, Low: []float64{-1}, High: []float64{1}}
	binary3, multi := envs.MultiBinary{Shape: []int{3}}, envs.MultiDiscrete{Nvec: []int64{3, 3}}
	for name, c := range map[string]struct {
		space   envs.Space
		h, idle human
		several bool
		want    any // as envs.ToDocument; nil: refused
	}{
		"discrete":                         {space: envs.Discrete{N: 3}, h: number(2), want: int64(2)},
		"discrete, one key of several":     {space: envs.Discrete{N: 3}, h: numbers(2), several: true, want: int64(2)},
		"discrete, two keys at once":       {space: envs.Discrete{N: 3}, h: numbers(1, 2), several: true},
		"discrete, outside":                {space: envs.Discrete{N: 3}, h: number(3)},
		"discrete, a fraction":             {space: envs.Discrete{N: 3}, h: number(0.5)},
		"discrete, a text":                 {space: envs.Discrete{N: 3}, h: text("1")},
		"text":                             {space: envs.TextSpace{MaxLength: 5}, h: text("hi"), want: "hi"},
		"text too long":                    {space: envs.TextSpace{MaxLength: 1}, h: text("hi")},
		"text from a number":               {space: envs.TextSpace{MaxLength: 5}, h: number(1)},
		"binary vector":                    {space: binary3, h: numbers(1, 0, 1), want: []any{int64(1), int64(0), int64(1)}},
		"binary, not binary":               {space: binary3, h: numbers(1, 0, 2)},
		"binary, index keys":               {space: binary3, h: numbers(0, 1, 2), idle: numbers(0), several: true, want: []any{int64(1), int64(1), int64(1)}},
		"binary, one index key":            {space: binary3, h: number(2), idle: number(0), want: []any{int64(0), int64(0), int64(1)}},
		"binary, idle with index keys":     {space: binary3, h: numbers(0), idle: numbers(0), several: true, want: []any{int64(0), int64(0), int64(0)}},
		"binary, index outside":            {space: binary3, h: numbers(3), idle: numbers(0), several: true},
		"binary, vectors at once":          {space: binary3, h: list(numbers(1, 0, 0), numbers(0, 0, 1)), idle: list(numbers(0, 0, 0)), several: true, want: []any{int64(1), int64(0), int64(1)}},
		"multi vector":                     {space: multi, h: numbers(0, 2), want: []any{int64(0), int64(2)}},
		"multi, too short":                 {space: multi, h: numbers(0)},
		"multi, vectors at once":           {space: multi, h: list(numbers(0, 1), numbers(1, 2)), idle: numbers(1, 1), several: true, want: []any{int64(0), int64(2)}},
		"multi, the newest wins":           {space: multi, h: list(numbers(0, 1), numbers(2, 1)), idle: numbers(1, 1), several: true, want: []any{int64(2), int64(1)}},
		"box vector":                       {space: box, h: numbers(0.5, -1), want: []any{0.5, -1.0}},
		"box, outside":                     {space: box, h: numbers(2, 0)},
		"box, vectors add up":              {space: box, h: list(numbers(0.5, 0), numbers(0, -0.5)), idle: numbers(0, 0), several: true, want: []any{0.5, -0.5}},
		"box, vectors are cut":             {space: box, h: list(numbers(1, 0), numbers(1, 0)), idle: numbers(0, 0), several: true, want: []any{1.0, 0.0}},
		"box of one, a number":             {space: envs.Box{DType: envs.Float64, Shape: []int{1}, Low: []float64{-2}, High: []float64{2}}, h: number(1.5), want: []any{1.5}},
		"a dict cannot be played by keys":  {space: envs.DictSpace{{Key: "a", Space: envs.Discrete{N: 2}}}, h: number(0)},
		"a list of texts is no vector":     {space: box, h: list(text("a"), text("b"))},
		"an empty list is no vector":       {space: box, h: list()},
		"vectors of different lengths":     {space: box, h: list(numbers(0, 0), numbers(0)), several: true},
		"an unsigned box refuses negative": {space: envs.Box{DType: envs.Uint8, Shape: []int{1}, Low: []float64{0}, High: []float64{10}}, h: numbers(-1)},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := actionOf(c.space, c.h, c.idle, c.several)
			if c.want == nil {
				if err == nil {
					t.Errorf("became %v, want an error", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(fmt.Sprint(c.want), fmt.Sprint(envs.ToDocument(got))); d != "" {
				t.Errorf("another action (-want +got):\n%s", d)
			}
		})
	}
}

func TestNeutralIsInsideTheSpace(t *testing.T) {
	for _, s := range []envs.Space{
		envs.Discrete{N: 3, Start: -4}, envs.MultiBinary{Shape: []int{2, 2}}, envs.MultiDiscrete{Nvec: []int64{2, 5}},
		envs.Box{DType: envs.Float32, Shape: []int{3}, Low: []float64{0.5, -1, -3}, High: []float64{1, 1, -2}},
		envs.Box{DType: envs.Uint8, Shape: []int{2}, Low: []float64{3}, High: []float64{9}},
		envs.TextSpace{MinLength: 2, MaxLength: 4, Charset: "xyz"}, envs.TextSpace{MaxLength: 4},
		envs.TupleSpace{envs.Discrete{N: 2}, envs.TextSpace{MinLength: 1, MaxLength: 1}},
		envs.DictSpace{{Key: "a", Space: envs.Discrete{N: 2}}, {Key: "b", Space: envs.MultiBinary{Shape: []int{1}}}},
	} {
		if err := s.Contains(neutral(s, nil)); err != nil {
			t.Errorf("%s: the neutral action is outside: %v", s, err)
		}
	}
}
