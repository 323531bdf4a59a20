package document

import (
	"fmt"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"sharpie/persistence"
)

// Chunks are most of what is ever written, and mostly columns of plain values: so
// they are written by hand, eight times as fast as by reflection over the same
// struct. A test holds the bytes of both ways against each other.

// marshalChunk writes a chunk.
func (c *Codec) marshalChunk(chunk *persistence.StepChunk) ([]byte, error) {
	if err := chunk.Validate(); err != nil {
		return nil, err
	}
	start, b := bsoncore.ReserveLength(make([]byte, 0, chunkSize(chunk)))
	b = appendText(b, "_id", chunk.ID)
	b = appendText(b, "episode_id", string(chunk.EpisodeID))
	b = appendText(b, "session_id", string(chunk.SessionID))
	b = bsoncore.AppendInt64Element(b, "first_step", chunk.First)
	b = bsoncore.AppendInt32Element(b, "count", int32(chunk.Count))
	b = AppendTime(b, "server_received_at", chunk.ReceivedAt)
	b = appendColumn(b, "runner_offset_us", chunk.Offsets, bsoncore.AppendInt64Element)
	b = appendColumn(b, "runner_tick_lateness_us", chunk.Lateness, bsoncore.AppendInt64Element)
	b = appendBinary(b, "observation_hashes", chunk.Hashes)
	list, b := bsoncore.AppendArrayElementStart(b, "roles")
	for i := range chunk.Roles {
		doc, next := bsoncore.AppendDocumentElementStart(b, index(i))
		next, err := c.appendRole(next, &chunk.Roles[i])
		if err != nil {
			return nil, fmt.Errorf("encode step chunk %s, role %s: %w", chunk.ID, chunk.Roles[i].Role, err)
		}
		b = end(next, doc)
	}
	b = end(end(b, list), start)
	return b, checkSize(chunk, b)
}

// chunkSize is about the size of the document, so that it is allocated once.
func chunkSize(c *persistence.StepChunk) int {
	n := 512 + c.Count*48
	for i := range c.Roles {
		r := &c.Roles[i]
		n += 512 + c.Count*96 + len(r.Inputs)*256
		if r.Observations != nil {
			n += len(r.Observations.Data)
		}
	}
	return n
}

func (c *Codec) appendRole(b []byte, r *persistence.RoleSteps) ([]byte, error) {
	var err error
	b = appendText(b, "role", r.Role)
	b = appendColumn(b, "live", r.Live, bsoncore.AppendBooleanElement)
	if r.Observations != nil {
		b = appendArray(b, "observations", *r.Observations)
	}
	if b, err = c.appendValues(b, "observation_values", r.ObservationValues, true); err != nil {
		return nil, err
	}
	if b, err = c.appendValues(b, "policy_actions", r.PolicyActions, true); err != nil {
		return nil, err
	}
	if b, err = c.appendValues(b, "actions", r.Actions, false); err != nil {
		return nil, err
	}
	b = appendColumn(b, "sources", r.Sources, appendText)
	b = appendColumn(b, "rewards", r.Rewards, bsoncore.AppendDoubleElement)
	if len(r.HumanRewards) > 0 {
		b = appendColumn(b, "human_rewards", r.HumanRewards, appendOptional)
	}
	b = appendColumn(b, "terminated", r.Terminated, bsoncore.AppendBooleanElement)
	b = appendColumn(b, "truncated", r.Truncated, bsoncore.AppendBooleanElement)
	if b, err = c.appendInputs(b, r.Inputs); err != nil {
		return nil, err
	}
	if b, err = c.appendInfos(b, r.Infos); err != nil {
		return nil, err
	}
	if len(r.PolicyVersions) > 0 {
		b = appendColumn(b, "policy_versions", r.PolicyVersions, appendVersion)
	}
	if len(r.Waits) > 0 {
		b = appendColumn(b, "waits", r.Waits, bsoncore.AppendBooleanElement)
	}
	if len(r.LegalActions) > 0 {
		b = appendColumn(b, "legal_actions", r.LegalActions, appendLegal)
	}
	return b, nil
}

func (c *Codec) appendInputs(b []byte, inputs []persistence.HumanInput) ([]byte, error) {
	if len(inputs) == 0 {
		return b, nil
	}
	list, b := bsoncore.AppendArrayElementStart(b, "inputs")
	for i := range inputs {
		in := &inputs[i]
		doc, next := bsoncore.AppendDocumentElementStart(b, index(i))
		next = bsoncore.AppendInt64Element(next, "step", in.Step)
		next = bsoncore.AppendInt64Element(next, "seq", in.Seq)
		next = bsoncore.AppendInt64Element(next, "step_seen", in.StepSeen)
		next = appendColumn(next, "keys", in.Keys, appendText)
		if in.Text != nil {
			next = appendText(next, "text", *in.Text)
		}
		next, err := c.appendValue(next, "value", in.Value, 0)
		if err != nil {
			return nil, fmt.Errorf("inputs.%d.value: %w", i, err)
		}
		next = AppendTime(next, "client_at", in.ClientAt)
		next = bsoncore.AppendInt64Element(next, "client_offset_us", in.ClientOffset)
		next = AppendTime(next, "server_received_at", in.ReceivedAt)
		b = end(next, doc)
	}
	return end(b, list), nil
}

func (c *Codec) appendInfos(b []byte, infos []persistence.Info) ([]byte, error) {
	if len(infos) == 0 {
		return b, nil
	}
	list, b := bsoncore.AppendArrayElementStart(b, "infos")
	for i := range infos {
		doc, next := bsoncore.AppendDocumentElementStart(b, index(i))
		next = bsoncore.AppendInt64Element(next, "step", infos[i].Step)
		next, err := c.appendMap(next, "info", infos[i].Info, 0)
		if err != nil {
			return nil, fmt.Errorf("infos.%d.info: %w", i, err)
		}
		b = end(next, doc)
	}
	return end(b, list), nil
}

func appendVersion(b []byte, key string, v persistence.Versioned) []byte {
	doc, b := bsoncore.AppendDocumentElementStart(b, key)
	b = bsoncore.AppendInt64Element(b, "step", v.Step)
	return end(appendText(b, "version", v.Version), doc)
}

func appendLegal(b []byte, key string, l persistence.LegalActions) []byte {
	doc, b := bsoncore.AppendDocumentElementStart(b, key)
	b = bsoncore.AppendInt64Element(b, "step", l.Step)
	return end(appendBinary(b, "mask", l.Mask), doc)
}

func appendOptional(b []byte, key string, f *float64) []byte {
	if f == nil {
		return bsoncore.AppendNullElement(b, key)
	}
	return bsoncore.AppendDoubleElement(b, key, *f)
}

// appendColumn appends a list of plain values.
func appendColumn[T any](b []byte, key string, column []T, element func([]byte, string, T) []byte) []byte {
	list, b := bsoncore.AppendArrayElementStart(b, key)
	for i, v := range column {
		b = element(b, index(i), v)
	}
	return end(b, list)
}

// end closes the document or list that begins at start.
func end(b []byte, start int32) []byte {
	b = append(b, 0)
	return bsoncore.UpdateLength(b, start, int32(len(b))-start)
}
