package runner

import (
	"sync"
	"sync/atomic"

	"sharpie/actors/messages"
)

// inbox is how the actor hands things to its loop. Everything in it is bounded.
type inbox struct {
	// dirty says that there is something to take; it spares the loop the lock.
	dirty atomic.Bool
	// listening says that the loop waits for inputs, and not only for orders.
	listening atomic.Bool
	// wake has room for one token; orders always put one, inputs if the loop listens.
	wake chan struct{}

	mu     sync.Mutex
	inputs []*messages.Input
	seats  []*messages.SetSeat
	stop   *messages.Stop
	paused bool
	cut    bool
}

// maxInputs bounds the inputs of one step over all seats; maxSeatOrders the orders.
const (
	maxInputs     = 16_384
	maxSeatOrders = 1_024
)

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

// putInputs adds inputs, and returns how many had no room.
func (b *inbox) putInputs(in []*messages.Input) (dropped int) {
	b.mu.Lock()
	if room := max(maxInputs-len(b.inputs), 0); len(in) > room {
		dropped = len(in) - room
		in = in[:room]
	}
	b.inputs = append(b.inputs, in...)
	b.dirty.Store(true)
	b.mu.Unlock()
	if b.listening.Load() {
		b.ring()
	}
	return dropped
}

// putSeat adds an order about a seat.
func (b *inbox) putSeat(s *messages.SetSeat) {
	b.order(func() {
		if len(b.seats) < maxSeatOrders {
			b.seats = append(b.seats, s)
		}
	})
}

// putStop ends the episode; the first order holds.
func (b *inbox) putStop(s *messages.Stop) {
	b.order(func() {
		if b.stop == nil {
			b.stop = s
		}
	})
}

// setPaused pauses or resumes.
func (b *inbox) setPaused(p bool) { b.order(func() { b.paused = p }) }

// setCut says that the session is out of reach, or there again. With it goes every
// key that is held: nobody can let it go.
func (b *inbox) setCut(cut bool) {
	b.order(func() {
		if b.cut = cut; cut {
			b.inputs = append(b.inputs, letGo)
		}
	})
}

func (b *inbox) order(change func()) {
	b.mu.Lock()
	change()
	b.dirty.Store(true)
	b.mu.Unlock()
	b.ring()
}

// ring wakes the loop.
func (b *inbox) ring() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// taken is what the loop got out of its inbox.
type taken struct {
	inputs []*messages.Input
	seats  []*messages.SetSeat
	stop   *messages.Stop
	paused bool
	cut    bool
}

// take empties the inbox into t, whose memory is swapped in for the next inputs.
// It reports whether there was anything new.
func (b *inbox) take(t *taken) bool {
	t.inputs, t.seats = t.inputs[:0], nil
	if !b.dirty.Load() {
		return false
	}
	b.mu.Lock()
	t.inputs, b.inputs = b.inputs, t.inputs
	t.seats, b.seats = b.seats, nil
	t.stop, t.paused, t.cut = b.stop, b.paused, b.cut
	b.dirty.Store(false)
	b.mu.Unlock()
	return true
}
