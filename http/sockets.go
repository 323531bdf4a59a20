package http

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gofiber/contrib/websocket"

	"sharpie/actors"
	"sharpie/persistence"
)

// The kinds of sockets, as metrics name them.
const (
	kindPlay  = "play"
	kindCheck = "check"
)

// maxCloseText is what a close frame has room for, bytes.
const maxCloseText = 123

// closing is how long the browser's answer to a close frame is waited for.
const closing = 2 * time.Second

// socket is one WebSocket while its handler runs.
type socket struct {
	server *Server
	kind   string
	conn   *websocket.Conn
	target *target
	in     []byte // the message being read

	mu     sync.Mutex
	closed bool // a close frame was sent, or is not worth sending
	woken  bool // the reader is to end
	done   bool // the handler is over: conn may be someone else's by now
	code   int
}

func newSocket(s *Server, kind string, conn *websocket.Conn, t *target) *socket {
	return &socket{server: s, kind: kind, conn: conn, target: t}
}

// silentUntil lets the reader wait until then, unless it is to end.
func (ws *socket) silentUntil(t time.Time) bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return !ws.woken && ws.conn.SetReadDeadline(t) == nil
}

// wake ends the reader: after a close frame with a moment for the browser's side
// of the close, else at once.
func (ws *socket) wake() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.woken = true
	if ws.done {
		return
	}
	end := time.Now()
	if ws.code != 0 {
		end = end.Add(closing)
	}
	_ = ws.conn.SetReadDeadline(end) // fails where the connection is gone already
}

// closeWith sends a close frame, once; nil sends none.
func (ws *socket) closeWith(end *actors.Close) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.closed || ws.done {
		return
	}
	ws.closed = true
	if end == nil {
		return
	}
	ws.code = end.Code
	frame := websocket.FormatCloseMessage(end.Code, closeText(end.Text))
	// It fails where the browser is gone, which is what was wanted.
	_ = ws.conn.WriteControl(websocket.CloseMessage, frame, time.Now().Add(closing))
}

// end closes the socket from outside its handler.
func (ws *socket) end(end *actors.Close) {
	ws.closeWith(end)
	ws.wake()
}

// leaving is the close of a server that stops.
func (ws *socket) leaving() *actors.Close {
	if !ws.server.stopping() {
		return nil
	}
	return &actors.Close{Code: closeGoingAway, Text: "The server is stopping."}
}

// finish counts how the socket ended, and waits a moment for the browser's side
// of the close: to hang up on unread bytes would cost it the close frame. The
// connection is closed after it.
func (ws *socket) finish() {
	ws.mu.Lock()
	code := ws.code
	ws.mu.Unlock()
	ws.server.metrics.closes.WithLabelValues(ws.kind, strconv.Itoa(code)).Inc()
	for ws.wake(); code != 0; {
		if _, _, err := ws.conn.NextReader(); err != nil {
			break
		}
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.done = true
}

// closeText cuts a close frame's text to what fits, between characters.
func closeText(s string) string {
	s = strings.ToValidUTF8(s, "")
	if len(s) <= maxCloseText {
		return s
	}
	s = s[:maxCloseText]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}

// sockets knows every open socket, so that their number is bounded and the
// server can end them all.
type sockets struct {
	max     map[string]int
	metrics *metrics
	buffers *sync.Pool

	mu    sync.Mutex
	open  map[*socket]struct{}
	count map[string]int
	over  bool
	empty chan struct{} // closed when over and the last is gone
}

func newSockets(l Limits, m *metrics) *sockets {
	return &sockets{
		max:     map[string]int{kindPlay: l.Sockets, kindCheck: l.Checks},
		metrics: m, buffers: &sync.Pool{},
		open: map[*socket]struct{}{}, count: map[string]int{}, empty: make(chan struct{}),
	}
}

// enter adds a socket; false where the server is full or stops.
func (t *sockets) enter(ws *socket) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.count[ws.kind] >= t.max[ws.kind] {
		return false
	}
	t.open[ws] = struct{}{}
	t.count[ws.kind]++
	t.metrics.sockets.WithLabelValues(ws.kind).Inc()
	return true
}

// refusal is the close of a socket that could not enter.
func (t *sockets) refusal() *actors.Close {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return &actors.Close{Code: closeGoingAway, Text: "The server is stopping."}
	}
	return &actors.Close{Code: websocket.CloseTryAgainLater, Text: "Very many people are connected. Try again in a minute."}
}

func (t *sockets) leave(ws *socket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, ws)
	t.count[ws.kind]--
	t.metrics.sockets.WithLabelValues(ws.kind).Dec()
	if t.over && len(t.open) == 0 {
		close(t.empty)
	}
}

// stop refuses new sockets and closes all with "going away".
func (t *sockets) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return
	}
	t.over = true
	if len(t.open) == 0 {
		close(t.empty)
	}
	for ws := range t.open {
		// One that takes no bytes must not hold the others up.
		go ws.end(&actors.Close{Code: closeGoingAway, Text: "The server is stopping."})
	}
}

// endUser closes the sockets of a user who may not be here any more.
func (t *sockets) endUser(id persistence.UserID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for ws := range t.open {
		if ws.target != nil && ws.target.userID == id {
			go ws.end(&actors.Close{Code: closeNotLoggedIn, Text: "You are logged out."})
		}
	}
}

// wait returns when the last socket is gone, or with the context's error.
func (t *sockets) wait(ctx context.Context) error {
	select {
	case <-t.empty:
		return nil
	case <-ctx.Done():
		t.mu.Lock()
		defer t.mu.Unlock()
		return fmt.Errorf("%d sockets still open: %w", len(t.open), ctx.Err())
	}
}
