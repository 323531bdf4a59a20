package experiments_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sharpie/experiments"
)

const small = `environment:
  source: go:MountainCar-v0
agents:
  - role: agent_0
    participant: true
    keyboard_inputs:
      ArrowLeft: 0
      ArrowRight: 2
      default: 1
experiment:
  link: car
  name: Car
`

func TestParseNamesTheMistake(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new string
		want     []string
	}{
		{"unknown key", "participant:", "participants:",
			[]string{`x.yaml:5:5: agents[0].participants: unknown key; did you mean "participant"?; allowed here: role, name`}},
		{"unknown top key", "agents:", "agentz:",
			[]string{`x.yaml:3:1: agentz: unknown key; did you mean "agents"? … allowed here: use_case,`}},
		{"files without agents", small, strings.Replace(small[:strings.Index(small, "agents:")], "source: go:MountainCar-v0", "filepaths: {environment: e.py}", 1) + small[strings.Index(small, "experiment:"):],
			[]string{"x.yaml:1:1: missing key agents: only with a source"}},
		{"missing link", "  link: car\n", "", []string{"experiment: missing key link"}},
		{"boolean by word", "participant: true", "participant: yes",
			[]string{"x.yaml:5:18: agents[0].participant: want true or false, got yes; write true"}},
		{"number for text", "name: Car", "name: 2048",
			[]string{`experiment.name: want a text, got the number 2048; write it in quotes: "2048"`}},
		{"version as number", "environment:\n  source", "python_version: 310\nenvironment:\n  source",
			[]string{`python_version: want a version such as "3.10"; got "310"`}},
		{"number for map", "source: go:MountainCar-v0", "kwargs: 3\n  source: go:MountainCar-v0", []string{"x.yaml:2:11: environment.kwargs: want a map of keys and values, got 3"}},
		{"map for text", "name: Car", "name: {a: b}", []string{"experiment.name: want a text, got a map"}},
		{"word not allowed", "participant: true", "participant: true\n    inputs_type: action",
			[]string{`agents[0].inputs_type: want actions, reward or other, got "action"; did you mean "actions"?`}},
		{"link with capitals", "link: car", "link: My Car", []string{`experiment.link: want lower-case letters … got "My Car"`}},
		{"frames", "name: Car", "name: Car\n  target_fps: 500", []string{"experiment.target_fps: want 0 to 240, got 500"}},
		{"no frames in real time", "name: Car", "name: Car\n  target_fps: 0", []string{"experiment.target_fps: real time (wait_for_inputs: false) wants 0.1 to 240"}},
		{"episodes", "name: Car", "name: Car\n  number_of_episodes: 2.5", []string{"experiment.number_of_episodes: want a whole number, got 2.5"}},
		{"duration", "name: Car", "name: Car\n  lobby_timeout: soon", []string{`experiment.lobby_timeout: want a duration such as 90s … from 1s to 86400s, got "soon"`}},
		{"negative duration", "name: Car", "name: Car\n  countdown: -3s", []string{"experiment.countdown: want a duration"}},
		{"long duration", "name: Car", "name: Car\n  countdown: 1h", []string{"experiment.countdown: want 0s to 300s, got 1h"}},
		{"redirect elsewhere", "name: Car", "name: Car\n  redirect_url: javascript:alert(1)", []string{"experiment.redirect_url: want a full address that begins with https://"}},
		{"redirect with password", "name: Car", "name: Car\n  redirect_url: https://a:b@c.org", []string{"experiment.redirect_url: the address must not contain a user name"}},
		{"path that leaves", "source: go:MountainCar-v0", "filepaths: {environment: ../../etc/passwd}", []string{"environment.filepaths.environment: the path must stay inside"}},
		{"source and files", "source: go:MountainCar-v0", "source: go:MountainCar-v0\n  filepaths: {environment: environment.py}", []string{"environment.filepaths: give either source or filepaths"}},
		{"neither", "source: go:MountainCar-v0", "name: Car", []string{"environment: missing key source"}},
		{"no file that is run", "source: go:MountainCar-v0", "filepaths: {helper: helper.py}", []string{"environment.filepaths: missing key environment"}},
		{"unknown policy", "agents:\n  - role: agent_0\n", "policies:\n  - {name: spreader, source: go:spreader}\nagents:\n  - role: agent_0\n    policy: spreder\n",
			[]string{`x.yaml:7:13: agents[0].policy: no policy "spreder"; did you mean "spreader"?`}},
		{"policy twice", "agents:\n", "policy: {name: a, source: go:random}\npolicies:\n  a: {source: go:constant}\nagents:\n",
			[]string{`x.yaml:5:6: policies.a.name: a second policy with the name "a"`}},
		{"policy without policies", "participant: true", "participant: true\n    policy: helper", []string{`agents[0].policy: no policy "helper": the file has no key policies`}},
		{"role twice", "experiment:\n", "  - role: agent_0\n    participant: true\nexperiment:\n", []string{`x.yaml:10:11: agents[1].role: a second agent with the role "agent_0"`}},
		{"key twice", "ArrowLeft: 0", "ArrowLeft: 0\n      ArrowLeft: 1", []string{"x.yaml:8:7: agents[0].keyboard_inputs.ArrowLeft: this key is given twice"}},
		{"wrong key name", "ArrowLeft: 0", "left: 0", []string{`agents[0].keyboard_inputs.left: unknown key; did you mean "ArrowLeft"?`}},
		{"space by name", "ArrowLeft: 0", "Space: 0", []string{`agents[0].keyboard_inputs.Space: unknown key; did you mean " "`}},
		{"value of a key", "ArrowLeft: 0", "ArrowLeft: true", []string{"agents[0].keyboard_inputs.ArrowLeft: want a number, a text, or a list of them, got true"}},
		{"not a number", "ArrowLeft: 0", "ArrowLeft: .nan", []string{"agents[0].keyboard_inputs.ArrowLeft: want a finite number"}},
		{"display of no key", "participant: true", "participant: true\n    keyboard_input_display: {ArowLeft: {label: Left}}", []string{`agents[0].keyboard_input_display.ArowLeft: no such key in keyboard_inputs; did you mean "ArrowLeft"?`}},
		{"ai without policy", "name: Car", "name: Car\n  on_drop_out: ai", []string{"experiment.on_drop_out: ai needs the key drop_out_policy"}},
		{"huge seed", "name: Car", "name: Car\n  seeds: [1, 99999999999999999999]", []string{"experiment.seeds[1]: want 0 to 9223372036854775807"}},
		{"negative seed", "name: Car", "name: Car\n  seeds: [-1]", []string{"experiment.seeds[0]: want 0 to"}},
		{"control character", "name: Car", "name: \"Car\\0\"", []string{"experiment.name: the character U+0000 is not allowed"}},
		{"several lines", "name: Car", "name: \"Car\\nBus\"", []string{"experiment.name: want one line, got several"}},
		{"foreign tag", "name: Car", "name: !!python/object:os.system Car", []string{"experiment.name: the tag !!python/object:os.system is not allowed"}},
		{"merge key", "name: Car", "name: Car\n  <<: {enabled: false}", []string{"experiment.<<: merge keys (<<) are not supported"}},
		{"key is a list", "name: Car", "name: Car\n  ? [1, 2]\n  : 3", []string{"experiment: a key must be a text"}},
		{"nothing", "name: Car", "name:", []string{"experiment.name: want a text, got nothing"}},
		{"no agents", "agents:\n  - role: agent_0\n    participant: true\n    keyboard_inputs:\n      ArrowLeft: 0\n      ArrowRight: 2\n      default: 1\n", "agents: []\n", []string{"agents: 0 entries; at least 1 must be there"}},
		{"many at once", "participant: true", "participant: maybe\n    inputs_type: x\n    nam: y",
			[]string{"x.yaml:5:18: agents[0].participant:", "x.yaml:6:18: agents[0].inputs_type:", "x.yaml:7:5: agents[0].nam:"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(small, c.old) {
				t.Fatalf("the file has no %q", c.old)
			}
			_, err := experiments.Parse("x.yaml", []byte(strings.Replace(small, c.old, c.new, 1)))
			wantProblems(t, err, c.want)
		})
	}
	if _, err := experiments.Parse("x.yaml", []byte(small)); err != nil {
		t.Errorf("the file without a mistake: %v", err)
	}
}

func TestParseRefusesHostileFiles(t *testing.T) {
	laughs := "environment:\n  source: go:x\n  kwargs:\n    a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 30; i++ {
		laughs += fmt.Sprintf("    a%[1]d: &a%[1]d [*a%[2]d,*a%[2]d,*a%[2]d,*a%[2]d,*a%[2]d,*a%[2]d,*a%[2]d,*a%[2]d]\n", i, i-1)
	}
	var many strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&many, "    k%d: 1\n", i)
	}
	kwargs := func(v string) string { return "environment:\n  source: go:x\n  kwargs: " + v + "\n" }
	for _, c := range []struct{ name, file, want string }{
		{"empty", "", "x.yaml: the file is empty"},
		{"blank", " \n\n# nothing\n", "x.yaml: the file is empty"},
		{"a scalar", "hello", "x.yaml:1:1: want a map of keys and values, got the text \"hello\""},
		{"a list", "- 1", "x.yaml:1:1: want a map of keys and values, got a list"},
		{"not YAML", "a: [1\nb: 2", "x.yaml:2:2: not YAML"},
		{"tabs", "a:\n\tb: 1", "indent with blanks"},
		{"two documents", small + "---\na: 1\n", "x.yaml:13:1: a second document begins here"},
		{"Latin-1", "a: caf\xe9\n", "x.yaml:1:7: the file is not UTF-8"},
		{"UTF-16", "\xff\xfea\x00:\x00", "x.yaml:1:1: the file is not UTF-8"},
		{"too large", strings.Repeat("# long\n", 200_000), "x.yaml: the file has 1400000 bytes; at most 1048576 are allowed"},
		{"billion laughs", laughs, "too deep or too large"},
		{"deep", kwargs("{a: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}"), "too deep or too large"},
		{"deeper", strings.Repeat("[", 500_000), "max depth"},
		{"unknown anchor", "a: *b", "unknown anchor"},
		{"many keys", "environment:\n  source: go:x\n  kwargs:\n" + many.String(), "environment.kwargs: 50000 keys; at most 1000 are allowed"},
		{"many entries", "environment:\n  source: go:x\nagents: [" + strings.Repeat("a,", 500_000) + "]", "agents: 500000 entries; at most 500 are allowed"},
		{"a long key", strings.Repeat("k", 500_000) + ": 1\n", "a key must have 1 to 200 printable characters"},
		{"a long number", "environment: " + strings.Repeat("9", 500_000) + "\n", "environment: want a map of keys and values, got"},
		{"a long anchor", "a: *" + strings.Repeat("b", 500_000), "unknown anchor"},
		{"itself", "environment:\n  source: go:x\n  kwargs: &a {b: *a}\n", "too deep or too large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := experiments.Parse("x.yaml", []byte(c.file))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %.300v, want %q", err, c.want)
			}
			if len(err.Error()) > 20_000 {
				t.Errorf("the message has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestParseListsTwentyProblems(t *testing.T) {
	file := small
	for i := range 30 {
		file += fmt.Sprintf("  nonsense_%d: 1\n", i)
	}
	_, err := experiments.Parse("x.yaml", []byte(file))
	if err == nil || !strings.HasSuffix(err.Error(), "… and 10 more") || strings.Count(err.Error(), "\n") != 20 {
		t.Errorf("want 20 problems and the count of the rest, got\n%v", err)
	}
}

func TestParseFillsDefaults(t *testing.T) {
	d, err := experiments.Parse("x.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	s := func(f float64) experiments.Duration { return experiments.Duration(f * float64(time.Second)) }
	want := &experiments.Definition{
		Environment: experiments.Environment{Name: "MountainCar-v0", Source: "go:MountainCar-v0", FrameFormat: "auto"},
		Agents: []experiments.Agent{{
			Role: "agent_0", Name: "agent_0", Participant: true, InputsType: experiments.InputActions,
			KeyboardInputs: experiments.KeyMap{Default: int64(1), Bindings: []experiments.KeyBinding{
				{Key: "ArrowLeft", Value: int64(0)}, {Key: "ArrowRight", Value: int64(2)}}},
		}},
		Experiment: experiments.Experiment{
			Link: "car", Name: "Car", Enabled: true, NumberOfEpisodes: 1, TargetFPS: 24,
			InputTimeout: s(60), LobbyTimeout: s(300), Countdown: s(5), QueueTimeout: s(300), EpisodeTimeout: s(3600),
			BetweenPause: s(5), ReconnectGrace: s(60), LoadTimeout: s(120), ResetTimeout: s(30), StepTimeout: s(5), UpdateTimeout: s(300), MemoryLimit: 4096,
			OnDropOut: experiments.DropOutAbort, DropOutTimeout: s(120), OnRunnerLoss: "resume",
		},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("unlike the documentation:\n%s", diff)
	}
}

func TestParseKeepsWhatTheAuthorWrote(t *testing.T) {
	long := strings.Repeat("A long text stays long. ", 100) + "End."
	d, err := experiments.Parse("x.yaml", []byte(`
use_case: zoo
python_version: "3.10"
conda_environment: zoo
dependencies: [mpe2, "git+https://example.org/a.git"]
installation_notes: |
  Two
  lines.
  `+long+`
environment:
  name: Zoo
  filepaths: {environment: zoo/environment.py, helper: zoo/helper.py}
  metadata: {size: 3, scale: 1.5, name: x, deep: {list: [1, 2.5, true, null]}}
policy:
  name: Old
  description: ""
  filepaths: {policy: zoo/policy.py}
  checkpoint_interval: -2
policies:
  new: {source: go:tamer, kwargs: {learning_rate: 1.0}}
agents:
  - role: x_agent_0
    env_agent_id: agent_0
    policy: Old
    participant: true
    keyboard_inputs: {z: [1, 2], a: "up", " ": 0.5, m: -3, default: -1}
    keyboard_input_display: {" ": {symbol: "␣", label: Jump}}
    multiple_keyboard_inputs: true
    inputs_type: other
    textual_inputs: true
  - {role: agent_1, policy: new}
  - {role: agent_2, policy: null, participant: true}
experiment:
  link: zoo-1_a
  name: Zoo
  target_fps: 0
  wait_for_inputs: true
  seeds: [0, 9223372036854775807]
  needs: [gpu]
  countdown: 500ms
  between_pause: 1m30s
  feedback_grace: 2.5
  completion_code: random
  redirect_url: https://example.org/done?x=1
`))
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Agents[0].KeyboardInputs.Keys(); !cmp.Equal(got, []string{"z", "a", " ", "m"}) {
		t.Errorf("the order of the keys was lost: %q", got)
	}
	for key, want := range map[string]any{"z": []any{int64(1), int64(2)}, "a": "up", " ": 0.5, "m": int64(-3)} {
		if got, _ := d.Agents[0].KeyboardInputs.Value(key); !cmp.Equal(got, want) {
			t.Errorf("key %q stands for %#v, want %#v", key, got, want)
		}
	}
	if diff := cmp.Diff([]experiments.Policy{
		{Name: "Old", Filepaths: map[string]string{"policy": "zoo/policy.py"}, CheckpointInterval: -2, CheckpointScope: "session"},
		{Name: "new", Source: "go:tamer", Kwargs: map[string]any{"learning_rate": int64(1)}, CheckpointInterval: 1, CheckpointScope: "session"},
	}, d.Policies); diff != "" {
		t.Errorf("policies:\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"size": int64(3), "scale": 1.5, "name": "x",
		"deep": map[string]any{"list": []any{int64(1), 2.5, true, nil}}}, d.Environment.Metadata); diff != "" {
		t.Errorf("metadata:\n%s", diff)
	}
	x := d.Experiment
	if x.Countdown.Std() != 500*time.Millisecond || x.BetweenPause.Std() != 90*time.Second || x.FeedbackGrace.Std() != 2500*time.Millisecond {
		t.Errorf("durations: %v, %v, %v", x.Countdown, x.BetweenPause, x.FeedbackGrace)
	}
	if !cmp.Equal(x.Seeds, []uint64{0, 1<<63 - 1}) {
		t.Errorf("seeds: %v", x.Seeds)
	}
	if d.Agents[2].Policy != "" || d.InstallationNotes != "Two\nlines.\n"+long+"\n" {
		t.Errorf("policy %q, notes %q", d.Agents[2].Policy, d.InstallationNotes)
	}
}
