package runner

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
	"sharpie/envs/builtin"
	"sharpie/experiments"
)

// probe is an actor that keeps what it is told.
type probe struct {
	pid *actor.PID
	got chan any
	by  chan *actor.PID
}

func newProbe(s *actor.ActorSystem) *probe {
	p := &probe{got: make(chan any, 4096), by: make(chan *actor.PID, 4096)}
	p.pid = s.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case actor.SystemMessage, actor.AutoReceiveMessage:
		default:
			p.got <- ctx.Message()
			p.by <- ctx.Sender()
		}
	}))
	return p
}

func TestMountainCarIsPlayedOverMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := actor.NewActorSystem()
		queue, session := newProbe(system), newProbe(system)
		pid := system.Root.Spawn(Props(Config{Queue: queue.pid, RunnerID: "r", Incarnation: "i", Environments: builtin.Registry()}))
		if o, ok := (<-queue.got).(*messages.Offer); !ok || o.RunnerId != "r" {
			t.Fatalf("the queue got %v, want an Offer", o)
		}
		if by := <-queue.by; !by.Equal(pid) {
			t.Fatalf("the offer comes from %v, want the runner %v", by, pid)
		}
		def := definition("agent_0")
		def.Environment = experiments.Environment{Name: "Mountain Car", Source: "go:MountainCar-v0"}
		system.Root.RequestWithCustomSender(pid, &messages.Start{
			SessionId: "s", EpisodeId: "e", Seed: 1, Definition: canonical(t, def),
		}, session.pid)
		started, ok := (<-session.got).(*messages.Started)
		if !ok {
			t.Fatalf("the session got %v, want Started", started)
		}
		if started.Step.Picture == nil || len(started.Step.Picture.Data) == 0 {
			t.Error("step 0 has no picture")
		}
		steps := 0
		for m := range session.got {
			if _, ok := m.(*messages.Stepped); ok {
				steps++
				continue
			}
			if e, ok := m.(*messages.EpisodeEnded); !ok || e.LastStep != 5 {
				t.Fatalf("after %d steps the session got %v, want EpisodeEnded at 5", steps, m)
			}
			break
		}
		system.Root.Send(pid, &messages.Release{SessionId: "s"})
		if o, ok := (<-queue.got).(*messages.Offer); !ok {
			t.Fatalf("after Release the queue got %v, want an Offer", o)
		}
		for _, p := range []*actor.PID{pid, queue.pid, session.pid} {
			_ = system.Root.StopFuture(p).Wait()
		}
		system.Shutdown()
		time.Sleep(time.Minute)
	})
}
