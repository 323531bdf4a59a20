package actors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"

	"sharpie/actors/messages"
	"sharpie/persistence"
)

// chunkOf turns consecutive step records of one episode into the chunk that is
// stored, column by column. roles names the episode's roles in their order.
// versions holds the policy version in force before the first record, by role; the
// versions after the last one are returned. Nothing is changed.
func chunkOf(session persistence.SessionID, id persistence.EpisodeID, roles []string, records []*messages.StepRecord, versions []string, received time.Time) (*persistence.StepChunk, []string) {
	first := int64(records[0].GetStep())
	c := &persistence.StepChunk{
		ID: persistence.ChunkID(id, first), EpisodeID: id, SessionID: session, First: first, Count: len(records), ReceivedAt: received.UTC(),
		Offsets: make([]int64, len(records)), Lateness: make([]int64, len(records)), Hashes: make([]byte, 0, 8*len(records)),
		Roles: make([]persistence.RoleSteps, len(roles)),
	}
	for i, r := range records {
		c.Offsets[i], c.Lateness[i] = r.GetRunnerOffsetUs(), r.GetTickLatenessUs()
		c.Hashes = binary.LittleEndian.AppendUint64(c.Hashes, r.GetObservationHash())
	}
	versions = append(make([]string, 0, len(roles)), versions...)
	for len(versions) < len(roles) {
		versions = append(versions, "")
	}
	for i, role := range roles {
		c.Roles[i] = roleSteps(role, i, records, &versions[i])
	}
	return c, versions
}

// roleSteps is one role's columns.
func roleSteps(role string, at int, records []*messages.StepRecord, version *string) persistence.RoleSteps {
	n := len(records)
	out := persistence.RoleSteps{
		Role: role, Live: make([]bool, n), Actions: make([]persistence.Value, n), Sources: make([]string, n), Rewards: make([]float64, n),
		Terminated: make([]bool, n), Truncated: make([]bool, n),
	}
	observations := make([]*messages.Value, n)
	policy, human := make([]persistence.Value, n), make([]*float64, n)
	anyPolicy, anyHuman := false, false
	for i, rec := range records {
		if at >= len(rec.GetRoles()) {
			continue
		}
		r := rec.GetRoles()[at]
		step := int64(rec.GetStep())
		out.Live[i], out.Rewards[i], out.Terminated[i], out.Truncated[i] = r.GetLive(), r.GetReward(), r.GetTerminated(), r.GetTruncated()
		out.Actions[i], out.Sources[i] = valueOf(r.GetAction()), sourceOf(r.GetSource())
		observations[i] = r.GetObservation()
		policy[i] = valueOf(r.GetPolicyAction())
		anyPolicy = anyPolicy || policy[i] != nil
		if r.HumanReward != nil {
			v := r.GetHumanReward()
			human[i], anyHuman = &v, true
		}
		if v := r.GetPolicyVersion(); v != "" && v != *version {
			*version = v
			out.PolicyVersions = append(out.PolicyVersions, persistence.Versioned{Step: step, Version: v})
		} else if i == 0 && *version != "" {
			out.PolicyVersions = append(out.PolicyVersions, persistence.Versioned{Step: step, Version: *version})
		}
		if r.GetWaits() {
			if out.Waits == nil {
				out.Waits = make([]bool, n)
			}
			out.Waits[i] = true
		}
		if len(r.GetActionMask()) > 0 {
			out.LegalActions = append(out.LegalActions, persistence.LegalActions{Step: step, Mask: r.GetActionMask()})
		}
		if len(r.GetInfo()) > 0 {
			out.Infos = append(out.Infos, persistence.Info{Step: step, Info: infoOf(r.GetInfo())})
		}
		for _, u := range r.GetInputs() {
			out.Inputs = append(out.Inputs, humanInput(step, u))
		}
	}
	if anyPolicy {
		out.PolicyActions = policy
	}
	if anyHuman {
		out.HumanRewards = human
	}
	out.Observations, out.ObservationValues = observationColumn(observations)
	return out
}

// observationColumn puts arrays of one type and shape into one array of n × shape,
// with zeros where the role has ended; everything else goes one by one.
func observationColumn(in []*messages.Value) (*persistence.Array, []persistence.Value) {
	var model *messages.Array
	for _, v := range in {
		if v == nil {
			continue
		}
		a := v.GetArray()
		if a == nil || (model != nil && (a.GetDtype() != model.GetDtype() || !slices.Equal(a.GetShape(), model.GetShape()) || len(a.GetData()) != len(model.GetData()))) {
			return nil, valuesOf(in)
		}
		model = a
	}
	if model == nil {
		return nil, valuesOf(in)
	}
	out := &persistence.Array{DType: model.GetDtype(), Shape: append([]int{len(in)}, ints(model.GetShape())...)}
	out.Data = make([]byte, 0, len(in)*len(model.GetData()))
	for _, v := range in {
		if v == nil {
			out.Data = append(out.Data, make([]byte, len(model.GetData()))...)
			continue
		}
		out.Data = append(out.Data, v.GetArray().GetData()...)
	}
	return out, nil
}

func ints(in []int64) []int {
	out := make([]int, len(in))
	for i, v := range in {
		out[i] = int(v)
	}
	return out
}

func valuesOf(in []*messages.Value) []persistence.Value {
	out := make([]persistence.Value, len(in))
	for i, v := range in {
		out[i] = valueOf(v)
	}
	return out
}

// valueOf is a value as it is stored; nil for none.
func valueOf(v *messages.Value) persistence.Value {
	switch k := v.GetKind().(type) {
	case *messages.Value_Integer:
		return k.Integer
	case *messages.Value_Text:
		return k.Text
	case *messages.Value_Real:
		return k.Real
	case *messages.Value_Array:
		return persistence.Array{DType: k.Array.GetDtype(), Shape: ints(k.Array.GetShape()), Data: k.Array.GetData()}
	case *messages.Value_Tuple:
		out := make([]any, len(k.Tuple.GetItems()))
		for i, item := range k.Tuple.GetItems() {
			out[i] = valueOf(item)
		}
		return out
	case *messages.Value_Dict:
		out := make(map[string]any, len(k.Dict.GetEntries()))
		for _, e := range k.Dict.GetEntries() {
			out[e.GetKey()] = valueOf(e.GetValue())
		}
		return out
	}
	return nil
}

func sourceOf(s messages.Source) string {
	switch s {
	case messages.Source_SOURCE_POLICY:
		return "policy"
	case messages.Source_SOURCE_HUMAN:
		return "human"
	case messages.Source_SOURCE_DEFAULT:
		return "default"
	case messages.Source_SOURCE_FALLBACK:
		return "fallback"
	}
	return ""
}

func humanInput(step int64, u *messages.UsedInput) persistence.HumanInput {
	in := u.GetInput()
	keys := in.GetKeys()
	if keys == nil {
		keys = []string{}
	}
	return persistence.HumanInput{
		Step: step, Seq: int64(in.GetSeq()), StepSeen: int64(in.GetStepSeen()), Keys: keys, Text: in.Text, Value: valueOf(u.GetValue()),
		ClientAt: time.UnixMicro(in.GetClientTimeUs()).UTC(), ClientOffset: in.GetClientOffsetUs(), ReceivedAt: time.UnixMicro(in.GetServerReceivedUs()).UTC(),
	}
}

// infoOf reads an environment's info: whole numbers become int64, others float64.
// What is not a JSON object is kept as text under "_invalid".
func infoOf(b []byte) persistence.Document {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var d persistence.Document
	if err := dec.Decode(&d); err != nil || d == nil {
		return persistence.Document{"_invalid": string(b)}
	}
	return exactNumbers(d).(map[string]any)
}

func exactNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = exactNumbers(v[k])
		}
	case []any:
		for i := range v {
			v[i] = exactNumbers(v[i])
		}
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
		return v.String()
	}
	return v
}
