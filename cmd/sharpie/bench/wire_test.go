package bench

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"sharpie/actors/play"
)

func TestParseServerMessage(t *testing.T) {
	for name, c := range map[string]struct {
		m    *play.ServerMessage
		want seen
	}{
		"frame": {&play.ServerMessage{Kind: &play.ServerMessage_Frame{Frame: &play.Frame{Episode: 1, Step: 700, Codec: play.Codec_CODEC_PNG, Data: []byte{1, 2}}}, InputSeq: 9},
			seen{frame: true, step: 700, inputSeq: 9}},
		"status":    {&play.ServerMessage{Kind: &play.ServerMessage_Status{Status: &play.Status{Step: 3, EpisodeReturn: 1.5}}, InputSeq: 4}, seen{inputSeq: 4}},
		"running":   {&play.ServerMessage{Kind: &play.ServerMessage_Phase{Phase: &play.Phase{Name: play.Phase_RUNNING}}}, seen{phase: 4}},
		"paused":    {&play.ServerMessage{Kind: &play.ServerMessage_Phase{Phase: &play.Phase{Name: play.Phase_PAUSED}}}, seen{phase: phasePaused}},
		"completed": {&play.ServerMessage{Kind: &play.ServerMessage_Phase{Phase: &play.Phase{Name: play.Phase_COMPLETED}}}, seen{phase: phaseCompleted, over: true}},
		"end":       {&play.ServerMessage{Kind: &play.ServerMessage_End{End: &play.End{Code: "replaced"}}}, seen{over: true}},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := proto.Marshal(c.m)
			if err != nil {
				t.Fatal(err)
			}
			got, err := parseServerMessage(b)
			if err != nil || got != c.want {
				t.Errorf("parseServerMessage = %+v, %v; want %+v", got, err, c.want)
			}
		})
	}
	if _, err := parseServerMessage([]byte{0x1a, 0x7f}); err == nil {
		t.Error("a cut-off message was accepted")
	}
}

func TestMessagesAreOfTheProtocol(t *testing.T) {
	now := time.UnixMicro(1_700_000_000_000_000)
	var m play.ClientMessage
	if err := proto.Unmarshal(appendInput(nil, 6, 12, now), &m); err != nil {
		t.Fatal(err)
	}
	in := m.GetInput()
	if in.GetSeq() != 6 || in.GetStepSeen() != 12 || in.GetEpisode() != 1 || in.GetClientTimeUs() != now.UnixMicro() || len(in.GetKeys()) != 1 || in.GetKeys()[0] != "ArrowDown" {
		t.Errorf("input on the wire = %v", in)
	}
	if err := proto.Unmarshal(readyMessage(), &m); err != nil || m.GetReady() == nil {
		t.Errorf("ready on the wire = %v, %v", &m, err)
	}
	if err := proto.Unmarshal(leaveMessage(), &m); err != nil || m.GetLeave() == nil {
		t.Errorf("leave on the wire = %v, %v", &m, err)
	}
	if err := proto.Unmarshal(pingMessage(3, now), &m); err != nil || m.GetPing().GetId() != 3 {
		t.Errorf("ping on the wire = %v, %v", &m, err)
	}
}
