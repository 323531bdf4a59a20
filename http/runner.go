package http

import (
	"errors"
	"net"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"

	"sharpie/actors"
)

// What the check of the key tells the socket: the key's id, and where the node is.
const (
	nodeKeyLocal  = "node_key"
	nodeFromLocal = "node_from"
)

// seenFrom is the WebSocket of a node that is known by its own address, not by that
// of a proxy before us.
type seenFrom struct {
	actors.NodeSocket
	from net.Addr
}

// RemoteAddr implements actors.NodeSocket.
func (n *seenFrom) RemoteAddr() net.Addr { return n.from }

// Sizes of a runner node's socket: pictures come in, messages of some KB go out.
const (
	nodeReadBuffer  = 64 << 10
	nodeWriteBuffer = 16 << 10
)

// nodeRate bounds the wrong keys that come from one address.
var nodeRate = Rate{Burst: 30, Every: time.Second}

// maxNodeSockets bounds the runner nodes that are let in at once.
const maxNodeSockets = 2000

// askRate bounds what a node whose key is good asks for, by its address.
var askRate = Rate{Burst: 300, Every: 100 * time.Millisecond}

// runnerUpgrade refuses what is no runner node of this version.
func (s *Server) runnerUpgrade(c *fiber.Ctx) error {
	switch {
	case s.cfg.Nodes == nil:
		return errNoPage
	case !websocket.IsWebSocketUpgrade(c):
		c.Set(actors.NodeRefusedHeader, actors.NodeNoUpgrade)
		return c.Status(fiber.StatusUpgradeRequired).SendString("This address is for runner nodes: sharpie runner --join URL")
	case !strings.Contains(c.Get("Sec-WebSocket-Protocol"), actors.NodeSubprotocol):
		return refuseNode(c, fiber.StatusUpgradeRequired, "The node is of another version than this server ("+s.cfg.Version+"). Use the same sharpie on both.")
	}
	return c.Next()
}

// runnerKey lets a runner node in whose key is good. It answers in plain text, which
// the node shows to its operator. There is no origin to check: the key is in a header
// that no other site's page can send.
func (s *Server) runnerKey() fiber.Handler {
	tries, asked := newThrottle(nodeRate, limitKeys, s.cfg.Clock), newThrottle(askRate, limitKeys, s.cfg.Clock)
	return func(c *fiber.Ctx) error { return s.checkRunnerKey(c, tries, asked) }
}

func (s *Server) checkRunnerKey(c *fiber.Ctx, tries, asked *throttle) error {
	if s.cfg.Nodes == nil {
		return errNoPage
	}
	from := requestOf(c).client.bucket()
	key, _ := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer ")
	key = strings.TrimSpace(key)
	limits := []*throttle{asked, tries}
	known := s.cfg.Nodes.Known(key)
	if known { // nobody guesses it, and others of its address may
		limits = limits[:1]
	}
	for _, t := range limits {
		if wait, ok := t.take(from); !ok {
			return &tooMany{wait: wait}
		}
	}
	id, err := s.cfg.Nodes.Authenticate(c.UserContext(), key)
	if err == nil {
		if !known {
			tries.refund(from)
		}
		c.Locals(nodeKeyLocal, id)
		c.Locals(nodeFromLocal, &net.IPAddr{IP: requestOf(c).client.ip.AsSlice()})
		return c.Next()
	}
	s.log.Warn("runner node refused", "ip", requestOf(c).client.ip, "error", err)
	why, text := actors.NodeRefusal(err)
	switch why {
	case actors.RefusedKey:
		return refuseNode(c, fiber.StatusUnauthorized, text)
	case actors.RefusedRevoked:
		return refuseNode(c, fiber.StatusForbidden, text)
	}
	return refuseNode(c, fiber.StatusServiceUnavailable, text)
}

// runnerSocket carries the tunnel of a runner node.
func (s *Server) runnerSocket() fiber.Handler {
	var open atomic.Int32
	return websocket.New(func(conn *websocket.Conn) {
		defer func() {
			if p := recover(); p != nil {
				s.log.Error("socket panicked", "kind", "runner", "panic", p, "stack", string(debug.Stack()))
			}
		}()
		defer open.Add(-1)
		if open.Add(1) > maxNodeSockets {
			s.log.Warn("runner node refused", "error", "too many are connected", "limit", maxNodeSockets)
			_ = conn.Close()
			return
		}
		id, _ := conn.Locals(nodeKeyLocal).(string)
		from, _ := conn.Locals(nodeFromLocal).(*net.IPAddr)
		if err := s.cfg.Nodes.Serve(s.base, &seenFrom{conn.Conn, from}, id); err != nil && !errors.Is(err, s.base.Err()) {
			s.log.Debug("runner node's socket ended", "why", err)
		}
	}, websocket.Config{
		Subprotocols: []string{actors.NodeSubprotocol}, ReadBufferSize: nodeReadBuffer, WriteBufferSize: nodeWriteBuffer,
		HandshakeTimeout: 10 * time.Second,
	})
}
