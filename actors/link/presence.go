package link

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"sharpie/persistence"
)

// maxFenced is how many former incarnations of a node are remembered.
const maxFenced = 32

// settle is how long a process that is gone cannot begin anew under its old address:
// remote takes two seconds to let go of it.
const settle = 3 * time.Second

// maxFencedNodes bounds the nodes of which they are.
const maxFencedNodes = 10_000

// enter takes a node in, or says why not. A newer incarnation, or a newer connection
// of the same one, ends the older.
func (s *Server) enter(t *tunnel, h *Hello, k *persistence.RunnerKey) (n *node, rejoined bool, refusal *End) {
	if h == nil {
		return nil, false, &End{"protocol", fmt.Sprintf("The first message was not a Hello. The server is sharpie %s: use the same on both.", s.cfg.Version)}
	}
	if h.GetProtocol() != Protocol {
		return nil, false, &End{"protocol", fmt.Sprintf("The node speaks version %d of the runner protocol (sharpie %s), the server version %d (sharpie %s). Use the same sharpie on both.",
			h.GetProtocol(), clip(h.GetVersion(), 64), Protocol, s.cfg.Version)}
	}
	if p := h.check(); p != "" {
		return nil, false, &End{"refused", "The server refused what the node says of itself: " + p + "."}
	}
	id := h.GetName() + "." + k.Prefix
	for {
		s.mu.Lock()
		if refusal = s.refusal(id, h); refusal != nil {
			s.mu.Unlock()
			return nil, false, refusal
		}
		old := s.nodes[id]
		if old == nil || old.tunnel == nil {
			break // with the lock
		}
		former := old.tunnel
		s.mu.Unlock()
		end := &End{"fenced", "Another process joined as " + id + " with the same key and name. Give each its own --name."}
		if old.incarnation == h.GetIncarnation() {
			end = &End{"replaced", "The same process connected anew."}
		}
		former.close(end, true)
		select {
		case <-s.changes(): // its own goroutine makes it leave
		case <-time.After(10 * time.Millisecond):
		}
	}
	defer s.mu.Unlock()
	old := s.nodes[id]
	if old != nil && old.incarnation == h.GetIncarnation() {
		n, rejoined = old, true
	} else {
		if old != nil {
			s.forget(old, End{"fenced", "Another process joined in its place."})
		}
		n = &node{id: id, key: k.ID, incarnation: h.GetIncarnation(), address: addressFor(id, h),
			slots: h.GetSlots(), labels: labelsOf(h, k), version: h.GetVersion(), platform: h.GetPlatform(), joined: time.Now(), gone: make(chan struct{})}
		n.load.Store(-1)
		s.nodes[id] = n
	}
	n.tunnel, n.remote = t, t.meter.RemoteAddr().String()
	t.skew = skew(n.version, s.cfg.Version)
	g := s.newGuard(n, t)
	n.guard = g
	t.beaten = func(b *Beat) { s.beaten(n, b) }
	t.carrier = func(c net.Conn) { s.remoting.carry(c, g) } // not n.guard: that is the newest tunnel's, or nil
	s.signal()
	return n, rejoined, nil
}

// beaten takes note of what a node says of itself.
func (s *Server) beaten(n *node, b *Beat) {
	n.heard(b)
	if !b.GetDraining() || n.draining.Swap(true) {
		return
	}
	s.mu.Lock()
	v := n.view(time.Now())
	s.mu.Unlock()
	s.log.Info("runner node leaving", "node", n.id, "busy", b.GetBusy(), "incarnation", n.incarnation)
	s.cfg.Notify(Event{Change: Leaving, Node: v})
}

// addressFor is the logical address of a node.
func addressFor(id string, h *Hello) string { return "runner-" + id + "-" + h.GetIncarnation() }

// labelsOf is what a node offers: what it says, and what its key says of all its nodes.
func labelsOf(h *Hello, k *persistence.RunnerKey) []string {
	all := slices.Concat(h.GetLabels(), k.Labels)
	slices.Sort(all)
	return slices.Compact(all)
}

// refusal is why a node may not enter; under the lock.
func (s *Server) refusal(id string, h *Hello) *End {
	now := time.Now()
	switch {
	case s.closed:
		return &End{"stopping", "The server is stopping."}
	case now.Before(s.refused[id]):
		return &End{"penalty", "The node broke a rule a moment ago, and has to wait."}
	case now.Before(s.refused[addressFor(id, h)]):
		return &End{"wait", "The server is letting go of what this process did before."}
	case slices.Contains(s.fenced[id], h.GetIncarnation()):
		return &End{"fenced", "Another process joined as " + id + " since. Give each its own --name."}
	case s.nodes[id] == nil && len(s.nodes) >= s.cfg.Limits.Nodes:
		return &End{"full", fmt.Sprintf("The server has %d runner nodes already.", len(s.nodes))}
	}
	return nil
}

// newGuard makes the guard of a tunnel.
func (s *Server) newGuard(n *node, t *tunnel) *guard {
	r := newNodeRules(n, s.cfg.Queue)
	limit := s.cfg.Limits.MessagesPerSecond
	g := &guard{
		self: s.address, peer: n.address, rules: r, messages: rate.NewLimiter(rate.Limit(limit), 2*limit),
		breach: func(reason string) { t.breached(reason) },
		ended:  t.ended, streamEnded: t.streamEnded,
		stale: func(count int) { s.metrics.stale.Add(float64(count)) },
		oversized: func(kind string) {
			s.log.Error("a message to a runner node was too large to be sent", "node", n.id, "type", kind, "limit", maxMessage)
		},
	}
	r.guard = g
	return g
}

// leave takes note of the end of a tunnel.
func (s *Server) leave(n *node, t *tunnel, end *End) {
	s.remoting.lost(n.address)
	s.mu.Lock()
	if n.tunnel != t {
		s.mu.Unlock()
		return
	}
	n.tunnel, n.guard, n.seen, n.away = nil, nil, time.Now().Add(-t.meter.silent()), *end
	s.metrics.ends.WithLabelValues(endLabel(end.Code)).Inc()
	level := s.log.Warn
	final := false
	switch end.Code {
	case "left", "stopping", "replaced":
		level = s.log.Info
		final = end.Code == "left"
	case "fenced", "revoked":
		final = true
	case "breach":
		final = true
		s.refused[n.id] = time.Now().Add(s.cfg.Limits.Penalty)
	}
	var event Event
	if final {
		event = s.forget(n, *end)
	} else {
		event = Event{Change: Away, Node: n.view(time.Now()), Why: *end}
	}
	s.signal()
	s.mu.Unlock()
	level("runner node "+event.Change.String(), "node", n.id, "code", end.Code, "why", end.Detail, "incarnation", n.incarnation)
	if !final {
		s.cfg.Notify(event)
	}
}

// forget ends a node for good, and tells; under the lock.
func (s *Server) forget(n *node, end End) Event {
	n.away = end
	close(n.gone)
	delete(s.nodes, n.id)
	if end.Code == "fenced" {
		s.fence(n)
	} else {
		s.refused[n.address] = time.Now().Add(settle)
	}
	e := Event{Change: Gone, Node: n.view(time.Now()), Why: end}
	s.signal()
	s.cfg.Notify(e)
	return e
}

// fence keeps an incarnation from ever coming back; under the lock.
func (s *Server) fence(n *node) {
	if len(s.fenced) >= maxFencedNodes {
		clear(s.fenced) // somebody makes up names; honest nodes have few
	}
	list := append(s.fenced[n.id], n.incarnation)
	s.fenced[n.id] = list[max(0, len(list)-maxFenced):]
}

// sweep forgets nodes that were away for too long, and cuts those whose key is not
// good any more.
func (s *Server) sweep() {
	tick := time.NewTicker(min(s.cfg.Limits.KeyCheck, 250*time.Millisecond))
	defer tick.Stop()
	checked, touched := time.Now(), time.Now()
	for {
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			return
		}
		now := time.Now()
		connected := false
		s.mu.Lock()
		for _, n := range s.nodes {
			connected = connected || n.tunnel != nil
			if n.tunnel == nil && now.Sub(n.seen) > s.cfg.Limits.Grace {
				s.log.Warn("runner node gone", "node", n.id, "away", now.Sub(n.seen).Round(time.Second), "incarnation", n.incarnation)
				s.forget(n, End{"lost", fmt.Sprintf("It was away for %s. %s", s.cfg.Limits.Grace, n.away.Detail)})
			}
		}
		for id, until := range s.refused {
			if now.After(until) {
				delete(s.refused, id)
			}
		}
		s.mu.Unlock()
		if connected && now.Sub(touched) >= touchEvery {
			touched = now
			s.touchKeys()
		}
		if connected && now.Sub(checked) >= s.cfg.Limits.KeyCheck {
			checked = now
			s.checkKeys()
		}
	}
}

// touchEvery is how exactly it is known when a key was used last.
const touchEvery = time.Minute

// touchKeys notes that the keys of connected nodes are in use.
func (s *Server) touchKeys() {
	s.mu.Lock()
	used := map[string]string{} // node by key
	for _, n := range s.nodes {
		if n.tunnel != nil {
			used[n.key] = n.id
		}
	}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(s.ctx, helloWait)
	defer cancel()
	for key, node := range used {
		if err := s.cfg.Keys.TouchRunnerKey(ctx, key, node, time.Now().UTC()); err != nil {
			return // the store is away; in a minute again
		}
	}
}

// checkKeys cuts the nodes whose key was revoked.
func (s *Server) checkKeys() {
	ctx, cancel := context.WithTimeout(s.ctx, helloWait)
	defer cancel()
	all, err := s.cfg.Keys.RunnerKeys(ctx)
	if err != nil {
		return // the store is away: nobody's key was revoked in it
	}
	good := map[string]bool{}
	for _, k := range all {
		good[k.ID] = k.RevokedAt == nil
	}
	s.mu.Lock()
	var cut []*tunnel
	for _, n := range s.nodes {
		if !good[n.key] && n.tunnel != nil {
			cut = append(cut, n.tunnel)
		}
	}
	for id := range s.keys {
		if !good[id] {
			delete(s.keys, id)
		}
	}
	s.mu.Unlock()
	for _, t := range cut {
		go t.close(&End{"revoked", "The key was revoked."}, true)
	}
}

// signal tells everybody who waits that a node came or went; under the lock.
func (s *Server) signal() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) changes() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// dial implements peers. It waits for a node that may come back.
func (s *Server) dial(ctx context.Context, address string) (net.Conn, error) {
	for {
		s.mu.Lock()
		n := s.byAddress(address)
		changed := s.changed
		var t *tunnel
		if n != nil {
			t = n.tunnel
		}
		s.mu.Unlock()
		if n == nil {
			return nil, fmt.Errorf("%w: there is no runner node at %s", errNoTunnel, address)
		}
		if t != nil {
			if c, err := t.open(kindRemote); err == nil || !t.ended() {
				return c, err
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.ctx.Done():
			return nil, s.ctx.Err()
		}
	}
}

// byAddress finds a node; under the lock.
func (s *Server) byAddress(address string) *node {
	for _, n := range s.nodes {
		if n.address == address {
			return n
		}
	}
	return nil
}

// guardOf implements peers.
func (s *Server) guardOf(address string) *guard {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.byAddress(address); n != nil {
		return n.guard
	}
	return nil
}

// hopeless implements peers.
func (s *Server) hopeless(address string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.byAddress(address); n != nil {
		return n.gone
	}
	none := make(chan struct{})
	close(none)
	return none
}
