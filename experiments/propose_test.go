package experiments_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"sharpie/envs"
	"sharpie/experiments"
)

// proposed parses what is proposed for a role with that action space.
func proposed(t *testing.T, p experiments.Proposal, fps float64, roles ...envs.RoleSpec) (*experiments.Definition, string) {
	t.Helper()
	yaml, err := experiments.Propose(envs.Spec{ID: "x", Roles: roles, FPS: fps}, p)
	if err != nil {
		t.Fatal(err)
	}
	d, err := experiments.Parse("proposal", yaml)
	if err != nil {
		t.Fatalf("%v\n%s", err, yaml)
	}
	return d, string(yaml)
}

func role(name string, action envs.Space, meanings ...string) envs.RoleSpec {
	return envs.RoleSpec{Role: envs.Role(name), Observation: envs.Discrete{N: 4}, Action: action, ActionMeanings: meanings}
}

// keysOf writes an agent's keys in one line.
func keysOf(a experiments.Agent) string {
	var out []string
	for _, b := range a.KeyboardInputs.Bindings {
		out = append(out, fmt.Sprintf("%s=%v", b.Key, b.Value))
	}
	return strings.Join(out, " ") + " default=" + fmt.Sprint(a.KeyboardInputs.Default)
}

func TestKeysAreProposedFromTheActions(t *testing.T) {
	for _, c := range []struct {
		name     string
		source   string
		action   envs.Space
		meanings []string
		fps      float64
		want     string
		several  bool
	}{
		{"two actions", "gymnasium:X-v0", envs.Discrete{N: 2}, nil, 30, "ArrowLeft=0 ArrowRight=1 default=-1", false},
		{"meanings", "gymnasium:X-v0", envs.Discrete{N: 3}, []string{"Push Left", "do nothing", "push_right"}, 30, "ArrowLeft=0 ArrowRight=2 default=1", false},
		{"Atari", "gymnasium:X-v0", envs.Discrete{N: 6}, []string{"NOOP", "FIRE", "UP", "RIGHT", "LEFT", "DOWN"}, 30, " =1 ArrowUp=2 ArrowRight=3 ArrowLeft=4 ArrowDown=5 default=0", false},
		{"two directions at once", "gymnasium:X-v0", envs.Discrete{N: 3}, []string{"up", "up left", "UPRIGHT"}, 30, "ArrowUp=0 1=1 2=2 default=-1", false},
		{"the same direction twice", "gymnasium:X-v0", envs.Discrete{N: 2}, []string{"left", "more left"}, 30, "ArrowLeft=0 1=1 default=-1", false},
		{"known without meanings", "gymnasium:MountainCar-v0", envs.Discrete{N: 3}, nil, 30, "ArrowLeft=0 ArrowRight=2 default=1", false},
		{"lake, in turns", "gymnasium:FrozenLake-v1", envs.Discrete{N: 4}, nil, 4, "ArrowLeft=0 ArrowDown=1 ArrowRight=2 ArrowUp=3 default=-1", false},
		{"in turns nothing has a key, too", "gymnasium:X-v0", envs.Discrete{N: 2}, []string{"noop", "left"}, 4, "1=0 ArrowLeft=1 default=-1", false},
		{"eleven actions from 1", "gymnasium:X-v0", envs.Discrete{N: 11, Start: 1}, nil, 30, "1=1 2=2 3=3 4=4 5=5 6=6 7=7 8=8 9=9 0=10 a=11 default=0", false},
		{"a torque", "gymnasium:Pendulum-v1", envs.NewBox(envs.Float32, -2, 2, 1), nil, 30, "ArrowLeft=-2 ArrowRight=2 default=0", false},
		{"gas and brake", "gymnasium:X-v0", envs.Box{DType: envs.Float32, Shape: []int{3}, Low: []float64{-1, 0, 0}, High: []float64{1, 1, float64(float32(0.1))}}, nil, 30,
			"ArrowLeft=[-1 0 0] ArrowRight=[1 0 0] ArrowUp=[0 1 0] d=[0 0 0.1] default=[0 0 0]", true},
		{"switches", "gymnasium:X-v0", envs.MultiBinary{Shape: []int{3}}, nil, 30, "1=0 2=1 3=2 default=[0 0 0]", true},
		{"several discrete", "gymnasium:X-v0", envs.MultiDiscrete{Nvec: []int64{3, 2}}, nil, 30, "1=[1 0] 2=[2 0] 3=[0 1] default=[0 0]", true},
		{"no meanings, five", "gymnasium:X-v0", envs.Discrete{N: 5}, nil, 30, "1=0 2=1 3=2 4=3 5=4 default=-1", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, yaml := proposed(t, experiments.Proposal{Source: c.source}, c.fps, role("agent_0", c.action, c.meanings...))
			a := d.Agents[0]
			if got := keysOf(a); got != c.want || a.MultipleKeyboardInputs != c.several || !a.Participant {
				t.Errorf("keys are %q, several %t; want %q, %t\n%s", got, a.MultipleKeyboardInputs, c.want, c.several, yaml)
			}
			if len(a.KeyboardInputDisplay) != len(a.KeyboardInputs.Bindings) {
				t.Errorf("%d of %d keys have a label", len(a.KeyboardInputDisplay), len(a.KeyboardInputs.Bindings))
			}
		})
	}
}

func TestTimeIsProposed(t *testing.T) {
	two := role("agent_0", envs.Discrete{N: 2})
	rest := two
	rest.ActionMeanings = []string{"nothing", "fire"}
	for _, c := range []struct {
		name  string
		fps   float64
		turns bool
		role  envs.RoleSpec
		wait  bool
		want  float64
	}{
		{"control", 50, false, rest, false, 30},
		{"nothing to do nothing with", 50, false, two, true, 15},
		{"very fast", 240, false, rest, false, 30},
		{"MPE", 10, false, rest, false, 10},
		{"toy text", 4, false, two, true, 5},
		{"unknown", 0, false, two, true, 5},
		{"a board game", 30, true, two, true, 5},
		{"texts", 30, false, role("agent_0", envs.TextSpace{MaxLength: 10}), true, 5},
	} {
		d, yaml := proposed(t, experiments.Proposal{Source: "gymnasium:X-v0", Turns: c.turns}, c.fps, c.role)
		if d.Experiment.WaitForInputs != c.wait || d.Experiment.TargetFPS != c.want {
			t.Errorf("%s: turn-based %t at %v, want %t at %v\n%s", c.name, d.Experiment.WaitForInputs, d.Experiment.TargetFPS, c.wait, c.want, yaml)
		}
	}
}

func TestRolesAndNamesAreProposed(t *testing.T) {
	d, yaml := proposed(t, experiments.Proposal{Source: "pettingzoo:mpe2.simple_tag_v3", Kwargs: map[string]any{"num_good": int64(1), "names": []any{"a", nil}}}, 10,
		role("adversary_0", envs.TupleSpace{}), role("agent_0", envs.Discrete{N: 5}), role("agent_1", envs.Discrete{N: 5}))
	if d.Experiment.Link != "pettingzoo-mpe2-simple_tag_v3" || d.Experiment.Name != "mpe2.simple_tag_v3" || d.Environment.Kwargs["num_good"] != int64(1) {
		t.Errorf("%+v\n%s", d.Experiment, yaml)
	}
	var who []string
	for _, a := range d.Agents {
		who = append(who, fmt.Sprintf("%s %t %s", a.Role, a.Participant, a.Policy))
	}
	if got := strings.Join(who, ", "); got != "adversary_0 false random, agent_0 true , agent_1 false random" {
		t.Errorf("the roles are %s", got)
	}
	if got := keysOf(d.Agents[1]); got != "ArrowLeft=1 ArrowRight=2 ArrowDown=3 ArrowUp=4 default=0" {
		t.Errorf("the keys are %s", got)
	}
	d, _ = proposed(t, experiments.Proposal{Source: "gymnasium:A/B-v0", Link: "mine", Name: "It's: \"mine\"", Dependencies: []string{"a[b]>=1,<2", "c"}}, 10, role("agent_0", envs.Discrete{N: 2}))
	if strings.Join(d.Dependencies, " ") != "a[b]>=1,<2 c" {
		t.Errorf("the packages are %q", d.Dependencies)
	}
	if d.Experiment.Link != "mine" || d.Experiment.Name != "It's: \"mine\"" {
		t.Errorf("%+v", d.Experiment)
	}
}

func TestWhatNobodyCanPlayIsSaidInASentence(t *testing.T) {
	for name, c := range map[string]struct {
		action envs.Space
		want   string
	}{
		"dict":      {envs.DictSpace{{Key: "a", Space: envs.Discrete{N: 2}}}, "several values at once"},
		"unbounded": {envs.NewBox(envs.Float32, math.Inf(-1), math.Inf(1), 1), "no bounds"},
		"large box": {envs.NewBox(envs.Float32, -1, 1, 17), "17 numbers"},
		"picture":   {envs.NewBox(envs.Uint8, 0, 255, 2, 1), "numbers"},
		"chess":     {envs.Discrete{N: 4672}, "4672 actions"},
		"opaque":    {envs.Opaque{}, "not declared"},
	} {
		_, err := experiments.Propose(envs.Spec{ID: "x", Roles: []envs.RoleSpec{role("a", c.action)}}, experiments.Proposal{Source: "gymnasium:X-v0"})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestWhatIsProposedForEverythingBuiltInCanBePlayed(t *testing.T) {
	m := newStage().Registries
	for _, source := range []string{"go:MountainCar-v0", "go:CartPole-v1", "go:FrozenLake-v1", "go:simple_spread_v3", "go:simple_tag_v3"} {
		yaml, err := experiments.ProposeFrom(t.Context(), m, experiments.Proposal{Source: source})
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := experiments.CheckSource(experiments.Source{Name: source, YAML: yaml}, m); err != nil {
			t.Errorf("%v\n%s", err, yaml)
		}
	}
}

func TestWhatWasLeftOutIsFilledIn(t *testing.T) {
	m := newStage().Registries
	read := func(yaml string) (*experiments.Definition, *experiments.Report) {
		t.Helper()
		r, err := experiments.Read(experiments.Source{Name: "x.yaml", YAML: []byte(yaml)})
		if err != nil {
			t.Fatal(err)
		}
		if !r.Incomplete() {
			t.Error("nothing is missing")
		}
		report, err := r.Check(t.Context(), m, 0)
		if err != nil {
			t.Fatal(err)
		}
		return r.Definition, report
	}
	d, report := read("environment: {source: 'go:simple_tag_v3'}\nexperiment: {link: x, name: X}\n")
	if len(d.Agents) != 4 || !d.Agents[0].Participant || d.Agents[1].Policy != "random" || len(d.Policies) != 1 || len(report.Proposed) != 5 {
		t.Errorf("agents %+v, proposed %q", d.Agents, report.Proposed)
	}
	d, report = read("environment: {source: 'go:FrozenLake-v1'}\nagents: [{role: agent_0, participant: true}]\nexperiment: {link: x, name: X, wait_for_inputs: true}\n")
	if got := keysOf(d.Agents[0]); got != "ArrowLeft=0 ArrowDown=1 ArrowRight=2 ArrowUp=3 default=-1" || len(report.Proposed) != 1 {
		t.Errorf("keys %s, proposed %q", got, report.Proposed)
	}
	// what the author says counts
	d, _ = read("environment: {source: 'go:MountainCar-v0'}\nexperiment: {link: x, name: X, target_fps: 7}\n")
	if d.Experiment.TargetFPS != 7 || d.Experiment.WaitForInputs {
		t.Errorf("%+v", d.Experiment)
	}
}
