package runner

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sharpie/actors/messages"
	"sharpie/agents"
	"sharpie/envs"
	"sharpie/experiments"
)

// recordingOf is the records of an episode as a session sends them to another
// runner, in messages of some steps each.
func recordingOf(records []*messages.StepRecord, each int) []*messages.Replay {
	var out []*messages.Replay
	for first := 0; first < len(records); first += each {
		m := &messages.Replay{EpisodeId: "e", First: uint64(first)}
		for _, r := range records[first:min(first+each, len(records))] {
			s := &messages.ReplayStep{ObservationHash: r.ObservationHash}
			for _, role := range r.Roles {
				s.Rewards = append(s.Rewards, role.Reward)
				switch {
				case r.Step == 0:
				case role.Action == nil:
					s.Actions = append(s.Actions, &messages.Value{})
				default:
					s.Actions = append(s.Actions, role.Action)
				}
			}
			m.Steps = append(m.Steps, s)
		}
		out = append(out, m)
	}
	out[len(out)-1].Last = true
	return out
}

// goOn is the loop of a runner that goes on with an episode after its last record.
func goOn(t *testing.T, def *experiments.Definition, w *world, records []*messages.StepRecord, change ...func(*Config, *messages.Start)) *played {
	t.Helper()
	through := uint64(len(records) - 1)
	p := play(t, def, w, append(change, func(_ *Config, s *messages.Start) {
		s.ResumeThrough, s.ResumeOffsetUs = &through, records[through].RunnerOffsetUs
	})...)
	for _, m := range recordingOf(records, 2) {
		p.loop.replay(m)
	}
	return p
}

// essence is what must be the same in an episode that was taken over.
func essence(records []*messages.StepRecord) []string {
	var out []string
	for _, r := range records {
		line := fmt.Sprintf("%d %x", r.Step, r.ObservationHash)
		for _, role := range r.Roles {
			line += fmt.Sprint(" ", role.Live, role.Waits, role.Terminated, role.Truncated, simple(role.Action), role.Reward, role.ActionMask)
		}
		out = append(out, line)
	}
	return out
}

func TestAnEpisodeGoesOnElsewhere(t *testing.T) {
	cases := map[string]func() (*experiments.Definition, *world){
		"one role": func() (*experiments.Definition, *world) {
			def, _, w := walking(6)
			return def, w
		},
		"roles that end": func() (*experiments.Definition, *world) {
			def, env := definition("a", "b"), newWalk("a", "b")
			env.ends["b"] = 2
			def.Experiment.MaxSteps = 6
			return def, &world{env: env}
		},
		"roles that take turns": func() (*experiments.Definition, *world) {
			def, env := definition("a", "b"), newWalk("a", "b")
			env.turns, def.Experiment.MaxSteps = true, 6
			return def, &world{env: env}
		},
		"masks": func() (*experiments.Definition, *world) {
			def, env := definition("a"), newWalk("a")
			env.mask, def.Experiment.MaxSteps = []bool{true, false, true}, 6
			return def, &world{env: env}
		},
		"a host": func() (*experiments.Definition, *world) {
			def, _, w := together(experiments.InputActions, "b", "a")
			def.Agents[0], def.Agents[1] = def.Agents[1], def.Agents[0]
			def.Agents[0].Policy, def.Agents[1].Policy, def.Experiment.MaxSteps = "p", "", 6
			return def, w
		},
		"a host with turns": func() (*experiments.Definition, *world) {
			def, h, w := together(experiments.InputActions, "a", "b")
			h.walk.turns, def.Experiment.MaxSteps = true, 6
			return def, w
		},
	}
	for name, make := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				def, w := make()
				p := play(t, def, w).begin()
				time.Sleep(150 * ms)
				p.input(0, 1, "ArrowLeft")
				p.input(0, 2)
				whole := p.wait().records()
				end := p.endOf()
				for n := range whole {
					def, w := make()
					q := goOn(t, def, w, whole[:n+1]).begin()
					if n < 2 {
						time.Sleep(time.Duration(2-n)*100*ms - 50*ms)
						q.input(0, 1, "ArrowLeft")
						q.input(0, 2)
					}
					q.wait()
					s, ok := q.messages[0].(*messages.Started)
					if !ok || !s.Resumed || s.Step.Picture == nil || s.Step.Picture.Step != uint64(n) {
						t.Fatalf("after step %d the session was told %v, want Started with the picture of that step", n, q.messages[0])
					}
					if d := cmp.Diff(essence(whole[n:]), essence(q.records())); d != "" {
						t.Errorf("after step %d the episode went on otherwise (-want +got):\n%s", n, d)
					}
					if e := q.endOf(); e.LastStep != end.LastStep || e.How != end.How || e.Code != end.Code {
						t.Errorf("after step %d it ended with %v, want %v", n, e, end)
					}
					var returns float64
					for _, r := range whole[:n+1] {
						returns += r.Roles[0].Reward
					}
					if s.Step.Returns[0] != returns {
						t.Errorf("after step %d the return is %v, want %v", n, s.Step.Returns[0], returns)
					}
					if waiting := q.window.len(); waiting != len(whole)-1-n {
						t.Errorf("after step %d, %d records wait to be stored, want the %d new ones", n, waiting, len(whole)-1-n)
					}
					if h, ok := w.env.(*hosted); ok && len(h.turns) != len(whole)-1-n {
						t.Errorf("after step %d the host took %d turns, want one for each new step", n, len(h.turns))
					}
				}
			})
		})
	}
}

func TestTheClockGoesOnWhereItStood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, _, w := walking(5)
		whole := play(t, def, w).begin().wait().records()
		def, env, w := walking(0)
		def.Experiment.EpisodeTimeout = seconds(0.75)
		env.onStep = func(int) { time.Sleep(10 * ms) }
		began := time.Now()
		q := goOn(t, def, w, whole[:4]).begin().wait()
		var at []int64
		for _, r := range q.records() {
			at = append(at, r.RunnerOffsetUs/1000)
		}
		if d := cmp.Diff([]int64{300, 410, 510, 610, 710}, at); d != "" {
			t.Errorf("the steps have other offsets in ms (-want +got):\n%s", d)
		}
		if e := q.endOf(); e.Code != CodeEpisodeTimeout || time.Since(began) != 480*ms {
			t.Errorf("ended with %v after %v, want episode_timeout after 480 ms", e, time.Since(began))
		}
	})
}

// A replay teaches nothing: what the policies know is what came with the Start.
func TestPoliciesSleepWhileAnEpisodeIsReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, _, w := walking(5)
		whole := play(t, def, w).begin().wait().records()
		def, _, w = walking(5)
		def.Policies[0].CheckpointInterval = 1
		agent := &fixed{action: envs.Int(2)}
		w.policies["go:fixed"] = agent
		goOn(t, def, w, whole[:4], func(_ *Config, s *messages.Start) {
			s.States = []*messages.AgentState{{Role: "a", Version: "v", Data: []byte("kept")}}
		}).begin().wait().endOf()
		var learned []string
		for _, u := range agent.updates {
			learned = append(learned, fmt.Sprint(u.Observation, " to ", u.NextObservation))
		}
		if d := cmp.Diff([]string{"6 to 7", "7 to 8"}, learned); d != "" || string(agent.state) != "kept" || len(agent.inputs) != 2 {
			t.Errorf("it began with %q, was asked %d times and learned otherwise (-want +got):\n%s", agent.state, len(agent.inputs), d)
		}

		def, _, w = together(experiments.InputActions, "a")
		whole = play(t, def, w).begin().wait().records()
		def, h, w := together(experiments.InputActions, "a")
		goOn(t, def, w, whole[:3]).begin().wait().endOf()
		if len(h.lessons) != 1 || h.lessons[0] != "a own false true" || !strings.Contains(h.turns[0], "learn=false") {
			t.Errorf("the host taught %v, want the last transition only", h.lessons)
		}
	})
}

func TestAReplayThatDoesNotMatch(t *testing.T) {
	record := func(t *testing.T) []*messages.Replay {
		def, _, w := walking(5)
		return recordingOf(play(t, def, w).begin().wait().records()[:5], 3)
	}
	for name, c := range map[string]struct {
		change func([]*messages.Replay)
		env    func(*walk)
		code   string
		phase  string
		want   string
	}{
		"another beginning":      {func(m []*messages.Replay) { m[0].Steps[0].ObservationHash++ }, nil, CodeReplayMismatch, "reset", "step 0: the observations have the hash"},
		"another observation":    {func(m []*messages.Replay) { m[0].Steps[2].ObservationHash++ }, nil, CodeReplayMismatch, "step", "step 2: the observations have the hash"},
		"another reward":         {func(m []*messages.Replay) { m[1].Steps[0].Rewards[0] = math.NaN() }, nil, CodeReplayMismatch, "step", "step 3: role a got the reward 1, recorded is NaN"},
		"an action missing":      {func(m []*messages.Replay) { m[1].Steps[1].Actions[0] = &messages.Value{} }, nil, CodeReplayMismatch, "step", "step 4: no action of role a is recorded, and it is its turn"},
		"actions of nobody":      {func(m []*messages.Replay) { m[0].Steps[1].Actions = nil }, nil, CodeReplayMismatch, "step", "step 1: 0 actions are recorded of 1 roles"},
		"an action out of turn":  {nil, func(w *walk) { w.turns, w.roles = true, []envs.Role{"b", "a"} }, CodeReplayMismatch, "", "step "},
		"a broken action":        {func(m []*messages.Replay) { m[0].Steps[1].Actions[0] = ToMessage(envs.Array{DType: "float7"}) }, nil, CodeReplayMismatch, "step", "step 1: the recorded action of role a cannot be read"},
		"an action of no use":    {func(m []*messages.Replay) { m[0].Steps[1].Actions[0] = ToMessage(envs.Text("left")) }, nil, CodeReplayMismatch, "step", "step 1: the environment refused the recorded actions"},
		"an early end":           {nil, func(w *walk) { w.ends["a"] = 3 }, CodeReplayMismatch, "step", "step 3: the episode ended, and 4 steps are recorded"},
		"a step left out":        {func(m []*messages.Replay) { m[1].First++ }, nil, CodeReplayIncomplete, "load", "step 4 came where step 3 was expected"},
		"more steps than it had": {func(m []*messages.Replay) { m[1].Steps = append(m[1].Steps, m[1].Steps...) }, nil, CodeReplayIncomplete, "load", "steps 3 to 6 came, and the last one is to be 4"},
		"fewer steps":            {func(m []*messages.Replay) { m[1].Steps = m[1].Steps[:1] }, nil, CodeReplayIncomplete, "load", "the last of the steps that came is 3, and not 4"},
		"a fault":                {nil, func(w *walk) { w.onStep = func(int) { panic("boom") } }, CodeEnvError, "step", "panic: boom"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				recorded := record(t)
				if c.change != nil {
					c.change(recorded)
				}
				def, env, w := walking(5)
				if c.env != nil {
					c.env(env)
				}
				if len(env.roles) == 2 {
					def.Agents = append(def.Agents, definition("b").Agents[0])
					for _, m := range recorded {
						for i, s := range m.Steps {
							if m.First+uint64(i) > 0 {
								s.Actions = append(s.Actions, &messages.Value{})
							}
						}
					}
					recorded[0].Steps[0].ObservationHash = ObservationHash(must(env.Reset(t.Context(), 3)))
				}
				through := uint64(4)
				p := play(t, def, w, func(_ *Config, s *messages.Start) { s.ResumeThrough = &through })
				for _, m := range recorded {
					p.loop.replay(m)
				}
				f := p.begin().wait().failure()
				if f.Code != c.code || !strings.Contains(f.Message, c.want) || f.LastStep != 4 || (c.phase != "" && f.Phase != c.phase) {
					t.Errorf("failed with %v, want %s in %s: %s", f, c.code, c.phase, c.want)
				}
				if len(p.messages) != 1 || p.kept != nil {
					t.Errorf("the session was told %d messages, want the fault alone", len(p.messages))
				}
			})
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// frail is an environment whose steps cannot be taken again.
type frail struct{ *walk }

func (f frail) Spec() envs.Spec {
	s := f.walk.Spec()
	s.Replayable = false
	return s
}

func TestWhatCannotBeReplayedIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, env, w := walking(5)
		w.env = frail{env}
		through := uint64(4)
		p := play(t, def, w, func(_ *Config, s *messages.Start) { s.ResumeThrough = &through })
		if f := p.begin().wait().failure(); f.Code != CodeNotReplayable || f.LastStep != 4 || env.taken != nil {
			t.Errorf("failed with %v after %d steps, want not_replayable at once", f, len(env.taken))
		}
	})
}

func TestRecordedStepsThatDoNotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, _, w := walking(9)
		recorded := recordingOf(play(t, def, w).begin().wait().records()[:5], 1)
		def, _, w = walking(9)
		def.Experiment.LoadTimeout = seconds(30)
		through := uint64(4)
		p := play(t, def, w, func(_ *Config, s *messages.Start) { s.ResumeThrough = &through }).begin()
		for _, m := range recorded[:4] {
			time.Sleep(29 * time.Second)
			p.loop.replay(m)
			p.loop.replay(m) // told twice
		}
		from := time.Now()
		p.wait()
		if f := p.failure(); f.Code != CodeReplayIncomplete || time.Since(from) != 30*time.Second || !strings.Contains(f.Message, "step 4 of 4 is next") {
			t.Errorf("failed with %v after %v, want replay_incomplete 30 s after the last message", f, time.Since(from))
		}
	})
}

// The steps that wait are bounded, whatever a session sends.
func TestRecordedStepsAreBounded(t *testing.T) {
	f := newFeed(1000)
	big := &messages.ReplayStep{Actions: []*messages.Value{{Kind: &messages.Value_Text{Text: strings.Repeat("x", 1<<20)}}}}
	for i := range uint64(100) {
		f.put(&messages.Replay{First: i, Steps: []*messages.ReplayStep{big}})
	}
	n := 0
	for s, err := f.take(); s != nil; s, err = f.take() {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.take(); n > 64 || err == nil || f.bytes != 0 {
		t.Errorf("%d MiB were kept, and then %v; want 64 at most, and an error", n, err)
	}
}

func TestAReplayIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, env, w := walking(9)
		through := uint64(4)
		p := play(t, def, w, func(_ *Config, s *messages.Start) { s.ResumeThrough = &through }).begin()
		time.Sleep(time.Second)
		p.inbox.putStop(&messages.Stop{Code: "aborted", Detail: "by somebody"})
		e := p.wait().endOf()
		if e.How != messages.EpisodeEnded_STOPPED || e.Code != "aborted" || e.LastStep != 4 || e.EpisodeId != "e" || len(p.messages) != 1 {
			t.Errorf("ended with %v, want stopped after step 4", e)
		}
		if env.closed != 1 && p.kept == nil {
			t.Error("the environment was neither closed nor kept")
		}
	})
}

func TestATakeoverByARunner(t *testing.T) {
	def, _, w := walking(6)
	var whole []*messages.StepRecord
	synctest.Test(t, func(t *testing.T) { whole = play(t, def, w).begin().wait().records() })
	through := uint64(3)
	start := &messages.Start{SessionId: "s", EpisodeId: "e", Seed: 3, ResumeThrough: &through, ResumeOffsetUs: 7_000_000}
	def, _, w = walking(6)
	inHouse(t, w, func(h *house) {
		start.Definition = canonical(h.t, def)
		ask := func() { h.system.Root.RequestWithCustomSender(h.runner, start, h.session.pid) }
		recorded := recordingOf(whole[:4], 3)

		// While the steps are on their way the link is cut: nobody knows which came.
		ask()
		h.send(recorded[0])
		time.Sleep(time.Second)
		h.cut(h.session)
		time.Sleep(time.Second)
		h.session.expect(h, "while the link was cut")
		h.reattach(h.session, "e", 3)
		h.session.expect(h, "at its return", "failed "+CodeUnknownEpisode)

		// Once they are all there, a cut does no harm.
		ask()
		h.send(recorded[0])
		h.send(recorded[1])
		synctest.Wait()
		s := next[*messages.Started](h, h.session)
		if !s.Resumed || s.Step.Record.RunnerOffsetUs != 7_000_000 {
			h.t.Errorf("started with %v, want resumed 7 s after its beginning", s)
		}
		time.Sleep(3 * time.Second)
		h.session.expect(h, "then", "step 4+picture", "step 5+picture", "step 6+picture", "ended 6 max_steps")
		h.cut(h.session)
		time.Sleep(time.Second)
		h.reattach(h.session, "e", 3)
		h.session.expect(h, "to which nothing came", "started 3", "step 4", "step 5", "step 6", "picture 6", "ended 6 max_steps")
		h.send(recorded[0])
		h.send(&messages.Release{SessionId: "s"})
		next[*messages.Offer](h, h.queue)

		bad := &messages.Start{SessionId: "s", EpisodeId: "e", ResumeThrough: &through, ResumeOffsetUs: -1, Definition: start.Definition}
		h.system.Root.RequestWithCustomSender(h.runner, bad, h.session.pid)
		if f := next[*messages.Failed](h, h.session); f.Code != CodeBadExperiment || !strings.Contains(f.Message, "resume_offset_us") {
			h.t.Errorf("failed with %v, want bad_experiment naming resume_offset_us", f)
		}
	})
}

var _ agents.Agent = (*fixed)(nil)
