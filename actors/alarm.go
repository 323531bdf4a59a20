package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// alarm is one deadline of an actor. It sends rang to the actor; a generation
// number tells an alarm that was set anew from the one before, because a timer that
// has fired cannot be called back. The actor alone uses it.
type alarm struct {
	name  string
	gen   uint64
	timer *time.Timer
	at    time.Time // zero: not set
}

// set arms the alarm, in place of what it was set to before.
func (a *alarm) set(ctx actor.Context, d time.Duration) {
	a.clear()
	root, self, m := ctx.ActorSystem().Root, ctx.Self(), &rang{name: a.name, gen: a.gen}
	a.at = time.Now().Add(d)
	a.timer = time.AfterFunc(d, func() { root.Send(self, m) })
}

// clear disarms it.
func (a *alarm) clear() {
	a.gen++
	a.at = time.Time{}
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}

// is reports whether the message is this alarm's, and not one from before.
func (a *alarm) is(m *rang) bool {
	if m.name != a.name || m.gen != a.gen || a.at.IsZero() {
		return false
	}
	a.at = time.Time{}
	return true
}
