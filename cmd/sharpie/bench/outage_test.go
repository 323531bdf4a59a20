package bench

import (
	"testing"
	"time"
)

func TestAnOutageIsNoticedByThePauseAndOverWithANewStep(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(1_700_000_000_000 + int64(ms)) }
	frame := func(step uint64) seen { return seen{frame: true, step: step} }
	var o outage
	o.see(frame(70), at(0))
	o.see(seen{phase: phasePaused}, at(1)) // somebody else was away, before
	o.see(seen{phase: 4}, at(2))
	noticed, resumed := o.begin(at(10))
	o.see(frame(71), at(11)) // was on its way
	if closed(noticed) || closed(resumed) {
		t.Fatal("the outage was noticed by a picture")
	}
	o.see(seen{phase: phasePaused}, at(3010))
	if !closed(noticed) || closed(resumed) {
		t.Fatal("the outage was not noticed by the pause, or was over with it")
	}
	o.see(seen{phase: 3}, at(4000))
	o.see(seen{phase: 4}, at(4100))
	o.see(frame(71), at(4200)) // shown again by the next runner
	if closed(resumed) {
		t.Fatal("the outage was over with the step that was seen before it")
	}
	o.see(frame(72), at(4510))
	o.see(frame(73), at(5000))
	if !closed(resumed) {
		t.Fatal("the outage was not over with a new step")
	}
	var n, r samples
	o.met(&n, &r)
	if len(n.d) != 1 || n.d[0] != 3*time.Second || len(r.d) != 1 || r.d[0] != 1500*time.Millisecond {
		t.Errorf("met %v and %v, want 3 s and 1.5 s", n.d, r.d)
	}
}

func TestAnOutageThatIsNotOverIsNotCounted(t *testing.T) {
	var o outage
	o.begin(time.Now())
	o.see(seen{phase: phasePaused}, time.Now())
	var n, r samples
	o.met(&n, &r)
	if len(n.d) != 1 || len(r.d) != 0 {
		t.Errorf("met %v and %v, want one time until it was noticed and none until play went on", n.d, r.d)
	}
}

// closed says whether a channel was closed.
func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
