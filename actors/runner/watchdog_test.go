package runner

import (
	"testing"
	"testing/synctest"
	"time"
)

// The time in which this process was stopped is nobody's fault; what comes after counts.
func TestTheWatchdogForgivesItsOwnSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []*fault
		w := newWatchdog(time.Minute, time.Minute, 5*time.Second, time.Minute, func(int) string { return "" }, func(f *fault) { told = append(told, f) })
		defer w.stop()
		w.enter(phaseRender, -1)
		time.Sleep(500 * time.Millisecond)
		// The timer is due in half a second, and the process is stopped for twenty.
		w.stop()
		time.Sleep(20 * time.Second)
		synctest.Wait()
		w.look()
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if len(told) != 0 {
			t.Fatalf("after a sleep of its own and three seconds it says %v", told[0])
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if len(told) != 1 || told[0].code != CodeHung {
			t.Errorf("after six seconds awake it says %v, want that it hangs", told)
		}
	})
}

func TestTheWatchdogKeepsTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var after time.Duration
		w := newWatchdog(time.Minute, time.Minute, 5*time.Second, time.Minute, func(int) string { return "" }, func(*fault) { after = time.Since(began) })
		defer w.stop()
		w.enter(phaseStep, -1)
		time.Sleep(time.Minute)
		synctest.Wait()
		if after != 5*time.Second {
			t.Errorf("it says that a step hangs after %s, want 5s", after)
		}
	})
}
