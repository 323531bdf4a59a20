package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"

	"sharpie/actors"
	"sharpie/persistence"
)

// Close codes of the sockets, as docs/PROTOCOL.md lists them.
const (
	closeNotLoggedIn = 4002
	closeNotYours    = 4003
	closeGone        = 4004
	closeTooLarge    = 4005
	closeMalformed   = 4006
	closeStopping    = 4008
	closeOrigin      = 4009
	closeGoingAway   = websocket.CloseGoingAway
)

// maxMessage is the size of a message from a browser, bytes.
const maxMessage = 16 << 10

// Sizes of a socket's buffers. The read buffer belongs to the connection; write
// buffers are shared, so that a waiting participant holds none. A picture that
// fits leaves in one system call.
const (
	readBuffer  = 512
	writeBuffer = 32 << 10
)

// target is what a play socket leads to, found out before the upgrade.
type target struct {
	session     persistence.SessionID
	participant persistence.ParticipantID
	user        string // name
	userID      persistence.UserID
	refused     error // closes the socket at once
}

const targetKey = "target"

// beforeSocket refuses what must not become a socket at all: other requests, and
// pages of other sites.
func (s *Server) beforeSocket(c *fiber.Ctx) error {
	if !websocket.IsWebSocketUpgrade(c) {
		return errNoUpgrade
	}
	if !s.sameOrigin(c) {
		return errOrigin
	}
	return c.Next()
}

// findTarget finds out whose seat the socket is for. Every refusal is upgraded
// and then closed with its code, because browsers show scripts nothing else.
func (s *Server) findTarget(c *fiber.Ctx) error {
	t := &target{}
	t.refused = s.seatOfSocket(c, t)
	if t.refused != nil {
		requestOf(c).failure = t.refused
	}
	c.Locals(targetKey, t)
	return c.Next()
}

func (s *Server) seatOfSocket(c *fiber.Ctx, t *target) error {
	v, err := s.visitorOf(c)
	if err != nil {
		return err
	}
	if v == nil {
		return errNotLoggedIn
	}
	t.user, t.userID = v.user.Name, v.user.ID
	if t.session, err = sessionID(c); err != nil {
		return fmt.Errorf("%w: session %q", actors.ErrGone, c.Params("session"))
	}
	seat, err := s.ticketOf(c.UserContext(), t.session, v.user.ID)
	t.participant = seat.participant
	return err
}

// upgrade makes the socket's handler out of one that serves a connection until
// it ends.
func (s *Server) upgrade(kind string, handle func(*socket)) fiber.Handler {
	return websocket.New(func(conn *websocket.Conn) {
		t, _ := conn.Locals(targetKey).(*target)
		ws := newSocket(s, kind, conn, t)
		defer ws.finish()
		if !s.sockets.enter(ws) {
			ws.closeWith(s.sockets.refusal())
			return
		}
		defer s.sockets.leave(ws)
		defer ws.survive()
		handle(ws)
	}, websocket.Config{
		ReadBufferSize: readBuffer, WriteBufferSize: writeBuffer, WriteBufferPool: s.sockets.buffers,
		HandshakeTimeout: 10 * time.Second,
		// The handlers catch their own panics, see survive; this is for ours.
		RecoverHandler: func(*websocket.Conn) {
			if p := recover(); p != nil {
				s.log.Error("socket panicked", "kind", kind, "panic", p, "stack", string(debug.Stack()))
			}
		},
	})
}

// survive turns a panic of the goroutine that it is deferred in into the end of
// one socket.
func (ws *socket) survive() {
	if p := recover(); p != nil {
		ws.server.log.Error("socket panicked", "kind", ws.kind, "panic", p, "stack", string(debug.Stack()))
		ws.closeWith(ourFault())
	}
}

func ourFault() *actors.Close {
	return &actors.Close{Code: websocket.CloseInternalServerErr, Text: "This is our fault. Reload the page."}
}

// play carries messages between a browser and its seat until one of them ends it.
func (s *Server) play(ws *socket) {
	t := ws.target
	if t == nil || t.refused != nil {
		ws.closeWith(s.closeFor(ws, t))
		return
	}
	ctx, cancel := context.WithCancel(s.base)
	defer cancel()
	attach, done := context.WithTimeout(ctx, s.cfg.Limits.Request)
	seat, err := s.cfg.Platform.Attach(attach, t.session, t.participant)
	done()
	if err != nil {
		t.refused = fmt.Errorf("attach to session %s: %w", t.session, err)
		ws.closeWith(s.closeFor(ws, t))
		return
	}
	defer seat.Detach()

	written := make(chan struct{})
	defer func() { // whichever way this ends, nothing uses the connection after it
		cancel()
		<-written
	}()
	defer ws.survive()
	go func() {
		defer close(written)
		defer ws.wake() // the reader has nothing to read for any more
		defer ws.survive()
		ws.closeWith(ws.write(ctx, seat))
	}()
	if end := ws.read(seat.Receive); end != nil {
		ws.closeWith(end)
	}
}

// closeFor turns a refusal into a close code, and logs it.
func (s *Server) closeFor(ws *socket, t *target) *actors.Close {
	if t == nil {
		t = &target{refused: errNotLoggedIn}
	}
	a := answerTo(t.refused)
	s.log.Info("socket refused", "session", t.session, "user", t.user, "ip", ws.conn.IP(), "code", a.code, "error", t.refused)
	text := a.text
	if text == "" {
		text = "The connection was refused."
	}
	return &actors.Close{Code: a.code, Text: text}
}

// write sends what the seat has to say until the connection ends, and returns
// how; nil where the network or the browser ended it.
func (ws *socket) write(ctx context.Context, seat actors.Connection) *actors.Close {
	for {
		out, err := seat.Next(ctx)
		if err != nil {
			var end *actors.Close
			switch {
			case errors.As(err, &end):
				return end
			case ctx.Err() != nil:
				return ws.leaving()
			default:
				ws.server.log.Error("socket's seat failed", "session", ws.target.session, "error", err)
				return ourFault()
			}
		}
		if err := ws.send(out.Shared, out.Own); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				ws.server.log.Warn("socket closed", "session", ws.target.session, "user", ws.target.user, "why", "it takes nothing", "after", ws.server.cfg.Limits.Write)
			}
			return nil
		}
	}
}

// broken is the close of a socket that sent what no page sends.
func (ws *socket) broken(code int, why string) *actors.Close {
	args := []any{"kind", ws.kind, "ip", ws.conn.IP(), "code", code, "why", why}
	if ws.target != nil {
		args = append(args, "session", ws.target.session, "user", ws.target.user)
	}
	ws.server.log.Warn("socket closed", args...)
	return &actors.Close{Code: code, Text: why}
}

// send writes one message in two pieces.
func (ws *socket) send(a, b []byte) error {
	if err := ws.conn.SetWriteDeadline(time.Now().Add(ws.server.cfg.Limits.Write)); err != nil {
		return err
	}
	w, err := ws.conn.NextWriter(websocket.BinaryMessage)
	if err != nil {
		return err
	}
	for _, p := range [2][]byte{a, b} {
		if len(p) == 0 {
			continue
		}
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	return w.Close()
}

// read hands every message to receive until the connection ends, and returns
// how; nil where the network, the browser or the writer ended it.
func (ws *socket) read(receive func([]byte) error) *actors.Close {
	var extended time.Time
	for {
		// A deadline costs a timer: it is moved at most every second.
		if now := time.Now(); now.Sub(extended) > time.Second {
			extended = now
			if !ws.silentUntil(now.Add(ws.server.cfg.Limits.Silence)) {
				return nil
			}
		}
		kind, r, err := ws.conn.NextReader()
		if err == nil && kind != websocket.BinaryMessage {
			return ws.broken(closeMalformed, "Messages are binary.")
		}
		var n int
		if err == nil {
			n, err = ws.fill(r)
		}
		switch {
		case errors.Is(err, errTooLarge):
			return ws.broken(closeTooLarge, fmt.Sprintf("A message has at most %d bytes.", maxMessage))
		case err != nil:
			return nil
		}
		err = receive(ws.in[:n])
		ws.trim()
		var end *actors.Close
		switch {
		case errors.As(err, &end):
			return end
		case err != nil:
			ws.server.log.Error("socket's message failed", "kind", ws.kind, "error", err)
			return ourFault()
		}
	}
}

// fill reads a message into the socket's own buffer and returns its size. The
// limit is kept here: the library's own would close with its own code.
func (ws *socket) fill(r io.Reader) (int, error) {
	n := 0
	for {
		if n > maxMessage {
			return n, errTooLarge
		}
		if n == len(ws.in) {
			grown := make([]byte, min(max(256, 2*n), maxMessage+1))
			copy(grown, ws.in)
			ws.in = grown
		}
		m, err := r.Read(ws.in[n:])
		n += m
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// trim gives a large buffer back after the rare large message.
func (ws *socket) trim() {
	if len(ws.in) > 1024 {
		ws.in = nil
	}
}
