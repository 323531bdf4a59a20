package experiments

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// The JSON form of a KeyMap keeps the order of the keys, which a JSON object
// would lose: {"bindings":[{"key":"ArrowLeft","value":1}],"default":0}.
type keyMapJSON struct {
	Bindings []keyBindingJSON `json:"bindings"`
	Default  any              `json:"default"`
}

type keyBindingJSON struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
}

// MarshalJSON writes the canonical form.
func (m KeyMap) MarshalJSON() ([]byte, error) {
	out := keyMapJSON{Bindings: []keyBindingJSON{}, Default: m.Default}
	if out.Default == nil {
		out.Default = int64(0)
	}
	for _, b := range m.Bindings {
		out.Bindings = append(out.Bindings, keyBindingJSON(b))
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads the canonical form. Numbers become int64 where they are
// whole, else float64.
func (m *KeyMap) UnmarshalJSON(b []byte) error {
	var in keyMapJSON
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return fmt.Errorf("%w: keyboard_inputs: %w", ErrInvalid, err)
	}
	m.Bindings = nil
	var err error
	for _, k := range in.Bindings {
		if k.Value, err = plainNumbers(k.Value); err != nil {
			return fmt.Errorf("%w: keyboard_inputs.%s: %w", ErrInvalid, k.Key, err)
		}
		m.Bindings = append(m.Bindings, KeyBinding(k))
	}
	if m.Default, err = plainNumbers(in.Default); err != nil {
		return fmt.Errorf("%w: keyboard_inputs.default: %w", ErrInvalid, err)
	}
	if m.Default == nil {
		m.Default = int64(0)
	}
	return nil
}

// Value returns what the key stands for.
func (m KeyMap) Value(key string) (any, bool) {
	i := slices.IndexFunc(m.Bindings, func(b KeyBinding) bool { return b.Key == key })
	if i < 0 {
		return nil, false
	}
	return m.Bindings[i].Value, true
}

// Keys returns the keys in the author's order.
func (m KeyMap) Keys() []string {
	out := make([]string, len(m.Bindings))
	for i, b := range m.Bindings {
		out[i] = b.Key
	}
	return out
}

// plainNumbers replaces every json.Number in v: int64 where it is whole and
// fits, else float64. Slices and maps are changed in place.
func plainNumbers(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i, nil
		}
		f, err := v.Float64()
		if err != nil {
			return nil, fmt.Errorf("number %s is out of range", v)
		}
		if f > -1<<53 && f < 1<<53 && f == math.Trunc(f) {
			return int64(f), nil
		}
		return f, nil
	case []any:
		for i := range v {
			var err error
			if v[i], err = plainNumbers(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range v {
			var err error
			if v[k], err = plainNumbers(v[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}
