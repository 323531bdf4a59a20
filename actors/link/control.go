package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"
)

// Protocol is the version of the control stream that this program speaks, and of
// the remote beside it. It is raised where a peer of the former version could
// misunderstand, or is sent a message that it does not know, which ends its connection.
// A field that may be passed over is no reason.
const Protocol = 1

// controlMax bounds a message of the control stream, bytes.
const controlMax = 8 << 10

// errControl is a message of the control stream that is none.
var errControl = errors.New("a control message that cannot be read")

// writeControl writes one message, in one piece.
func writeControl(w io.Writer, m *Control) error {
	b := make([]byte, 4, 64)
	b, err := proto.MarshalOptions{}.MarshalAppend(b, m)
	if err != nil {
		return fmt.Errorf("control message: %w", err)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("write the control stream: %w", err)
	}
	return nil
}

// readControl reads one message.
func readControl(r io.Reader) (*Control, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("read the control stream: %w", err)
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > controlMax {
		return nil, fmt.Errorf("%w: %d bytes, allowed are %d", errControl, n, controlMax)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("read the control stream: %w", err)
	}
	m := new(Control)
	if err := proto.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%w: %w", errControl, err)
	}
	return m, nil
}

func hello(h *Hello) *Control     { return &Control{Kind: &Control_Hello{Hello: h}} }
func welcome(w *Welcome) *Control { return &Control{Kind: &Control_Welcome{Welcome: w}} }
func beat(b *Beat) *Control       { return &Control{Kind: &Control_Beat{Beat: b}} }
func goodbye(e *End) *Control {
	return &Control{Kind: &Control_Goodbye{Goodbye: &Goodbye{Code: e.Code, Detail: clip(e.Detail, 1024)}}}
}

// farewellOf is why the peer ends the connection.
func farewellOf(g *Goodbye) *End {
	return &End{clip(g.GetCode(), 32), orElse(clip(g.GetDetail(), 1024), "The other end closed the connection and gave no reason.")}
}

// clip bounds a text.
func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
