package main

import (
	"context"
	"strings"
	"testing"

	"sharpie/envs"
)

// showing is an environment of one role that shows one value.
type showing struct {
	envs.Environment
	value envs.Value
}

func (s showing) Reset(context.Context, uint64) (envs.Observations, error) {
	return envs.Observations{{Role: "agent_0", Observation: s.value}}, nil
}

func TestWhatCannotBeComparedProvesNothing(t *testing.T) {
	object := func(entries ...string) envs.Dict {
		var d envs.Dict
		for i := 0; i < len(entries); i += 2 {
			d = append(d, envs.Entry{Key: entries[i], Value: envs.Text(entries[i+1])})
		}
		return d
	}
	for name, c := range map[string]struct {
		value envs.Value
		blank bool
	}{
		"a number":                        {envs.Int(3), false},
		"an object with a hash":           {object("python_type", "board.Board", "sha256", "00ff"), false},
		"an object without one":           {object("python_type", "board.Board"), true},
		"an object with an empty one":     {object("python_type", "board.Board", "sha256", ""), true},
		"an object in a tuple":            {envs.Tuple{envs.Int(1), object("python_type", "board.Board")}, true},
		"an object in a dict":             {envs.Dict{{Key: "board", Value: object("python_type", "board.Board")}}, true},
		"a researcher's dict of that key": {object("python_type", "x", "a", "b", "c", "d"), false},
	} {
		t.Run(name, func(t *testing.T) {
			w := &watched{Environment: showing{value: c.value}}
			if _, err := w.Reset(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			if (w.blank != nil) != c.blank || c.blank && !strings.Contains(w.blank.Error(), "board.Board") {
				t.Errorf("said of %v: %v", c.value, w.blank)
			}
		})
	}
}
