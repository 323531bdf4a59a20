package link

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	coder "github.com/coder/websocket"
)

// TestAMessageIsWrittenInOnePiece sends a picture through a WebSocket, and looks at what
// the network gets.
func TestAMessageIsWrittenInOnePiece(t *testing.T) {
	got := make(chan []byte, 1)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := coder.Accept(w, r, nil)
		if err != nil {
			return
		}
		ws.SetReadLimit(-1)
		_, b, _ := ws.Read(r.Context())
		got <- b
		<-r.Context().Done()
	}))
	defer web.Close()
	network := &pieces{}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, n, address string) (net.Conn, error) {
		c, err := dial(ctx, n, address)
		network.Conn = c
		return &through{network}, err
	}
	client, dialled := onWire(&http.Client{Transport: transport})
	ws, _, err := coder.Dial(t.Context(), web.URL, &coder.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	network.all = nil // the request
	picture := bytes.Repeat([]byte("p"), 100_000)
	c := &wired{Conn: coder.NetConn(context.Background(), ws, coder.MessageBinary), wire: dialled()}
	if n, err := c.Write(picture); n != len(picture) || err != nil {
		t.Fatalf("writing a picture: %d of %d bytes, %v", n, len(picture), err)
	}
	if len(network.all) != 1 {
		t.Errorf("the picture was written in %d pieces, want 1", len(network.all))
	}
	if b := <-got; !bytes.Equal(b, picture) {
		t.Errorf("%d of %d bytes arrived", len(b), len(picture))
	}
}

// through notes what is written, and writes it.
type through struct{ *pieces }

func (c *through) Write(b []byte) (int, error) {
	if _, err := c.pieces.Write(b); err != nil {
		return 0, err
	}
	return c.pieces.Conn.Write(b)
}

func TestAWireThatBreaksSaysSo(t *testing.T) {
	broken := errors.New("broken")
	w := &wire{Conn: &pieces{err: broken}}
	c := &wired{Conn: w, wire: w} // a library that writes at once
	if n, err := c.Write([]byte("ab")); n != 0 || !errors.Is(err, broken) {
		t.Errorf("writing to a broken wire: %d bytes and %v", n, err)
	}
	if _, err := w.Write([]byte("c")); !errors.Is(err, broken) {
		t.Errorf("what is not gathered: %v, want that it is written at once", err)
	}
}
