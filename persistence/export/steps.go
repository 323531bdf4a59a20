package export

import (
	"context"
	"encoding/hex"
	"fmt"

	"sharpie/persistence"
)

func (e *exporter) steps(ctx context.Context, w *rowWriter) error {
	for ep, err := range e.store.EpisodesOfExperiment(ctx, e.link) {
		if err != nil {
			return err
		}
		participants := map[string]any{}
		for _, r := range ep.Roles {
			participants[r.Role] = orNil(string(r.Participant))
		}
		for c, err := range e.store.StepChunks(ctx, ep.ID) {
			if err != nil {
				return fmt.Errorf("episode %s: %w", ep.ID, err)
			}
			if err := chunkRows(w, ep, c, participants); err != nil {
				return fmt.Errorf("episode %s, steps from %d: %w", ep.ID, c.First, err)
			}
		}
	}
	return nil
}

// chunkRows writes a chunk's rows, step by step, and role by role in each.
func chunkRows(w *rowWriter, ep *persistence.Episode, c *persistence.StepChunk, participants map[string]any) error {
	if err := c.Validate(); err != nil {
		return err
	}
	cursors := make([]cursor, len(c.Roles))
	for r := range c.Roles {
		cursors[r].role = &c.Roles[r]
	}
	for i := range c.Count {
		for r := range cursors {
			if err := cursors[r].write(w, ep, c, i, participants[c.Roles[r].Role]); err != nil {
				return err
			}
		}
	}
	return nil
}

// cursor walks one role's columns, and its sparse lists beside them.
type cursor struct {
	role     *persistence.RoleSteps
	inputs   int
	infos    int
	versions int
	legal    int
	version  any // in force
}

func (k *cursor) write(w *rowWriter, ep *persistence.Episode, c *persistence.StepChunk, i int, participant any) error {
	r, step := k.role, c.First+int64(i)
	observation, err := observationAt(r, i)
	if err != nil {
		return err
	}
	for k.versions < len(r.PolicyVersions) && r.PolicyVersions[k.versions].Step <= step {
		k.version = r.PolicyVersions[k.versions].Version
		k.versions++
	}
	var policyAction, humanReward any
	if len(r.PolicyActions) > 0 {
		policyAction = r.PolicyActions[i]
	}
	if len(r.HumanRewards) > 0 && r.HumanRewards[i] != nil {
		humanReward = *r.HumanRewards[i]
	}
	return w.row(string(c.SessionID), string(c.EpisodeID), int64(ep.Index), int64(ep.Attempt), step, r.Role, participant,
		r.Live[i], r.Sources[i], value{r.Actions[i]}, value{policyAction}, value{observation}, r.Rewards[i], humanReward,
		r.Terminated[i], r.Truncated[i], value{k.infoAt(step)}, k.version, len(r.Waits) > 0 && r.Waits[i], value{k.legalAt(step)}, value{k.inputsAt(step)},
		c.Offsets[i], c.Lateness[i], hex.EncodeToString(c.Hashes[8*i:8*i+8]), c.ReceivedAt)
}

func (k *cursor) infoAt(step int64) any {
	var info any
	for ; k.infos < len(k.role.Infos) && k.role.Infos[k.infos].Step <= step; k.infos++ {
		if k.role.Infos[k.infos].Step == step {
			info = k.role.Infos[k.infos].Info
		}
	}
	return info
}

// legalAt is the mask after a step as a list of 1 and 0; nil where there is none.
func (k *cursor) legalAt(step int64) any {
	var legal any
	for ; k.legal < len(k.role.LegalActions) && k.role.LegalActions[k.legal].Step <= step; k.legal++ {
		if l := k.role.LegalActions[k.legal]; l.Step == step {
			list := make([]any, len(l.Mask))
			for i, b := range l.Mask {
				list[i] = int64(b)
			}
			legal = list
		}
	}
	return legal
}

func (k *cursor) inputsAt(step int64) []any {
	list := []any{}
	for ; k.inputs < len(k.role.Inputs) && k.role.Inputs[k.inputs].Step <= step; k.inputs++ {
		in := k.role.Inputs[k.inputs]
		keys := make([]any, len(in.Keys))
		for i, key := range in.Keys {
			keys[i] = key
		}
		var text any
		if in.Text != nil {
			text = *in.Text
		}
		list = append(list, ordered{
			{"seq", in.Seq}, {"step_seen", in.StepSeen}, {"keys", keys}, {"text", text}, {"value", in.Value},
			{"client_at", in.ClientAt}, {"client_offset_us", in.ClientOffset}, {"server_received_at", in.ReceivedAt},
		})
	}
	return list
}

// observationAt cuts one step's observation out of the column.
func observationAt(r *persistence.RoleSteps, i int) (any, error) {
	if r.Observations == nil {
		return r.ObservationValues[i], nil
	}
	a := r.Observations
	n := a.Shape[0]
	if len(a.Data)%n != 0 {
		return nil, fmt.Errorf("role %s: %d bytes of observations are no %d arrays", r.Role, len(a.Data), n)
	}
	size := len(a.Data) / n
	return persistence.Array{DType: a.DType, Shape: a.Shape[1:], Data: a.Data[i*size : (i+1)*size]}, nil
}
