package link

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/hashicorp/yamux"
)

// pieces is a connection that notes what is written to it, piece by piece.
type pieces struct {
	net.Conn
	all [][]byte
	err error
}

func (p *pieces) Write(b []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	p.all = append(p.all, bytes.Clone(b))
	return len(b), nil
}

// header is one of yamux's, for a stream.
func header(kind byte, length uint32) []byte {
	return []byte{0, kind, 0, 0, 0, 0, 0, 1, byte(length >> 24), byte(length >> 16), byte(length >> 8), byte(length)}
}

func TestAFrameIsWrittenInOnePiece(t *testing.T) {
	p := &pieces{}
	c := &joined{Conn: p}
	long := bytes.Repeat([]byte("x"), 100_000)
	const windowUpdate, ping = 1, 2
	for _, b := range [][]byte{
		header(yamuxData, 5), []byte("hello"), header(windowUpdate, 4096), header(yamuxData, 0), // 0: the end of a stream
		header(yamuxData, 100_000), long, header(ping, 7), header(yamuxData, yamuxHeader), header(yamuxData, 9), // a body like a header
	} {
		if n, err := c.Write(b); n != len(b) || err != nil {
			t.Fatalf("writing %d bytes: %d, %v", len(b), n, err)
		}
	}
	want := [][]byte{
		append(header(yamuxData, 5), "hello"...), header(windowUpdate, 4096), header(yamuxData, 0),
		append(header(yamuxData, 100_000), long...), header(ping, 7), append(header(yamuxData, yamuxHeader), header(yamuxData, 9)...),
	}
	if len(p.all) != len(want) {
		t.Fatalf("%d pieces were written, want %d", len(p.all), len(want))
	}
	for i := range want {
		if !bytes.Equal(p.all[i], want[i]) {
			t.Errorf("piece %d has %d bytes, want %d", i, len(p.all[i]), len(want[i]))
		}
	}
}

func TestATornFrameEndsTheConnection(t *testing.T) {
	c := &joined{Conn: &pieces{}}
	if _, err := c.Write(header(yamuxData, 5)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(header(yamuxData, 6)); !errors.Is(err, errTorn) {
		t.Errorf("a header in the place of a body: %v, want %v", err, errTorn)
	}
	broken := errors.New("broken")
	c = &joined{Conn: &pieces{err: broken}}
	_, _ = c.Write(header(yamuxData, 2))
	if n, err := c.Write([]byte("ab")); n != 0 || !errors.Is(err, broken) {
		t.Errorf("a body on a broken connection: %d bytes and %v", n, err)
	}
}

// TestAllArrivesThroughJoinedConnections sends more than a window.
func TestAllArrivesThroughJoinedConnections(t *testing.T) {
	a, b := net.Pipe()
	near, err := yamux.Client(&joined{Conn: a}, tunnelConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := yamux.Server(&joined{Conn: b}, tunnelConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	sent := bytes.Repeat([]byte("0123456789"), 300_000)
	go func() {
		s, err := near.OpenStream()
		if err != nil {
			return
		}
		_, _ = s.Write(sent)
		_ = s.Close()
	}()
	s, err := far.AcceptStream()
	if err != nil {
		t.Fatal(err)
	}
	_ = s.SetReadDeadline(time.Now().Add(20 * time.Second))
	got, err := io.ReadAll(s)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes arrived: %v", len(got), len(sent), err)
	}
}
