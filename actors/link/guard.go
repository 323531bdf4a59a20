package link

import (
	"fmt"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"golang.org/x/time/rate"
	"google.golang.org/protobuf/proto"
)

// guard stands between one peer and the actors of this process. It sees every packet
// of the peer before remote does, and every packet that goes there.
type guard struct {
	self, peer string // logical addresses
	rules      rules
	messages   *rate.Limiter // nil: no limit
	// breach is told of the first rule that was broken; the tunnel ends with it.
	breach func(reason string)
	// ended says that the tunnel is no more, and its stragglers are dropped.
	ended func() bool
	stale func(n int) // counts messages that came too late
	// streamEnded is told that what goes to the peer goes nowhere any more; a reason
	// says that it is the peer's fault.
	streamEnded func(reason string, err error)
	// oversized is told of a message to the peer that was too large to be sent.
	oversized func(kind string)
}

// rules are what one side lets the other say.
type rules interface {
	// incoming judges a message of a known type, whose target is an actor of ours
	// and whose sender, if there is one, is the peer's.
	incoming(kind string, target string, sender *actor.PID, data []byte) (verdict, string)
	// outgoing is told who writes to the peer.
	outgoing(kind string, target, sender *actor.PID, data []byte)
}

// verdict is what becomes of a message.
type verdict int

const (
	pass   verdict = iota
	drop           // it came too late, or nobody needs it
	breach         // no honest peer sends it
)

// Bounds of a packet. Ours have at most batchMessages in them.
const (
	packetMessages = 1024
	packetNames    = 256
	pidBytes       = 256
)

// check judges a packet, and takes out of it what is to be dropped; a reason is a breach.
func (g *guard) check(m *remote.RemoteMessage) (reason string) {
	switch m := m.GetMessageType().(type) {
	case *remote.RemoteMessage_ConnectRequest:
		return g.connect(m.ConnectRequest)
	case *remote.RemoteMessage_MessageBatch:
		return g.packet(m.MessageBatch)
	}
	return fmt.Sprintf("a packet of an unexpected kind (%T)", m.GetMessageType())
}

// connect judges the first packet of a stream: who says that it is there.
func (g *guard) connect(m *remote.ConnectRequest) string {
	c := m.GetServerConnection()
	if c == nil {
		return "a connection of an unexpected kind"
	}
	if c.GetAddress() != g.peer {
		return fmt.Sprintf("it says that it is %q", clip(c.GetAddress(), 64))
	}
	return ""
}

func (g *guard) packet(b *remote.MessageBatch) string {
	if len(b.GetEnvelopes()) > packetMessages || len(b.GetTypeNames()) > packetNames ||
		len(b.GetTargets()) > packetMessages || len(b.GetSenders()) > packetMessages {
		return "a packet of too many messages"
	}
	if g.ended() {
		g.stale(len(b.GetEnvelopes()))
		b.Envelopes = nil
		return ""
	}
	if g.messages != nil && !g.messages.AllowN(time.Now(), len(b.GetEnvelopes())) {
		return "more messages a second than a node may send"
	}
	for _, t := range b.GetTargets() {
		if t == nil || t.GetAddress() != g.self || t.GetId() == "" || len(t.GetId()) > pidBytes {
			return "a target that is not of this process"
		}
	}
	for _, s := range b.GetSenders() {
		if s == nil || s.GetAddress() != g.peer || s.GetId() == "" || len(s.GetId()) > pidBytes {
			return "a sender that is not its own"
		}
	}
	kept := b.Envelopes[:0]
	for _, e := range b.GetEnvelopes() {
		v, reason := g.envelope(b, e)
		switch v {
		case breach:
			return reason
		case pass:
			kept = append(kept, e)
		}
	}
	if n := len(b.Envelopes) - len(kept); n > 0 {
		g.stale(n)
	}
	b.Envelopes = kept
	return ""
}

// envelope judges one message of a packet: its indexes, and then what it says.
func (g *guard) envelope(b *remote.MessageBatch, e *remote.MessageEnvelope) (verdict, string) {
	switch {
	case e == nil:
		return breach, "an empty message"
	case e.GetSerializerId() != 0:
		return breach, fmt.Sprintf("serializer %d", e.GetSerializerId())
	case e.GetTypeId() < 0 || int(e.GetTypeId()) >= len(b.TypeNames):
		return breach, fmt.Sprintf("type %d of %d", e.GetTypeId(), len(b.TypeNames))
	case e.GetTarget() < 0 || int(e.GetTarget()) >= len(b.Targets):
		return breach, fmt.Sprintf("target %d of %d", e.GetTarget(), len(b.Targets))
	case e.GetSender() < 0 || int(e.GetSender()) > len(b.Senders):
		return breach, fmt.Sprintf("sender %d of %d", e.GetSender(), len(b.Senders))
	case e.GetMessageHeader() != nil:
		return breach, "a message with headers"
	}
	var sender *actor.PID
	if i := e.GetSender(); i > 0 {
		sender = b.Senders[i-1]
	}
	return g.rules.incoming(b.TypeNames[e.GetTypeId()], b.Targets[e.GetTarget()].GetId(), sender, e.GetMessageData())
}

// sent tells the rules who writes to the peer.
func (g *guard) sent(b *remote.MessageBatch) {
	for _, e := range b.GetEnvelopes() {
		var sender *actor.PID
		if i := int(e.GetSender()); i > 0 && i <= len(b.Senders) {
			sender = b.Senders[i-1]
		}
		g.rules.outgoing(b.TypeNames[e.GetTypeId()], b.Targets[e.GetTarget()], sender, e.GetMessageData())
	}
}

// The messages of the actor library that may pass.
const (
	kindWatch      = "actor.Watch"
	kindUnwatch    = "actor.Unwatch"
	kindTerminated = "actor.Terminated"
	// kindDeadLetter answers what was sent to nobody; ours do not read it.
	kindDeadLetter = "actor.DeadLetterResponse"
)

// system judges a message of the actor library; false for others.
func (g *guard) system(kind string, data []byte) (verdict, string, bool) {
	var who *actor.PID
	var err error
	switch kind {
	case kindDeadLetter:
		return drop, "", true
	case kindWatch:
		m := new(actor.Watch)
		err = proto.Unmarshal(data, m)
		who = m.GetWatcher()
	case kindUnwatch:
		m := new(actor.Unwatch)
		err = proto.Unmarshal(data, m)
		who = m.GetWatcher()
	case kindTerminated:
		m := new(actor.Terminated)
		err = proto.Unmarshal(data, m)
		who = m.GetWho()
	default:
		return breach, "", false
	}
	if err != nil || who == nil || who.GetAddress() != g.peer || who.GetId() == "" || len(who.GetId()) > pidBytes {
		return breach, kind + " about an actor that is not its own", true
	}
	return pass, "", true
}

// watcherOf is who watches, in a Watch that goes out.
func watcherOf(kind string, data []byte) *actor.PID {
	if kind != kindWatch {
		return nil
	}
	m := new(actor.Watch)
	if proto.Unmarshal(data, m) != nil {
		return nil
	}
	return m.GetWatcher()
}

// acquaintances are the actors of ours that a node may answer: those that wrote to
// it. The oldest of very many are forgotten.
type acquaintances struct {
	mu    sync.Mutex
	known map[string]bool
	order []string
}

// maxAcquaintances bounds them: a node plays for far fewer sessions at a time.
const maxAcquaintances = 8192

func (a *acquaintances) add(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known[name] {
		return
	}
	if a.known == nil {
		a.known = map[string]bool{}
	}
	if len(a.order) >= maxAcquaintances {
		delete(a.known, a.order[0])
		a.order = a.order[1:]
	}
	a.known[name] = true
	a.order = append(a.order, name)
}

func (a *acquaintances) has(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.known[name]
}
