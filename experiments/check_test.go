package experiments_test

import (
	"errors"
	"strings"
	"testing"

	agentsbuiltin "sharpie/agents/builtin"
	envsbuiltin "sharpie/envs/builtin"
	"sharpie/experiments"
)

func TestDemosCanBePlayed(t *testing.T) {
	for _, src := range experiments.Demos() {
		if _, err := experiments.CheckSource(src, experiments.Registries{Environments: envsbuiltin.Registry(), Agents: agentsbuiltin.Registry()}); err != nil {
			t.Errorf("%v", err)
		}
	}
}

// tag is an experiment of two roles in which the tests make mistakes.
const tag = `environment:
  source: go:simple_tag_v3
  kwargs: {num_good: 1, num_adversaries: 1}
policies:
  chaser: {source: go:pursuer}
  trained: {source: go:tamer}
agents:
  - role: adversary_0
    policy: chaser
  - role: agent_0
    participant: true
    keyboard_inputs:
      ArrowLeft: 1
      ArrowRight: 2
      default: 0
experiment:
  link: tag
  name: Tag
`

func TestCheckNamesTheMistake(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new string
		want     []string // one entry per problem, its parts between " … "
	}{
		{"unknown environment", "go:simple_tag_v3", "go:simple_tag_v2",
			[]string{"x.yaml:2:11: environment.source: … go:simple_tag_v2 … go:simple_tag_v3"}},
		{"unknown argument", "num_good: 1,", "good: 1,",
			[]string{"x.yaml:3:11: environment.kwargs: … \"good\" … num_good: an integer"}},
		{"Python environment", "source: go:simple_tag_v3\n  kwargs: {num_good: 1, num_adversaries: 1}", "filepaths: {environment: environment.py}",
			[]string{"environment.filepaths: … this program takes built-in environments only"}},
		{"Gymnasium environment", "go:simple_tag_v3", "gymnasium:CartPole-v1",
			[]string{"environment.source: … this program takes built-in environments only"}},
		{"Python policy", "chaser: {source: go:pursuer}", "chaser: {filepaths: {policy: policy.py}}",
			[]string{"x.yaml:5:23: policies.chaser.filepaths: … this program takes built-in policies only"}},
		{"role misspelt", "role: adversary_0", "role: adversary0",
			[]string{`x.yaml:8:11: agents[0].role: … no role "adversary0"; did you mean "adversary_0"? … adversary_0, agent_0`,
				`agents: nobody plays the role "adversary_0"`}},
		{"env_agent_id misspelt", "role: adversary_0", "role: chaser\n    env_agent_id: adversary_1",
			[]string{`agents[0].env_agent_id: … no role "adversary_1"`, `agents: nobody plays the role "adversary_0"`}},
		{"role played twice", "role: adversary_0", "role: chaser\n    env_agent_id: agent_0",
			[]string{`agents[1].role: the role "agent_0" is played by "chaser" already`, `nobody plays the role "adversary_0"`}},
		{"role not covered", "num_adversaries: 1", "num_adversaries: 2",
			[]string{`agents: nobody plays the role "adversary_1"`}},
		{"nobody acts", "    policy: chaser\n", "",
			[]string{`agents[0]: the role "adversary_0" has neither a policy nor a participant`}},
		{"no seat", "    participant: true\n", "    policy: chaser\n",
			[]string{"agents: no role is a seat"}},
		{"policy for another environment", "policy: chaser", "policy: trained",
			[]string{`x.yaml:9:13: agents[0].policy: "trained" cannot act as "adversary_0" … discrete observation space`}},
		{"unknown policy source", "go:pursuer", "go:persuer",
			[]string{`x.yaml:5:20: policies.chaser.source: … go:persuer … go:pursuer`}},
		{"unknown policy argument", "{source: go:pursuer}", "{source: go:pursuer, kwargs: {speed: 2}}",
			[]string{`agents[0].policy: … "speed"`}},
		{"action outside", "ArrowRight: 2", "ArrowRight: 5",
			[]string{"x.yaml:14:19: agents[1].keyboard_inputs.ArrowRight: the value is no action of \"agent_0\": … 0 to 4"}},
		{"action of another type", "ArrowRight: 2", "ArrowRight: right",
			[]string{"agents[1].keyboard_inputs.ArrowRight: … integer"}},
		{"default outside, real time", "default: 0", "default: -1",
			[]string{"agents[1].keyboard_inputs.default: the value of a seat that sends nothing"}},
		{"several keys, one value", "participant: true", "participant: true\n    multiple_keyboard_inputs: true",
			[]string{"agents[1].multiple_keyboard_inputs: several keys make a list … Discrete(5)"}},
		{"text as an action", "participant: true", "participant: true\n    textual_inputs: true",
			[]string{"agents[1].textual_inputs: a text is no action of Discrete(5)"}},
		{"reward without policy", "participant: true", "participant: true\n    inputs_type: reward",
			[]string{"agents[1].policy: inputs_type: reward is for a policy"}},
		{"reward of text", "participant: true\n    keyboard_inputs:\n      ArrowLeft: 1", "participant: true\n    policy: chaser\n    inputs_type: reward\n    keyboard_inputs:\n      ArrowLeft: good",
			[]string{"agents[1].keyboard_inputs.ArrowLeft: a reward is a number, got good"}},
		{"no input in turns", "    keyboard_inputs:\n      ArrowLeft: 1\n      ArrowRight: 2\n      default: 0\nexperiment:\n", "    keyboard_inputs: {}\nexperiment:\n  wait_for_inputs: true\n",
			[]string{"agents[1].keyboard_inputs: every step waits for an input"}},
		{"no input, no policy", "    keyboard_inputs:\n      ArrowLeft: 1\n      ArrowRight: 2\n      default: 0\n", "    keyboard_inputs: {}\n",
			[]string{"agents[1].keyboard_inputs: this seat has no key, no text and no policy"}},
		{"key equals default in turns", "default: 0\nexperiment:\n", "default: 1\nexperiment:\n  wait_for_inputs: true\n",
			[]string{"agents[1].keyboard_inputs.ArrowLeft: the value 1 equals the default"}},
		{"drop-out policy cannot play", "name: Tag\n", "name: Tag\n  on_drop_out: ai\n  drop_out_policy: trained\n",
			[]string{`experiment.drop_out_policy: "trained" cannot act as "agent_0"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(tag, c.old) {
				t.Fatalf("the file has no %q", c.old)
			}
			file := strings.Replace(tag, c.old, c.new, 1)
			_, err := experiments.CheckSource(experiments.Source{Name: "x.yaml", YAML: []byte(file)}, experiments.Registries{Environments: envsbuiltin.Registry(), Agents: agentsbuiltin.Registry()})
			wantProblems(t, err, c.want)
		})
	}
	if _, err := experiments.CheckSource(experiments.Source{Name: "x.yaml", YAML: []byte(tag)}, experiments.Registries{Environments: envsbuiltin.Registry(), Agents: agentsbuiltin.Registry()}); err != nil {
		t.Errorf("the file without a mistake: %v", err)
	}
}

// wantProblems wants exactly these problems, each by its parts between " … ".
func wantProblems(t *testing.T, err error, want []string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no problem was found, want %q", want)
	}
	if !errors.Is(err, experiments.ErrInvalid) {
		t.Errorf("got %v, want an error that wraps ErrInvalid", err)
	}
	var all *experiments.Error
	if !errors.As(err, &all) {
		t.Fatalf("got a %T, want *experiments.Error", err)
	}
	if len(all.Problems) != len(want) {
		t.Errorf("got %d problems, want %d:\n%v", len(all.Problems), len(want), err)
	}
	for i, w := range want {
		if i >= len(all.Problems) {
			return
		}
		one := (&experiments.Error{File: all.File, Problems: all.Problems[i : i+1]}).Error()
		for _, part := range strings.Split(w, " … ") {
			if !strings.Contains(one, part) {
				t.Errorf("problem %d does not say %q:\n%s", i+1, part, one)
			}
		}
	}
}
