package link

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
)

// wire is a node's network connection, below WebSocket and TLS, that can gather what is
// written to it. The WebSocket's library writes a message in pieces of 4 KiB: a picture
// of 20 KiB would be five system calls here, and as many wake-ups of the server.
type wire struct {
	net.Conn

	mu        sync.Mutex
	gathering bool
	buf       []byte // its memory is used again
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.gathering {
		return w.Conn.Write(p)
	}
	w.buf = append(w.buf, p...)
	return len(p), nil
}

// gather keeps what is written until flush.
func (w *wire) gather() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gathering = true
}

// flush writes what was gathered, in one piece.
func (w *wire) flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gathering = false
	var err error
	if len(w.buf) > 0 {
		_, err = w.Conn.Write(w.buf)
	}
	if w.buf = w.buf[:0]; cap(w.buf) > 2*keptFrame {
		w.buf = nil
	}
	return err
}

// wired is a connection that writes each time in one piece.
type wired struct {
	net.Conn
	wire *wire
}

// Write implements net.Conn.
func (c *wired) Write(p []byte) (int, error) {
	c.wire.gather()
	n, err := c.Conn.Write(p)
	if err := errors.Join(err, c.wire.flush()); err != nil {
		return 0, err
	}
	return n, nil
}

// onWire makes a client of the same settings for one connection, and says which wire it
// has dialled last.
func onWire(client *http.Client) (one *http.Client, dialled func() *wire) {
	transport := client.Transport.(*http.Transport).Clone()
	dial := transport.DialContext
	var mu sync.Mutex
	var newest *wire
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		newest = &wire{Conn: c}
		return newest, nil
	}
	copied := *client
	copied.Transport = transport
	return &copied, func() *wire {
		mu.Lock()
		defer mu.Unlock()
		return newest
	}
}
