package runner

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sharpie/actors/messages"
	"sharpie/agents"
	"sharpie/envs"
	"sharpie/experiments"
)

// alternate is walk where a and b act in turn.
func alternate() *walk {
	w := newWalk("a", "b")
	w.turns = true
	return w
}

func TestRolesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := turns("a", "b")
		def.Experiment.MaxSteps = 2
		p := play(t, def, &world{env: alternate()}).begin()
		time.Sleep(time.Second)
		p.input(1, 1, "ArrowLeft") // not b's turn: nothing for a's step, and none for b's own
		p.input(1, 2)
		time.Sleep(time.Second)
		p.input(0, 1, "ArrowRight")
		p.input(0, 2)
		time.Sleep(time.Second)
		p.input(1, 3, "ArrowRight")
		p.wait()
		p.endOf()
		if d := cmp.Diff([]time.Duration{2 * time.Second, 3 * time.Second}, p.times()); d != "" {
			t.Errorf("steps were taken at other times (-want +got):\n%s", d)
		}
		sets, _, _ := p.waits()
		if d := cmp.Diff([][]uint32{{0}, {1}}, sets); d != "" {
			t.Errorf("waited for other seats (-want +got):\n%s", d)
		}
		var got []string
		for _, r := range p.records() {
			for _, m := range r.Roles {
				got = append(got, fmt.Sprintf("%d live=%v %v action=%v waits=%v inputs=%d", r.Step, m.Live, m.Source, m.Action.GetInteger(), m.Waits, len(m.Inputs)))
			}
		}
		if d := cmp.Diff([]string{
			"0 live=true SOURCE_NONE action=0 waits=false inputs=0",
			"0 live=true SOURCE_NONE action=0 waits=true inputs=0",
			"1 live=true SOURCE_HUMAN action=2 waits=true inputs=2",
			"1 live=true SOURCE_NONE action=0 waits=false inputs=2",
			"2 live=true SOURCE_NONE action=0 waits=false inputs=0",
			"2 live=true SOURCE_HUMAN action=2 waits=false inputs=1",
		}, got); d != "" {
			t.Errorf("recorded otherwise (-want +got):\n%s", d)
		}
	})
}

// A key that is held since before the turn waits for its release in turn-based play.
func TestAKeyHeldSinceBeforeTheTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := turns("a", "b")
		def.Experiment.MaxSteps = 2
		p := play(t, def, &world{env: alternate()}).begin()
		p.input(1, 1, "ArrowLeft") // held
		time.Sleep(time.Second)
		p.input(0, 1, "ArrowRight")
		time.Sleep(time.Second)
		p.input(1, 2, "ArrowLeft", "ArrowDown") // still the same press
		time.Sleep(time.Second)
		p.input(1, 3)
		p.input(1, 4, "ArrowLeft")
		p.wait()
		if d := cmp.Diff([]time.Duration{time.Second, 3 * time.Second}, p.times()); d != "" {
			t.Errorf("steps were taken at other times (-want +got):\n%s", d)
		}
	})
}

// In real time steps go on for whoever's turn it is, and a key that is held counts.
func TestTurnsInRealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := definition("a", "b")
		def.Experiment.MaxSteps = 4
		p := play(t, def, &world{env: alternate()}).begin()
		time.Sleep(50 * ms)
		p.input(1, 1, "ArrowRight") // held over a's turn
		time.Sleep(200 * ms)
		p.input(1, 2) // a tap in a's turn is over before b's
		p.input(1, 3, "ArrowLeft")
		p.input(1, 4)
		p.wait()
		none, human, rest := messages.Source_SOURCE_NONE, messages.Source_SOURCE_HUMAN, messages.Source_SOURCE_DEFAULT
		if d := cmp.Diff([]messages.Source{none, human, none, rest}, p.sources(1)); d != "" {
			t.Errorf("b's sources (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]messages.Source{rest, none, rest, none}, p.sources(0)); d != "" {
			t.Errorf("a's sources (-want +got):\n%s", d)
		}
		if n := len(p.records()[3].Roles[1].Inputs); n != 3 {
			t.Errorf("%d inputs are recorded with step 3, want 3", n)
		}
	})
}

// A learner's transition goes from its action to its next turn.
func TestALearnersTransitionSpansTheOthersTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := definition("a", "b")
		def.Policies = []experiments.Policy{{Name: "p", Source: "go:fixed", CheckpointInterval: 1}}
		def.Agents[0].Policy, def.Agents[0].Participant = "p", false
		def.Experiment.MaxSteps = 5
		agent := &fixed{action: envs.Int(2)}
		env := alternate()
		play(t, def, &world{env: env, policies: map[string]agents.Agent{"go:fixed": agent}}).begin().wait().endOf()
		var got []string
		for _, u := range agent.updates {
			got = append(got, fmt.Sprintf("%v +%v → %v %v", u.Observation, u.Reward, u.NextObservation, u.Truncated))
		}
		if d := cmp.Diff([]string{"3 +1 → 4 false", "4 +1 → 5 false", "5 +1 → 6 true"}, got); d != "" {
			t.Errorf("other transitions (-want +got):\n%s", d)
		}
		if n := len(agent.inputs); n != 3 {
			t.Errorf("asked %d times, want on its 3 turns", n)
		}
	})
}

func TestAHostedPolicyLearnsOnItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, h, w := together(experiments.InputActions, "a", "b")
		h.walk.turns, def.Experiment.MaxSteps = true, 4
		play(t, def, w).begin().wait().endOf()
		if d := cmp.Diff([]string{
			"[a acts=true ask=true 1 final=false learn=false]", "[b acts=true ask=false 1 final=false learn=false]",
			"[a acts=true ask=true 1 final=false learn=true]", "[b acts=true ask=false 1 final=false learn=false]",
		}, h.turns); d != "" {
			t.Errorf("the host was given other turns (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]string{"a own false false", "a own false true"}, h.lessons); d != "" {
			t.Errorf("other lessons (-want +got):\n%s", d)
		}
	})
}

func TestNobodysTurnIsAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := alternate()
		env.onStep = func(n int) {
			if n == 2 {
				env.step = -1 // nobody's index
			}
		}
		if f := play(t, definition("a", "b"), &world{env: env}).begin().wait().failure(); f.Code != CodeEnvError {
			t.Errorf("failed with %v", f)
		}
	})
}

func TestMasksReachPagesAndRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newWalk("a")
		env.mask = []bool{false, true, true}
		p := play(t, definition("a"), &world{env: env}).begin().wait()
		for i, m := range p.messages[:5] {
			s, ok := m.(*messages.Stepped)
			if st, is := m.(*messages.Started); is {
				s, ok = st.Step, true
			}
			if !ok {
				t.Fatalf("message %d is %T", i, m)
			}
			if len(s.Seats) != 1 || s.Seats[0].Waits || !cmp.Equal(s.Seats[0].BlockedKeys, []uint32{0}) {
				t.Errorf("step %d: the page is shown %v, want ArrowLeft blocked", s.Record.Step, s.Seats)
			}
			if d := cmp.Diff([]byte{0, 1, 1}, s.Record.Roles[0].ActionMask); d != "" {
				t.Errorf("step %d: the record has another mask (-want +got):\n%s", s.Record.Step, d)
			}
		}
	})
}

func TestNoViewsWithoutMasksAndTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, m := range play(t, definition("a"), &world{env: newWalk("a")}).begin().wait().messages {
			if s, ok := m.(*messages.Stepped); ok && s.Seats != nil {
				t.Errorf("step %d carries %v", s.Record.Step, s.Seats)
			}
		}
	})
}

func TestKeysAndTextsOfAnOpaqueSpace(t *testing.T) {
	agent := func(several bool) *experiments.Agent {
		return &experiments.Agent{MultipleKeyboardInputs: several, TextualInputs: true, KeyboardInputs: experiments.KeyMap{Default: int64(0),
			Bindings: []experiments.KeyBinding{{Key: "a", Value: int64(3)}, {Key: "b", Value: 0.5}, {Key: "c", Value: "go"}, {Key: "d", Value: []any{int64(1), "x"}}}}}
	}
	one, err := newKeymap(agent(false), envs.Opaque{})
	if err != nil {
		t.Fatal(err)
	}
	many, err := newKeymap(agent(true), envs.Opaque{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		got  *reading
		want envs.Value
		idle bool
	}{
		"nothing":          {one.reading(nil), envs.Int(0), true},
		"a whole number":   {one.reading([]uint8{0}), envs.Int(3), false},
		"another number":   {one.reading([]uint8{1}), float64Scalar(0.5), false},
		"a word":           {one.reading([]uint8{2}), envs.Text("go"), false},
		"a list":           {one.reading([]uint8{3}), envs.Tuple{envs.Int(1), envs.Text("x")}, false},
		"a text":           {one.text("hello"), envs.Text("hello"), false},
		"nothing, several": {many.reading(nil), envs.Tuple{envs.Int(0)}, true},
		"one of several":   {many.reading([]uint8{0}), envs.Tuple{envs.Int(3)}, false},
		"two at once":      {many.reading([]uint8{1, 0}), envs.Tuple{float64Scalar(0.5), envs.Int(3)}, false},
	} {
		if d := cmp.Diff(c.want, c.got.action); d != "" || c.got.idle != c.idle {
			t.Errorf("%s: idle %v, action (-want +got):\n%s", name, c.got.idle, d)
		}
	}
	if v := neutral(envs.Opaque{}, nil); v != envs.Value(envs.Int(0)) {
		t.Errorf("the action of last resort is %v, want 0", v)
	}
}
