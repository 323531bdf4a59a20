package main

import (
	"context"
	"fmt"

	"sharpie/envs"
)

// watched is an environment whose observations are looked at for objects of a
// researcher's own that have no hash: two of them look the same whatever is in them, so
// that comparing proves nothing.
type watched struct {
	envs.Environment
	// blank is the first one found; nil: all can be compared.
	blank error
}

var _ envs.Environment = (*watched)(nil)

// Reset looks at the first observations.
func (w *watched) Reset(ctx context.Context, seed uint64) (envs.Observations, error) {
	out, err := w.Environment.Reset(ctx, seed)
	for i := range out {
		w.look(&out[i])
	}
	return out, err
}

// Step looks at the next ones.
func (w *watched) Step(ctx context.Context, actions []envs.RoleAction) (envs.Transition, error) {
	out, err := w.Environment.Step(ctx, actions)
	for i := range out.Roles {
		w.look(&out.Roles[i].RoleObservation)
	}
	return out, err
}

func (w *watched) look(o *envs.RoleObservation) {
	if w.blank != nil {
		return
	}
	if kind := unhashed(o.Observation); kind != "" {
		w.blank = fmt.Errorf("not proved: what %s sees is, or holds, a Python object of %s that cannot be compared", o.Role, kind)
	}
}

// unhashed returns the type of a Python object without a hash in the value; empty
// where there is none. See package envs/python for how such objects are written.
func unhashed(v envs.Value) string {
	switch v := v.(type) {
	case envs.Tuple:
		for _, item := range v {
			if kind := unhashed(item); kind != "" {
				return kind
			}
		}
	case envs.Dict:
		if kind, opaque := member(v, "python_type"); opaque && len(v) <= 2 {
			if sum, _ := member(v, "sha256"); sum == "" {
				return kind
			}
			return ""
		}
		for i := range v {
			if kind := unhashed(v[i].Value); kind != "" {
				return kind
			}
		}
	}
	return ""
}

// member returns a text of a dict.
func member(d envs.Dict, key string) (string, bool) {
	for i := range d {
		if text, ok := d[i].Value.(envs.Text); ok && d[i].Key == key {
			return string(text), true
		}
	}
	return "", false
}
