package link

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"golang.org/x/time/rate"
	"google.golang.org/protobuf/proto"

	"sharpie/actors/messages"
)

func nameOf(m proto.Message) string { return string(m.ProtoReflect().Descriptor().FullName()) }

// kinds are the messages that one side may send to the other.
type kinds map[string]bool

func kindsOf(m ...proto.Message) kinds {
	out := kinds{}
	for _, m := range m {
		out[nameOf(m)] = true
	}
	return out
}

// fromRunners is what runners tell sessions, and fromServer what they are told.
func fromRunners() kinds {
	return kindsOf(&messages.Started{}, &messages.Stepped{}, &messages.Pictured{}, &messages.Waiting{},
		&messages.Checkpoint{}, &messages.EpisodeEnded{}, &messages.Failed{})
}

func fromServer() kinds {
	return kindsOf(&messages.Start{}, &messages.Inputs{}, &messages.Ack{}, &messages.Pause{}, &messages.Resume{},
		&messages.SetSeat{}, &messages.Stop{}, &messages.Release{}, &messages.Replay{}, &messages.Reattach{}, &messages.Shown{})
}

// Bounds of what a node says of itself.
const (
	maxSlots      = 1024
	maxLabels     = 32
	maxLabelBytes = 64
)

// nodeRules are what a node may say to the server.
type nodeRules struct {
	guard  *guard
	node   *node
	queue  string
	kinds  kinds
	offers *rate.Limiter
}

// newNodeRules: each slot offers itself after each session, and all of them at a start.
func newNodeRules(n *node, queue string) *nodeRules {
	return &nodeRules{node: n, queue: queue, kinds: fromRunners(), offers: rate.NewLimiter(50, 4*int(n.slots)+50)}
}

var offerKind = nameOf(&messages.Offer{})

// incoming implements rules.
func (r *nodeRules) incoming(kind, target string, sender *actor.PID, data []byte) (verdict, string) {
	if kind == offerKind {
		return r.offer(target, sender, data)
	}
	if v, reason, ok := r.guard.system(kind, data); ok {
		if v == pass && !r.node.acquaintances.has(target) {
			return breach, kind + " to an actor that it does not work for"
		}
		return v, reason
	}
	switch {
	case !r.kinds[kind]:
		return breach, fmt.Sprintf("a message of type %q", clip(kind, 64))
	case !r.node.acquaintances.has(target):
		return breach, kind + " to an actor that it does not work for"
	case sender == nil: // a session takes it for its own runner's
		return breach, kind + " of nobody"
	}
	return pass, ""
}

// offer judges the one message that is for the Queue.
func (r *nodeRules) offer(target string, sender *actor.PID, data []byte) (verdict, string) {
	m := new(messages.Offer)
	switch err := proto.Unmarshal(data, m); {
	case err != nil:
		return breach, "an offer that cannot be read"
	case target != r.queue:
		return breach, "an offer to somebody else than the queue"
	case sender == nil:
		return breach, "an offer of nobody"
	case m.GetRunnerId() != r.node.id || m.GetIncarnation() != r.node.incarnation:
		return breach, "an offer in the name of another node"
	case m.GetSlot() >= r.node.slots:
		return breach, fmt.Sprintf("an offer of slot %d of %d", m.GetSlot(), r.node.slots)
	case !slices.Equal(m.GetLabels(), r.node.labels):
		return breach, "an offer with other labels than the node's"
	case !r.offers.AllowN(time.Now(), 1):
		return breach, "more offers a second than slots can make"
	}
	return pass, ""
}

// outgoing implements rules: whom the node is told of, it may answer.
func (r *nodeRules) outgoing(kind string, _, sender *actor.PID, data []byte) {
	if sender != nil {
		r.node.acquaintances.add(sender.GetId())
	}
	if w := watcherOf(kind, data); w != nil {
		r.node.acquaintances.add(w.GetId())
	}
}

// serverRules are what the server may say to a node: all that sessions tell
// runners, to the runners. The node trusts the server with its computer, since it
// runs what it is told to; the rules keep a broken one from crashing it.
type serverRules struct {
	guard *guard
	kinds kinds
}

// incoming implements rules.
func (r *serverRules) incoming(kind, target string, _ *actor.PID, data []byte) (verdict, string) {
	if v, reason, ok := r.guard.system(kind, data); ok {
		return v, reason
	}
	switch {
	case !r.kinds[kind]:
		return breach, fmt.Sprintf("a message of type %q", clip(kind, 64))
	case !strings.HasPrefix(target, crewName+"/"):
		return breach, "a message to an actor that is no runner"
	}
	return pass, ""
}

// outgoing implements rules.
func (r *serverRules) outgoing(string, *actor.PID, *actor.PID, []byte) {}
