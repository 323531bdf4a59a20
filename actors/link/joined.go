package link

import (
	"encoding/binary"
	"errors"
	"net"
)

// joined is a connection under yamux that writes each frame in one piece. Yamux gives a
// frame's header and its body away separately; each would be a WebSocket message of its
// own, with a system call and a wake-up at either end.
type joined struct {
	net.Conn
	frame []byte // a header that waits for its body; its memory is used again
}

// What is known of yamux's frames.
const (
	yamuxHeader = 12 // bytes: version, type, flags, stream, length
	yamuxData   = 0  // the type whose length is that of a body that follows
)

// keptFrame bounds the memory that is kept for the next frame, bytes.
const keptFrame = 64 << 10

var errTorn = errors.New("link: yamux gave a frame's header away without its body")

// Write implements net.Conn. Yamux writes from one goroutine.
func (c *joined) Write(p []byte) (int, error) {
	if len(c.frame) > 0 {
		if uint32(len(p)) != binary.BigEndian.Uint32(c.frame[8:]) {
			return 0, errTorn
		}
		c.frame = append(c.frame, p...)
		_, err := c.Conn.Write(c.frame)
		if c.frame = c.frame[:0]; cap(c.frame) > keptFrame {
			c.frame = nil
		}
		if err != nil {
			return 0, err
		}
		return len(p), nil
	}
	if len(p) == yamuxHeader && p[1] == yamuxData && binary.BigEndian.Uint32(p[8:]) > 0 {
		c.frame = append(c.frame, p...)
		return len(p), nil
	}
	return c.Conn.Write(p)
}
