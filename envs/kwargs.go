package envs

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kwargs reads the keyword arguments of a factory strictly: every argument that
// a factory knows is asked for once, and Err then reports what was ill-typed,
// out of range or never asked for. The policies' factories use it as well.
//
//	k := envs.NewKwargs(kwargs)
//	n := k.Int("n", 3, 1, 10)
//	if err := k.Err(); err != nil { … }
type Kwargs struct {
	given map[string]any
	known []string // "n: an integer from 1 to 10", in the order asked
	names []string
	errs  []error
}

// NewKwargs starts reading; nil is no arguments. The map is not changed.
func NewKwargs(kwargs map[string]any) *Kwargs { return &Kwargs{given: kwargs} }

// take notes that name is known and returns what was given for it.
func (k *Kwargs) take(name, allowed string) (any, bool) {
	k.names = append(k.names, name)
	k.known = append(k.known, name+": "+allowed)
	v, ok := k.given[name]
	return v, ok && v != nil
}

// fail notes that an argument is not what was allowed.
func (k *Kwargs) fail(name string, got any, allowed string) {
	k.errs = append(k.errs, fmt.Errorf("%w: %s must be %s, not %s", ErrInvalidArgument, name, allowed, describeDocument(got)))
}

// Int returns the integer called name, or def where it is not given.
func (k *Kwargs) Int(name string, def, low, high int64) int64 {
	allowed := fmt.Sprintf("an integer from %d to %d", low, high)
	v, ok := k.take(name, allowed)
	if !ok {
		return def
	}
	i, ok := documentInt(v)
	if !ok || i < low || i > high {
		k.fail(name, v, allowed)
		return def
	}
	return i
}

// Float returns the number called name, or def where it is not given.
func (k *Kwargs) Float(name string, def, low, high float64) float64 {
	allowed := fmt.Sprintf("a number from %v to %v", low, high)
	v, ok := k.take(name, allowed)
	if !ok {
		return def
	}
	x, ok := documentFloat(v)
	if !ok || !(x >= low && x <= high) {
		k.fail(name, v, allowed)
		return def
	}
	return x
}

// Bool returns the truth value called name, or def where it is not given.
func (k *Kwargs) Bool(name string, def bool) bool {
	v, ok := k.take(name, "true or false")
	if !ok {
		return def
	}
	b, ok := v.(bool)
	if !ok {
		k.fail(name, v, "true or false")
		return def
	}
	return b
}

// OneOf returns the string called name, or def where it is not given; it must
// be one of the allowed.
func (k *Kwargs) OneOf(name, def string, allowed ...string) string {
	text := "one of " + strings.Join(allowed, ", ")
	v, ok := k.take(name, text)
	if !ok {
		return def
	}
	s, isString := v.(string)
	if !isString || !slices.Contains(allowed, s) {
		k.fail(name, v, text)
		return def
	}
	return s
}

// Strings returns the list of strings called name, or nil where it is not given.
func (k *Kwargs) Strings(name string) []string {
	const allowed = "a list of strings"
	v, ok := k.take(name, allowed)
	if !ok {
		return nil
	}
	var out []string
	switch list := v.(type) {
	case []string:
		return slices.Clone(list)
	case []any:
		for _, item := range list {
			s, ok := item.(string)
			if !ok {
				k.fail(name, item, allowed)
				return nil
			}
			out = append(out, s)
		}
		return out
	}
	k.fail(name, v, allowed)
	return nil
}

// Document returns what was given for name as it is, or nil; allowed describes
// what is allowed, for the list of known arguments.
func (k *Kwargs) Document(name, allowed string) any {
	v, _ := k.take(name, allowed)
	return v
}

// Err reports every argument that was wrong or that nobody asked for. All of it
// wraps ErrInvalidArgument.
func (k *Kwargs) Err() error {
	errs := slices.Clone(k.errs)
	for _, name := range slices.Sorted(maps.Keys(k.given)) {
		if slices.Contains(k.names, name) {
			continue
		}
		allowed := "there are none"
		if len(k.known) > 0 {
			allowed = "allowed are " + strings.Join(k.known, "; ")
		}
		errs = append(errs, fmt.Errorf("%w: unknown %q; %s", ErrInvalidArgument, name, allowed))
	}
	return errors.Join(errs...)
}
