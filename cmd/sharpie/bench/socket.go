package bench

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/fasthttp/websocket"

	"sharpie/cmd/sharpie/internal/client"
)

// socket is a client connection with added latency: half of it each way, in
// order, on top of the network's own.
type socket struct {
	conn *websocket.Conn
	half time.Duration

	mu  sync.Mutex // one writer at a time
	out chan delayed
	in  chan delayed
	buf []byte
}

type delayed struct {
	due time.Time
	b   []byte
	err error
}

// dialSocket connects; cookies is the Cookie header, empty for none.
func dialSocket(ctx context.Context, base, path, cookies string, latency time.Duration) (*socket, error) {
	conn, _, err := client.Dial(ctx, base, path, cookies)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	s := &socket{conn: conn, half: latency / 2}
	if s.half > 0 {
		s.out, s.in = make(chan delayed, 4096), make(chan delayed, 4096)
		go s.deliver()
		go s.receive()
	}
	return s, nil
}

func (s *socket) deliver() {
	for d := range s.out {
		time.Sleep(time.Until(d.due))
		if s.write(d.b) != nil {
			return
		}
	}
}

func (s *socket) receive() {
	for {
		b, err := s.next(nil)
		s.in <- delayed{time.Now().Add(s.half), b, err}
		if err != nil {
			return
		}
	}
}

func (s *socket) write(b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.conn.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	return s.conn.WriteMessage(websocket.BinaryMessage, b)
}

func (s *socket) send(b []byte) error {
	if s.half == 0 {
		return s.write(b)
	}
	select {
	case s.out <- delayed{due: time.Now().Add(s.half), b: append([]byte(nil), b...)}:
		return nil
	default:
		return fmt.Errorf("bench: more than %d messages on the delayed line", cap(s.out))
	}
}

// read returns the next message; it is valid until the next call.
func (s *socket) read() ([]byte, error) {
	if s.half == 0 {
		b, err := s.next(s.buf[:0])
		s.buf = b
		return b, err
	}
	d := <-s.in
	time.Sleep(time.Until(d.due))
	return d.b, d.err
}

func (s *socket) next(b []byte) ([]byte, error) {
	_, r, err := s.conn.NextReader()
	if err != nil {
		return b, err
	}
	for {
		if len(b) == cap(b) {
			b = append(b, make([]byte, max(4096, len(b)))...)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

func (s *socket) close() { _ = s.conn.Close() }
