package envtest

import (
	"bytes"
	"reflect"
	"slices"

	"sharpie/envs"
)

// clone copies an observation with everything in it.
func clone(o envs.RoleObservation) envs.RoleObservation {
	o.Observation = cloneValue(o.Observation)
	o.ActionMask = slices.Clone(o.ActionMask)
	if o.Info != nil {
		o.Info = clonePlain(reflect.ValueOf(o.Info)).Interface().(map[string]any)
	}
	return o
}

func cloneValue(v envs.Value) envs.Value {
	switch x := v.(type) {
	case envs.Array:
		x.Data, x.Shape = bytes.Clone(x.Data), slices.Clone(x.Shape)
		return x
	case envs.Tuple:
		out := make(envs.Tuple, len(x))
		for i := range x {
			out[i] = cloneValue(x[i])
		}
		return out
	case envs.Dict:
		out := make(envs.Dict, len(x))
		for i := range x {
			out[i] = envs.Entry{Key: x[i].Key, Value: cloneValue(x[i].Value)}
		}
		return out
	}
	return v
}

// clonePlain copies slices and maps; anything else is as it is.
func clonePlain(v reflect.Value) reflect.Value {
	switch {
	case v.Kind() == reflect.Interface && !v.IsNil():
		return clonePlain(v.Elem())
	case v.Kind() == reflect.Map && !v.IsNil():
		out := reflect.MakeMapWithSize(v.Type(), v.Len())
		for _, k := range v.MapKeys() {
			out.SetMapIndex(k, clonePlain(v.MapIndex(k)))
		}
		return out
	case v.Kind() == reflect.Slice && !v.IsNil():
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(clonePlain(v.Index(i)))
		}
		return out
	}
	return v
}
