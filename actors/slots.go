package actors

import (
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// slots is the runner node inside this process: the parent of its Runner actors.
// A slot whose runner stops gets a new one, after a pause that grows with how
// often that happens.
type slots struct {
	cast  *cast
	log   *slog.Logger
	props func(slot int) *actor.Props

	runners []*actor.PID // by slot
	respawn []alarm
	deaths  []int
	ending  bool
}

func (s *slots) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		s.respawn = make([]alarm, len(s.runners))
		s.deaths = make([]int, len(s.runners))
		for i := range s.runners {
			s.respawn[i].name = "respawn"
			s.runners[i] = ctx.Spawn(s.props(i))
		}
	case *actor.Terminated:
		s.lost(ctx, m.Who)
	case *rang:
		for i := range s.respawn {
			if s.respawn[i].at.IsZero() || s.respawn[i].gen != m.gen {
				continue
			}
			if time.Until(s.respawn[i].at) <= 0 && s.runners[i] == nil {
				s.respawn[i].clear()
				s.runners[i] = ctx.Spawn(s.props(i))
			}
		}
	case *actor.Stopping:
		s.ending = true
		for i := range s.respawn {
			s.respawn[i].clear()
		}
	case *actor.Stopped:
	default:
		s.cast.unknown(ctx, s.log)
	}
}

func (s *slots) lost(ctx actor.Context, who *actor.PID) {
	if s.ending {
		return
	}
	for i, pid := range s.runners {
		if pid == nil || !pid.Equal(who) {
			continue
		}
		s.runners[i] = nil
		s.deaths[i]++
		s.log.Error("a runner stopped; its slot gets a new one", "slot", i, "deaths", s.deaths[i])
		s.cast.metrics.faults.WithLabelValues("runner").Inc()
		s.respawn[i].set(ctx, backoff(s.deaths[i]))
	}
}
