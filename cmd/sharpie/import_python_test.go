package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sharpie/envs/python/pythontest"
	"sharpie/experiments"
	"sharpie/experiments/bundle"
	"sharpie/persistence/embedded"
)

// useCase is a folder of a gallery: a counter that ends at three.
func useCase(t *testing.T, gallery, name, environment, policy string) string {
	t.Helper()
	dir := filepath.Join(gallery, name)
	if err := os.MkdirAll(filepath.Join(dir, "saved_models"), 0o755); err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`use_case: %[1]s
environment: {name: %[1]s, description: "", filepaths: {environment: %[1]s/environment.py}}
policy: {name: P, description: "", filepaths: {policy: %[1]s/policy.py, tamer: %[1]s/tamer.py}, checkpoint_interval: 1}
agents:
  - {role: agent, name: Agent, description: "", policy: P, participant: true,
     keyboard_inputs: {ArrowUp: 1, ArrowDown: -1, default: 0}, inputs_type: reward}
experiment: {link: %[1]s, name: %[1]s, target_fps: 10.0, wait_for_inputs: false, redirect_url: null}
`, name)
	for file, text := range map[string]string{
		"config.yaml": config, "environment.py": environment, "policy.py": policy,
		"tamer.py": "class Tamer:\n    pass\n", "saved_models/start.txt": "1",
	} {
		write(t, filepath.Join(dir, file), text)
	}
	return dir
}

const counterEnvironment = `
class Environment:
    def reset(self):
        self.n = 0
        return {"n": 0}, {}
    def step(self, actions):
        self.n += 1
        return {"n": self.n}, 1.0, self.n == 3, False, {}
    def render(self):
        return None
environment = Environment()
`

const counterPolicy = `
from tamer import Tamer
class Policy(Tamer):
    def predict(self, observation):
        return 1
    def update(self, state, action, reward, done, next_state):
        pass
policy = Policy()
`

func TestAGalleryIsImported(t *testing.T) {
	python := pythontest.Interpreter(t)
	gallery, data := t.TempDir(), t.TempDir()
	useCase(t, gallery, "counter", counterEnvironment, counterPolicy)
	useCase(t, gallery, "broken", strings.Replace(counterEnvironment, "self.n = 0", "self.n = self.nothing", 1), counterPolicy)
	useCase(t, gallery, "lacking", "import no_such_package_at_all\n"+counterEnvironment, counterPolicy)
	if err := os.Remove(filepath.Join(useCase(t, gallery, "torn", counterEnvironment, counterPolicy), "tamer.py")); err != nil {
		t.Fatal(err)
	}
	run := func(wantCode int, args ...string) string {
		t.Helper()
		code, out, errs := sharpie(t, append(args, "--python", python, "--data", data)...)
		if code != wantCode {
			t.Errorf("%v: exit code %d, want %d:\n%s%s", args, code, wantCode, out, errs)
		}
		return out + errs
	}
	out := run(1, "import", gallery)
	for _, want := range []string{
		"counter         counter  1        ready, new",
		"missing: the Python module no_such_package_at_all", "dependencies",
		"has no attribute 'nothing'", "line ", "environment.filepaths",
		"there is no file torn/tamer.py in the experiment's folder",
		"3 of 4 experiments were not imported",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the output does not say %q:\n%s", want, out)
		}
	}
	if out := run(0, "import", filepath.Join(gallery, "counter")); !strings.Contains(out, "unchanged") {
		t.Errorf("again:\n%s", out)
	}
	write(t, filepath.Join(gallery, "counter", "saved_models", "start.txt"), "2")
	if out := run(0, "import", filepath.Join(gallery, "counter", "config.yaml")); !strings.Contains(out, "new version") {
		t.Errorf("with another file:\n%s", out)
	}
	checkStored(t, data)
}

// checkStored looks at what the gallery became.
func checkStored(t *testing.T, data string) {
	t.Helper()
	store, err := embedded.Open(t.Context(), filepath.Join(data, "sharpie.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	all, err := store.LatestExperiments(t.Context())
	if err != nil || len(all) != 1 || all[0].Link != "counter" || all[0].Version != 2 {
		t.Fatalf("stored are %+v (%v), want counter alone, twice", all, err)
	}
	d, err := experiments.FromDocument(all[0].Definition)
	if err != nil || d.Environment.Filepaths["environment"] != "environment.py" || d.Policies[0].Filepaths["tamer"] != "tamer.py" {
		t.Errorf("stored with the files %v (%v)", d.Environment.Filepaths, err)
	}
	if !strings.Contains(all[0].Source, "counter/environment.py") {
		t.Error("the source is not the author's any more")
	}
	b, err := store.Bundle(t.Context(), all[0].BundleHash)
	if err != nil {
		t.Fatal(err)
	}
	names, err := bundle.Names(b.Data)
	if want := "config.yaml environment.py policy.py saved_models/start.txt tamer.py"; err != nil || strings.Join(names, " ") != want {
		t.Errorf("the bundle has %v (%v), want %s", names, err, want)
	}
}

func TestCheckReportsWhatWasPlayed(t *testing.T) {
	python := pythontest.Interpreter(t)
	gallery, data := t.TempDir(), t.TempDir()
	useCase(t, gallery, "counter", counterEnvironment, counterPolicy)
	code, out, errs := sharpie(t, "import", gallery, "--check", "--python", python, "--data", data)
	if code != 0 {
		t.Fatalf("exit code %d:\n%s%s", code, out, errs)
	}
	for _, want := range []string{"Python 3.", "confinement", "picture       none", "the policy P", "ArrowUp = 1", "3 steps", "3 updates", "the episode ended", "ready"} {
		if !strings.Contains(out, want) {
			t.Errorf("the report does not say %q:\n%s", want, out)
		}
	}
}

func TestTemplatesPassTheirCheck(t *testing.T) {
	python := pythontest.Interpreter(t)
	for _, what := range []string{"env", "policy"} {
		t.Run(what, func(t *testing.T) {
			dir, data := t.TempDir(), t.TempDir()
			if code, out, errs := sharpie(t, "new", what, "Grid_1", "--in", dir); code != 0 {
				t.Fatalf("exit code %d: %s%s", code, out, errs)
			}
			config := filepath.Join(dir, "Grid_1", "config.yaml")
			text, err := os.ReadFile(config)
			if err != nil {
				t.Fatal(err)
			}
			// The packages are there: nothing is downloaded for this test.
			write(t, config, "interpreter: "+python+"\n"+string(text))
			code, out, errs := sharpie(t, "import", filepath.Join(dir, "Grid_1"), "--check", "--data", data)
			if code != 0 || !strings.Contains(out, "20 steps") || !strings.Contains(out, "240 × 240") || strings.Contains(out, "warning") {
				t.Errorf("exit code %d:\n%s%s", code, out, errs)
			}
			if what == "policy" && !strings.Contains(out, "20 updates") {
				t.Errorf("the policy did not learn:\n%s", out)
			}
		})
	}
}

func TestIdsAreImported(t *testing.T) {
	python := pythontest.Interpreter(t)
	data := t.TempDir()
	sources := []string{"gymnasium:CartPole-v1", "gymnasium:Pendulum-v1", "gymnasium:FrozenLake-v1", "gymnasium:Blackjack-v1",
		"pettingzoo:mpe2.simple_spread_v3", "pettingzoo:classic.tictactoe_v3"}
	code, out, errs := sharpie(t, append([]string{"import", "--python", python, "--data", data}, sources...)...)
	if code != 0 {
		t.Fatalf("exit code %d:\n%s%s", code, out, errs)
	}
	for _, link := range []string{"gymnasium-cartpole-v1", "gymnasium-pendulum-v1", "pettingzoo-mpe2-simple_spread_v3"} {
		if !strings.Contains(out, link) {
			t.Errorf("the table does not name %s:\n%s", link, out)
		}
	}
	store, err := embedded.Open(t.Context(), filepath.Join(data, "sharpie.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for link, want := range map[string]struct {
		wait bool
		keys int
		fps  float64
	}{
		"gymnasium-cartpole-v1":            {true, 2, 15},
		"gymnasium-pendulum-v1":            {false, 2, 30},
		"gymnasium-frozenlake-v1":          {true, 4, 5},
		"gymnasium-blackjack-v1":           {true, 2, 5},
		"pettingzoo-mpe2-simple_spread_v3": {false, 4, 10},
		"pettingzoo-classic-tictactoe_v3":  {true, 9, 5},
	} {
		e, err := store.LatestExperiment(t.Context(), link)
		if err != nil {
			t.Errorf("%s: %v", link, err)
			continue
		}
		d, err := experiments.FromDocument(e.Definition)
		if err != nil {
			t.Fatal(err)
		}
		if x := d.Experiment; x.WaitForInputs != want.wait || x.TargetFPS != want.fps || len(d.Seats()) != 1 || len(d.Seats()[0].KeyboardInputs.Bindings) != want.keys {
			t.Errorf("%s: turn-based %t at %v, %d keys; want %+v", link, x.WaitForInputs, x.TargetFPS, len(d.Seats()[0].KeyboardInputs.Bindings), want)
		}
	}
}

// TestAGalleryIsImportedWhileTheServerRuns: the folder travels to the server, and its
// file alone may be changed later.
func TestAGalleryIsImportedWhileTheServerRuns(t *testing.T) {
	python := pythontest.Interpreter(t)
	gallery, data := t.TempDir(), t.TempDir()
	dir := useCase(t, gallery, "counter", counterEnvironment, counterPolicy)
	store, err := embedded.Open(t.Context(), filepath.Join(data, "sharpie.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var log bytes.Buffer
	a := testApp(context.Background(), &log)
	a.python.Interpreter = programPath(python)
	w, err := a.python.open(a, data, store, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	}()
	control, err := startControl(a, controlPath(data), store, w.maker)
	if err != nil {
		t.Fatal(err)
	}
	defer control.close()
	code, out, errs := sharpie(t, "import", gallery, "--data", data)
	if code != 0 || !strings.Contains(out, "ready, new") {
		t.Fatalf("exit code %d:\n%s%s", code, out, errs)
	}
	in := newImporter(store, w.maker, clock)
	yaml, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	yaml = bytes.Replace(yaml, []byte("target_fps: 10.0"), []byte("target_fps: 5"), 1)
	e, fresh, err := in.Import(t.Context(), "counter.yaml", yaml, "maria")
	if err != nil || !fresh || e.Version != 2 || e.BundleHash == "" {
		t.Errorf("edited: %+v, new %t, %v", e, fresh, err)
	}
	if err := in.Check("counter.yaml", yaml); err != nil {
		t.Error(err)
	}
	var lines []string
	e, fresh, err = in.ImportFolder(t.Context(), "counter.zip", os.DirFS(dir), "maria", func(line string) { lines = append(lines, line) })
	if err != nil || !fresh || e.Version != 3 {
		t.Errorf("uploaded: %+v, new %t, %v (%v)", e, fresh, err, lines)
	}
}

// TestTheExampleOfTheDocumentationWorks takes the Python example of
// docs/WRITING_AN_ENVIRONMENT.md as it is.
func TestTheExampleOfTheDocumentationWorks(t *testing.T) {
	python := pythontest.Interpreter(t)
	page, err := os.ReadFile("../../docs/WRITING_AN_ENVIRONMENT.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for language, file := range map[string]string{"python": "environment.py", "yaml": "config.yaml"} {
		_, rest, ok := strings.Cut(string(page), "```"+language+"\n")
		text, _, ok2 := strings.Cut(rest, "```")
		if !ok || !ok2 {
			t.Fatalf("the page has no example in %s", language)
		}
		write(t, filepath.Join(dir, file), text)
	}
	code, out, errs := sharpie(t, "import", dir, "--check", "--python", python, "--data", t.TempDir())
	if code != 0 || !strings.Contains(out, "600 × 60") || !strings.Contains(out, "20 steps") {
		t.Errorf("exit code %d:\n%s%s", code, out, errs)
	}
}

func TestAMissingInterpreterSaysWhatToDo(t *testing.T) {
	gallery := t.TempDir()
	dir := useCase(t, gallery, "counter", counterEnvironment, counterPolicy)
	config := filepath.Join(dir, "config.yaml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"interpreter: /nowhere/bin/python": "config.yaml:1:14: interpreter: this Python is missing: there is no /nowhere/bin/python",
		"conda_environment: no-such-one":   "config.yaml:1:20: conda_environment: ",
	} {
		write(t, config, line+"\n"+string(text))
		code, out, errs := sharpie(t, "import", dir, "--data", t.TempDir())
		if code != 1 || !strings.Contains(out, want) || !strings.Contains(out, "missing") {
			t.Errorf("%s: exit code %d, and %q in\n%s%s", line, code, want, out, errs)
		}
	}
}
