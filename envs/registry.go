package envs

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ErrUnknown is returned by Registry.Make for a source that nobody registered;
// the text lists the known ones.
var ErrUnknown = errors.New("envs: unknown environment")

// ErrInvalidArgument is returned by a factory for keyword arguments it does not
// take; the text names the argument and what is allowed.
var ErrInvalidArgument = errors.New("envs: invalid argument")

// SourcePrefix begins the source of every environment in a Registry, in
// experiments: "go:MountainCar-v0".
const SourcePrefix = "go:"

// Factory makes a new environment from the keyword arguments of an experiment.
// Unknown names and wrong types are errors (ErrInvalidArgument).
type Factory func(kwargs map[string]any) (Environment, error)

// Registry maps ids to factories. It is filled once, before use, and then only read.
type Registry struct{ factories map[string]Factory }

// NewRegistry returns an empty registry.
func NewRegistry() *Registry { return &Registry{factories: map[string]Factory{}} }

// Register adds a factory under an id without prefix ("MountainCar-v0"). An id
// that is empty or taken is a programmer's error and panics.
func (r *Registry) Register(id string, f Factory) {
	if id == "" || strings.Contains(id, ":") || f == nil {
		panic(fmt.Sprintf("envs: cannot register %q: an id without colon and a factory are needed", id))
	}
	if _, taken := r.factories[id]; taken {
		panic(fmt.Sprintf("envs: %q is registered twice", id))
	}
	r.factories[id] = f
}

// Make makes the environment of a source such as "go:MountainCar-v0". It returns
// ErrUnknown for any other source and ErrInvalidArgument for keyword arguments
// that the environment does not take.
func (r *Registry) Make(source string, kwargs map[string]any) (Environment, error) {
	id, ok := strings.CutPrefix(source, SourcePrefix)
	f := r.factories[id]
	if !ok || f == nil {
		return nil, fmt.Errorf("%w %q: known are %s%s", ErrUnknown, source, SourcePrefix,
			strings.Join(r.IDs(), ", "+SourcePrefix))
	}
	env, err := f(kwargs)
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", source, err)
	}
	return env, nil
}

// IDs lists the registered ids in alphabetical order, without prefix.
func (r *Registry) IDs() []string { return slices.Sorted(maps.Keys(r.factories)) }
