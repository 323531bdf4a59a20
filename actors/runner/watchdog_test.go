package runner

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// watched is a watchdog with a step of five seconds, and how long after its beginning it
// said that one hangs; 0: not.
func watched() (*watchdog, *atomic.Int64) {
	began, after := time.Now(), new(atomic.Int64)
	none := func(int) string { return "" }
	return newWatchdog(time.Minute, time.Minute, 5*time.Second, time.Minute, none, func(*fault) { after.Store(int64(time.Since(began))) }), after
}

// The time in which this process was stopped is nobody's fault; what comes after counts.
func TestTheWatchdogForgivesItsOwnSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, after := watched()
		defer w.stop()
		w.enter(phaseRender, -1)
		time.Sleep(500 * time.Millisecond)
		// The timer is due in half a second, and the process is stopped for twenty.
		w.stop()
		time.Sleep(20 * time.Second)
		w.look()
		time.Sleep(3 * time.Second)
		if d := time.Duration(after.Load()); d != 0 {
			t.Fatalf("after a sleep of its own and three seconds it says that the step hangs, after %s", d)
		}
		time.Sleep(3 * time.Second)
		if after.Load() == 0 {
			t.Error("six seconds awake are not too long")
		}
	})
}

func TestTheWatchdogKeepsTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, after := watched()
		defer w.stop()
		w.enter(phaseStep, -1)
		time.Sleep(time.Minute)
		if d := time.Duration(after.Load()); d != 5*time.Second {
			t.Errorf("it says that a step hangs after %s, want 5s", d)
		}
	})
}
