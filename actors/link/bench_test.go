package link

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	coder "github.com/coder/websocket"
	"github.com/fasthttp/websocket"
	"github.com/hashicorp/yamux"
)

// BenchmarkTunnel sends a picture of 20 KB to the server and gets 200 bytes back, as a
// step does, through WebSocket and yamux over loopback: as tunnels do it, and without
// what joins pieces.
func BenchmarkTunnel(b *testing.B) {
	b.Run("whole", func(b *testing.B) {
		benchmarkTunnel(b, func(c net.Conn) net.Conn { return &joined{Conn: c} }, func(c net.Conn, w *wire) net.Conn { return &wired{c, w} })
	})
	b.Run("in pieces", func(b *testing.B) {
		benchmarkTunnel(b, func(c net.Conn) net.Conn { return c }, func(c net.Conn, _ *wire) net.Conn { return c })
	})
}

func benchmarkTunnel(b *testing.B, join func(net.Conn) net.Conn, wiring func(net.Conn, *wire) net.Conn) {
	picture, answer := make([]byte, 20<<10), make([]byte, 200)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u := websocket.Upgrader{ReadBufferSize: 64 << 10, WriteBufferSize: 16 << 10} // as package http has it
		ws, err := u.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		session, err := yamux.Server(join(newSocketConn(ws)), tunnelConfig())
		if err != nil {
			return
		}
		defer session.Close()
		s, err := session.AcceptStream()
		for got := make([]byte, len(picture)); err == nil; {
			if _, err = io.ReadFull(s, got); err == nil {
				_, err = s.Write(answer)
			}
		}
	}))
	defer web.Close()
	client, dialled := onWire(&http.Client{Transport: http.DefaultTransport})
	ws, _, err := coder.Dial(b.Context(), web.URL, &coder.DialOptions{HTTPClient: client})
	if err != nil {
		b.Fatal(err)
	}
	ws.SetReadLimit(socketMessage)
	conn := &clientConn{coder.NetConn(context.Background(), ws, coder.MessageBinary), ws}
	session, err := yamux.Client(join(wiring(conn, dialled())), tunnelConfig())
	if err != nil {
		b.Fatal(err)
	}
	defer session.Close()
	s, err := session.OpenStream()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Write(picture); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(s, answer); err != nil {
			b.Fatal(err)
		}
	}
}
