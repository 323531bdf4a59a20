package runner

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"sharpie/actors/messages"
	"sharpie/agents"
	"sharpie/envs"
	"sharpie/envs/builtin"
	"sharpie/experiments"
)

// probe is an actor that keeps what it is told, and by whom.
type probe struct {
	pid *actor.PID
	got chan told
	by  *actor.PID // of what next returned last
}

type told struct {
	message any
	by      *actor.PID
}

// house is an actor system with a queue, a session and a runner under test.
type house struct {
	t              *testing.T
	system         *actor.ActorSystem
	queue, session *probe
	runner         *actor.PID
	metrics        *Metrics
	probes         []*actor.PID
}

func (h *house) probe() *probe {
	p := &probe{got: make(chan told, 4096)}
	p.pid = h.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case actor.SystemMessage, actor.AutoReceiveMessage:
		default:
			p.got <- told{ctx.Message(), ctx.Sender()}
		}
	}))
	h.probes = append(h.probes, p.pid)
	return p
}

// inHouse runs a test in virtual time, with a runner that has offered itself.
func inHouse(t *testing.T, w *world, f func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t, metrics: NewMetrics(nil), system: actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
			return slog.New(slog.NewTextHandler(io.Discard, nil))
		}))}
		h.queue, h.session = h.probe(), h.probe()
		h.runner = h.system.Root.Spawn(Props(Config{
			Queue: h.queue.pid, RunnerID: "node", Incarnation: "1", Slot: 4, Labels: []string{"gpu"}, CodeVersion: "v1",
			Maker: w, Metrics: h.metrics,
		}))
		o := next[*messages.Offer](h, h.queue)
		if o.RunnerId != "node" || o.Incarnation != "1" || o.Slot != 4 || fmt.Sprint(o.Labels) != "[gpu]" {
			t.Errorf("the queue got %v", o)
		}
		if by := h.queue.by; !h.runner.Equal(by) {
			t.Errorf("the offer is by %v, want the runner", by)
		}
		f(h)
		h.probes = append(h.probes, h.runner)
		for _, p := range h.probes {
			_ = h.system.Root.StopFuture(p).Wait()
		}
		h.system.Shutdown()
		time.Sleep(time.Hour) // whatever is left ends by its deadline
	})
}

// next is the probe's next message that is no step; it must be of the type.
func next[T any](h *house, p *probe) T {
	h.t.Helper()
	limit := time.After(10 * time.Minute)
	for {
		select {
		case got := <-p.got:
			m := got.message
			p.by = got.by
			switch m.(type) {
			case *messages.Stepped, *messages.Waiting:
				if _, asked := m.(T); !asked {
					continue
				}
			}
			out, ok := m.(T)
			if !ok {
				h.t.Fatalf("got %T %v, want %T", m, m, out)
			}
			return out
		case <-limit:
			var out T
			h.t.Fatalf("nothing came, want %T", out)
		}
	}
}

// none fails if the probe gets anything within a minute.
func none(h *house, p *probe) {
	h.t.Helper()
	select {
	case m := <-p.got:
		h.t.Errorf("got %T %v, want nothing", m.message, m.message)
	case <-time.After(time.Minute):
	}
}

func (h *house) send(m any) { h.system.Root.Send(h.runner, m) }

func (h *house) start(by *probe, session, episode string, def *experiments.Definition) {
	h.system.Root.RequestWithCustomSender(h.runner, &messages.Start{
		SessionId: session, EpisodeId: episode, Seed: 3, Definition: canonical(h.t, def), KeepEnvironment: true,
	}, by.pid)
}

func TestASessionHoldsItsRunner(t *testing.T) {
	env := newWalk("a")
	w := &world{env: env}
	inHouse(t, w, func(h *house) {
		for _, episode := range []string{"e1", "e2"} {
			h.start(h.session, "s", episode, definition("a"))
			s := next[*messages.Started](h, h.session)
			if s.EpisodeId != episode || s.RunnerId != "node" || s.Incarnation != "1" || s.CodeVersion != "v1" || s.EnvironmentVersion != "1" || !s.Replayable || s.Width != 8 || s.Height != 1 {
				h.t.Errorf("started with %v", s)
			}
			if s.Step.Picture == nil || s.Step.Record.Step != 0 || s.Step.Record.Roles[0].Observation == nil {
				h.t.Errorf("step 0 is %v, want a picture and an observation", s.Step)
			}
			if by := h.session.by; !h.runner.Equal(by) {
				h.t.Errorf("Started is by %v, want the runner", by)
			}
			if e := next[*messages.EpisodeEnded](h, h.session); e.EpisodeId != episode || e.LastStep != 5 {
				h.t.Errorf("ended with %v", e)
			}
			none(h, h.queue)
		}
		if w.made != 1 || env.closed != 0 {
			h.t.Errorf("the environment was made %d times and closed %d times, want one for both episodes", w.made, env.closed)
		}
		h.send(&messages.Release{SessionId: "s"})
		next[*messages.Offer](h, h.queue)
		if env.closed != 1 {
			h.t.Errorf("the environment was closed %d times, want once before the offer", env.closed)
		}
		other := h.probe()
		h.start(other, "s2", "e3", definition("a"))
		next[*messages.Started](h, other)
	})
}

func TestARunnerServesOneSession(t *testing.T) {
	inHouse(t, &world{env: newWalk("a")}, func(h *house) {
		def := definition("a")
		def.Experiment.MaxSteps = 0
		h.start(h.session, "s", "e", def)
		next[*messages.Started](h, h.session)
		other := h.probe()
		h.start(other, "s2", "x", def)
		if f := next[*messages.Failed](h, other); f.Code != CodeBusy || f.EpisodeId != "x" {
			h.t.Errorf("another session got %v, want busy", f)
		}
		h.start(h.session, "s", "e2", def)
		if f := next[*messages.Failed](h, h.session); f.Code != CodeBusy || f.EpisodeId != "e2" {
			h.t.Errorf("a second episode got %v, want busy", f)
		}
		h.start(h.session, "s", "e", def) // told twice: no second episode, no answer
		h.send(&messages.Release{SessionId: "s2"})
		h.send(&messages.Stop{EpisodeId: "e", Code: "enough"})
		if e := next[*messages.EpisodeEnded](h, h.session); e.Code != "enough" {
			h.t.Errorf("ended with %v, want enough", e)
		}
		none(h, h.session)
		none(h, h.queue)
	})
}

func TestStaleMessagesAreCountedAndDropped(t *testing.T) {
	inHouse(t, &world{env: newWalk("a")}, func(h *house) {
		def := definition("a")
		h.start(h.session, "s", "e", def)
		next[*messages.Started](h, h.session)
		for _, m := range []any{
			&messages.Inputs{EpisodeId: "old", Inputs: []*messages.Input{{Keys: []string{"ArrowLeft"}}}},
			&messages.Ack{EpisodeId: "old", Through: 9}, &messages.Pause{EpisodeId: "old"}, &messages.Resume{EpisodeId: "old"},
			&messages.SetSeat{EpisodeId: "old"}, &messages.Stop{EpisodeId: "old"}, &messages.Release{SessionId: "old"}, "nonsense",
		} {
			h.send(m)
		}
		for range 5 {
			if s := next[*messages.Stepped](h, h.session); s.Record.Roles[0].Source != messages.Source_SOURCE_DEFAULT {
				h.t.Errorf("a stale input acted: %v", s.Record)
			}
		}
		if n := counted(h.metrics.stale); n != 8 {
			h.t.Errorf("%v stale messages were counted, want 8", n)
		}
	})
}

func TestOrdersReachTheEpisode(t *testing.T) {
	inHouse(t, &world{env: newWalk("a")}, func(h *house) {
		def := definition("a")
		def.Experiment.MaxSteps = 0
		h.start(h.session, "s", "e", def)
		next[*messages.Started](h, h.session)
		h.send(&messages.Inputs{EpisodeId: "e", Inputs: []*messages.Input{{Seq: 7, Keys: []string{"ArrowLeft"}}}})
		if s := next[*messages.Stepped](h, h.session); s.Record.Roles[0].Source != messages.Source_SOURCE_HUMAN || s.InputSeqs[0] != 7 || s.Returns[0] != -1 {
			h.t.Errorf("the step is %v, want the input's", s)
		}
		h.send(&messages.Pause{EpisodeId: "e"})
		none(h, h.session)
		h.send(&messages.Resume{EpisodeId: "e"})
		next[*messages.Stepped](h, h.session)
		if n := counted(h.metrics.unacked); n != 3 {
			h.t.Errorf("%v records wait to be stored, want 3", n)
		}
		h.send(&messages.Ack{EpisodeId: "e", Through: 1})
		h.send(&messages.Stop{EpisodeId: "e"})
		next[*messages.EpisodeEnded](h, h.session)
		if n := counted(h.metrics.unacked); n != 1 {
			h.t.Errorf("%v records wait to be stored, want 1", n)
		}
		h.send(&messages.Ack{EpisodeId: "e", Through: 2}) // after the end
		synctest.Wait()
		if n := counted(h.metrics.unacked); n != 0 {
			h.t.Errorf("%v records wait to be stored, want none", n)
		}
	})
}

func TestARunnerOutlivesItsSession(t *testing.T) {
	env := newWalk("a")
	inHouse(t, &world{env: env}, func(h *house) {
		def := definition("a")
		def.Experiment.MaxSteps = 0
		h.start(h.session, "s", "e", def)
		next[*messages.Started](h, h.session)
		_ = h.system.Root.StopFuture(h.session.pid).Wait()
		next[*messages.Offer](h, h.queue)
		if env.closed != 1 {
			h.t.Errorf("the environment was closed %d times, want once", env.closed)
		}
		other := h.probe()
		h.start(other, "s2", "e2", definition("a"))
		next[*messages.Started](h, other)
	})
}

func TestAHungLoopIsLeftBehind(t *testing.T) {
	hung := newWalk("a")
	made := []envs.Environment{hung, newWalk("a")}
	w := &world{fresh: func() envs.Environment {
		next := made[0]
		made = made[1:]
		return next
	}}
	inHouse(t, w, func(h *house) {
		hang := make(chan struct{})
		hung.onStep = func(n int) {
			if n == 2 {
				<-hang
			}
		}
		h.start(h.session, "s", "e", definition("a"))
		next[*messages.Started](h, h.session)
		if f := next[*messages.Failed](h, h.session); f.Code != CodeHung || f.LastStep != 1 {
			h.t.Errorf("failed with %v, want hung after step 1", f)
		}
		if n := counted(h.metrics.hung); n != 1 {
			h.t.Errorf("%v loops are counted as hung, want 1", n)
		}
		h.start(h.session, "s", "e2", definition("a"))
		next[*messages.Started](h, h.session)
		close(hang)
		if e := next[*messages.EpisodeEnded](h, h.session); e.EpisodeId != "e2" {
			h.t.Errorf("ended with %v, want e2", e)
		}
		synctest.Wait()
		if n := counted(h.metrics.hung); n != 0 || hung.closed != 1 {
			h.t.Errorf("%v loops are counted as hung and the environment was closed %d times after all returned, want 0 and once", n, hung.closed)
		}
	})
}

func TestASlotGivenToADeadSessionComesBack(t *testing.T) {
	inHouse(t, &world{env: newWalk("a")}, func(h *house) {
		h.send(&messages.Release{SessionId: "died before its start"})
		next[*messages.Offer](h, h.queue)
		h.start(h.session, "s", "e", definition("a"))
		next[*messages.Started](h, h.session)
		h.send(&messages.Release{SessionId: "s"})
		next[*messages.Offer](h, h.queue)
		h.send(&messages.Release{SessionId: "s"}) // once more: the offer was lost, or the slot is another's by now
		if o := next[*messages.Offer](h, h.queue); o.GetFormerSession() != "s" {
			h.t.Errorf("offered after session %q, so that the Queue cannot know that it was offered before; want s", o.GetFormerSession())
		}
	})
}

func TestABadStartIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		start *messages.Start
		want  string
	}{
		"no session":    {&messages.Start{EpisodeId: "e", Definition: []byte("{}")}, "session_id"},
		"no episode":    {&messages.Start{SessionId: "s", Definition: []byte("{}")}, "episode_id"},
		"no definition": {&messages.Start{SessionId: "s", EpisodeId: "e"}, "definition"},
		"not JSON":      {&messages.Start{SessionId: "s", EpisodeId: "e", Definition: []byte("{")}, "definition"},
		"unknown field": {&messages.Start{SessionId: "s", EpisodeId: "e", Definition: []byte(`{"speed":1}`)}, "speed"},
	} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, &world{env: newWalk("a")}, func(h *house) {
				h.system.Root.RequestWithCustomSender(h.runner, c.start, h.session.pid)
				if f := next[*messages.Failed](h, h.session); f.Code != CodeBadExperiment || !strings.Contains(f.Message, c.want) {
					h.t.Errorf("failed with %v, want bad_experiment naming %s", f, c.want)
				}
			})
		})
	}
}

func TestAStoppedRunnerEndsItsEpisode(t *testing.T) {
	env := newWalk("a")
	inHouse(t, &world{env: env}, func(h *house) {
		def := definition("a")
		def.Experiment.MaxSteps = 0
		h.start(h.session, "s", "e", def)
		next[*messages.Started](h, h.session)
		_ = h.system.Root.PoisonFuture(h.runner).Wait()
		if e := next[*messages.EpisodeEnded](h, h.session); e.Code != CodeRunnerStopped {
			h.t.Errorf("ended with %v, want runner_stopped", e)
		}
		synctest.Wait()
		if env.closed != 1 {
			h.t.Errorf("the environment was closed %d times, want once", env.closed)
		}
	})
}

func TestMountainCarIsPlayed(t *testing.T) {
	inHouse(t, &world{}, func(h *house) {
		def := definition("agent_0")
		def.Environment = experiments.Environment{Name: "Mountain Car", Source: "go:MountainCar-v0"}
		def.Experiment.MaxSteps = 0
		pid := h.system.Root.Spawn(Props(Config{Maker: experiments.Registries{Environments: builtin.Registry()}}))
		h.probes = append(h.probes, pid)
		h.system.Root.RequestWithCustomSender(pid, &messages.Start{SessionId: "s", EpisodeId: "e", Seed: 1, Definition: canonical(h.t, def)}, h.session.pid)
		started := next[*messages.Started](h, h.session)
		if o := started.Step.Record.Roles[0].Observation.GetArray(); o.GetDtype() != string(envs.Float32) || len(o.GetData()) != 8 {
			h.t.Errorf("the observation is %v, want two float32", o)
		}
		moved := 0
		for range 200 {
			if s := next[*messages.Stepped](h, h.session); s.Picture != nil {
				moved++
			}
		}
		if e := next[*messages.EpisodeEnded](h, h.session); e.LastStep != 200 || e.How != messages.EpisodeEnded_TRUNCATED || e.Code != "" {
			h.t.Errorf("ended with %v, want the environment's own limit of 200", e)
		}
		if moved < 20 {
			h.t.Errorf("the picture changed %d times in 200 steps", moved)
		}
	})
}

// counted is what a counter or gauge shows.
func counted(m prometheus.Metric) float64 {
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		return -1
	}
	return out.GetCounter().GetValue() + out.GetGauge().GetValue()
}

var _ agents.Learner = (*fixed)(nil)
