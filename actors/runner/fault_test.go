package runner

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sharpie/actors/messages"
	"sharpie/agents"
	"sharpie/envs"
	"sharpie/experiments"
)

func TestFaultsAreReported(t *testing.T) {
	hang := make(chan struct{})
	type setup struct {
		def   *experiments.Definition
		env   *walk
		agent *fixed
		start *messages.Start
	}
	for name, c := range map[string]struct {
		change            func(*setup)
		code, phase, role string
		message           string
		step              uint64
		trace             bool
	}{
		"the environment panics in step": {
			change: func(s *setup) {
				s.env.onStep = func(n int) {
					if n == 3 {
						panic("a defect")
					}
				}
			}, code: CodeEnvError, phase: "step", message: "panic: a defect", step: 2, trace: true},
		"the environment panics in reset": {
			change: func(s *setup) { s.env.onReset = func() { panic("no map") } }, code: CodeEnvError, phase: "reset", message: "no map", trace: true},
		"the policy panics": {
			change: func(s *setup) { s.agent.onAct = func() { panic("no net") } }, code: CodePolicyError, phase: "act", role: "b", message: "no net", trace: true},
		"the policy's action is outside": {
			change: func(s *setup) { s.agent.action = envs.Int(7) }, code: CodePolicyError, phase: "act", role: "b", message: "7"},
		"step does not return": {
			change: func(s *setup) { s.env.onStep = func(int) { <-hang } }, code: CodeHung, phase: "step", message: "5s"},
		"the policy does not return": {
			change: func(s *setup) { s.agent.onAct = func() { <-hang } }, code: CodeHung, phase: "act", role: "b", message: "5s"},
		"reset does not return": {
			change: func(s *setup) { s.env.onReset = func() { <-hang } }, code: CodeHung, phase: "reset", message: "30s"},
		"an unknown environment": {
			change: func(s *setup) { s.def.Environment.Source = "go:nothing" }, code: CodeBadExperiment, phase: "load", message: "environment: "},
		"no environment": {
			change: func(s *setup) { s.def.Environment.Source = "" }, code: CodeBadExperiment, phase: "load", message: "environment"},
		"an unknown policy source": {
			change: func(s *setup) { s.def.Policies[0].Source = "go:nothing" }, code: CodeBadExperiment, phase: "load", role: "b", message: `policies["p"]`},
		"an unknown role": {
			change: func(s *setup) { s.def.Agents[0].Role = "z" }, code: CodeBadExperiment, phase: "load", message: `agents[0].role: the environment has no role "z"; its roles are a, b`},
		"a role without agent": {
			change: func(s *setup) { s.def.Agents = s.def.Agents[1:] }, code: CodeBadExperiment, phase: "load", message: `nobody plays the environment's role "a"`},
		"an unknown inputs_type": {
			change: func(s *setup) { s.def.Agents[0].InputsType = "votes" }, code: CodeBadExperiment, phase: "load", message: "agents[0].inputs_type"},
		"no speed in real time": {
			change: func(s *setup) { s.def.Experiment.TargetFPS = 0 }, code: CodeBadExperiment, phase: "load", message: "experiment.target_fps"},
		"a state of an unknown role": {
			change: func(s *setup) { s.start.States = []*messages.AgentState{{Role: "z"}} }, code: CodeBadExperiment, phase: "load", message: "states"},
		"an AI seat without drop-out policy": {
			change: func(s *setup) { s.start.AiRoles = []string{"a"} }, code: CodeBadExperiment, phase: "load", message: "experiment.drop_out_policy"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hang = make(chan struct{})
				s := &setup{def: definition("a", "b"), env: newWalk("a", "b"), agent: &fixed{action: envs.Int(2)}, start: &messages.Start{}}
				s.def.Policies = []experiments.Policy{{Name: "p", Source: "go:fixed"}}
				s.def.Agents[1].Policy, s.def.Agents[1].Participant = "p", false
				c.change(s)
				p := play(t, s.def, &world{env: s.env, policies: map[string]agents.Agent{"go:fixed": s.agent}},
					func(_ *Config, m *messages.Start) { m.States, m.AiRoles = s.start.States, s.start.AiRoles }).begin()
				time.Sleep(time.Hour)
				f := p.failure()
				if f.Code != c.code || f.Phase != c.phase || f.Role != c.role || f.LastStep != c.step || !strings.Contains(f.Message, c.message) {
					t.Errorf("failed with %v\nwant code %s, phase %s, role %q, step %d, message with %q", f, c.code, c.phase, c.role, c.step, c.message)
				}
				if elsewhere := name == "an unknown environment" || name == "no environment"; f.Elsewhere != elsewhere {
					t.Errorf("another machine may have it: %t, want %t", f.Elsewhere, elsewhere)
				}
				if (f.Trace != "") != c.trace {
					t.Errorf("trace is %q", f.Trace)
				}
				told := len(p.messages)
				close(hang)
				p.wait()
				if len(p.messages) != told {
					t.Errorf("a message came after Failed: %v", p.last())
				}
				if p.kept != nil {
					t.Error("the environment is kept after a fault")
				}
				if p.world.made > 0 && s.env.closed != 1 {
					t.Errorf("the environment was closed %d times, want once", s.env.closed)
				}
			})
		})
	}
}

func TestAnIdleWaitIsNotAHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := turns("a")
		def.Experiment.InputTimeout, def.Experiment.EpisodeTimeout = 0, 0
		p := play(t, def, &world{env: newWalk("a")}).begin()
		time.Sleep(24 * time.Hour)
		p.inbox.putStop(&messages.Stop{Code: "done"})
		if e := p.wait().endOf(); e.Code != "done" {
			t.Errorf("ended with %v, want done", e)
		}
	})
}

func TestASlowStepWithinItsDeadlineIsFine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newWalk("a")
		env.onStep = func(int) { time.Sleep(4900 * ms) }
		if e := play(t, definition("a"), &world{env: env}).begin().wait().endOf(); e.LastStep != 5 {
			t.Errorf("ended with %v, want five steps", e)
		}
	})
}
