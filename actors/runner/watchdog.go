package runner

import (
	"fmt"
	"sync/atomic"
	"time"
)

// watchdog notices that a loop does not come back from an environment or a
// policy. The loop says what it enters and when it is idle, for the price of an
// atomic store; a timer looks after it.
type watchdog struct {
	begun  time.Time
	limits [phaseLastUpdate + 1]time.Duration
	hung   func(*fault)
	roles  func(int) string
	// state is phase<<56 | (role+1)<<40 | µs since begun; 0 while idle.
	state atomic.Uint64
	timer *time.Timer
	// grace is how much longer than its limit a phase may take, in ns: code in a process
	// of its own is stopped there, by whoever can say why.
	grace atomic.Int64

	// The rest is the timer's. A process that was asleep, because it was stopped or its
	// machine was, does not count that time: it looks every second, and sees a longer one.
	looked  time.Time
	planned time.Duration // until the next look
	entered uint64        // when the phase began of which time is forgiven, as in state
	slept   time.Duration // since then
}

// watchEvery bounds the time between two looks, and so how much of a sleep still counts;
// dozed is how late a look may be on a machine that is only busy.
const (
	watchEvery = time.Second
	dozed      = 500 * time.Millisecond
)

// hostGrace is how much longer than the experiment's deadlines the loop waits for
// code that runs in a process of its own, whose owner keeps the same deadlines.
const hostGrace = 5 * time.Second

const watchTimeMask = 1<<40 - 1

// newWatchdog starts watching; hung is called at most once, from its own goroutine.
func newWatchdog(load, reset, step, last time.Duration, roles func(int) string, hung func(*fault)) *watchdog {
	w := &watchdog{begun: time.Now(), hung: hung, roles: roles}
	for p := range w.limits {
		w.limits[p] = step
	}
	w.limits[phaseLoad], w.limits[phaseReset], w.limits[phaseLastUpdate] = load, reset, last
	w.looked, w.planned = w.begun, min(w.shortest(), watchEvery)
	w.timer = time.AfterFunc(w.planned, w.look)
	return w
}

// enter says that the phase begins now, for a role (-1: none).
func (w *watchdog) enter(p phase, role int) {
	w.state.Store(uint64(p)<<56 | uint64(role+1)<<40 | uint64(time.Since(w.begun).Microseconds())&watchTimeMask)
}

// change says that another phase of the same deadline goes on.
func (w *watchdog) change(p phase, role int) {
	w.state.Store(uint64(p)<<56 | uint64(role+1)<<40 | w.state.Load()&watchTimeMask)
}

// idle says that the loop runs none but its own code.
func (w *watchdog) idle() { w.state.Store(0) }

// phase is the phase and role entered last.
func (w *watchdog) phase() (phase, string) {
	s := w.state.Load()
	if s == 0 {
		return phaseIdle, ""
	}
	return phase(s >> 56), w.role(s)
}

func (w *watchdog) role(state uint64) string {
	if r := int(state>>40&0xffff) - 1; r >= 0 {
		return w.roles(r)
	}
	return ""
}

// stop ends the watch.
func (w *watchdog) stop() { w.timer.Stop() }

func (w *watchdog) shortest() time.Duration {
	least := w.limits[0]
	for _, l := range w.limits {
		least = min(least, l)
	}
	return max(least, time.Millisecond)
}

// look is the timer's function: it finds out when to look again, or that the time is up.
func (w *watchdog) look() {
	s := w.state.Load()
	now := time.Now()
	late := now.Sub(w.looked) - w.planned
	w.looked = now
	if s == 0 {
		w.again(w.shortest())
		return
	}
	p := phase(s >> 56)
	since := time.Duration(s&watchTimeMask) * time.Microsecond
	if at := s & watchTimeMask; at != w.entered {
		w.entered, w.slept = at, 0
	}
	took := now.Sub(w.begun) - since
	if late > dozed {
		w.slept = min(w.slept+late, took)
	}
	if left := w.limits[p] + time.Duration(w.grace.Load()) - (took - w.slept); left > 0 {
		w.again(left)
		return
	}
	w.hung(&fault{code: CodeHung, phase: p, role: w.role(s),
		message: fmt.Sprintf("%s did not return within %s", p, w.limits[p])})
}

// again looks after a time, or earlier.
func (w *watchdog) again(after time.Duration) {
	w.planned = min(after, watchEvery)
	w.timer.Reset(w.planned)
}
