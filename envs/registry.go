package envs

import "errors"

// ErrUnknown is returned by Registry.Make for a source that nobody registered;
// the text lists the known ones.
var ErrUnknown = errors.New("envs: unknown environment")

// ErrInvalidArgument is returned by a factory for keyword arguments it does not
// take; the text names the argument and what is allowed.
var ErrInvalidArgument = errors.New("envs: invalid argument")

// Factory makes a new environment from the keyword arguments of an experiment.
// Unknown names and wrong types are errors (ErrInvalidArgument).
type Factory func(kwargs map[string]any) (Environment, error)

// Registry maps ids to factories. It is filled once, before use, and then only read.
type Registry struct{ factories map[string]Factory }
