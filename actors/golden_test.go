package actors

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"sharpie/actors/messages"
	"sharpie/actors/play"
)

// What the server sends, and what it understands, is what the golden files say that
// pages understand, and send.
func TestGoldenMessages(t *testing.T) {
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("play", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var all []struct {
		Name, From string
		JSON       json.RawMessage
	}
	if err := json.Unmarshal(read("golden.json"), &all); err != nil {
		t.Fatal(err)
	}
	for _, g := range all {
		want := read(g.Name + ".bin")
		if g.From == "browser" {
			if _, cl := decodeClient(want, Limits{}.withDefaults().MessageBytes); cl != nil {
				t.Errorf("%s is refused: %v", g.Name, cl)
			}
			continue
		}
		var m play.ServerMessage
		if err := protojson.Unmarshal(g.JSON, &m); err != nil {
			t.Fatal(err)
		}
		if got := sent(&m); !bytes.Equal(got, want) {
			t.Errorf("%s is sent as %x, the golden file has %x", g.Name, got, want)
		}
	}
}

// sent is a message as a Connection sends it.
func sent(m *play.ServerMessage) []byte {
	seq := m.GetInputSeq()
	m.InputSeq = 0
	shared := encode(m)
	switch k := m.GetKind().(type) {
	case *play.ServerMessage_Frame:
		f := k.Frame
		shared = encodeFrame(f.GetEpisode(), f.GetStep(), f.GetRunnerOffsetUs(), &messages.Picture{Codec: messages.Codec(f.GetCodec()), Data: f.GetData()})
	case *play.ServerMessage_Notice:
		shared = encodeNotice(k.Notice.GetLevel(), k.Notice.GetCode(), k.Notice.GetText())
	case *play.ServerMessage_End:
		shared = encodeEnd(k.End.GetCode(), k.End.GetText(), k.End.GetNext())
	case *play.ServerMessage_Pong:
		shared = encodePong(&play.Ping{Id: k.Pong.GetId(), ClientTimeUs: k.Pong.GetClientTimeUs()}, time.UnixMicro(k.Pong.GetServerTimeUs()))
	}
	return appendInputSeq(slices.Clip(shared), seq)
}
