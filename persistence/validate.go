package persistence

import (
	"fmt"
	"strings"
)

// ChunkID is the _id of the chunk of an episode that begins at step first.
func ChunkID(id EpisodeID, first int64) string {
	return fmt.Sprintf("%s:%010d", id, first)
}

// Validate returns ErrInvalid, naming the field, where the chunk breaks a rule
// of its type.
func (c *StepChunk) Validate() error {
	switch {
	case c.EpisodeID == "" || strings.Contains(string(c.EpisodeID), ":"):
		return invalid("step chunk", c.ID, "episode_id %q must not be empty nor contain ':'", c.EpisodeID)
	case c.SessionID == "":
		return invalid("step chunk", c.ID, "session_id is empty")
	case c.First < 0 || c.First > 9_999_999_999:
		return invalid("step chunk", c.ID, "first_step %d is not 0 to 9999999999", c.First)
	case c.ID != ChunkID(c.EpisodeID, c.First):
		return invalid("step chunk", c.ID, "_id must be %q", ChunkID(c.EpisodeID, c.First))
	case c.Count < 1 || c.Count > MaxChunkSteps:
		return invalid("step chunk", c.ID, "count %d is not 1 to %d", c.Count, MaxChunkSteps)
	case len(c.Hashes) != 8*c.Count:
		return invalid("step chunk", c.ID, "observation_hashes has %d bytes, want %d", len(c.Hashes), 8*c.Count)
	}
	if err := c.columns("", []column{
		{"runner_offset_us", len(c.Offsets), false},
		{"runner_tick_lateness_us", len(c.Lateness), false},
	}); err != nil {
		return err
	}
	for i := range c.Roles {
		if err := c.role(&c.Roles[i]); err != nil {
			return err
		}
	}
	return nil
}

func (c *StepChunk) role(r *RoleSteps) error {
	if r.Role == "" {
		return invalid("step chunk", c.ID, "roles.role is empty")
	}
	if err := c.columns(r.Role+".", []column{
		{"live", len(r.Live), false},
		{"policy_actions", len(r.PolicyActions), true},
		{"actions", len(r.Actions), false},
		{"sources", len(r.Sources), false},
		{"rewards", len(r.Rewards), false},
		{"human_rewards", len(r.HumanRewards), true},
		{"terminated", len(r.Terminated), false},
		{"truncated", len(r.Truncated), false},
		{"waits", len(r.Waits), true},
		{"observation_values", len(r.ObservationValues), r.Observations != nil},
	}); err != nil {
		return err
	}
	if a := r.Observations; a != nil {
		if r.ObservationValues != nil {
			return invalid("step chunk", c.ID, "%s: observations and observation_values are both set", r.Role)
		}
		if len(a.Shape) == 0 || a.Shape[0] != c.Count {
			return invalid("step chunk", c.ID, "%s: observations.shape %v must begin with count %d", r.Role, a.Shape, c.Count)
		}
	}
	return nil
}

// column is the length of a list that must have one entry per step.
type column struct {
	name     string
	n        int
	optional bool // may be empty
}

func (c *StepChunk) columns(prefix string, cols []column) error {
	for _, col := range cols {
		if col.n != c.Count && !(col.optional && col.n == 0) {
			return invalid("step chunk", c.ID, "%s%s has %d entries, want %d", prefix, col.name, col.n, c.Count)
		}
	}
	return nil
}

// Validate returns ErrInvalid where a key field is empty.
func (u *User) Validate() error {
	return required("user", string(u.ID), "_id", string(u.ID), "name", u.Name, "name_key", u.NameKey)
}

// Validate returns ErrInvalid where a key field is empty.
func (l *Login) Validate() error {
	return required("login", "", "_id", l.TokenHash, "user_id", string(l.UserID))
}

// Validate returns ErrInvalid where a key field is empty.
func (l *OneTimeLink) Validate() error {
	return required("one-time link", "", "_id", l.TokenHash, "user_id", string(l.UserID))
}

// Validate returns ErrInvalid where a key field is empty.
func (p *Participant) Validate() error {
	return required("participant", string(p.ID), "_id", string(p.ID), "user_id", string(p.UserID), "experiment", p.Experiment)
}

// Validate returns ErrInvalid where a key field is empty.
func (c *Consent) Validate() error {
	return required("consent", c.ID, "_id", c.ID, "user_id", string(c.UserID), "text_hash", c.TextHash)
}

// Validate returns ErrInvalid where a key field is empty.
func (r *Response) Validate() error {
	return required("response", r.ID, "_id", r.ID, "participant_id", string(r.ParticipantID), "form", r.Form)
}

// Validate returns ErrInvalid where a field that the importer gives is empty.
func (e *Experiment) Validate() error {
	if strings.ContainsAny(e.Link, "@:") {
		return invalid("experiment", e.Link, "link must not contain '@' or ':'")
	}
	return required("experiment", e.Link, "link", e.Link, "hash", e.Hash)
}

// Validate returns ErrInvalid where a key field is empty, or there is too much data.
func (b *Bundle) Validate() error {
	if len(b.Data) > MaxBundle {
		return invalid("bundle", b.Hash, "data has %d bytes, allowed are %d", len(b.Data), MaxBundle)
	}
	return required("bundle", b.Hash, "_id", b.Hash)
}

// Validate returns ErrInvalid where a key field is empty.
func (r *Runner) Validate() error { return required("runner", string(r.ID), "_id", string(r.ID)) }

// Validate returns ErrInvalid where a key field is empty.
func (k *RunnerKey) Validate() error {
	return required("runner key", k.ID, "_id", k.ID, "name", k.Name, "prefix", k.Prefix, "hash", k.Hash)
}

// Validate returns ErrInvalid where a key field is empty.
func (s *Session) Validate() error {
	return required("session", string(s.ID), "_id", string(s.ID), "experiment", s.Experiment)
}

// Validate returns ErrInvalid where a key field is empty or negative.
func (e *Episode) Validate() error {
	if e.Index < 0 || e.Attempt < 0 {
		return invalid("episode", string(e.ID), "index %d and attempt %d must not be negative", e.Index, e.Attempt)
	}
	return required("episode", string(e.ID), "_id", string(e.ID), "session_id", string(e.SessionID), "experiment", e.Experiment)
}

// Validate returns ErrInvalid where a key field is empty, or there is too much data.
func (c *Checkpoint) Validate() error {
	if len(c.Data) > MaxCheckpoint {
		return invalid("checkpoint", c.ID, "data has %d bytes, allowed are %d", len(c.Data), MaxCheckpoint)
	}
	return required("checkpoint", c.ID, "_id", c.ID, "scope", c.Scope, "policy", c.Policy)
}

// Validate returns ErrInvalid where a key field is empty.
func (e *Event) Validate() error { return required("event", e.ID, "_id", e.ID, "kind", e.Kind) }

// required takes names and values in turn.
func required(what, id string, fields ...string) error {
	for i := 0; i+1 < len(fields); i += 2 {
		if fields[i+1] == "" {
			return invalid(what, id, "%s is empty", fields[i])
		}
	}
	return nil
}

func invalid(what, id, format string, args ...any) error {
	return fmt.Errorf("%s %q: %s: %w", what, id, fmt.Sprintf(format, args...), ErrInvalid)
}
