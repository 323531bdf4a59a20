package runner

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/go-cmp/cmp"

	"sharpie/actors/messages"
	"sharpie/agents"
	"sharpie/envs"
	"sharpie/experiments"
)

// cut tells the runner that a session's process is out of reach.
func (h *house) cut(p *probe) {
	process, _ := h.system.ProcessRegistry.Get(h.runner)
	process.SendSystemMessage(h.runner, &actor.Terminated{Who: p.pid, Why: actor.TerminatedReason_AddressTerminated})
	synctest.Wait()
}

func (h *house) reattach(by *probe, episode string, received uint64) {
	h.system.Root.RequestWithCustomSender(h.runner, &messages.Reattach{EpisodeId: episode, Received: received}, by.pid)
	synctest.Wait()
}

// told is all that waits in a probe, each in a few words.
func (p *probe) told() []string {
	var out []string
	for {
		select {
		case m := <-p.got:
			out = append(out, inWords(m.message))
		default:
			return out
		}
	}
}

func inWords(m any) string {
	with := func(p *messages.Picture) string {
		if p == nil {
			return ""
		}
		return "+picture"
	}
	switch m := m.(type) {
	case *messages.Started:
		return fmt.Sprintf("started %d%s", m.Step.Record.Step, with(m.Step.Picture))
	case *messages.Stepped:
		return fmt.Sprintf("step %d%s", m.Record.Step, with(m.Picture))
	case *messages.Pictured:
		return fmt.Sprintf("picture %d", m.Picture.Step)
	case *messages.Checkpoint:
		return fmt.Sprintf("checkpoint %s at %d", m.Version, m.Step)
	case *messages.EpisodeEnded:
		return fmt.Sprintf("ended %d %s", m.LastStep, m.Code)
	case *messages.Failed:
		return "failed " + m.Code
	case *messages.Waiting:
		return fmt.Sprintf("waiting %v", m.Roles)
	}
	return fmt.Sprintf("%T", m)
}

func (p *probe) expect(h *house, when string, want ...string) {
	h.t.Helper()
	synctest.Wait()
	if d := cmp.Diff(want, p.told()); d != "" {
		h.t.Errorf("%s the session was told otherwise (-want +got):\n%s", when, d)
	}
}

// walking is an experiment of steps in which the role walks on by itself.
func walking(steps int) (*experiments.Definition, *walk, *world) {
	def := definition("a")
	def.Policies = []experiments.Policy{{Name: "p", Source: "go:fixed"}}
	def.Agents[0].Policy, def.Experiment.MaxSteps = "p", steps
	env := newWalk("a")
	return def, env, &world{env: env, policies: map[string]agents.Agent{"go:fixed": &fixed{action: envs.Int(2)}}}
}

func TestACutCostsNoStep(t *testing.T) {
	def, env, w := walking(6)
	inHouse(t, w, func(h *house) {
		h.start(h.session, "s", "e", def)
		time.Sleep(210 * ms)
		h.send(&messages.Inputs{EpisodeId: "e", Inputs: []*messages.Input{{Seq: 1, Keys: []string{"ArrowLeft"}}}})
		time.Sleep(100 * ms)
		h.session.expect(h, "before the cut", "started 0+picture", "step 1+picture", "step 2+picture", "step 3+picture")
		h.send(&messages.Ack{EpisodeId: "e", Through: 0})
		h.cut(h.session)
		time.Sleep(50 * time.Second)
		h.session.expect(h, "while the link was cut")
		if env.step != 3 {
			h.t.Errorf("the environment is at step %d, want it to stand at 3", env.step)
		}
		h.reattach(h.session, "e", 1)
		h.session.expect(h, "at its return", "step 2", "step 3", "picture 3")
		time.Sleep(91 * ms)
		m := (<-h.session.got).message.(*messages.Stepped)
		r := m.Record.Roles[0]
		if m.Record.Step != 4 || r.Source != messages.Source_SOURCE_POLICY || m.Record.TickLatenessUs != 0 || len(r.Inputs) != 0 {
			h.t.Errorf("the next step is %v; want step 4 in time, and the key that was held let go", m.Record)
		}
		time.Sleep(time.Second)
		h.session.expect(h, "to the end", "step 5+picture", "step 6+picture", "ended 6 max_steps")
	})
}

// What was acknowledged is not sent again; what was not is, in the old order.
func TestWhatFellIntoTheGapIsToldAgain(t *testing.T) {
	def, env, w := walking(4)
	def.Policies[0].CheckpointInterval, def.Policies[0].CheckpointEvery = 1, 1
	inHouse(t, w, func(h *house) {
		env.onStep = func(n int) {
			if n == 4 {
				time.Sleep(50 * ms) // the link is cut meanwhile
			}
		}
		h.start(h.session, "s", "e", def)
		time.Sleep(420 * ms)
		h.session.expect(h, "before the cut", "started 0+picture", "step 1+picture", "step 2+picture", "checkpoint fixed-1 at 2", "step 3+picture", "checkpoint fixed-2 at 3")
		h.send(&messages.Ack{EpisodeId: "e", Through: 2})
		h.cut(h.session)
		time.Sleep(time.Second)
		h.session.expect(h, "while the link was cut")
		want := []string{"step 3", "checkpoint fixed-2 at 3", "step 4", "checkpoint fixed-3 at 4", "picture 4", "ended 4 max_steps"}
		h.reattach(h.session, "e", 2)
		h.session.expect(h, "at its return", append([]string{"checkpoint fixed-1 at 2"}, want...)...)
		h.reattach(h.session, "e", 2)
		h.session.expect(h, "that asks again at once")
		h.send(&messages.Ack{EpisodeId: "e", Through: 3})
		time.Sleep(time.Second)
		h.cut(h.session) // also taken for the end of the former link, if it comes early
		time.Sleep(time.Second)
		h.cut(h.session)
		h.reattach(h.session, "e", 3)
		h.session.expect(h, "after another cut", want[1:]...)
		h.send(&messages.Ack{EpisodeId: "e", Through: 4})
		time.Sleep(time.Second)
		h.reattach(h.session, "e", 4)
		h.session.expect(h, "once all steps are stored", "checkpoint fixed-3 at 4", "picture 4", "ended 4 max_steps")
		h.start(h.session, "s", "e2", def)
		time.Sleep(time.Second)
		h.session.told()
		h.reattach(h.session, "e", 4)
		h.session.expect(h, "about the former episode", "failed "+CodeUnknownEpisode)
		h.send(&messages.Release{SessionId: "s"})
		next[*messages.Offer](h, h.queue)
		h.reattach(h.session, "e2", 4)
		h.session.expect(h, "after it let the runner go", "failed "+CodeUnknownEpisode)
	})
}

func TestStartedMayFallIntoTheGap(t *testing.T) {
	def, env, w := walking(0)
	inHouse(t, w, func(h *house) {
		env.onReset = func() { time.Sleep(time.Second) }
		h.start(h.session, "s", "e", def)
		synctest.Wait()
		h.cut(h.session)
		time.Sleep(10 * time.Second)
		h.session.expect(h, "while the link was cut")
		h.reattach(h.session, "e", 0)
		h.session.expect(h, "at its return", "started 0", "step 0", "picture 0")
		time.Sleep(250 * ms)
		h.session.expect(h, "then", "step 1+picture", "step 2+picture")
		h.send(&messages.Ack{EpisodeId: "e", Through: 0})
		h.reattach(h.session, "e", 2)
		h.session.expect(h, "that missed nothing", "step 2", "picture 2")
	})
}

func TestASessionThatDoesNotComeBackLosesItsRunner(t *testing.T) {
	def, env, w := walking(0)
	inHouse(t, w, func(h *house) {
		h.start(h.session, "s", "e", def)
		time.Sleep(150 * ms)
		h.session.told()
		h.cut(h.session)
		h.cut(h.session)
		cut := time.Now()
		next[*messages.Offer](h, h.queue)
		if d := time.Since(cut); d != DefaultLinkGrace || env.closed != 1 {
			h.t.Errorf("the slot was offered after %v with the environment closed %d times, want %v and once", d, env.closed, DefaultLinkGrace)
		}
		h.session.expect(h, "after the grace")
		h.reattach(h.session, "e", 1)
		h.session.expect(h, "that comes too late", "failed "+CodeUnknownEpisode)
		other := h.probe()
		h.start(other, "s2", "e2", def)
		next[*messages.Started](h, other)
		none(h, h.queue)
	})
}

// A server that was started anew has the session under another address.
func TestASessionComesBackAsAnotherActor(t *testing.T) {
	def, _, w := walking(0)
	inHouse(t, w, func(h *house) {
		h.start(h.session, "s", "e", def)
		time.Sleep(150 * ms)
		h.session.told()
		h.cut(h.session)
		again := h.probe()
		h.reattach(again, "e", 0)
		again.expect(h, "at its return", "started 0", "step 1", "picture 1")
		_ = h.system.Root.StopFuture(h.session.pid).Wait()
		time.Sleep(100 * ms)
		h.session.expect(h, "as the former actor")
		again.expect(h, "then", "step 2+picture")
		h.send(&messages.Stop{EpisodeId: "e", Code: "enough"})
		again.expect(h, "at the end", "ended 2 enough")
		h.start(again, "s", "e2", def)
		next[*messages.Started](h, again)
		_ = h.system.Root.StopFuture(again.pid).Wait()
		next[*messages.Offer](h, h.queue)
	})
}

func TestAnEndOfTheFormerLinkIsHeardLate(t *testing.T) {
	def, _, w := walking(0)
	inHouse(t, w, func(h *house) {
		h.start(h.session, "s", "e", def)
		time.Sleep(150 * ms)
		h.reattach(h.session, "e", 1) // before anybody heard of the cut
		h.session.told()
		h.cut(h.session)
		time.Sleep(200 * ms)
		h.session.expect(h, "after its return", "step 2+picture", "step 3+picture")
		h.cut(h.session)
		time.Sleep(time.Second)
		h.session.expect(h, "after a cut of the new link")
	})
}

func TestASessionThatEndsDuringACutFreesTheSlot(t *testing.T) {
	def, env, w := walking(0)
	inHouse(t, w, func(h *house) {
		h.start(h.session, "s", "e", def)
		time.Sleep(150 * ms)
		h.cut(h.session)
		h.send(&messages.Release{SessionId: "s"})
		next[*messages.Offer](h, h.queue)
		if env.closed != 1 {
			h.t.Errorf("the environment was closed %d times, want once", env.closed)
		}
		none(h, h.queue) // nor again when the grace is over
	})
}

func TestAStartThatWasLost(t *testing.T) {
	def, _, w := walking(2)
	inHouse(t, w, func(h *house) {
		h.start(h.session, "s", "e", def)
		time.Sleep(time.Second)
		h.session.told()
		h.cut(h.session)
		h.reattach(h.session, "e2", 0)
		h.session.expect(h, "about an episode that never began", "failed "+CodeUnknownEpisode)
		time.Sleep(2 * time.Minute)
		h.start(h.session, "s", "e2", def)
		time.Sleep(time.Second)
		h.session.expect(h, "of the next one", "started 0+picture", "step 1+picture", "step 2+picture", "ended 2 max_steps")
		h.cut(h.session)
		again := h.probe()
		h.start(again, "s", "e3", def)
		next[*messages.Started](h, again)
		none(h, h.queue)
		h.send(&messages.Reattach{EpisodeId: "e3"}) // by nobody
	})
}

func TestAWaitIsToldAgain(t *testing.T) {
	def := definition("a")
	def.Experiment.WaitForInputs = true
	inHouse(t, &world{env: newWalk("a")}, func(h *house) {
		h.start(h.session, "s", "e", def)
		time.Sleep(30 * time.Second)
		h.session.expect(h, "at first", "started 0+picture", "waiting [0]")
		h.send(&messages.Ack{EpisodeId: "e"})
		h.send(&messages.Shown{EpisodeId: "e"})
		synctest.Wait()
		h.cut(h.session)
		time.Sleep(45 * time.Second)
		h.reattach(h.session, "e", 0)
		h.session.expect(h, "at its return", "step 0", "waiting [0]")
		time.Sleep(29 * time.Second)
		h.session.expect(h, "within the time that was left")
		time.Sleep(2 * time.Second)
		if got := h.session.told(); !slices.Contains(got, "step 1") {
			h.t.Errorf("told %v when the time was over, want step 1", got)
		}
	})
}

// Old checkpoints are given up before they fill the memory; the newest never is.
func TestKeptCheckpointsAreBounded(t *testing.T) {
	cfg := Config{}.withDefaults()
	var told int
	o := newOutbox(&cfg, &messages.Start{EpisodeId: "e"}, func(any) { told++ })
	data := make([]byte, maxCheckpointBytes/4)
	for step := range uint64(10) {
		o.checkpoint(&messages.Checkpoint{Step: step, Data: data})
	}
	o.checkpoint(&messages.Checkpoint{Step: 10, Data: make([]byte, maxCheckpointBytes+1)})
	o.checkpoint(&messages.Checkpoint{Step: 11, Data: data})
	if len(o.checkpoints) != 1 || o.checkpoints[0].Step != 11 || told != 12 {
		t.Errorf("%d checkpoints are kept and %d were told, want the newest and all 12", len(o.checkpoints), told)
	}
}

// Sessions and runners may run on the goroutine that sends to them.
func TestASessionAnswersFromWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, _, w := walking(200)
		def.Experiment.TargetFPS = 50
		inline := actor.WithDispatcher(actor.NewSynchronizedDispatcher(300))
		system := actor.NewActorSystem()
		var runner *actor.PID
		var steps []uint64
		ended := make(chan struct{})
		session := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *messages.Stepped:
				steps = append(steps, m.Record.Step)
				ctx.Request(runner, &messages.Ack{EpisodeId: "e", Through: m.Record.Step})
				ctx.Request(runner, &messages.Shown{EpisodeId: "e", Step: m.Record.Step})
				if m.Record.Step%60 == 30 {
					ctx.Request(runner, &messages.Reattach{EpisodeId: "e", Received: m.Record.Step - 5})
				}
			case *messages.EpisodeEnded:
				close(ended)
			}
		}, inline))
		runner = system.Root.Spawn(Props(Config{Maker: w}).Configure(inline))
		system.Root.RequestWithCustomSender(runner, &messages.Start{
			SessionId: "s", EpisodeId: "e", Seed: 3, Definition: canonical(t, def), PictureCredit: 1,
		}, session)
		select {
		case <-ended:
		case <-time.After(time.Minute):
			t.Fatal("nothing goes on")
		}
		slices.Sort(steps)
		if steps = slices.Compact(steps); len(steps) != 200 || steps[0] != 1 {
			t.Errorf("%d steps were told, want 200", len(steps))
		}
		_ = system.Root.StopFuture(runner).Wait()
		_ = system.Root.StopFuture(session).Wait()
		system.Shutdown()
		time.Sleep(time.Hour)
	})
}

// What is told again, because it may have been lost, is recorded once; keys that are
// held since a recorded input count without a number.
func TestAnInputIsRecordedOnce(t *testing.T) {
	def, _, w := walking(6)
	inHouse(t, w, func(h *house) {
		h.start(h.session, "s", "e", def)
		time.Sleep(110 * ms)
		left := []string{"ArrowLeft"}
		h.send(&messages.Inputs{EpisodeId: "e", Inputs: []*messages.Input{{Seq: 1, Keys: left}, {Seq: 1, Keys: left}, {Keys: left}, {Seq: 2}}})
		time.Sleep(100 * ms)
		h.send(&messages.Inputs{EpisodeId: "e", Inputs: []*messages.Input{{Seq: 2}, {Keys: left}}})
		time.Sleep(time.Second)
		var seqs []uint64
		for len(h.session.got) > 0 {
			if m, ok := (<-h.session.got).message.(*messages.Stepped); ok {
				for _, in := range m.GetRecord().GetRoles()[0].GetInputs() {
					seqs = append(seqs, in.GetInput().GetSeq())
				}
			}
		}
		if !slices.Equal(seqs, []uint64{1, 2}) {
			h.t.Errorf("the inputs %d are recorded, want 1 and 2, once each", seqs)
		}
	})
}
