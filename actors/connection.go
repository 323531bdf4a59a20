package actors

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/play"
)

// lane is one latest-wins slot of a connection: what is in it and not sent yet is
// replaced by what comes after.
type lane int

const (
	lanePhase lane = iota
	laneFrame
	laneStatus
	lanes
)

// connection is one socket of a participant: what is to be sent to it, and the
// door for what it sends. The Participant owns which connection is the newest, and
// ends one that was replaced; the Session fills it, and says goodbye. Both only ever
// add, and neither waits. Memory is bounded: a control queue, and one slot each for
// phase, picture and status.
type connection struct {
	root        *actor.RootContext
	participant *actor.PID
	asked       *attach // what the connection answers
	rules       seatRules
	limits      Limits
	limiter     *limiter
	metrics     *metrics
	log         *slog.Logger

	wake     chan struct{} // has room for one token
	detached atomic.Bool
	// noticed is when each kind of refusal was last told; Receive only.
	noticed map[string]time.Time

	mu      sync.Mutex
	order   uint64 // of the newest entry
	control []entry
	slots   [lanes]entry
	closing *Close
	own     [16]byte // Outgoing.Own of the message being written
}

// entry is a message to be sent. Lower orders go first.
type entry struct {
	order    uint64 // 0: empty
	shared   []byte
	inputSeq uint64
}

var _ Connection = (*connection)(nil)

func (c *connection) ring() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// send queues a message that must not be lost.
func (c *connection) send(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing != nil {
		return
	}
	if len(c.control) >= c.limits.ControlQueue {
		c.log.Warn("socket too slow: closed", "queued", len(c.control))
		c.metrics.closed.WithLabelValues("too_slow").Inc()
		c.control, c.slots = nil, [lanes]entry{}
		c.closing = &Close{Code: closeTooSlow, Text: "too slow"}
		c.ring()
		return
	}
	c.order++
	c.control = append(c.control, entry{order: c.order, shared: b})
	c.ring()
}

// show puts a message into a slot, in place of one that was not sent yet.
func (c *connection) show(l lane, shared []byte, inputSeq uint64) {
	c.mu.Lock()
	if c.closing != nil {
		c.mu.Unlock()
		return
	}
	if l == laneFrame {
		c.metrics.frames.Inc()
		if c.slots[l].order != 0 {
			c.metrics.skipped.Inc()
		}
	}
	c.order++
	c.slots[l] = entry{order: c.order, shared: shared, inputSeq: inputSeq}
	c.mu.Unlock()
	c.ring()
}

// end sends a last message, if there is one, and closes after it.
func (c *connection) end(last []byte, cl Close) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing != nil {
		return
	}
	if last != nil {
		c.order++
		c.control = append(c.control, entry{order: c.order, shared: last})
	}
	c.closing = &cl
	c.ring()
}

// Next implements Connection.
func (c *connection) Next(ctx context.Context) (Outgoing, error) {
	for {
		out, ok, closing := c.pop()
		if ok {
			return out, nil
		}
		if closing != nil {
			return Outgoing{}, closing
		}
		select {
		case <-c.wake:
		case <-ctx.Done():
			return Outgoing{}, ctx.Err()
		}
	}
}

// pop takes the oldest message; the order in which things were said is kept.
func (c *connection) pop() (Outgoing, bool, *Close) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var first *entry
	if len(c.control) > 0 {
		first = &c.control[0]
	}
	for i := range c.slots {
		if s := &c.slots[i]; s.order != 0 && (first == nil || s.order < first.order) {
			first = s
		}
	}
	if first == nil {
		return Outgoing{}, false, c.closing
	}
	out := Outgoing{Shared: first.shared}
	if first.inputSeq != 0 {
		out.Own = appendInputSeq(c.own[:0], first.inputSeq)
	}
	if len(c.control) > 0 && first == &c.control[0] {
		c.control[0] = entry{}
		c.control = c.control[1:]
		if len(c.control) == 0 {
			c.control = nil
		}
	} else {
		*first = entry{}
	}
	return out, true, nil
}

// Receive implements Connection. It runs on the socket's goroutine: what is
// refused here costs the actors nothing.
func (c *connection) Receive(b []byte) error {
	now := time.Now()
	switch c.limiter.take(now) {
	case expel:
		return c.expel(&Close{Code: closeFlood, Text: "too many inputs"}, "flood")
	case refuse:
		c.refuse(now, refusal{"too_many_inputs", "Too many inputs: some of them did not count."})
		return nil
	}
	m, cl := decodeClient(b, c.limits.MessageBytes)
	if cl != nil {
		return c.expel(cl, "bad_message")
	}
	switch k := m.GetKind().(type) {
	case *play.ClientMessage_Input:
		if why := c.rules.check(k.Input); why.code != "" {
			c.refuse(now, why)
			return nil
		}
		c.root.Send(c.participant, &inputReceived{conn: c, in: k.Input, at: now})
	case *play.ClientMessage_Ping:
		c.send(encodePong(k.Ping, now))
		c.root.Send(c.participant, &pinged{conn: c, offset: k.Ping.GetOffsetUs(), rtt: time.Duration(k.Ping.GetRttUs()) * time.Microsecond})
	case *play.ClientMessage_Painted:
		c.root.Send(c.participant, &painted{conn: c, p: k.Painted})
	case *play.ClientMessage_Ready:
		c.root.Send(c.participant, &readied{conn: c})
	case *play.ClientMessage_Leave:
		c.root.Send(c.participant, &left{conn: c})
	}
	return nil
}

// expel ends the connection for something that a proper page never sends.
func (c *connection) expel(cl *Close, why string) error {
	c.log.Warn("socket closed", "code", cl.Code, "why", cl.Text)
	c.metrics.closed.WithLabelValues(why).Inc()
	c.end(nil, *cl)
	return cl
}

// refuse drops a message and says so, once a second for each reason.
func (c *connection) refuse(now time.Time, why refusal) {
	c.metrics.inputs.WithLabelValues(why.code).Inc()
	if last, ok := c.noticed[why.code]; ok && now.Sub(last) < time.Second {
		return
	}
	if c.noticed == nil {
		c.noticed = map[string]time.Time{}
	}
	c.noticed[why.code] = now
	c.log.Warn("input refused", "reason", why.code)
	c.send(encodeNotice(play.Notice_WARNING, why.code, why.text))
}

// Detach implements Connection.
func (c *connection) Detach() {
	if c.detached.Swap(true) {
		return
	}
	c.root.Send(c.participant, &detached{conn: c})
}
