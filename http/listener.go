package http

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// listener knows the connections that have not said anything yet. Browsers open
// some in advance; fasthttp takes them for busy, and would wait for their first
// request when it shuts down.
type listener struct {
	net.Listener

	mu     sync.Mutex
	silent map[*silentConn]struct{}
	over   bool
}

// silentConn reports its first byte.
type silentConn struct {
	net.Conn
	from   *listener
	spoken atomic.Bool
	// unread is set where the answer was given before the request had ended.
	unread atomic.Bool
}

// Bounds of what is still read of a request that was answered already: to hang up on
// unread bytes would cost the browser the answer.
const (
	unreadTime  = 3 * time.Second
	unreadBytes = 64 << 20
)

func newListener(l net.Listener) *listener {
	return &listener{Listener: l, silent: map[*silentConn]struct{}{}}
}

// Accept returns the next connection; none after hangUp.
func (l *listener) Accept() (net.Conn, error) {
	for {
		inner, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &silentConn{Conn: inner, from: l}
		l.mu.Lock()
		over := l.over
		if !over {
			l.silent[c] = struct{}{}
		}
		l.mu.Unlock()
		if !over {
			return c, nil
		}
		_ = inner.Close()
	}
}

// hangUp closes the connections that never said anything, now and from now on.
func (l *listener) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	for c := range l.silent {
		_ = c.Conn.Close()
	}
	clear(l.silent)
}

func (l *listener) forget(c *silentConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.silent, c)
}

func (c *silentConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && !c.spoken.Load() && c.spoken.CompareAndSwap(false, true) {
		c.from.forget(c)
	}
	return n, err
}

func (c *silentConn) Close() error {
	if c.spoken.CompareAndSwap(false, true) {
		c.from.forget(c)
	}
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.unread.Load() && half.CloseWrite() == nil {
		_ = c.Conn.SetReadDeadline(time.Now().Add(unreadTime)) // the copy ends if it fails, too
		_, _ = io.Copy(io.Discard, io.LimitReader(c.Conn, unreadBytes))
	}
	return c.Conn.Close()
}
