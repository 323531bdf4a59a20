package actors

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// TestNobodyWaitsForAnActorThatStopped asks one that stops with the question
// unanswered: a page that asks about a session at its very end must not hang.
func TestNobodyWaitsForAnActorThatStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := actor.NewActorSystem()
		s := &System{as: as, cast: &cast{root: as.Root}}
		pid := as.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*look); ok {
				ctx.Stop(ctx.Self())
			}
		}))
		began := time.Now()
		_, err := s.ask(t.Context(), pid, &look{})
		if waited := time.Since(began); !errors.Is(err, ErrGone) || waited > time.Second {
			t.Errorf("the answer is %v after %s, want %v within a second", err, waited, ErrGone)
		}
		time.Sleep(askTimeout) // the library's own timer
		as.Shutdown()
	})
}
