package link

import (
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// seated is a crew whose runners tell which seat they got.
func seated(t *testing.T, ready <-chan struct{}) (*actor.ActorSystem, *actor.PID, chan Seat) {
	t.Helper()
	seats := make(chan Seat, 16)
	discard := slog.New(slog.DiscardHandler)
	c := newCrew(JoinConfig{Slots: 2, Ready: ready, Runner: func(s Seat) *actor.Props {
		return actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*actor.Started); ok {
				seats <- s
			}
		})
	}}, discard)
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return discard }))
	pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return c }))
	t.Cleanup(func() {
		if err := system.Root.StopFuture(pid).Wait(); err != nil {
			t.Error(err)
		}
		system.Shutdown()
	})
	return system, pid, seats
}

func takesSeats(t *testing.T, seats chan Seat, node string) {
	t.Helper()
	for range 2 {
		select {
		case s := <-seats:
			if s.Node != node {
				t.Errorf("a runner sits at %s, want %s", s.Node, node)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("a slot has no runner")
		}
	}
}

// hearOfNewest has the crew hear of another server, and waits until it has: Ready is looked
// at in the order of what it hears.
func hearOfNewest(t *testing.T, system *actor.ActorSystem, pid *actor.PID) {
	t.Helper()
	system.Root.Send(pid, &renew{seat: Seat{Node: "newest"}})
	// the library answers a touch, in the order of the mailbox
	if _, err := system.Root.RequestFuture(pid, &actor.Touch{}, 10*time.Second).Result(); err != nil {
		t.Fatal(err)
	}
}

func TestSlotsAreFilledAtOnceWhereNothingIsToBePrepared(t *testing.T) {
	system, pid, seats := seated(t, nil)
	system.Root.Send(pid, &renew{seat: Seat{Node: "a"}})
	takesSeats(t, seats, "a")
}

func TestSlotsStayEmptyUntilTheNodeIsReady(t *testing.T) {
	ready := make(chan struct{})
	system, pid, seats := seated(t, ready)
	system.Root.Send(pid, &renew{seat: Seat{Node: "former"}})
	hearOfNewest(t, system, pid)
	if n := len(seats); n != 0 {
		t.Fatalf("%d slots are offered before the node is ready", n)
	}
	close(ready)
	takesSeats(t, seats, "newest") // the server that it knows then
	system.Root.Send(pid, &renew{seat: Seat{Node: "next"}})
	takesSeats(t, seats, "next")
}
