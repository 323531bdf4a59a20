package experiments_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"sharpie/agents"
	agentsbuiltin "sharpie/agents/builtin"
	"sharpie/envs"
	envsbuiltin "sharpie/envs/builtin"
	"sharpie/experiments"
)

// galleryForms are configurations as galleries have them; each must be taken without a
// changed line.
var galleryForms = map[string]string{
	"policy-learns": `use_case: lake
dependencies:
  - gymnasium
  - scikit-learn

environment:
  name: Lake
  description: "Cross a lake."
  filepaths:
    environment: lake/environment.py

policy:
  name: Lake
  description: ""
  filepaths:
    policy: lake/policy.py
    tamer: lake/tamer.py
  checkpoint_interval: 1

agents:
  - role: agent
    name: Lake agent
    description: ""
    policy: Lake
    participant: true
    keyboard_inputs:
      ArrowUp: 1
      ArrowDown: -1
      default: 0
    keyboard_input_display:
      ArrowUp:
        symbol: "\u2191"
        label: Good
      ArrowDown:
        symbol: "\u2193"
        label: Bad
    multiple_keyboard_inputs: false
    inputs_type: reward
    textual_inputs: false

experiment:
  link: lake
  name: Lake
  short_description: A lake
  long_description: Cross it.
  enabled: true
  number_of_episodes: 3
  target_fps: 1.0
  wait_for_inputs: true`,
	"nulls": `use_case: 2048
python_version: 3.10
dependencies:
installation_notes: null
environment: {name: X, description: null, filepaths: {environment: experiments/deep/environment.py}, metadata: null}
policy: null
agents:
  - {role: agent_0, name: "", description: null, policy: null, participant: true, keyboard_inputs: {" ": 1, default: null},
     keyboard_input_display: {" ": Jump, default: {label: Nothing}}, multiple_keyboard_inputs: false, inputs_type: other, textual_inputs: true, env_agent_id: ""}
  - {role: agent_1, policy: P, participant: false, keyboard_inputs: null, keyboard_input_display: null}
policies: [{name: P, description: "", filepaths: {policy: policy.py}, checkpoint_interval: 0}]
experiment: {link: x, name: X, short_description: "", long_description: null, enabled: true, number_of_episodes: 1, target_fps: 24.0, wait_for_inputs: false, redirect_url: ""}`,
	"empty-maps": `use_case: words
python_version: '3.13'
dependencies: []
installation_notes: "Requires a library. 
  Install it first"
environment:
  name: Words
  filepaths: {environment: environment.py}
policy: {name: P, description: d, filepaths: {policy: policy.py, helper: helper.py}, checkpoint_interval: -2}
agents:
  - role: unit_0
    policy: P
    participant: true
    keyboard_inputs: {}
    keyboard_input_display: {}
    inputs_type: other
    textual_inputs: true
  - role: unit_1
    policy: P
    keyboard_inputs: {default: 0}
experiment: {link: words, name: Words, redirect_url: null, target_fps: 6.666}`,
}

func TestGalleriesAreTakenAsTheyAre(t *testing.T) {
	files := []string{"config.yaml", "environment.py", "policy.py", "tamer.py", "helper.py"}
	for name, yaml := range galleryForms {
		t.Run(name, func(t *testing.T) {
			r, err := experiments.Read(experiments.Source{Name: "config.yaml", YAML: []byte(yaml), BundleHash: "b",
				Has: func(f string) bool { return slices.Contains(files, f) }})
			if err != nil {
				t.Fatal(err)
			}
			d := r.Definition
			if d.Environment.Filepaths["environment"] != "environment.py" {
				t.Errorf("the environment's file is %q", d.Environment.Filepaths["environment"])
			}
			for _, p := range d.Policies {
				if p.Filepaths["policy"] != "policy.py" {
					t.Errorf("the policy's file is %q", p.Filepaths["policy"])
				}
			}
			if name == "nulls" {
				a := d.Agents[0]
				if a.KeyboardInputDisplay[" "].Label != "Jump" || len(a.KeyboardInputDisplay) != 1 || a.KeyboardInputs.Default != int64(0) || a.Name != "agent_0" || d.PythonVersion != "3.10" || d.UseCase != "2048" {
					t.Errorf("read as %+v, Python %q, use case %q", a, d.PythonVersion, d.UseCase)
				}
			}
		})
	}
}

func TestFilesThatAreMissingAreNamed(t *testing.T) {
	_, err := experiments.Read(experiments.Source{Name: "config.yaml", YAML: []byte(galleryForms["policy-learns"]), BundleHash: "b",
		Has: func(f string) bool { return f == "environment.py" || f == "policy.py" }})
	wantProblems(t, err, []string{"config.yaml:17:12: policy.filepaths.tamer: there is no file lake/tamer.py in the experiment's folder, nor tamer.py"})
}

// stage is a Maker of one environment that runs policies itself.
type stage struct {
	experiments.Registries
	spec  envs.Spec
	host  *fakeHost
	fails map[string]error // by phase
	made  int
}

func (s *stage) Environment(context.Context, experiments.Order) (envs.Environment, error) {
	if err := s.fails["load"]; err != nil {
		return nil, err
	}
	s.made++
	s.host = &fakeHost{stage: s}
	return s.host, nil
}

func (s *stage) Agent(ctx context.Context, o experiments.Order, env envs.Environment, c experiments.Casting) (agents.Agent, error) {
	if c.Policy.Source != "" {
		return s.Registries.Agent(ctx, o, env, c)
	}
	if s.host.closed {
		return nil, errors.New("the environment was closed before the policy was loaded")
	}
	if err := s.fails["policy"]; err != nil {
		return nil, err
	}
	return fakeHosted{s.host}, nil
}

// fakeHost plays for four steps, and writes down what it is asked.
type fakeHost struct {
	stage  *stage
	closed bool
	turns  [][]envs.RoleTurn
	learnt []envs.RoleTurn
}

func (h *fakeHost) Spec() envs.Spec { return h.stage.spec }
func (h *fakeHost) see() envs.Observations {
	var out envs.Observations
	for _, r := range h.stage.spec.Roles {
		out = append(out, envs.RoleObservation{Role: r.Role, Observation: envs.Int(0)})
	}
	return out
}
func (h *fakeHost) Reset(context.Context, uint64) (envs.Observations, error) {
	return h.see(), h.stage.fails["reset"]
}
func (h *fakeHost) Step(context.Context, []envs.RoleAction) (envs.Transition, error) {
	return envs.Transition{}, errors.New("a host takes turns")
}
func (h *fakeHost) Render(context.Context) (envs.Frame, error) {
	return envs.Frame{Width: 3, Height: 2, RGB: make([]byte, 18)}, h.stage.fails["render"]
}
func (h *fakeHost) Turn(_ context.Context, turns []envs.RoleTurn) (envs.Outcome, error) {
	h.turns = append(h.turns, slices.Clone(turns))
	var out envs.Outcome
	for _, o := range h.see() {
		out.Roles = append(out.Roles, envs.RoleTransition{RoleObservation: o, Terminated: len(h.turns) == 4})
	}
	return out, h.stage.fails["step"]
}
func (h *fakeHost) Learn(_ context.Context, turns []envs.RoleTurn) ([]string, error) {
	h.learnt = turns
	return make([]string, len(turns)), h.stage.fails["update"]
}
func (h *fakeHost) Close() error   { h.closed = true; return nil }
func (h *fakeHost) Reusable() bool { return false }
func (h *fakeHost) Output() string { return "" }
func (h *fakeHost) Info() envs.HostInfo {
	return envs.HostInfo{Interpreter: "Python 3.12", Confinement: "bubblewrap"}
}

type fakeHosted struct{ host *fakeHost }

func (f fakeHosted) Act(context.Context, agents.Input) (envs.Value, error) {
	return nil, errors.New("a hosted policy is asked by its host")
}
func (fakeHosted) Version() string                      { return "v1" }
func (fakeHosted) Close() error                         { return nil }
func (f fakeHosted) HostedBy(env envs.Environment) bool { return env == envs.Environment(f.host) }
func (fakeHosted) Learns() bool                         { return true }

func newStage(roles ...envs.RoleSpec) *stage {
	return &stage{Registries: experiments.Registries{Environments: envsbuiltin.Registry(), Agents: agentsbuiltin.Registry()},
		spec: envs.Spec{ID: "x", Roles: roles, FPS: 30}, fails: map[string]error{}}
}

func opaque(role string) envs.RoleSpec {
	return envs.RoleSpec{Role: envs.Role(role), Observation: envs.Opaque{}, Action: envs.Opaque{}}
}

func TestATrialAsksAndTeachesAsTheRunnerDoes(t *testing.T) {
	s := newStage(opaque("agent"))
	r, err := experiments.Read(experiments.Source{Name: "config.yaml", YAML: []byte(galleryForms["policy-learns"]), BundleHash: "b"})
	if err != nil {
		t.Fatal(err)
	}
	report, err := r.Check(t.Context(), s, 20)
	if err != nil {
		t.Fatal(err)
	}
	if !s.host.closed || report.Steps != 4 || !report.Ended || report.Width != 3 || report.Updates != 4 {
		t.Errorf("closed %t, report %+v", s.host.closed, report)
	}
	var rewards []any
	for i, turns := range s.host.turns {
		if len(turns) != 1 || !turns[0].Ask || turns[0].Final || (turns[0].Learn == nil) != (i == 0) {
			t.Errorf("step %d: %+v", i, turns)
		}
		if turns[0].Learn != nil {
			rewards = append(rewards, *turns[0].Learn.Reward)
		}
	}
	if len(s.host.learnt) != 1 || !s.host.learnt[0].Learn.Terminated {
		t.Errorf("the last update is %+v", s.host.learnt)
	}
	if !slices.Contains(rewards, any(1.0)) || !slices.Contains(rewards, any(-1.0)) {
		t.Errorf("rewards were %v; want those of both keys", rewards)
	}
	text := strings.Join(report.Lines(), "\n")
	for _, want := range []string{"Python 3.12", "bubblewrap", "3 × 2", "agent: a participant and the policy Lake (v1), inputs are reward", "ArrowUp = 1", "4 steps", "4 updates"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not say %q:\n%s", want, text)
		}
	}
}

func TestFaultsAreProblemsWithTheirTraceback(t *testing.T) {
	fault := func(phase string, role envs.Role) error {
		return &envs.Fault{State: envs.EnvError, Phase: phase, Role: role, Type: "ValueError", Message: "no ice",
			Traceback: strings.Repeat("  far away\n", 40) + "  File \"environment.py\", line 7, in reset\nValueError: no ice", Log: "loading…\n"}
	}
	for phase, want := range map[string]string{
		"load":   "config.yaml:10:5: environment.filepaths: env_error in load: ValueError: no ice … line 7, in reset … printed: … loading",
		"reset":  "environment.filepaths: … env_error in reset: ValueError: no ice … line 7, in reset",
		"render": "environment.filepaths: … env_error in render",
		"step":   "policy.filepaths: … env_error in step of agent",
		"update": "policy.filepaths: … env_error in update of agent",
		"policy": "policy.filepaths: … env_error in policy",
	} {
		t.Run(phase, func(t *testing.T) {
			s := newStage(opaque("agent"))
			role := envs.Role("")
			if phase == "step" || phase == "update" {
				role = "agent"
			}
			s.fails[phase] = fault(phase, role)
			r, err := experiments.Read(experiments.Source{Name: "config.yaml", YAML: []byte(galleryForms["policy-learns"]), BundleHash: "b"})
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.Check(t.Context(), s, 3)
			if err == nil {
				t.Fatal("nothing was found")
			}
			text := err.Error()
			for _, part := range strings.Split(want, " … ") {
				if !strings.Contains(text, part) {
					t.Errorf("the problem does not say %q:\n%s", part, text)
				}
			}
			if strings.Count(text, "far away") > 12 {
				t.Errorf("the traceback is not cut:\n%s", text)
			}
			if s.host != nil && !s.host.closed {
				t.Error("the environment was left open")
			}
		})
	}
}
