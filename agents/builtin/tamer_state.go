package builtin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"

	"sharpie/agents"
)

// tamerFormat names the form of the state.
const tamerFormat = "tamer/1"

// tamerState is learned state as JSON, readable by an analyst: H by observation,
// one number per action.
type tamerState struct {
	Format       string               `json:"format"`
	Observations int64                `json:"observations"`
	Actions      int64                `json:"actions"`
	Initial      float64              `json:"initial_value"` // of every H that is not listed
	Updates      int64                `json:"updates"`
	Digest       string               `json:"digest"` // hex
	H            map[string][]float64 `json:"h"`      // by observation
}

// State returns the table as JSON. It is small: only judged observations are in it.
func (t *tamer) State() ([]byte, error) {
	if t.closed {
		return nil, agents.ErrClosed
	}
	s := tamerState{
		Format: tamerFormat, Observations: t.observations.N, Actions: t.actions.N, Initial: t.initial,
		Updates: t.updates, Digest: strconv.FormatUint(t.digest, 16), H: map[string][]float64{},
	}
	for o, row := range t.h {
		s.H[strconv.FormatInt(o, 10)] = row
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("state of tamer: %w", err)
	}
	return b, nil
}

// SetState takes over a table that State returned.
func (t *tamer) SetState(state []byte) error {
	if t.closed {
		return agents.ErrClosed
	}
	var s tamerState
	dec := json.NewDecoder(bytes.NewReader(state))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return fmt.Errorf("%w: tamer: %w", agents.ErrInvalidState, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("%w: tamer: more than one JSON value", agents.ErrInvalidState)
	}
	if s.Format != tamerFormat || s.Observations != t.observations.N || s.Actions != t.actions.N || s.Updates < 0 {
		return fmt.Errorf("%w: want %s for %d observations and %d actions, got %q for %d and %d", agents.ErrInvalidState,
			tamerFormat, t.observations.N, t.actions.N, s.Format, s.Observations, s.Actions)
	}
	digest, err := strconv.ParseUint(s.Digest, 16, 64)
	if err != nil {
		return fmt.Errorf("%w: tamer: digest %q", agents.ErrInvalidState, s.Digest)
	}
	h, err := t.rows(s.H)
	if err != nil {
		return err
	}
	t.h, t.updates, t.digest = h, s.Updates, digest
	t.version = t.name()
	return nil
}

// rows checks a table.
func (t *tamer) rows(in map[string][]float64) (map[int64][]float64, error) {
	out := make(map[int64][]float64, len(in))
	for key, row := range in {
		o, err := strconv.ParseInt(key, 10, 64)
		if err != nil || o < t.observations.Start || o-t.observations.Start >= t.observations.N {
			return nil, fmt.Errorf("%w: tamer: no observation %q", agents.ErrInvalidState, key)
		}
		if int64(len(row)) != t.actions.N {
			return nil, fmt.Errorf("%w: tamer: %d values at observation %d, want %d", agents.ErrInvalidState, len(row), o, t.actions.N)
		}
		for _, h := range row {
			if math.IsNaN(h) || math.IsInf(h, 0) {
				return nil, fmt.Errorf("%w: tamer: observation %d has a value that is no number", agents.ErrInvalidState, o)
			}
		}
		out[o] = row
	}
	return out, nil
}
