package link

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
	"sharpie/persistence"
)

// crewName is the parent of a node's runners; only they can be written to from outside.
const crewName = "crew"

// crew is the parent of a node's Runner actors, one per slot. A slot whose runner
// stops gets a new one, after a pause that grows with how often that happens.
type crew struct {
	cfg  JoinConfig
	log  *slog.Logger
	seat Seat // of the newest server; Slot is not set

	slots   []*post
	playing atomic.Int32
	leaving atomic.Bool
	away    atomic.Bool   // nobody is there to take an offer
	empty   chan struct{} // closed when a crew that leaves has gone
	once    sync.Once
	waits   bool          // for cfg.Ready
	over    chan struct{} // closed when the crew itself stops
}

// post is one slot, with the runner that is in it now.
type post struct {
	*duty
	deaths int
	gen    uint64 // of the alarm that respawns
}

// duty is what one runner does; nil pid: it is no more.
type duty struct {
	pid  *actor.PID
	crew *crew

	mu      sync.Mutex
	busy    bool
	retired bool // what it still does does not count
}

// note counts a runner that begins or ends to play; false for one that is retired.
func (d *duty) note(busy bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.retired {
		return false
	}
	if d.busy != busy {
		d.busy = busy
		if busy {
			d.crew.playing.Add(1)
		} else {
			d.crew.playing.Add(-1)
		}
	}
	return true
}

// retire takes a runner out of the count.
func (d *duty) retire() {
	d.note(false)
	d.mu.Lock()
	d.retired = true
	d.mu.Unlock()
}

func (d *duty) isBusy() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.busy
}

// What a joiner tells its crew, and the crew itself.
type (
	// renew puts fresh runners in all slots, that offer themselves to a server.
	renew struct{ seat Seat }
	// resume: the connection to the same server is back, and with it all that runs.
	resume struct{}
	// leave offers no slot any more.
	leave struct{}
	// prepared: the node may offer what it has.
	prepared struct{}
	// renewed: it can run more than before.
	renewed struct{}
	// idle: the runner of a slot has nothing to do, and is not offered.
	idle struct{ pid *actor.PID }
	// again is the alarm of a slot.
	again struct {
		slot int
		gen  uint64
	}
)

func newCrew(cfg JoinConfig, log *slog.Logger) *crew {
	c := &crew{cfg: cfg, log: log, empty: make(chan struct{}), over: make(chan struct{})}
	for range cfg.Slots {
		c.slots = append(c.slots, &post{duty: &duty{crew: c}})
	}
	return c
}

// busy is how many slots play; from any goroutine.
func (c *crew) busy() int { return int(c.playing.Load()) }

// Receive implements actor.Actor.
func (c *crew) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		c.listen(ctx)
	case *actor.Stopped:
	case *actor.Stopping:
		c.leaving.Store(true)
		close(c.over)
	case *renew:
		c.seat = m.seat
		c.away.Store(false)
		if !c.wait(ctx) {
			c.fill(ctx)
		}
	case *prepared:
		c.waits = false
		c.fill(ctx)
	case *resume:
		c.away.Store(false)
		c.offerAgain(ctx) // what was offered may have been lost
	case *renewed:
		if !c.away.Load() && !c.leaving.Load() {
			c.offerAgain(ctx)
		}
	case *leave:
		c.leaving.Store(true)
		for _, p := range c.slots {
			if !p.isBusy() {
				c.dismiss(ctx, p)
			}
		}
		c.gone()
	case *idle:
		for _, p := range c.slots {
			if p.pid != nil && p.pid.Equal(m.pid) {
				c.dismiss(ctx, p)
			}
		}
		c.gone()
	case *actor.Terminated:
		c.terminated(ctx, m.Who)
	case *again:
		if p := c.slots[m.slot]; p.pid == nil && p.gen == m.gen {
			c.spawn(ctx, m.slot)
		}
	default:
		c.log.Warn("the crew got a message that is not for it", "type", fmt.Sprintf("%T", m))
	}
}

// offerAgain has the runners offer themselves that hold nothing.
func (c *crew) offerAgain(ctx actor.Context) {
	for _, p := range c.slots {
		if p.pid != nil && !p.isBusy() {
			ctx.Send(p.pid, &messages.Release{SessionId: "none"})
		}
	}
}

// listen hears when the node can run more.
func (c *crew) listen(ctx actor.Context) {
	if c.cfg.Renewed == nil {
		return
	}
	root, self := ctx.ActorSystem().Root, ctx.Self()
	go func() {
		for {
			select {
			case <-c.cfg.Renewed:
				root.Send(self, &renewed{})
			case <-c.over:
				return
			}
		}
	}()
}

// wait says whether the node is not ready yet; the crew hears when it is.
func (c *crew) wait(ctx actor.Context) bool {
	select {
	case <-c.cfg.Ready:
		return c.waits // what says so may be on its way
	default:
	}
	if c.cfg.Ready == nil || c.waits {
		return c.waits
	}
	c.waits = true
	root, self := ctx.ActorSystem().Root, ctx.Self()
	go func() {
		select {
		case <-c.cfg.Ready:
			root.Send(self, &prepared{})
		case <-c.over:
		}
	}()
	return true
}

// fill puts a fresh runner into every slot.
func (c *crew) fill(ctx actor.Context) {
	for i, p := range c.slots {
		c.dismiss(ctx, p)
		p.deaths = 0
		p.gen++
		c.spawn(ctx, i)
	}
	c.gone()
}

// dismiss stops the runner of a slot.
func (c *crew) dismiss(ctx actor.Context, p *post) {
	p.retire()
	if p.pid != nil {
		ctx.Stop(p.pid)
		p.pid = nil
	}
}

// spawn puts a runner into a slot.
func (c *crew) spawn(ctx actor.Context, slot int) {
	if c.leaving.Load() {
		return
	}
	seat := c.seat
	seat.Slot = uint32(slot)
	d := &duty{crew: c}
	c.slots[slot].duty = d
	props := c.cfg.Runner(seat).Configure(
		actor.WithReceiverMiddleware(noteStart(d)),
		actor.WithSenderMiddleware(noteOffer(d)),
		actor.WithDispatcher(inline),
	)
	pid, err := ctx.SpawnNamed(props, persistence.NewID("slot"))
	if err != nil {
		c.log.Error("a runner could not be started", "slot", slot, "error", err)
		c.later(ctx, slot)
		return
	}
	d.pid = pid
}

// inline runs a runner on the goroutine that sent to it: it never blocks.
var inline = actor.NewSynchronizedDispatcher(300)

// noteStart sees when a session takes a slot.
func noteStart(d *duty) actor.ReceiverMiddleware {
	return func(next actor.ReceiverFunc) actor.ReceiverFunc {
		return func(ctx actor.ReceiverContext, e *actor.MessageEnvelope) {
			if _, ok := e.Message.(*messages.Start); ok {
				d.note(true)
			}
			next(ctx, e)
		}
	}
}

// noteOffer sees when a slot is free again. It offers itself only where somebody
// takes the offer: a crew whose server is away offers what is free when it is back, and
// one that leaves has no further use for this runner.
func noteOffer(d *duty) actor.SenderMiddleware {
	return func(next actor.SenderFunc) actor.SenderFunc {
		return func(ctx actor.SenderContext, to *actor.PID, e *actor.MessageEnvelope) {
			if _, ok := e.Message.(*messages.Offer); ok {
				c := d.crew
				if !d.note(false) || c.away.Load() {
					return
				}
				if c.leaving.Load() {
					ctx.ActorSystem().Root.Send(ctx.Parent(), &idle{pid: ctx.Self()})
					return
				}
			}
			next(ctx, to, e)
		}
	}
}

// terminated: a runner stopped.
func (c *crew) terminated(ctx actor.Context, who *actor.PID) {
	for i, p := range c.slots {
		if p.pid == nil || !p.pid.Equal(who) {
			continue
		}
		p.retire()
		p.pid = nil
		if c.leaving.Load() {
			break
		}
		p.deaths++
		c.log.Error("a runner stopped; its slot gets a new one", "slot", i, "deaths", p.deaths)
		c.later(ctx, i)
	}
	c.gone()
}

// later puts a runner into a slot after a pause.
func (c *crew) later(ctx actor.Context, slot int) {
	p := c.slots[slot]
	p.gen++
	alarm := &again{slot: slot, gen: p.gen}
	root, self := ctx.ActorSystem().Root, ctx.Self()
	pause := min(100*time.Millisecond<<min(p.deaths, 8), 10*time.Second)
	time.AfterFunc(pause, func() { root.Send(self, alarm) })
}

// gone tells the end of a crew that leaves.
func (c *crew) gone() {
	if !c.leaving.Load() {
		return
	}
	for _, p := range c.slots {
		if p.pid != nil {
			return
		}
	}
	c.once.Do(func() { close(c.empty) })
}
