package actors

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"sharpie/actors/messages"
	"sharpie/persistence"
)

// records are n records of one role, with rewards 0, 1, 2, …
func records(n int) []*messages.StepRecord {
	var out []*messages.StepRecord
	for i := range n {
		out = append(out, &messages.StepRecord{Step: uint64(i), Roles: []*messages.RoleStep{{Live: true, Reward: float64(i)}}})
	}
	return out
}

func float32s(v ...float32) []byte {
	var b []byte
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return b
}

func array(v ...float32) *messages.Value {
	return &messages.Value{Kind: &messages.Value_Array{Array: &messages.Array{Dtype: "float32", Shape: []int64{int64(len(v))}, Data: float32s(v...)}}}
}

func integer(i int64) *messages.Value {
	return &messages.Value{Kind: &messages.Value_Integer{Integer: i}}
}

func TestChunk(t *testing.T) {
	half := 0.5
	text := "left"
	in := []*messages.StepRecord{
		{Step: 7, RunnerOffsetUs: 700, TickLatenessUs: 3, ObservationHash: 0x0807060504030201, Roles: []*messages.RoleStep{
			{Live: true, Observation: array(1, 2), PolicyAction: integer(1), Action: integer(2), Source: messages.Source_SOURCE_HUMAN, Reward: -1,
				HumanReward: &half, Info: []byte(`{"n":3,"x":0.5,"big":1e300,"deep":[{"a":1}]}`),
				Inputs: []*messages.UsedInput{{Input: &messages.Input{Seq: 4, StepSeen: 6, Keys: []string{"a"}, Text: &text, ClientTimeUs: 1_000_001, ClientOffsetUs: -5, ServerReceivedUs: 2_000_002}, Value: integer(2)}}},
			{Live: true, Observation: integer(3), Action: integer(0), Source: messages.Source_SOURCE_POLICY, PolicyVersion: "v2", Waits: true, ActionMask: []byte{1, 0}},
		}},
		{Step: 8, RunnerOffsetUs: 800, ObservationHash: 1, Roles: []*messages.RoleStep{
			{Live: true, Observation: array(3, 4), Action: integer(0), Source: messages.Source_SOURCE_DEFAULT, Reward: 2, Terminated: true},
			{Live: true, Observation: array(1), Action: integer(1), Source: messages.Source_SOURCE_FALLBACK, Truncated: true},
		}},
		{Step: 9, Roles: []*messages.RoleStep{{}, {}}},
	}
	before := proto.Clone(in[0])
	at := time.Unix(100, 0)
	got, versions := chunkOf("s", "e", []string{"a", "b"}, in, []string{"v1", "v1"}, at)
	want := &persistence.StepChunk{
		ID: "e:0000000007", EpisodeID: "e", SessionID: "s", First: 7, Count: 3, ReceivedAt: at.UTC(),
		Offsets: []int64{700, 800, 0}, Lateness: []int64{3, 0, 0},
		Hashes: []byte{1, 2, 3, 4, 5, 6, 7, 8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		Roles: []persistence.RoleSteps{
			{Role: "a", Live: []bool{true, true, false},
				Observations:  &persistence.Array{DType: "float32", Shape: []int{3, 2}, Data: float32s(1, 2, 3, 4, 0, 0)},
				PolicyActions: []persistence.Value{int64(1), nil, nil}, Actions: []persistence.Value{int64(2), int64(0), nil},
				Sources: []string{"human", "default", ""}, Rewards: []float64{-1, 2, 0}, HumanRewards: []*float64{&half, nil, nil},
				Terminated: []bool{false, true, false}, Truncated: []bool{false, false, false},
				Inputs: []persistence.HumanInput{{Step: 7, Seq: 4, StepSeen: 6, Keys: []string{"a"}, Text: &text, Value: int64(2),
					ClientAt: time.UnixMicro(1_000_001).UTC(), ClientOffset: -5, ReceivedAt: time.UnixMicro(2_000_002).UTC()}},
				Infos:          []persistence.Info{{Step: 7, Info: persistence.Document{"n": int64(3), "x": 0.5, "big": 1e300, "deep": []any{map[string]any{"a": int64(1)}}}}},
				PolicyVersions: []persistence.Versioned{{Step: 7, Version: "v1"}}},
			{Role: "b", Live: []bool{true, true, false},
				ObservationValues: []persistence.Value{int64(3), persistence.Array{DType: "float32", Shape: []int{1}, Data: float32s(1)}, nil},
				Actions:           []persistence.Value{int64(0), int64(1), nil}, Sources: []string{"policy", "fallback", ""}, Rewards: []float64{0, 0, 0},
				Terminated: []bool{false, false, false}, Truncated: []bool{false, true, false},
				PolicyVersions: []persistence.Versioned{{Step: 7, Version: "v2"}},
				Waits:          []bool{true, false, false}, LegalActions: []persistence.LegalActions{{Step: 7, Mask: []byte{1, 0}}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("chunk (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"v1", "v2"}, versions); diff != "" {
		t.Errorf("versions after the chunk (-want +got):\n%s", diff)
	}
	if err := got.Validate(); err != nil {
		t.Errorf("the store would refuse the chunk: %v", err)
	}
	if !proto.Equal(before, in[0]) {
		t.Error("the records were changed")
	}
}

func TestValueOf(t *testing.T) {
	tests := []struct {
		name string
		in   *messages.Value
		want persistence.Value
	}{
		{"none", nil, nil},
		{"integer", integer(-3), int64(-3)},
		{"text", &messages.Value{Kind: &messages.Value_Text{Text: "hi"}}, "hi"},
		{"real", &messages.Value{Kind: &messages.Value_Real{Real: 0.5}}, 0.5},
		{"array", array(1), persistence.Array{DType: "float32", Shape: []int{1}, Data: float32s(1)}},
		{"tuple", &messages.Value{Kind: &messages.Value_Tuple{Tuple: &messages.List{Items: []*messages.Value{integer(1), array(2)}}}},
			[]any{int64(1), persistence.Array{DType: "float32", Shape: []int{1}, Data: float32s(2)}}},
		{"dict", &messages.Value{Kind: &messages.Value_Dict{Dict: &messages.Dict{Entries: []*messages.Entry{{Key: "k", Value: integer(1)}}}}}, map[string]any{"k": int64(1)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, valueOf(tt.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestInfoThatIsNoObject(t *testing.T) {
	if diff := cmp.Diff(persistence.Document{"_invalid": "nonsense"}, infoOf([]byte("nonsense"))); diff != "" {
		t.Error(diff)
	}
}
