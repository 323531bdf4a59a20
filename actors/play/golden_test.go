package play_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"sharpie/actors/play"
)

var update = flag.Bool("update", false, "write the golden files anew; review what changes")

// golden is one message as it is on the wire. The list is testdata/golden.json,
// which the TypeScript tests read too; the bytes are in testdata/<Name>.bin.
type golden struct {
	Name string `json:"name"`
	// From is "server" (the bytes are a ServerMessage) or "browser" (a ClientMessage).
	From string `json:"from"`
	Note string `json:"note"`
	// JSON is the message in protobuf's JSON mapping. Fields with default values are
	// left out.
	JSON json.RawMessage `json:"json"`
}

// server is a message as the server sends it: the shared part, then input_seq.
func server(name, note string, m *play.ServerMessage) (golden, proto.Message, []byte) {
	shared := proto.CloneOf(m)
	shared.InputSeq = 0
	b := marshal(shared)
	if m.InputSeq != 0 {
		b = protowire.AppendVarint(protowire.AppendTag(b, 15, protowire.VarintType), m.InputSeq)
	}
	return golden{Name: name, From: "server", Note: note}, m, b
}

func browser(name, note string, m *play.ClientMessage) (golden, proto.Message, []byte) {
	return golden{Name: name, From: "browser", Note: note}, m, marshal(m)
}

func marshal(m proto.Message) []byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic(err)
	}
	return b
}

// pixel is a PNG of one grey pixel.
var pixel = []byte{
	0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R', 0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x3a, 0x7e, 0x9b, 0x55,
	0, 0, 0, 10, 'I', 'D', 'A', 'T', 0x78, 0x9c, 0x63, 0x68, 0, 0, 0, 0x82, 0, 0x81, 0x77, 0xcd, 0x72, 0xb6, 0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82,
}

// noon is 2026-11-23 12:00 UTC, in µs.
const noon int64 = 1795435200_000000

// all is every golden message.
func all(add func(golden, proto.Message, []byte)) {
	text := "go left"
	seats := func(second play.Seat_State) []*play.Seat {
		return []*play.Seat{{Role: "adversary_0", Name: "Chaser", State: play.Seat_HERE, Yours: true}, {Role: "agent_0", Name: "Runner", State: second}}
	}
	phase := func(p *play.Phase) *play.ServerMessage {
		return &play.ServerMessage{Kind: &play.ServerMessage_Phase{Phase: p}}
	}
	frame := func(f *play.Frame, seq uint64) *play.ServerMessage {
		return &play.ServerMessage{Kind: &play.ServerMessage_Frame{Frame: f}, InputSeq: seq}
	}
	add(server("welcome", "real time, two keys at once", &play.ServerMessage{Kind: &play.ServerMessage_Welcome{Welcome: &play.Welcome{
		Protocol: 1, Session: "s_06h0g0npcptvp9v5npaboudn0s", Experiment: "Simple Tag", Role: "adversary_0", RoleName: "Chaser",
		Keys:        []*play.Key{{Key: "ArrowLeft", Symbol: "←", Label: "left"}, {Key: "ArrowRight", Symbol: "→", Label: "right"}},
		SeveralKeys: true, InputsType: play.InputsType_INPUTS_TYPE_ACTIONS, TargetFps: 24, Episodes: 3, Width: 350, Height: 350, NextSeq: 1,
		MaxInputsPerSecond: 120, ServerTimeUs: noon,
	}}}))
	add(server("welcome_text", "turn-based, text and reward, after a reload", &play.ServerMessage{Kind: &play.ServerMessage_Welcome{Welcome: &play.Welcome{
		Protocol: 1, Session: "s_06h0g0npcptvp9v5npaboudn0s", Experiment: "Frozen Lake", Role: "agent_0", RoleName: "Trainer", Text: true,
		Keys: []*play.Key{{Key: "+", Symbol: "+", Label: "good"}}, InputsType: play.InputsType_INPUTS_TYPE_REWARD, TurnBased: true, TargetFps: 0.5, Episodes: 1,
		NextSeq: 42, MaxInputsPerSecond: 120, MaxText: 2048, ServerTimeUs: noon, RoleIndex: 1,
	}}}))
	add(server("phase_waiting", "a seat is free; the lobby ends in five minutes", phase(&play.Phase{Name: play.Phase_WAITING, Seats: seats(play.Seat_FREE), DeadlineUs: noon + 300_000000})))
	add(server("phase_ready", "the countdown runs", phase(&play.Phase{Name: play.Phase_READY, Seats: seats(play.Seat_HERE), DeadlineUs: noon + 3_000000})))
	add(server("phase_running", "no deadline is shown while an episode runs", phase(&play.Phase{Name: play.Phase_RUNNING, Seats: seats(play.Seat_AI), Episode: 2})))
	add(server("phase_paused", "somebody is missing", phase(&play.Phase{Name: play.Phase_PAUSED, Seats: seats(play.Seat_AWAY), DeadlineUs: noon + 60_000000, Episode: 1,
		Reason: "Somebody lost the connection. Waiting for them to come back."})))
	add(server("phase_aborted", "nobody came", phase(&play.Phase{Name: play.Phase_ABORTED, Seats: seats(play.Seat_FREE), Reason: "Not enough people came in time."})))
	add(server("frame_first", "the picture after reset: step 0, nothing used yet", frame(&play.Frame{Episode: 1, Codec: play.Codec_CODEC_PNG, Data: pixel}, 0)))
	add(server("frame", "with the trailing input_seq: input 17 was used", frame(&play.Frame{Episode: 1, Step: 300, Codec: play.Codec_CODEC_PNG, Data: pixel, RunnerOffsetUs: 12_500_250}, 17)))
	add(server("frame_jpeg", "another codec", frame(&play.Frame{Episode: 2, Step: 5, Codec: play.Codec_CODEC_JPEG, Data: []byte{0xff, 0xd8, 0xff, 0xd9}, RunnerOffsetUs: 166_667}, 3)))
	add(server("status", "real time", &play.ServerMessage{Kind: &play.ServerMessage_Status{Status: &play.Status{Episode: 1, Step: 300, EpisodeReturn: -12.5, Live: true}}, InputSeq: 17}))
	add(server("status_waiting", "turn-based: two roles have not acted", &play.ServerMessage{Kind: &play.ServerMessage_Status{Status: &play.Status{
		Episode: 1, Step: 4, EpisodeReturn: 1, WaitingFor: []uint32{0, 2}, InputDeadlineUs: noon + 30_000000, Live: true}}}))
	add(server("status_turn", "roles take turns: it is role 1's, and two keys are no legal action", &play.ServerMessage{Kind: &play.ServerMessage_Status{Status: &play.Status{
		Episode: 1, Step: 5, EpisodeReturn: 1, Live: true, Turn: []uint32{1}, BlockedKeys: []uint32{0, 4}}}, InputSeq: 9}))
	add(server("notice", "an input was refused", &play.ServerMessage{Kind: &play.ServerMessage_Notice{Notice: &play.Notice{
		Level: play.Notice_WARNING, Code: "unknown_key", Text: "That key does nothing here."}}}))
	add(server("end_completed", "the server closes with 1000 after it", &play.ServerMessage{Kind: &play.ServerMessage_End{End: &play.End{
		Code: "completed", Text: "All done. Thank you for taking part!", Next: "/s/s_06h0g0npcptvp9v5npaboudn0s/thanks"}}}))
	add(server("end_replaced", "the server closes with 4001 after it", &play.ServerMessage{Kind: &play.ServerMessage_End{End: &play.End{
		Code: "replaced", Text: "This experiment was opened in another tab."}}}))
	add(server("pong", "answers ping", &play.ServerMessage{Kind: &play.ServerMessage_Pong{Pong: &play.Pong{Id: 3, ClientTimeUs: noon - 2_000, ServerTimeUs: noon}}}))

	input := func(in *play.Input) *play.ClientMessage {
		return &play.ClientMessage{Kind: &play.ClientMessage_Input{Input: in}}
	}
	add(browser("input_press", "a second key went down while the first was held", input(&play.Input{Seq: 17, StepSeen: 298, Keys: []string{"ArrowLeft", "ArrowRight"}, ClientTimeUs: noon + 1, Episode: 1})))
	add(browser("input_release", "nothing is held any more", input(&play.Input{Seq: 18, StepSeen: 299, ClientTimeUs: noon + 2, Episode: 1})))
	add(browser("input_text", "a text was sent", input(&play.Input{Seq: 19, StepSeen: 299, Text: &text, ClientTimeUs: noon + 3, Episode: 1})))
	add(browser("painted", "a picture reached the screen", &play.ClientMessage{Kind: &play.ClientMessage_Painted{Painted: &play.Painted{Step: 300, ClientTimeUs: noon + 4, Episode: 1}}}))
	add(browser("ready", "go on", &play.ClientMessage{Kind: &play.ClientMessage_Ready{Ready: &play.Ready{}}}))
	add(browser("leave", "give the seat up", &play.ClientMessage{Kind: &play.ClientMessage_Leave{Leave: &play.Leave{}}}))
	add(browser("ping", "with what the two before it measured", &play.ClientMessage{Kind: &play.ClientMessage_Ping{Ping: &play.Ping{Id: 3, ClientTimeUs: noon - 2_000, OffsetUs: -1_250, RttUs: 4_000}}}))
}

// The wire form never changes by accident: pages of an older build may be open.
func TestGolden(t *testing.T) {
	dir := "testdata"
	var list []golden
	all(func(g golden, m proto.Message, b []byte) {
		j, err := protojson.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, j); err != nil { // protojson varies its spaces on purpose
			t.Fatal(err)
		}
		g.JSON = compact.Bytes()
		list = append(list, g)
		if *update {
			if err := os.WriteFile(filepath.Join(dir, g.Name+".bin"), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(filepath.Join(dir, g.Name+".bin"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, want) {
			t.Errorf("%s is %x on the wire, the golden file has %x", g.Name, b, want)
		}
		back := m.ProtoReflect().New().Interface()
		if err := proto.Unmarshal(want, back); err != nil || !proto.Equal(back, m) {
			t.Errorf("%s reads as %v, %v", g.Name, back, err)
		}
	})
	b, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "golden.json")
	if *update {
		if err := os.WriteFile(file, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(append(b, '\n'), want) {
		t.Errorf("%s differs from what this test describes: run it with -update and review", file)
	}
}
