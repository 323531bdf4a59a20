package actors

import (
	"context"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"sharpie/actors/link"
	"sharpie/actors/runner"
	"sharpie/experiments"
	"sharpie/persistence"
)

// NodeConfig is what a runner node needs: where to join, and what makes environments
// and agents there. Join.Runner is filled in.
type NodeConfig struct {
	Join  link.JoinConfig
	Maker experiments.Maker
	// Readiness counts what was prepared here; nil: nothing ever is. Join.Renewed tells of it.
	Readiness func() uint64
	// Metrics is where the counters are registered; nil registers nothing.
	Metrics prometheus.Registerer
}

// RunNode makes this process a runner node of a server elsewhere, until the context
// ends: the same Runners as in a server's own slots, whose Queue is far away. Its
// error is a sentence for people.
func RunNode(ctx context.Context, cfg NodeConfig) error {
	metrics := runner.NewMetrics(cfg.Metrics)
	join := cfg.Join
	join.Runner = func(s link.Seat) *actor.Props {
		return runner.Props(runner.Config{
			Queue: s.Queue, RunnerID: s.Node, Incarnation: s.Incarnation, Slot: s.Slot, Labels: s.Labels,
			CodeVersion: join.Version, Maker: cfg.Maker, Readiness: cfg.Readiness, Logger: join.Logger, Metrics: metrics,
		})
	}
	return link.Join(ctx, join)
}

// NodeSocket is a WebSocket with a runner node at its other end.
type NodeSocket = link.Socket

// Node is what is known of a runner node.
type Node = link.Node

// Nodes is the way in for runner nodes.
type Nodes interface {
	// Nodes lists those that are connected, and those that may come back, by id.
	Nodes() []Node
	// Authenticate finds the key that somebody gave, and returns its id for Serve;
	// NodeRefusal explains its errors.
	Authenticate(ctx context.Context, key string) (string, error)
	// Known says whether a node came with that key before; it may be revoked since.
	Known(key string) bool
	// Serve carries a node's tunnel until it ends; the socket is closed then.
	Serve(ctx context.Context, socket NodeSocket, key string) error
}

var _ Nodes = (*link.Server)(nil)

// What the WebSocket of a runner node begins with.
const (
	NodePath        = link.Path
	NodeSubprotocol = link.Subprotocol
	// NodeRefusedHeader marks a refusal as the server's own, not a proxy's.
	NodeRefusedHeader = link.CodeHeader
	// NodeNoUpgrade is its value where a request asks for no WebSocket.
	NodeNoUpgrade = link.NoUpgrade
)

// Refusal is why a runner node does not get in.
type Refusal int

// A node has no good key, had one, or has to wait until the store is back.
const (
	RefusedKey Refusal = iota
	RefusedRevoked
	RefusedForNow
)

// NodeRefusal explains an error of Authenticate, with a sentence for its operator.
func NodeRefusal(err error) (Refusal, string) {
	text := link.Sentence(err)
	switch {
	case errors.Is(err, link.ErrRevoked):
		return RefusedRevoked, text
	case errors.Is(err, link.ErrUnknownKey), errors.Is(err, link.ErrNoKey):
		return RefusedKey, text
	}
	return RefusedForNow, text
}

// Nodes is the way in for runner nodes; nil where none may join.
func (s *System) Nodes() Nodes {
	if s.nodes == nil {
		return nil
	}
	return s.nodes
}

// MachineLoad is how many processes of this machine run or want to, per core, over a
// minute; false where the system does not tell.
func MachineLoad() (float64, bool) { return link.MachineLoad() }

// CheckNodeKeyName says what is wrong with the name of a key for nodes; "" is nothing.
func CheckNodeKeyName(name string) string { return link.CheckKeyName(name) }

// CheckNodeKeyLabels says what is wrong with the labels of a key; "" is nothing.
func CheckNodeKeyLabels(labels []string) string { return link.CheckLabels(labels) }

// MakeNodeKey makes a key for nodes, and what is stored of it; its name and its labels
// were checked. Nobody has the key but who gets it here.
func MakeNodeKey(id, name string, labels []string, by string, at time.Time) (string, *persistence.RunnerKey) {
	return link.MakeKey(id, name, labels, by, at)
}
