package bench

import (
	"errors"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// The benchmark reads only what it measures of a message, by field number of
// play.proto, so that the load generator takes as little of the machine as it can.

// seen is what one server message says.
type seen struct {
	frame    bool
	step     uint64
	inputSeq uint64
	phase    uint64 // of a Phase, by its number; 0: another kind of message
	over     bool   // End, or a phase that ends the session
}

// Numbers of Phase.Name.
const (
	phasePaused    = 6
	phaseCompleted = 7 // 8 is aborted
)

var errMessage = errors.New("bench: the server sent a message that is not sharpie.v1")

func parseServerMessage(b []byte) (seen, error) {
	var s seen
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return s, errMessage
		}
		b = b[n:]
		if typ == protowire.VarintType {
			v, n := protowire.ConsumeVarint(b)
			if n < 0 {
				return s, errMessage
			}
			b = b[n:]
			if num == 15 {
				s.inputSeq = v
			}
			continue
		}
		if typ != protowire.BytesType {
			return s, errMessage
		}
		v, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return s, errMessage
		}
		b = b[n:]
		switch num {
		case 2:
			s.phase, _ = firstVarint(v, 1)
			s.over = s.phase >= phaseCompleted
		case 3:
			s.frame = true
			s.step, _ = firstVarint(v, 2)
		case 6:
			s.over = true
		}
	}
	return s, nil
}

// firstVarint finds a varint field among the leading fields of a message.
func firstVarint(b []byte, field protowire.Number) (uint64, bool) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 || typ != protowire.VarintType {
			return 0, false
		}
		v, m := protowire.ConsumeVarint(b[n:])
		if m < 0 {
			return 0, false
		}
		if num == field {
			return v, true
		}
		b = b[n+m:]
	}
	return 0, false
}

var benchKeys = [...]string{"ArrowLeft", "ArrowRight", "ArrowDown", "ArrowUp"}

// appendInput appends ClientMessage{input}: one key held, another one each time.
func appendInput(b []byte, seq, step uint64, now time.Time) []byte {
	var in [96]byte
	m := protowire.AppendVarint(protowire.AppendTag(in[:0], 1, protowire.VarintType), seq)
	m = protowire.AppendVarint(protowire.AppendTag(m, 2, protowire.VarintType), step)
	m = protowire.AppendString(protowire.AppendTag(m, 3, protowire.BytesType), benchKeys[seq%4])
	m = protowire.AppendVarint(protowire.AppendTag(m, 5, protowire.VarintType), uint64(now.UnixMicro()))
	m = protowire.AppendVarint(protowire.AppendTag(m, 6, protowire.VarintType), 1)
	return protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), m)
}

// readyMessage is ClientMessage{ready: {}}.
func readyMessage() []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, 3, protowire.BytesType), nil)
}

// leaveMessage is ClientMessage{leave: {}}: the seat is given up for good.
func leaveMessage() []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, 4, protowire.BytesType), nil)
}

// pingMessage is ClientMessage{ping: {id, client_time_us}}: silence is taken for a lost network.
func pingMessage(id uint64, now time.Time) []byte {
	m := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), id)
	m = protowire.AppendVarint(protowire.AppendTag(m, 2, protowire.VarintType), uint64(now.UnixMicro()))
	return protowire.AppendBytes(protowire.AppendTag(nil, 5, protowire.BytesType), m)
}
