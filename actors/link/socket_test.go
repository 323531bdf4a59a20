package link

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// handled is the WebSocket of a server that closes it only when its handler returns.
type handled struct{ net.Conn }

func (h handled) NextReader() (int, io.Reader, error) {
	var one [1]byte
	_, err := h.Read(one[:])
	return binaryMessage, nil, err
}
func (h handled) WriteMessage(_ int, data []byte) error {
	_, err := h.Write(data)
	return err
}
func (handled) SetReadLimit(int64)  {}
func (h handled) NetConn() net.Conn { return h.Conn }
func (handled) Close() error        { return nil }

// A node that is frozen says nothing that would end what the server waits for.
func TestAClosedSocketWaitsForNobody(t *testing.T) {
	for name, use := range map[string]func(net.Conn) error{
		"read":  func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err },
		"write": func(c net.Conn) error { _, err := c.Write(make([]byte, 1)); return err },
	} {
		t.Run(name, func(t *testing.T) {
			here, there := net.Pipe()
			t.Cleanup(func() { _, _ = here.Close(), there.Close() })
			c := newSocketConn(handled{here})
			began, done := make(chan struct{}), make(chan error, 1)
			go func() {
				close(began)
				done <- use(c)
			}()
			<-began
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-done:
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("the %s ended with %v, want that its time is over", name, err)
				}
			case <-time.After(stalledWrite + 5*time.Second):
				t.Errorf("the %s goes on after Close", name)
			}
		})
	}
}
