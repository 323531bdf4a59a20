package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/hashicorp/yamux"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"sharpie/persistence"
)

// Keys is where the keys of nodes are kept.
type Keys interface {
	// RunnerKeys returns all of them, revoked ones too.
	RunnerKeys(ctx context.Context) ([]*persistence.RunnerKey, error)
	// TouchRunnerKey notes when a key was used last, and by which node.
	TouchRunnerKey(ctx context.Context, id, node string, at time.Time) error
}

// Errors of Authenticate. Others mean that the store did not answer.
var (
	ErrNoKey      = errors.New("link: no key was given")
	ErrUnknownKey = errors.New("link: unknown key")
	ErrRevoked    = errors.New("link: the key was revoked")
)

// ServerConfig is what the server's end of all tunnels needs. System, Queue and Keys
// are required.
type ServerConfig struct {
	// System has no actors yet: it gets its logical address here.
	System *actor.ActorSystem
	// Name is this server's; "" is "web".
	Name string
	// Queue is the name of the actor that takes Offers.
	Queue string
	Keys  Keys
	// Version is of the binary.
	Version string
	// Notify is told when nodes come and go, in order for each node. It must not block.
	Notify func(Event)
	// Logger defaults to one that discards; Metrics nil registers nothing.
	Logger  *slog.Logger
	Metrics prometheus.Registerer
	Limits  Limits
}

// Limits bound what nodes may do. A zero field takes its default.
type Limits struct {
	// Nodes bounds the nodes that are connected; 1000.
	Nodes int
	// Grace is how long a node may be away until it counts as gone; 30 s.
	Grace time.Duration
	// BytesPerSecond bounds what a node sends, with twice as much at once; 256 MiB.
	BytesPerSecond int
	// MessagesPerSecond bounds its messages, with twice as many at once; 20000.
	MessagesPerSecond int
	// Penalty is how long a node that broke a rule is refused; 10 s.
	Penalty time.Duration
	// KeyCheck is how often the keys of connected nodes are looked up; 500 ms.
	KeyCheck time.Duration
}

func (l Limits) withDefaults() Limits {
	number := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	span := func(v *time.Duration, def time.Duration) {
		if *v <= 0 {
			*v = def
		}
	}
	number(&l.Nodes, 1000)
	number(&l.BytesPerSecond, 256<<20)
	number(&l.MessagesPerSecond, 20_000)
	span(&l.Grace, 30*time.Second)
	span(&l.Penalty, 10*time.Second)
	span(&l.KeyCheck, 500*time.Millisecond)
	return l
}

// Change is what happened to a node.
type Change int

// A node joins, is away when its tunnel broke, and comes back with the same
// incarnation; it leaves when it takes nothing new, and is gone, for good.
const (
	Joined Change = iota + 1
	Away
	Back
	Leaving
	Gone
)

// String names the change.
func (c Change) String() string {
	return [...]string{"", "joined", "away", "back", "leaving", "gone"}[c]
}

// Event tells what happened to a node.
type Event struct {
	Change Change
	Node   Node
	Why    End // of Away and Gone
}

// Server is the server's end of all tunnels.
type Server struct {
	cfg      ServerConfig
	log      *slog.Logger
	address  string
	remoting *remoting
	metrics  *metrics

	mu      sync.Mutex
	nodes   map[string]*node     // by id
	fenced  map[string][]string  // incarnations by id, the newest last
	refused map[string]time.Time // until when, by id
	keys    map[string]*persistence.RunnerKey
	changed chan struct{} // closed and replaced when a node comes or goes
	closed  bool
	tunnels sync.WaitGroup
	stop    context.CancelFunc
	ctx     context.Context
	workers sync.WaitGroup
}

// NewServer gives the actor system its logical address and waits for nodes.
func NewServer(cfg ServerConfig) (*Server, error) {
	if cfg.System == nil || cfg.Queue == "" || cfg.Keys == nil {
		return nil, errors.New("link: System, Queue and Keys are required")
	}
	if cfg.Name == "" {
		cfg.Name = "web"
	}
	if p := CheckName(cfg.Name); p != "" {
		return nil, errors.New("link: " + p)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Notify == nil {
		cfg.Notify = func(Event) {}
	}
	cfg.Limits = cfg.Limits.withDefaults()
	s := &Server{
		cfg: cfg, log: cfg.Logger, address: "web-" + cfg.Name + "-" + persistence.NewID("inc"),
		nodes: map[string]*node{}, fenced: map[string][]string{}, refused: map[string]time.Time{},
		keys: map[string]*persistence.RunnerKey{}, changed: make(chan struct{}),
	}
	s.metrics = newMetrics(cfg.Metrics, s)
	s.ctx, s.stop = context.WithCancel(context.Background())
	var err error
	if s.remoting, err = startRemoting(cfg.System, s.address, s); err != nil {
		s.stop()
		return nil, err
	}
	s.workers.Go(s.sweep)
	return s, nil
}

// Authenticate finds the key that somebody gave, and returns its id for Serve.
func (s *Server) Authenticate(ctx context.Context, key string) (string, error) {
	if key == "" {
		return "", ErrNoKey
	}
	prefix, ok := keyPrefix(key)
	if !ok {
		return "", ErrUnknownKey
	}
	all, err := s.cfg.Keys.RunnerKeys(ctx)
	if err != nil {
		return "", fmt.Errorf("look up the key %s: %w", prefix, err)
	}
	hash := HashKey(key)
	for _, k := range all {
		if k.Prefix != prefix || !sameHash(k.Hash, hash) {
			continue
		}
		if k.RevokedAt != nil {
			return "", fmt.Errorf("%w: %q", ErrRevoked, prefix)
		}
		s.mu.Lock()
		s.keys[k.ID] = k
		s.mu.Unlock()
		return k.ID, nil
	}
	return "", fmt.Errorf("%w: %q", ErrUnknownKey, prefix)
}

// Known says whether a node came with that key before: such a one need not wait behind
// those who guess. It does not say that the key is still good.
func (s *Server) Known(key string) bool {
	hash := HashKey(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.keys {
		if sameHash(k.Hash, hash) {
			return true
		}
	}
	return false
}

// Serve carries the tunnel of a node whose key was authenticated until it ends; the
// socket is closed then.
func (s *Server) Serve(ctx context.Context, socket Socket, key string) error {
	defer socket.Close()
	s.mu.Lock()
	k, known := s.keys[key]
	if s.closed || !known {
		s.mu.Unlock()
		return &End{"stopping", "The server is stopping."}
	}
	s.tunnels.Add(1)
	s.mu.Unlock()
	defer s.tunnels.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	err := s.serve(ctx, newSocketConn(socket), k)
	if _, told := err.(*End); err != nil && !told {
		s.log.Warn("a connection with a good key did not become a runner node", "key", k.Prefix, "from", socket.RemoteAddr().String(), "why", err)
	}
	return err
}

// serve greets a node and carries its tunnel.
func (s *Server) serve(ctx context.Context, conn net.Conn, k *persistence.RunnerKey) error {
	t := &tunnel{peer: "The node", done: make(chan struct{})}
	limit := s.cfg.Limits.BytesPerSecond
	t.meter = newMeter(conn, rate.NewLimiter(rate.Limit(limit), 2*limit))
	var err error
	if t.session, err = yamux.Server(&joined{Conn: t.meter}, tunnelConfig()); err != nil {
		return fmt.Errorf("begin a tunnel: %w", err)
	}
	defer t.session.Close()
	wait, cancel := context.WithTimeout(ctx, helloWait)
	defer cancel()
	if t.control, err = accept(wait, t.session, kindControl); err != nil {
		return fmt.Errorf("begin a tunnel: %w", err)
	}
	_ = t.control.SetDeadline(time.Now().Add(helloWait))
	first, err := readControl(t.control)
	if err != nil {
		return fmt.Errorf("begin a tunnel: %w", err)
	}
	n, rejoined, refusal := s.enter(t, first.GetHello(), k)
	if refusal != nil {
		s.log.Warn("runner node refused", "key", k.Prefix, "from", t.meter.RemoteAddr().String(), "code", refusal.Code, "why", refusal.Detail)
		_ = t.send(goodbye(refusal))
		return refusal
	}
	err = t.send(welcome(&Welcome{Protocol: Protocol, Node: n.id, Address: n.address, Server: s.address, Queue: s.cfg.Queue, Version: s.cfg.Version, Rejoined: rejoined, Labels: n.labels}))
	_ = t.control.SetDeadline(time.Time{})
	if err != nil {
		t.close(&End{"lost", "The connection broke before it began."}, false)
	} else {
		s.begun(n, rejoined)
	}
	end := t.run(ctx, &End{"stopping", "The server is stopping."})
	s.leave(n, t, end)
	return end
}

// begun says that a node is there.
func (s *Server) begun(n *node, rejoined bool) {
	change := Joined
	if rejoined {
		change = Back
	}
	s.mu.Lock()
	v := n.view(time.Now())
	s.mu.Unlock()
	s.log.Info("runner node "+change.String(), "node", n.id, "slots", n.slots, "labels", n.labels, "version", n.version, "from", n.remote, "incarnation", n.incarnation)
	s.cfg.Notify(Event{Change: change, Node: v})
	ctx, cancel := context.WithTimeout(s.ctx, helloWait)
	s.workers.Go(func() {
		defer cancel()
		if err := s.cfg.Keys.TouchRunnerKey(ctx, n.key, n.id, time.Now().UTC()); err != nil {
			s.log.Warn("the use of a runner key was not noted", "key", n.key, "error", err)
		}
	})
}

// Nodes lists the nodes that are connected, and those that may come back, by id.
func (s *Server) Nodes() []Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	out := make([]Node, 0, len(s.nodes))
	for _, n := range s.nodes {
		out = append(out, n.view(now))
	}
	slices.SortFunc(out, func(a, b Node) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Address is the server's among actors.
func (s *Server) Address() string { return s.address }

// Close ends all tunnels, and says so to the nodes.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.tunnels.Wait()
	s.workers.Wait()
	s.remoting.stop()
}

// Sentence is what a node is told whose key was refused.
func Sentence(err error) string {
	switch {
	case errors.Is(err, ErrNoKey):
		return "No key was given. Give it with --key or --key-file."
	case errors.Is(err, ErrRevoked):
		return "The key was revoked. Ask for a new one."
	case errors.Is(err, ErrUnknownKey):
		return "The server does not know the key."
	}
	return "The server cannot look up keys at the moment."
}
