package link

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"
)

// joiner is the node's end of its tunnels: one after the other, with one actor
// system and one crew behind them.
type joiner struct {
	cfg         JoinConfig
	url         *url.URL
	log         *slog.Logger
	client      *http.Client
	incarnation string

	mu       sync.Mutex
	system   *actor.ActorSystem
	remoting *remoting
	crew     *crew
	crewPID  *actor.PID
	address  string // ours
	server   string // logical address of the newest server
	tunnel   *tunnel
	guard    *guard
	changed  chan struct{}
	gone     chan struct{} // closed when that server cannot come back
	greeted  string        // the server that the crew works for
	draining bool
	nudged   chan struct{} // has room for one: the server is to hear at once
}

// everJoined says whether a server ever took the node in.
func (j *joiner) everJoined() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.system != nil
}

// describe fills what a beat says of this node.
func (j *joiner) describe(b *Beat) {
	if load, known := MachineLoad(); known {
		b.LoadPermille = proto.Uint32(uint32(math.Round(load * 1000)))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	b.Draining = j.draining
	if j.crew != nil {
		b.Busy = uint32(j.crew.busy())
	}
}

// begin starts what a greeting makes possible: at the first one the actors.
func (j *joiner) begin(t *tunnel, w *Welcome) *End {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.system != nil && j.address != w.GetAddress() {
		return &End{"anew", fmt.Sprintf("The server calls this node %s now, and called it %s before. Start the node anew.", w.GetAddress(), j.address)}
	}
	if j.system == nil {
		if err := j.start(w); err != nil {
			return &End{"refused", "The node cannot start: " + err.Error() + "."}
		}
	}
	if j.server != w.GetServer() {
		if j.gone != nil {
			close(j.gone)
		}
		j.server, j.gone = w.GetServer(), make(chan struct{})
	}
	j.tunnel, t.skew = t, skew(j.cfg.Version, w.GetVersion())
	r := &serverRules{kinds: fromServer()}
	g := &guard{
		self: j.address, peer: j.server, rules: r,
		breach: func(reason string) {
			j.log.Error("the server sent what no server sends", "what", reason)
			t.breached(reason)
		},
		ended: t.ended, streamEnded: t.streamEnded,
		stale: func(int) {},
		oversized: func(kind string) {
			j.log.Error("a message to the server was too large to be sent", "type", kind, "limit", maxMessage)
		},
	}
	r.guard, j.guard = g, g
	remoting := j.remoting
	t.carrier = func(c net.Conn) { remoting.carry(c, g) }
	j.signal()
	j.log.Info("joined", "server", j.cfg.URL, "node", w.GetNode(), "slots", j.cfg.Slots, "labels", w.GetLabels(), "server_version", w.GetVersion(), "again", w.GetRejoined())
	if w.GetRejoined() && j.greeted == w.GetServer() {
		j.system.Root.Send(j.crewPID, &resume{})
		return nil
	}
	j.greeted = w.GetServer()
	j.system.Root.Send(j.crewPID, &renew{seat: Seat{
		Queue: actor.NewPID(w.GetServer(), w.GetQueue()), Node: w.GetNode(), Incarnation: j.incarnation, Labels: w.GetLabels(),
	}})
	return nil
}

// start makes the actor system; under the lock.
func (j *joiner) start(w *Welcome) error {
	as := actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(Quiet(j.log.Handler())) }),
		actor.WithDeadLetterRequestLogging(false),
	)
	r, err := startRemoting(as, w.GetAddress(), j)
	if err != nil {
		return err
	}
	c := newCrew(j.cfg, j.log)
	pid, err := as.Root.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return c }), crewName)
	if err != nil {
		r.stop()
		return fmt.Errorf("spawn crew: %w", err)
	}
	j.system, j.remoting, j.crew, j.crewPID, j.address = as, r, c, pid, w.GetAddress()
	return nil
}

// carry carries the tunnel until it ends.
func (j *joiner) carry(ctx context.Context, t *tunnel) *End {
	end := t.run(ctx, &End{"left", "The node has left."})
	if end.Code == "breach" && t.skew != "" { // it would be so again
		end = &End{"protocol", end.Detail}
	}
	j.crew.away.Store(true)
	j.remoting.lost(j.server) // only this goroutine changes it
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tunnel, j.guard = nil, nil
	j.signal()
	return end
}

func (j *joiner) signal() {
	close(j.changed)
	j.changed = make(chan struct{})
}

// dial implements peers: it waits where the connection is lost.
func (j *joiner) dial(ctx context.Context, address string) (net.Conn, error) {
	for {
		j.mu.Lock()
		t, server, changed := j.tunnel, j.server, j.changed
		j.mu.Unlock()
		if address != server {
			return nil, fmt.Errorf("%w: the server at %s is no more", errNoTunnel, address)
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
		}
	}
}

// guardOf implements peers.
func (j *joiner) guardOf(address string) *guard {
	j.mu.Lock()
	defer j.mu.Unlock()
	if address != j.server {
		return nil
	}
	return j.guard
}

// hopeless implements peers.
func (j *joiner) hopeless(address string) <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	if address == j.server && j.gone != nil {
		return j.gone
	}
	none := make(chan struct{})
	close(none)
	return none
}

// drain lets the free slots go at once, and the others when their session has
// ended; it returns when all have, or after the grace.
func (j *joiner) drain() {
	j.mu.Lock()
	j.draining = true
	as, pid, c := j.system, j.crewPID, j.crew
	j.mu.Unlock()
	if as == nil {
		return
	}
	select {
	case j.nudged <- struct{}{}:
	default:
	}
	busy := c.busy()
	as.Root.Send(pid, &leave{})
	if busy == 0 {
		return
	}
	j.log.Info("leaving; episodes may end", "slots", busy, "within", j.cfg.DrainGrace)
	select {
	case <-c.empty:
	case <-time.After(j.cfg.DrainGrace):
		j.log.Warn("leaving, though episodes have not ended", "slots", c.busy())
	}
}

// shutdown stops the actors.
func (j *joiner) shutdown() {
	if j.system == nil {
		return
	}
	j.mu.Lock()
	if j.gone != nil {
		close(j.gone)
		j.gone = nil
	}
	j.mu.Unlock()
	stopped := j.system.Root.StopFuture(j.crewPID)
	_ = stopped.Wait()
	j.remoting.stop()
}
