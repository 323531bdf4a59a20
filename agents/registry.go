package agents

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ErrUnknown is returned by Registry.Make for a source that nobody registered;
// the text lists the known ones.
var ErrUnknown = errors.New("agents: unknown policy")

// ErrInvalidArgument is returned by a factory for keyword arguments that it does
// not take and for a role that the policy cannot play; the text names what is allowed.
var ErrInvalidArgument = errors.New("agents: invalid argument")

// ErrClosed is returned by every method after Close.
var ErrClosed = errors.New("agents: the agent is closed")

// ErrInvalidState is returned by SetState for a state that is not the policy's
// own, or belongs to other spaces.
var ErrInvalidState = errors.New("agents: invalid state")

// SourcePrefix begins the source of every policy in a Registry: "go:random".
const SourcePrefix = "go:"

// Registry maps names to factories. It is filled once, before use, and then only read.
type Registry struct{ factories map[string]Factory }

// NewRegistry returns an empty registry.
func NewRegistry() *Registry { return &Registry{factories: map[string]Factory{}} }

// Register adds a factory under a name without prefix ("random"). A name that is
// empty or taken is a programmer's error and panics.
func (r *Registry) Register(name string, f Factory) {
	if name == "" || strings.Contains(name, ":") || f == nil {
		panic(fmt.Sprintf("agents: cannot register %q: a name without colon and a factory are needed", name))
	}
	if _, taken := r.factories[name]; taken {
		panic(fmt.Sprintf("agents: %q is registered twice", name))
	}
	r.factories[name] = f
}

// Make makes the agent of a source such as "go:random" for one seat. It returns
// ErrUnknown for any other source, and ErrInvalidArgument where the policy does
// not take the arguments or cannot play the role.
func (r *Registry) Make(source string, spec Spec) (Agent, error) {
	name, ok := strings.CutPrefix(source, SourcePrefix)
	f := r.factories[name]
	if !ok || f == nil {
		return nil, fmt.Errorf("%w %q: known are %s%s", ErrUnknown, source, SourcePrefix,
			strings.Join(r.IDs(), ", "+SourcePrefix))
	}
	a, err := f(spec)
	if err != nil {
		return nil, fmt.Errorf("make %s for %s: %w", source, spec.Role.Role, err)
	}
	return a, nil
}

// IDs lists the registered names in alphabetical order, without prefix.
func (r *Registry) IDs() []string { return slices.Sorted(maps.Keys(r.factories)) }
