package bench

import (
	"sync"
	"time"
)

// outage is what one player meets of the loss of a runner node. The zero value waits
// for nothing.
type outage struct {
	mu      sync.Mutex
	step    uint64        // the newest that was seen
	since   time.Time     // when the node was struck; zero: it was not
	noticed time.Time     // the page said that play pauses
	resumed time.Time     // the first picture of a new step after that
	pausing chan struct{} // closed with noticed
	going   chan struct{} // closed with resumed
}

// begin notes that the node is struck now. The channels are closed once the page says
// so, and once play goes on.
func (o *outage) begin(now time.Time) (noticed, resumed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.since, o.noticed, o.resumed = now, time.Time{}, time.Time{}
	o.pausing, o.going = make(chan struct{}), make(chan struct{})
	return o.pausing, o.going
}

// see takes one message into account.
func (o *outage) see(s seen, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case s.phase == phasePaused && !o.since.IsZero() && o.noticed.IsZero():
		o.noticed = now
		close(o.pausing)
	case s.frame && s.step > o.step:
		o.step = s.step
		if !o.noticed.IsZero() && o.resumed.IsZero() {
			o.resumed = now
			close(o.going)
		}
	}
}

// met adds how long it took until the page said so, and until play went on after that,
// as far as they came.
func (o *outage) met(noticed, resumed *samples) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.noticed.IsZero() {
		noticed.add(o.noticed.Sub(o.since))
	}
	if !o.resumed.IsZero() {
		resumed.add(o.resumed.Sub(o.noticed))
	}
}

// newest is the newest step that the player saw.
func (o *outage) newest() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.step
}
