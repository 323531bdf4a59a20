package actors

import (
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// cast is what every actor of this process shares: configuration, counters, and
// where the two well-known actors are. It never changes once the actors run, but
// for its counters.
type cast struct {
	cfg     Config
	log     *slog.Logger
	root    *actor.RootContext
	lobby   *actor.PID
	queue   *actor.PID
	metrics *metrics
	counts  *counts
	health  *storeHealth
	workers *workers
}

// props are an actor's, on this system's goroutines.
func (c *cast) props(produce func() actor.Actor, opts ...actor.PropsOption) *actor.Props {
	return actor.PropsFromProducer(produce, append([]actor.PropsOption{actor.WithDispatcher(c.workers)}, opts...)...)
}

// counts are the gauges that Health and Prometheus read at any time.
type counts struct {
	sessions  atomic.Int64 // not ended
	waiting   atomic.Int64 // in the queue
	slots     atomic.Int64
	freeSlots atomic.Int64
	unstored  atomic.Int64 // step records
	connected atomic.Int64 // sockets
	draining  atomic.Bool
}

// tell sends from another goroutine, for senders on whose goroutine the receiver
// must not run: see inline. Messages told may overtake each other.
func (c *cast) tell(to *actor.PID, m any) {
	c.workers.Schedule(func() { c.root.Send(to, m) })
}

// stopOnPanic is the supervision of every stateful actor: it stops, and sees its
// state intact in Stopping. A restart would put an empty one in its place.
func stopOnPanic() actor.PropsOption {
	return actor.WithSupervisor(actor.NewOneForOneStrategy(0, 0, func(any) actor.Directive { return actor.StopDirective }))
}

// unknown counts a message that an actor does not take, and one that did not reach a
// runner, which the library answers by itself: whoever waits for that runner has a
// deadline of its own.
func (c *cast) unknown(ctx actor.Context, log *slog.Logger) {
	if _, ok := ctx.Message().(*actor.DeadLetterResponse); ok {
		c.metrics.stale.WithLabelValues("undelivered").Inc()
		return
	}
	c.metrics.stale.WithLabelValues("unknown").Inc()
	log.Warn("message of an unknown kind dropped", "kind", fmt.Sprintf("%T", ctx.Message()))
}
