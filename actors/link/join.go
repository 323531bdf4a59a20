package link

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/coder/websocket"
	"github.com/hashicorp/yamux"

	"sharpie/persistence"
)

// Path is where a server takes nodes, below its own prefix.
const Path = "/runner/connect"

// Subprotocol names the WebSocket's contents.
const Subprotocol = "sharpie.link.v1"

// Seat is where a runner sits: what it offers itself as, and to whom.
type Seat struct {
	Queue       *actor.PID
	Node        string // the node's id
	Incarnation string
	Slot        uint32
	Labels      []string
}

// JoinConfig is what a node needs to join. URL, Key, Name and Runner are required.
type JoinConfig struct {
	// URL is the server's, as people type it: https://lab.example/prefix.
	URL string
	Key string
	// Name of the node, unique among those of its key.
	Name   string
	Slots  int // 1 to 1024
	Labels []string
	// Version is of the binary.
	Version string
	// Runner makes the actor of a slot.
	Runner func(Seat) *actor.Props
	// Roots are the authorities that sign the server's certificate; nil takes the system's.
	Roots *x509.CertPool
	// Ready, once closed, lets the slots be offered; nil: they are at once. Until then
	// the node is connected and offers nothing.
	Ready <-chan struct{}
	// Renewed tells each time that the node can run more than before: free slots are
	// offered again then. nil: never.
	Renewed <-chan struct{}
	// DrainGrace is how long episodes may go on after the end of Join's context.
	DrainGrace time.Duration
	// Logger defaults to one that discards.
	Logger *slog.Logger
}

// validate returns the address to dial.
func (c *JoinConfig) validate() (*url.URL, error) {
	u, problem := parseAddress(c.URL)
	if problem != "" {
		return nil, &End{"refused", problem + "."}
	}
	if p := CheckName(c.Name); p != "" {
		return nil, &End{"refused", p}
	}
	if c.Slots < 1 || c.Slots > maxSlots {
		return nil, &End{"refused", fmt.Sprintf("%d slots: allowed are 1 to %d", c.Slots, maxSlots)}
	}
	if p := CheckKey(c.Key); p != "" {
		return nil, &End{"refused", p}
	}
	if p := CheckLabels(c.Labels); p != "" {
		return nil, &End{"refused", p}
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + Path
	return u, nil
}

// Join connects to the server and works for it until the context ends; then it
// finishes its episodes, for at most DrainGrace, and returns nil. It comes back
// after every loss of the connection, and returns an error, a sentence for people,
// only where trying again is useless.
func Join(ctx context.Context, cfg JoinConfig) error {
	u, err := cfg.validate()
	if err != nil {
		return err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		cfg.Logger.Warn("the connection is not encrypted: everybody on its way can read the key; use https", "server", u.Host)
	}
	client, err := cfg.client(u)
	if err != nil {
		return err
	}
	j := &joiner{cfg: cfg, url: u, log: cfg.Logger, client: client, incarnation: persistence.NewID("inc"), changed: make(chan struct{}), nudged: make(chan struct{}, 1)}
	defer client.CloseIdleConnections()
	defer j.shutdown()
	life, end := context.WithCancel(context.Background())
	defer end()
	stop := context.AfterFunc(ctx, func() {
		j.drain()
		end()
	})
	defer stop()
	if err := j.run(life); err != nil {
		return err
	}
	j.log.Info("left")
	return nil
}

// Waits between attempts to connect.
const (
	firstWait   = 200 * time.Millisecond
	longestWait = 2 * time.Second
	dialTimeout = 10 * time.Second
	// connectTimeout is of TCP alone: on a link that is back, a new attempt is quicker
	// than the repetitions of an old one.
	connectTimeout = 3 * time.Second
)

// run connects, again and again.
func (j *joiner) run(ctx context.Context) error {
	wait, told := firstWait, ""
	for joined := false; ; {
		began := time.Now()
		end := j.connect(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if end.Final() || end.Code == "anew" || !joined && !j.everJoined() && end.hopeless() {
			return end
		}
		joined = joined || j.everJoined()
		if time.Since(began) > 5*longestWait {
			wait, told = firstWait, ""
		}
		pause := wait/2 + rand.N(wait/2+1)
		if end.Detail != told {
			j.log.Warn("not connected; trying again", "why", end.Detail, "in", pause.Round(time.Millisecond))
			told = end.Detail
		}
		wait = min(2*wait, longestWait)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
	}
}

// hopeless says whether a node that was never connected need not try again: what is
// wrong is in what it was told.
func (e *End) hopeless() bool {
	switch e.Code {
	case "certificate", "address", "stranger":
		return true
	}
	return false
}

// connect carries one tunnel, from the dialling to its end.
func (j *joiner) connect(ctx context.Context) *End {
	dial, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, end := j.dialWeb(dial)
	if end != nil {
		return end
	}
	defer conn.Close()
	t := &tunnel{peer: "The server", meter: newMeter(conn, nil), done: make(chan struct{}), describe: j.describe, nudged: j.nudged}
	session, err := yamux.Client(&joined{Conn: t.meter}, tunnelConfig())
	if err != nil {
		return &End{"lost", err.Error()}
	}
	t.session = session
	defer session.Close()
	if t.control, err = t.open(kindControl); err != nil {
		return j.ungreeted(t, err)
	}
	w, end := j.greet(t)
	if end != nil {
		return end
	}
	if end := j.begin(t, w); end != nil {
		t.close(end, true)
		return end
	}
	return j.carry(ctx, t)
}

// greet says who this is.
func (j *joiner) greet(t *tunnel) (*Welcome, *End) {
	_ = t.control.SetDeadline(time.Now().Add(helloWait))
	defer func() { _ = t.control.SetDeadline(time.Time{}) }()
	err := writeControl(t.control, hello(&Hello{
		Protocol: Protocol, Name: j.cfg.Name, Incarnation: j.incarnation, Slots: uint32(j.cfg.Slots), Labels: j.cfg.Labels,
		Version: j.cfg.Version, Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}))
	if err != nil {
		return nil, j.ungreeted(t, err)
	}
	m, err := readControl(t.control)
	if err != nil {
		return nil, j.ungreeted(t, err)
	}
	if g := m.GetGoodbye(); g != nil {
		return nil, farewellOf(g)
	}
	w := m.GetWelcome()
	switch {
	case w == nil:
		return nil, &End{"protocol", fmt.Sprintf("The server did not greet the node, which is sharpie %s. Use the same sharpie on both.", j.cfg.Version)}
	case w.GetProtocol() != Protocol:
		return nil, &End{"protocol", fmt.Sprintf("The server (sharpie %s) speaks version %d of the runner protocol, this node (sharpie %s) version %d. Use the same sharpie on both.",
			clip(w.GetVersion(), 64), w.GetProtocol(), j.cfg.Version, Protocol)}
	case w.GetAddress() == "" || w.GetServer() == "" || w.GetQueue() == "" || w.GetNode() == "":
		return nil, &End{"protocol", fmt.Sprintf("The greeting of the server (sharpie %s) is incomplete; this node is sharpie %s. Use the same sharpie on both.", clip(w.GetVersion(), 64), j.cfg.Version)}
	}
	return w, nil
}

// dialWeb opens the WebSocket; a refusal is put into a sentence.
func (j *joiner) dialWeb(ctx context.Context) (net.Conn, *End) {
	client, dialled := onWire(j.client)
	defer client.CloseIdleConnections() // of a refusal
	c, answer, err := websocket.Dial(ctx, j.url.String(), &websocket.DialOptions{
		HTTPClient: client, Subprotocols: []string{Subprotocol},
		HTTPHeader: http.Header{"Authorization": {"Bearer " + j.cfg.Key}, "User-Agent": {"sharpie/" + j.cfg.Version}},
	})
	if err != nil {
		return nil, j.explain(answer, err)
	}
	if c.Subprotocol() != Subprotocol {
		_ = c.CloseNow()
		return nil, j.stranger("It does not speak " + Subprotocol + ".")
	}
	c.SetReadLimit(socketMessage)
	conn := &clientConn{Conn: websocket.NetConn(context.Background(), c, websocket.MessageBinary), socket: c}
	return &wired{Conn: conn, wire: dialled()}, nil
}

// clientConn closes without the WebSocket's goodbye: the tunnel has its own.
type clientConn struct {
	net.Conn
	socket *websocket.Conn
}

func (c *clientConn) Close() error { return c.socket.CloseNow() }
