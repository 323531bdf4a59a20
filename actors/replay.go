package actors

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"sharpie/actors/messages"
	"sharpie/persistence"
)

// replayParts gathers steps into messages.
type replayParts struct {
	episode persistence.EpisodeID
	give    func(*messages.Replay)
	next    int64 // number of the next step
	part    *messages.Replay
	bytes   int
}

// replayBytes bounds a Replay message; headroom is what stands around its steps.
const (
	replayBytes    = 512 << 10
	replayHeadroom = 1 << 10
)

// add takes one more step in; the last one goes out with what is left.
func (p *replayParts) add(ctx context.Context, s *messages.ReplayStep, last bool) error {
	n := proto.Size(s) + 8
	if n > replayBytes-replayHeadroom {
		return fmt.Errorf("step %d has actions of %d bytes; at most %d can be replayed", p.next, n, replayBytes-replayHeadroom)
	}
	if p.part != nil && p.bytes+n > replayBytes-replayHeadroom {
		p.give(p.part)
		p.part = nil
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(replayPace):
		}
	}
	if p.part == nil {
		p.part, p.bytes = &messages.Replay{EpisodeId: string(p.episode), First: uint64(p.next)}, 0
	}
	p.part.Steps = append(p.part.Steps, s)
	p.bytes += n
	p.next++
	if last {
		p.part.Last = true
		p.give(p.part)
		p.part = nil
	}
	return nil
}

// replayStep is one stored step as a runner replays it.
func replayStep(c *persistence.StepChunk, i int) (*messages.ReplayStep, error) {
	if len(c.Hashes) < 8*(i+1) {
		return nil, fmt.Errorf("chunk %s has no hash of it", c.ID)
	}
	out := &messages.ReplayStep{ObservationHash: binary.LittleEndian.Uint64(c.Hashes[8*i:])}
	for _, r := range c.Roles {
		if i >= len(r.Actions) || i >= len(r.Rewards) {
			return nil, fmt.Errorf("chunk %s is too short for role %s", c.ID, r.Role)
		}
		out.Rewards = append(out.Rewards, r.Rewards[i])
		if c.First+int64(i) == 0 {
			continue // step 0 has no actions
		}
		v, err := messageOf(r.Actions[i])
		if err != nil {
			return nil, fmt.Errorf("action of role %s: %w", r.Role, err)
		}
		out.Actions = append(out.Actions, v)
	}
	return out, nil
}

// messageOf is a stored value as it is sent; without kind for nil. The entries of a
// dict come by key, for the store does not keep their order.
func messageOf(v persistence.Value) (*messages.Value, error) {
	switch v := v.(type) {
	case nil:
		return &messages.Value{}, nil
	case int64:
		return &messages.Value{Kind: &messages.Value_Integer{Integer: v}}, nil
	case float64:
		return &messages.Value{Kind: &messages.Value_Real{Real: v}}, nil
	case string:
		return &messages.Value{Kind: &messages.Value_Text{Text: v}}, nil
	case persistence.Array:
		shape := make([]int64, len(v.Shape))
		for i, n := range v.Shape {
			shape[i] = int64(n)
		}
		return &messages.Value{Kind: &messages.Value_Array{Array: &messages.Array{Dtype: v.DType, Shape: shape, Data: v.Data}}}, nil
	case []any:
		list := &messages.List{}
		for _, item := range v {
			m, err := messageOf(item)
			if err != nil {
				return nil, err
			}
			list.Items = append(list.Items, m)
		}
		return &messages.Value{Kind: &messages.Value_Tuple{Tuple: list}}, nil
	case map[string]any:
		dict := &messages.Dict{}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			m, err := messageOf(v[key])
			if err != nil {
				return nil, err
			}
			dict.Entries = append(dict.Entries, &messages.Entry{Key: key, Value: m})
		}
		return &messages.Value{Kind: &messages.Value_Dict{Dict: dict}}, nil
	}
	return nil, fmt.Errorf("a value of type %T cannot be replayed", v)
}
