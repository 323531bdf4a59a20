package making

import (
	"context"
	"errors"
	"slices"
	"testing"

	"sharpie/envs/python"
	"sharpie/envs/python/interpreter"
	"sharpie/experiments"
)

// shelf stands for the interpreters of a machine: the default one, what that holds, and
// what was built.
type shelf struct {
	holds []string // packages of the default one
	built int
}

var errShelf = errors.New("run: sharpie python build")

func (s *shelf) Find(_ context.Context, r interpreter.Requirement) (interpreter.Interpreter, error) {
	lacks := slices.ContainsFunc(r.Dependencies, func(d string) bool { return !slices.Contains(s.holds, d) })
	switch {
	case len(r.Dependencies) == 0 || r.Path != "" && !lacks:
		return interpreter.Interpreter{Path: "/usr/bin/python3"}, nil
	case r.Path == "" && s.built > 0:
		return interpreter.Interpreter{Path: "/data/python/bin/python"}, nil
	}
	return interpreter.Interpreter{}, errShelf
}

func (s *shelf) Build(context.Context, interpreter.Requirement, func(string)) (interpreter.Interpreter, error) {
	s.built++
	return interpreter.Interpreter{Path: "/data/python/bin/python"}, nil
}

func TestAnInterpreterIsBuiltOnlyWhereNoneFits(t *testing.T) {
	cart := &experiments.Definition{Environment: experiments.Environment{Source: "gymnasium:CartPole-v1"}}
	built := &experiments.Definition{Environment: experiments.Environment{Source: "go:MountainCar-v0"}}
	for name, c := range map[string]struct {
		d     *experiments.Definition
		holds []string
		want  int
		path  string
	}{
		"nothing is there":               {d: cart, want: 1, path: "/data/python/bin/python"},
		"the default one has everything": {d: cart, holds: []string{needGymnasium}, path: "/usr/bin/python3"},
		"no Python at all":               {d: built, path: "/usr/bin/python3"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &shelf{holds: c.holds}
			m := New(Config{Pool: new(python.Pool), Interpreters: s})
			ready := m.Ready(t.Context(), c.d)
			if (ready != nil) != (c.want > 0) || ready != nil && !errors.Is(ready, errShelf) {
				t.Errorf("before: %v", ready)
			}
			if err := m.Prepare(t.Context(), c.d, nil); err != nil {
				t.Fatal(err)
			}
			if s.built != c.want {
				t.Errorf("%d were built, want %d", s.built, c.want)
			}
			if err := m.Ready(t.Context(), c.d); err != nil {
				t.Errorf("after: %v", err)
			}
			if found, err := m.find(t.Context(), c.d); err != nil || found.Path != c.path {
				t.Errorf("it runs on %s, %v; want %s", found.Path, err, c.path)
			}
		})
	}
}
