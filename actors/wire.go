package actors

import (
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"sharpie/actors/messages"
	"sharpie/actors/play"
	"sharpie/experiments"
)

// The close codes of the play socket that the actors use; docs/PROTOCOL.md has
// them all.
const (
	closeNormal    = 1000
	closeInternal  = 1011
	closeReplaced  = 4001
	closeOver      = 4004
	closeTooLarge  = 4005
	closeMalformed = 4006
	closeFlood     = 4007
	closeStopping  = 4008
	closeTooSlow   = 4010
)

// inputSeqField is ServerMessage.input_seq, appended after the shared bytes:
// protobuf lets a message be sent as the concatenation of its parts.
const inputSeqField protowire.Number = 15

// encode marshals a server message. Every message here is built by this package
// and marshals; a failure is a programmer's error.
func encode(m *play.ServerMessage) []byte {
	b, err := proto.Marshal(m)
	if err != nil {
		panic("actors: encode server message: " + err.Error())
	}
	return b
}

// encodeFrame is encode of a Frame, without copying the picture twice.
func encodeFrame(episode uint32, step uint64, offset int64, p *messages.Picture) []byte {
	const frameField, episodeField, stepField, codecField, dataField, offsetField = 3, 1, 2, 3, 4, 5
	var head [64]byte
	h := head[:0]
	if episode != 0 {
		h = protowire.AppendVarint(protowire.AppendTag(h, episodeField, protowire.VarintType), uint64(episode))
	}
	if step != 0 {
		h = protowire.AppendVarint(protowire.AppendTag(h, stepField, protowire.VarintType), step)
	}
	if c := p.GetCodec(); c != 0 {
		h = protowire.AppendVarint(protowire.AppendTag(h, codecField, protowire.VarintType), uint64(c))
	}
	tail := 0
	if offset != 0 {
		tail = protowire.SizeTag(offsetField) + protowire.SizeVarint(uint64(offset))
	}
	data := p.GetData()
	size := len(h) + protowire.SizeTag(dataField) + protowire.SizeBytes(len(data)) + tail
	b := make([]byte, 0, protowire.SizeTag(frameField)+protowire.SizeBytes(size))
	b = protowire.AppendVarint(protowire.AppendTag(b, frameField, protowire.BytesType), uint64(size))
	b = append(b, h...)
	b = protowire.AppendBytes(protowire.AppendTag(b, dataField, protowire.BytesType), data)
	if offset != 0 {
		b = protowire.AppendVarint(protowire.AppendTag(b, offsetField, protowire.VarintType), uint64(offset))
	}
	return b
}

// appendInputSeq appends the trailing input_seq; nothing for 0.
func appendInputSeq(b []byte, seq uint64) []byte {
	if seq == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, inputSeqField, protowire.VarintType), seq)
}

func encodeNotice(level play.Notice_Level, code, text string) []byte {
	return encode(&play.ServerMessage{Kind: &play.ServerMessage_Notice{Notice: &play.Notice{Level: level, Code: code, Text: text}}})
}

func encodeEnd(code, text, next string) []byte {
	return encode(&play.ServerMessage{Kind: &play.ServerMessage_End{End: &play.End{Code: code, Text: text, Next: next}}})
}

func encodePong(p *play.Ping, now time.Time) []byte {
	return encode(&play.ServerMessage{Kind: &play.ServerMessage_Pong{Pong: &play.Pong{
		Id: p.GetId(), ClientTimeUs: p.GetClientTimeUs(), ServerTimeUs: now.UnixMicro()}}})
}

// decodeClient reads one message of a browser. A message over the limit, one that
// is not a ClientMessage, and one of a kind that this version does not know, end
// the connection.
func decodeClient(b []byte, limit int) (*play.ClientMessage, *Close) {
	if len(b) > limit {
		return nil, &Close{Code: closeTooLarge, Text: "message too large"}
	}
	var m play.ClientMessage
	if err := proto.Unmarshal(b, &m); err != nil {
		return nil, &Close{Code: closeMalformed, Text: "malformed message"}
	}
	if m.GetKind() == nil {
		return nil, &Close{Code: closeMalformed, Text: "unknown kind of message"}
	}
	return &m, nil
}

// seatRules is what the inputs of one seat may be.
type seatRules struct {
	keys      []string
	text      bool
	textBytes int
}

func rulesOf(a *experiments.Agent, l Limits) seatRules {
	r := seatRules{text: a.TextualInputs, textBytes: l.TextBytes}
	for _, b := range a.KeyboardInputs.Bindings {
		r.keys = append(r.keys, b.Key)
	}
	return r
}

// refusal is why an input was refused: a Notice's code and text. The zero value
// is no refusal.
type refusal struct{ code, text string }

// check says whether an input may act for the seat.
func (r *seatRules) check(in *play.Input) refusal {
	if in.GetSeq() == 0 {
		return refusal{"bad_seq", "An input without a number was refused."}
	}
	for i, k := range in.GetKeys() {
		if !slices.Contains(r.keys, k) {
			return refusal{"unknown_key", "That key does nothing here."}
		}
		if slices.Contains(in.GetKeys()[:i], k) {
			return refusal{"repeated_key", "An input that names a key twice was refused."}
		}
	}
	if in.Text == nil {
		return refusal{}
	}
	if !r.text {
		return refusal{"text_not_allowed", "Text is not an input here."}
	}
	if len(in.GetText()) > r.textBytes {
		return refusal{"text_too_long", "That text is too long."}
	}
	return refusal{}
}
