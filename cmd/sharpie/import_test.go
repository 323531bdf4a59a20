package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sharpie/experiments"
	"sharpie/persistence"
)

// builtinMaker makes what is built in, and knows no bundles.
type builtinMaker struct{ experiments.Registries }

func (builtinMaker) Prepare(context.Context, *experiments.Definition, func(string)) error { return nil }
func (builtinMaker) Keep(context.Context, string, []byte) error                           { return nil }

func TestItemsAreFound(t *testing.T) {
	root := t.TempDir()
	files := map[string]string{
		"gallery/frozen/config.yaml":         pythonConfig("frozen", "frozen/environment.py"),
		"gallery/frozen/environment.py":      "",
		"gallery/frozen/extra.yaml":          "nonsense: true",
		"gallery/tag/config.yml":             pythonConfig("tag", "environment.py"),
		"gallery/README.md":                  "",
		"gallery/.git/config.yaml":           "nonsense",
		"gallery/car.yaml":                   string(experiments.Demos()[0].YAML),
		"gallery/venv/pyvenv.cfg":            "",
		"gallery/venv/config.yaml":           "nonsense",
		"single/own.yaml":                    pythonConfig("own", "environment.py"),
		"gallery/deeper/still/ok/config.yml": "a: [",
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, text)
	}
	items, err := findItems([]string{filepath.Join(root, "gallery"), filepath.Join(root, "single/own.yaml"), "gymnasium:CartPole-v1"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range items {
		name, _ := filepath.Rel(root, i.Name)
		folder, _ := filepath.Rel(root, i.folder)
		switch {
		case i.Source != "":
			got = append(got, "source "+i.Source)
		case i.Problem != "":
			got = append(got, name+": problem")
		case i.folder == "":
			got = append(got, name+": no files")
		default:
			got = append(got, name+": "+folder)
		}
	}
	want := []string{
		"gallery/car.yaml: no files", "gallery/deeper/still/ok/config.yml: problem",
		"gallery/frozen/config.yaml: gallery/frozen", "gallery/tag/config.yml: gallery/tag",
		"single/own.yaml: single", "source gymnasium:CartPole-v1",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := findItems([]string{t.TempDir()}); err == nil || !strings.Contains(err.Error(), "config.yaml") {
		t.Errorf("an empty folder: %v", err)
	}
}

func pythonConfig(link, file string) string {
	return "environment: {name: x, filepaths: {environment: " + file + "}}\n" +
		"agents: [{role: a, participant: true, keyboard_inputs: {ArrowLeft: 1}}]\nexperiment: {link: " + link + ", name: x}\n"
}

func TestASourceIsImportedAndPrinted(t *testing.T) {
	data := t.TempDir()
	code, out, errs := sharpie(t, "import", "go:MountainCar-v0", "--data", data)
	if code != 0 {
		t.Fatalf("exit code %d: %s%s", code, out, errs)
	}
	for _, want := range []string{"go-mountaincar-v0", "ready, new"} {
		if !strings.Contains(out, want) {
			t.Errorf("the output does not say %q:\n%s", want, out)
		}
	}
	code, out, errs = sharpie(t, "import", "go:MountainCar-v0", "--print", "--link", "my-car", "--name", "My car", "--data", data)
	if code != 0 || !strings.Contains(out, "link: my-car") || !strings.Contains(out, `name: "My car"`) || !strings.Contains(out, `"ArrowLeft": 0`) {
		t.Errorf("exit code %d, printed\n%s%s", code, out, errs)
	}
	file := filepath.Join(t.TempDir(), "mine.yaml")
	write(t, file, out)
	if code, out, errs = sharpie(t, "import", file, "--data", data); code != 0 || !strings.Contains(out, "my-car") {
		t.Errorf("what was printed cannot be imported: exit code %d\n%s%s", code, out, errs)
	}
	code, _, errs = sharpie(t, "import", file, "--link", "other", "--data", data)
	if code != 1 || !strings.Contains(errs, "--link") {
		t.Errorf("--link with a file: exit code %d, %s", code, errs)
	}
}

func TestWhatWasLeftOutIsFilledInAndSaid(t *testing.T) {
	data, file := t.TempDir(), filepath.Join(t.TempDir(), "car.yaml")
	write(t, file, "environment: {source: go:MountainCar-v0}\nexperiment: {link: car, name: Car}\n")
	code, out, errs := sharpie(t, "import", file, "--data", data)
	if code != 0 {
		t.Fatalf("exit code %d: %s%s", code, out, errs)
	}
	for _, want := range []string{"filled in: agent_0 is a participant", "ArrowLeft = 0 (Push left)", "ArrowRight = 2", "no key = 1", "target_fps: 30"} {
		if !strings.Contains(out, want) {
			t.Errorf("the output does not say %q:\n%s", want, out)
		}
	}
}

func TestCheckStoresNothing(t *testing.T) {
	data, folder := t.TempDir(), t.TempDir()
	write(t, filepath.Join(folder, "car.yaml"), string(experiments.Demos()[0].YAML))
	write(t, filepath.Join(folder, "bad.yaml"), "a: 1")
	code, out, errs := sharpie(t, "import", folder, "--check", "--data", data)
	if code != 1 || !strings.Contains(errs, "1 of 2") {
		t.Errorf("exit code %d, %s", code, errs)
	}
	for _, want := range []string{"car.yaml", "role          agent_0: a participant", "ready", "bad.yaml:1:1: a: unknown key", "not ready"} {
		if !strings.Contains(out, want) {
			t.Errorf("the output does not say %q:\n%s", want, out)
		}
	}
	if _, err := os.Stat(filepath.Join(data, "sharpie.db")); err == nil {
		t.Error("a store was made")
	}
}

func TestAFileThatNamesFilesNeedsThem(t *testing.T) {
	in := newImporter(openStore(t), builtinMaker{registries()}, clock)
	_, _, err := in.Import(t.Context(), "x.yaml", []byte(pythonConfig("x", "environment.py")), "maria")
	if !errors.Is(err, experiments.ErrInvalid) || !strings.Contains(err.Error(), "import the folder") {
		t.Errorf("got %v", err)
	}
	_, _, err = in.ImportFolder(t.Context(), "zip", os.DirFS(t.TempDir()), "maria", nil)
	if !errors.Is(err, experiments.ErrInvalid) || !strings.Contains(err.Error(), "config.yaml") {
		t.Errorf("a folder without config.yaml: %v", err)
	}
}

func TestNothingIsStoredOfAFolderThatCannotBePlayed(t *testing.T) {
	store := openStore(t)
	folder := t.TempDir()
	write(t, filepath.Join(folder, "config.yaml"), pythonConfig("x", "environment.py"))
	write(t, filepath.Join(folder, "environment.py"), "")
	in := newImporter(store, builtinMaker{registries()}, clock)
	_, _, err := in.ImportFolder(t.Context(), "x", os.DirFS(folder), "maria", nil)
	if !errors.Is(err, experiments.ErrInvalid) {
		t.Errorf("got %v", err)
	}
	if _, err := store.LatestExperiment(t.Context(), "x"); !errors.Is(err, persistence.ErrNotFound) {
		t.Errorf("the experiment is stored: %v", err)
	}
}

func TestNewWritesNothingOver(t *testing.T) {
	dir := t.TempDir()
	for _, what := range []string{"env", "policy"} {
		code, out, errs := sharpie(t, "new", what, "My-"+what, "--in", dir)
		if code != 0 || !strings.Contains(out, "sharpie import") {
			t.Errorf("exit code %d: %s%s", code, out, errs)
		}
		config, err := os.ReadFile(filepath.Join(dir, "My-"+what, "config.yaml"))
		if err != nil || !bytes.Contains(config, []byte("link: my-"+what)) {
			t.Errorf("%v: %s", err, config)
		}
		if _, err := experiments.Parse("config.yaml", config); err != nil {
			t.Error(err)
		}
		if code, _, errs := sharpie(t, "new", what, "My-"+what, "--in", dir); code != 1 || !strings.Contains(errs, "exists already") {
			t.Errorf("again: exit code %d, %s", code, errs)
		}
	}
	if code, _, errs := sharpie(t, "new", "env", "../x"); code != 2 || !strings.Contains(errs, "no name") {
		t.Errorf("a path as a name: exit code %d, %s", code, errs)
	}
}
