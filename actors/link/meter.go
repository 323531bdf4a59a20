package link

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// errFlood ends a tunnel whose peer sends more than it may.
var errFlood = errors.New("link: more bytes a second than a node may send")

// meter is a connection that knows when it was heard last, and how much it carried.
type meter struct {
	net.Conn
	began time.Time
	heard atomic.Int64  // µs since began
	in    atomic.Int64  // bytes
	out   atomic.Int64  // bytes
	bytes *rate.Limiter // nil: no limit
	flood atomic.Pointer[func()]
}

// newMeter meters a connection; reading more than bytes allows fails.
func newMeter(c net.Conn, bytes *rate.Limiter) *meter {
	return &meter{Conn: c, began: time.Now(), bytes: bytes}
}

// Read implements net.Conn.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	if n > 0 {
		m.touch()
		m.in.Add(int64(n))
		if m.bytes != nil && !m.bytes.AllowN(time.Now(), n) {
			if told := m.flood.Load(); told != nil {
				(*told)()
			}
			return 0, errFlood
		}
	}
	return n, err
}

// Write implements net.Conn.
func (m *meter) Write(p []byte) (int, error) {
	n, err := m.Conn.Write(p)
	m.out.Add(int64(n))
	return n, err
}

// touch says that the peer lives.
func (m *meter) touch() { m.heard.Store(time.Since(m.began).Microseconds()) }

// silent is how long nothing was heard.
func (m *meter) silent() time.Duration {
	return time.Since(m.began) - time.Duration(m.heard.Load())*time.Microsecond
}
