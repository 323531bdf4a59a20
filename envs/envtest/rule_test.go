package envtest_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"sharpie/envs"
	"sharpie/envs/envtest"
)

func TestCorrectEnvironmentPasses(t *testing.T) {
	envtest.Run(t, func() (envs.Environment, error) { return newToy(fault{}) }, envtest.Options{})
}

func TestCorrectTurnsPass(t *testing.T) {
	envtest.Run(t, func() (envs.Environment, error) { return newToy(fault{turns: true}) }, envtest.Options{})
}

func TestCorrectHostsPass(t *testing.T) {
	for name, f := range map[string]*hostFault{"reusable": {}, "for one episode": {once: true}} {
		t.Run(name, func(t *testing.T) {
			envtest.Run(t, func() (envs.Environment, error) { return newToy(fault{host: f, turns: true}) }, envtest.Options{})
		})
	}
}

func TestOpaqueSpacesPass(t *testing.T) {
	opaque := fault{spec: func(_ *toy, s *envs.Spec) {
		s.Roles = append([]envs.RoleSpec(nil), s.Roles...)
		for i := range s.Roles {
			s.Roles[i].Observation = envs.Opaque{}
			s.Roles[i].Action, s.Roles[i].ActionMeanings = envs.Opaque{}, nil
		}
	}, observe: func(_ *toy, o *envs.RoleObservation) { o.ActionMask = nil }}
	envtest.Run(t, func() (envs.Environment, error) { return newToy(opaque) }, envtest.Options{})
}

// A host alone may learn the size of its picture from its first episode.
func TestOnlyAHostMayNotKnowItsSize(t *testing.T) {
	late := fault{spec: func(t *toy, s *envs.Spec) {
		if !t.state.Started {
			s.Width, s.Height = 0, 0
		}
	}}
	for _, host := range []bool{true, false} {
		late.host = nil
		if host {
			late.host = &hostFault{}
		}
		got := check(t, "spec never changes", func() (envs.Environment, error) { return newToy(late) }, envtest.Options{})
		if (len(got) == 0) != host {
			t.Errorf("host %t: violations are %v", host, got)
		}
	}
}

// The walk of every broken toy that needs state across environments.
var walks int

func bools(n int) []bool { return make([]bool, n) }

// faults break one rule each, in the ways that people get it wrong.
var faults = []struct {
	rule, how string
	fault     fault
}{
	{"spec is complete", "two roles of one name", fault{spec: func(t *toy, s *envs.Spec) {
		s.Roles = append(s.Roles[:1:1], s.Roles[0])
	}}},
	{"spec is complete", "no roles", fault{spec: func(t *toy, s *envs.Spec) { s.Roles = nil }}},
	{"spec is complete", "no version", fault{spec: func(t *toy, s *envs.Spec) { s.Version = "" }}},
	{"spec is complete", "a width without height", fault{spec: func(t *toy, s *envs.Spec) { s.Height = 0 }}},
	{"spec is complete", "too few meanings", fault{spec: func(t *toy, s *envs.Spec) {
		s.Roles = append([]envs.RoleSpec(nil), s.Roles...)
		s.Roles[0].ActionMeanings = []string{"stay"}
	}}},
	{"spec never changes", "frames per second follow the step", fault{spec: func(t *toy, s *envs.Spec) {
		s.FPS = float64(t.state.Steps)
	}}},
	{"spaces contain their samples", "low above high", fault{spec: func(t *toy, s *envs.Spec) {
		s.Roles = append([]envs.RoleSpec(nil), s.Roles...)
		s.Roles[0].Observation = envs.NewBox(envs.Float32, 1, -1, 2)
	}}},
	{"reset observes every role", "one role is left out", fault{resetOut: func(_ *toy, o envs.Observations) envs.Observations {
		return o[:1]
	}}},
	{"reset observes every role", "another order", fault{resetOut: func(_ *toy, o envs.Observations) envs.Observations {
		o[0], o[1] = o[1], o[0]
		return o
	}}},
	{"observations lie in their space", "float64 instead of float32", fault{observe: func(_ *toy, o *envs.RoleObservation) {
		o.Observation = envs.NewFloat64Array(0, 0)
	}}},
	{"observations lie in their space", "outside the bounds", fault{observe: func(_ *toy, o *envs.RoleObservation) {
		o.Observation = envs.NewFloat32Array(0, 101)
	}}},
	{"observations lie in their space", "not a number", fault{observe: func(_ *toy, o *envs.RoleObservation) {
		o.Observation = envs.NewFloat32Array(0, float32(math.NaN()))
	}}},
	{"action masks fit", "too short", fault{observe: func(_ *toy, o *envs.RoleObservation) { o.ActionMask = []bool{true} }}},
	{"action masks fit", "allows nothing", fault{observe: func(_ *toy, o *envs.RoleObservation) { o.ActionMask = bools(3) }}},
	{"info is plain", "an infinity deep inside", fault{observe: func(_ *toy, o *envs.RoleObservation) {
		o.Info = map[string]any{"a": []any{map[string]any{"b": math.Inf(1)}}}
	}}},
	{"info is plain", "a channel", fault{observe: func(_ *toy, o *envs.RoleObservation) {
		o.Info = map[string]any{"a": make(chan int)}
	}}},
	{"transitions name the live roles", "a role leaves without an end", fault{after: func(t *toy, tr *envs.Transition) {
		if t.state.Steps == 2 {
			tr.Roles = tr.Roles[1:]
		}
	}}},
	{"roles that end never revive", "a role comes back", fault{after: func(t *toy, tr *envs.Transition) {
		if t.state.Steps == toyShort+1 {
			tr.Roles = append([]envs.RoleTransition{{RoleObservation: t.observe(0)}}, tr.Roles...)
		}
	}}},
	{"rewards are finite", "not a number", fault{after: func(_ *toy, tr *envs.Transition) { tr.Roles[0].Reward = math.NaN() }}},
	{"the step limit truncates", "it goes on", fault{spec: func(_ *toy, s *envs.Spec) { s.MaxSteps = 5 }}},
	{"same seed, same episode", "the seed is ignored", fault{reset: func(t *toy, _ uint64) {
		walks++
		t.state.Walk[0] = walks % 50
	}}},
	{"reset forgets the past", "the walk goes on where it was", fault{
		reset: func(t *toy, _ uint64) { t.state.Walk[0] = len(t.last) },
		after: func(t *toy, _ *envs.Transition) { t.last = make([]envs.RoleAction, 3) },
	}},
	{"instances are independent", "a package variable", fault{
		reset: func(*toy, uint64) { walks = 0 },
		after: func(t *toy, tr *envs.Transition) {
			walks++
			tr.Roles[len(tr.Roles)-1].Reward = float64(walks)
		},
	}},
	{"values never change once returned", "an observation's memory is used again", fault{observe: func(t *toy, o *envs.RoleObservation) {
		a := o.Observation.(envs.Array)
		copy(t.shared, a.Data)
		a.Data = t.shared
		o.Observation = a
	}}},
	{"nothing happens before reset", "Step is allowed", fault{before: func(t *toy, _ context.Context, _ []envs.RoleAction) (envs.Transition, error, bool) {
		return envs.Transition{}, nil, !t.state.Started
	}}},
	{"steps after the end are refused", "the last transition again", fault{before: func(t *toy, _ context.Context, _ []envs.RoleAction) (envs.Transition, error, bool) {
		return envs.Transition{}, nil, t.state.Started && !t.live(1)
	}}},
	{"illegal actions are refused", "a missing action is taken for 0", fault{before: func(t *toy, _ context.Context, a []envs.RoleAction) (envs.Transition, error, bool) {
		if t.state.Started && t.live(0) && len(a) == 1 {
			return t.advance([2]int{}), nil, true
		}
		return envs.Transition{}, nil, false
	}}},
	{"illegal actions are refused", "another error", fault{before: func(t *toy, _ context.Context, a []envs.RoleAction) (envs.Transition, error, bool) {
		return envs.Transition{}, errors.New("no"), len(a) > 2
	}}},
	{"refused actions change nothing", "a refused step counts", fault{before: func(t *toy, _ context.Context, a []envs.RoleAction) (envs.Transition, error, bool) {
		if t.state.Started && t.live(1) {
			if _, err := t.choose(a); err != nil {
				t.state.Walk[0]++
			}
		}
		return envs.Transition{}, nil, false
	}}},
	{"actions come in any order", "by place", fault{before: func(t *toy, _ context.Context, a []envs.RoleAction) (envs.Transition, error, bool) {
		if !t.state.Started || !t.live(0) {
			return envs.Transition{}, nil, false
		}
		if _, err := t.choose(a); err != nil {
			return envs.Transition{}, nil, false
		}
		return t.advance([2]int{int(a[0].Action.(envs.Int)), int(a[1].Action.(envs.Int))}), nil, true
	}}},
	{"actions belong to the caller", "they are sorted", fault{before: func(_ *toy, _ context.Context, a []envs.RoleAction) (envs.Transition, error, bool) {
		if len(a) == 2 {
			a[0], a[1] = a[1], a[0]
		}
		return envs.Transition{}, nil, false
	}}},
	{"actions belong to the caller", "they are kept", fault{
		before: func(t *toy, _ context.Context, a []envs.RoleAction) (envs.Transition, error, bool) {
			if len(t.last) > 0 && t.last[0].Role == "scribbled over" {
				t.state.Walk[1]++
			}
			t.last = a
			return envs.Transition{}, nil, false
		},
	}},
	{"a cancelled call fails", "the context is ignored", fault{before: func(t *toy, ctx context.Context, a []envs.RoleAction) (envs.Transition, error, bool) {
		if ctx.Err() != nil {
			return envs.Transition{}, nil, true
		}
		return envs.Transition{}, nil, false
	}}},
	{"pictures are well-formed and of constant size", "a size of its own", fault{render: func(t *toy, f *envs.Frame) {
		if t.state.Steps == 3 {
			f.Width, f.Height = 2, 4
		}
	}}},
	{"pictures are well-formed and of constant size", "too few bytes", fault{render: func(_ *toy, f *envs.Frame) { f.RGB = f.RGB[1:] }}},
	{"pictures are well-formed and of constant size", "a colour that is not there", fault{render: func(_ *toy, f *envs.Frame) {
		f.RGB, f.Index, f.Palette = nil, []byte{0, 0, 0, 0, 0, 0, 0, 1}, []byte{1, 2, 3}
	}}},
	{"rendering changes nothing", "a random number is drawn", fault{render: func(t *toy, _ *envs.Frame) { t.pcg.Uint64() }}},
	{"the same state looks the same", "a picture counter", fault{render: func(t *toy, f *envs.Frame) {
		t.shared[0]++
		f.RGB[5] = t.shared[0]
	}}},
	{"the last state can be drawn", "no picture after the end", fault{render: func(t *toy, f *envs.Frame) {
		if !t.live(1) {
			*f = envs.Frame{}
		}
	}}},
	{"snapshots restore the course", "the generator is forgotten", fault{save: func(_ *toy, s *toyState) {
		s.Generator, _ = (&toy{}).pcg.MarshalBinary()
	}}},
	{"snapshots restore the course", "the step count is forgotten", fault{save: func(_ *toy, s *toyState) { s.Steps = 0 }}},
	{"bad snapshots are refused", "nonsense is ignored", fault{restore: func(_ *toy, data []byte) (error, bool) {
		return nil, len(data) == 0
	}}},
	{"it is always somebody's turn", "everybody waits", fault{moved: func(t *toy, _ int) bool { return t.state.Steps == 2 }}},
	{"roles that wait do not act", "the action of a waiting role is taken", fault{turns: true,
		before: func(t *toy, _ context.Context, a []envs.RoleAction) (envs.Transition, error, bool) {
			return envs.Transition{}, nil, t.state.Started && t.live(0) && len(a) == 2
		}}},
	{"a turn is a step and a picture", "the step is taken twice", fault{host: &hostFault{turn: func(h *toyHost, o *envs.Outcome) { h.state.Walk[0]++ }}}},
	{"a turn is a step and a picture", "no picture", fault{host: &hostFault{turn: func(_ *toyHost, o *envs.Outcome) { o.Frame = envs.Frame{} }}}},
	{"a turn is a step and a picture", "no decisions", fault{host: &hostFault{turn: func(_ *toyHost, o *envs.Outcome) { o.Decisions = nil }}}},
	{"a turn is a step and a picture", "another action is reported", fault{host: &hostFault{turn: func(_ *toyHost, o *envs.Outcome) {
		o.Decisions[0].Action = envs.Int(99)
	}}}},
	{"a turn is a step and a picture", "a policy that was not asked", fault{host: &hostFault{turn: func(_ *toyHost, o *envs.Outcome) {
		o.Decisions[0].Policy = envs.Int(1)
	}}}},
	{"without policies there is nothing to learn", "a version of nobody", fault{host: &hostFault{learn: func(*toyHost) ([]string, error) {
		return []string{"1"}, nil
	}}}},
	{"without policies there is nothing to learn", "it moves", fault{host: &hostFault{learn: func(h *toyHost) ([]string, error) {
		h.state.Walk[0]++
		return nil, nil
	}}}},
	{"turns end with close", "it goes on", fault{close: func(*toy) (error, bool) { return nil, true }, host: &hostFault{}}},
	{"info and output outlive close", "no interpreter", fault{host: &hostFault{info: func(*toyHost, *envs.HostInfo, *string) {}}}},
	{"info and output outlive close", "the output is lost", fault{host: &hostFault{info: func(h *toyHost, i *envs.HostInfo, out *string) {
		i.Interpreter, i.Confinement = "toy", "none"
		if !h.closed {
			*out = "printed"
		}
	}}}},
	{"close ends everything", "it goes on", fault{close: func(*toy) (error, bool) { return nil, true }}},
	{"close ends everything", "an error the second time", fault{close: func(t *toy) (error, bool) {
		return errors.New("closed already"), t.closed
	}}},
}

func TestBrokenEnvironmentsAreCaught(t *testing.T) {
	tested := map[string]bool{}
	for _, f := range faults {
		tested[f.rule] = true
		t.Run(f.rule+"/"+f.how, func(t *testing.T) {
			got := check(t, f.rule, func() (envs.Environment, error) { return newToy(f.fault) }, envtest.Options{})
			if len(got) != 1 || got[0].Rule != f.rule || got[0].Problem == "" || got[0].Fix == "" {
				t.Fatalf("violations are %v, want one that says what to fix", got)
			}
			if !strings.Contains(got[0].String(), got[0].Fix) {
				t.Errorf("%q does not say %q", got[0], got[0].Fix)
			}
		})
	}
	for _, r := range envtest.Rules() {
		if !tested[r.Name] {
			t.Errorf("no broken environment tests the rule %q", r.Name)
		}
	}
}

// check checks one rule by name.
func check(t *testing.T, name string, make envtest.Factory, opts envtest.Options) []envtest.Violation {
	t.Helper()
	for _, r := range envtest.Rules() {
		if r.Name == name {
			return r.Check(make, opts)
		}
	}
	t.Fatalf("there is no rule %q", name)
	return nil
}

func TestPanicIsReported(t *testing.T) {
	f := fault{after: func(*toy, *envs.Transition) { panic("out of ideas") }}
	got := check(t, "rewards are finite", func() (envs.Environment, error) { return newToy(f) }, envtest.Options{})
	if len(got) != 1 || !strings.Contains(got[0].Problem, "out of ideas") {
		t.Errorf("violations are %v, want the panic", got)
	}
}

func TestHangIsReported(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	f := fault{after: func(*toy, *envs.Transition) { <-release }}
	got := check(t, "rewards are finite", func() (envs.Environment, error) { return newToy(f) },
		envtest.Options{Timeout: 10 * time.Millisecond})
	if len(got) != 1 || !strings.Contains(got[0].Problem, "did not return") {
		t.Errorf("violations are %v, want the hang", got)
	}
}

func TestFactoryErrorIsReported(t *testing.T) {
	got := check(t, "spec is complete", func() (envs.Environment, error) { return nil, errors.New("no such map") }, envtest.Options{})
	if len(got) != 1 || !strings.Contains(got[0].Problem, "no such map") {
		t.Errorf("violations are %v, want the factory's error", got)
	}
}

func TestSkip(t *testing.T) {
	f := fault{spec: func(_ *toy, s *envs.Spec) { s.Version = "" }}
	opts := envtest.Options{Skip: map[string]string{"spec is complete": "tested elsewhere"}}
	if got := envtest.Check(func() (envs.Environment, error) { return newToy(f) }, opts); len(got) != 0 {
		t.Errorf("violations of a skipped rule: %v", got)
	}
}
