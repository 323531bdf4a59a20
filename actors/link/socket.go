package link

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Socket is a WebSocket of the server, as much of it as a tunnel needs: the methods
// of Gorilla's connections and their relatives. One goroutine reads, one writes.
type Socket interface {
	NextReader() (messageType int, r io.Reader, err error)
	WriteMessage(messageType int, data []byte) error
	SetReadLimit(bytes int64)
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
	Close() error
	// NetConn is the connection beneath.
	NetConn() net.Conn
}

// binaryMessage is the type of a WebSocket's binary messages, RFC 6455.
const binaryMessage = 2

// socketMessage bounds one WebSocket message: yamux sends at most a window at once.
const socketMessage = streamWindow + 1<<10

// errText ends a tunnel whose peer sends text.
var errText = errors.New("link: a message of the WebSocket is not binary")

// socketConn makes a stream of bytes out of a Socket.
type socketConn struct {
	Socket
	r  io.Reader // of the message that is being read
	mu sync.Mutex
	// closed: a write that begins now would set its own time.
	closed atomic.Bool
}

var _ net.Conn = (*socketConn)(nil)

func newSocketConn(s Socket) *socketConn {
	s.SetReadLimit(socketMessage)
	return &socketConn{Socket: s}
}

// Read implements net.Conn.
func (c *socketConn) Read(p []byte) (int, error) {
	for {
		if c.r == nil {
			kind, r, err := c.NextReader()
			if err != nil {
				return 0, fmt.Errorf("read the WebSocket: %w", err)
			}
			if kind != binaryMessage {
				return 0, errText
			}
			c.r = r
		}
		n, err := c.r.Read(p)
		if err == io.EOF {
			c.r, err = nil, nil
			if n == 0 {
				continue
			}
		}
		return n, err
	}
}

// Write implements net.Conn.
func (c *socketConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.SetWriteDeadline(time.Now().Add(stalledWrite)) // WriteMessage says what is wrong
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	if err := c.WriteMessage(binaryMessage, p); err != nil {
		return 0, fmt.Errorf("write the WebSocket: %w", err)
	}
	return len(p), nil
}

// Close implements net.Conn. The web server closes a connection only when its handler
// has returned, so what waits for the peer is ended by deadlines: a peer that is frozen,
// or behind a cut, says nothing that would end it.
func (c *socketConn) Close() error {
	c.closed.Store(true)
	return errors.Join(c.NetConn().SetDeadline(time.Unix(1, 0)), c.Socket.Close())
}

// SetDeadline implements net.Conn.
func (c *socketConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}
