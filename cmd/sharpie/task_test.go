package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sharpie/experiments"
	"sharpie/persistence/embedded"
)

func TestImportPrintsWhatHappenedToEachFile(t *testing.T) {
	data, folder := t.TempDir(), t.TempDir()
	write(t, filepath.Join(folder, "car.yaml"), string(experiments.Demos()[0].YAML))
	write(t, filepath.Join(folder, "broken.yml"), "experiment:\n  lnik: x\n")
	write(t, filepath.Join(folder, ".hidden.yaml"), "nonsense")
	write(t, filepath.Join(folder, "notes.txt"), "nonsense")

	code, out, errs := sharpie(t, "import", folder, "--data", data)
	if code != 1 || !strings.Contains(errs, "1 of 2 experiments") {
		t.Errorf("exit code %d, stderr %q; want 1, and that one of two was not imported", code, errs)
	}
	for _, want := range []string{"car.yaml", "mountain-car", "new", "broken.yml", "not imported", "broken.yml:2:3: experiment.lnik"} {
		if !strings.Contains(out, want) {
			t.Errorf("the output does not say %q:\n%s", want, out)
		}
	}
	code, out, _ = sharpie(t, "import", filepath.Join(folder, "car.yaml"), "--data", data)
	if code != 0 || !strings.Contains(out, "unchanged") {
		t.Errorf("again: exit code %d, printed\n%s", code, out)
	}
	changed := bytes.Replace(experiments.Demos()[0].YAML, []byte("number_of_episodes: 3"), []byte("number_of_episodes: 4"), 1)
	write(t, filepath.Join(folder, "car.yaml"), string(changed))
	code, out, _ = sharpie(t, "import", filepath.Join(folder, "car.yaml"), "--data", data)
	if code != 0 || !strings.Contains(out, "new version") {
		t.Errorf("changed: exit code %d, printed\n%s", code, out)
	}
}

func TestUserAddChecksNameAndPassword(t *testing.T) {
	data := t.TempDir()
	for _, test := range []struct {
		name, stdin string
		args        []string
		code        int
		want        string
	}{
		{"added", "correct horse\n", []string{"maria", "--admin", "--password-stdin"}, 0, "maria was added as administrator"},
		{"taken", "correct horse\n", []string{"Maria", "--password-stdin"}, 1, "taken"},
		{"short password", "x\n", []string{"paul", "--password-stdin"}, 1, "at least"},
		{"bad name", "correct horse\n", []string{"a b", "--password-stdin"}, 1, "name"},
		{"no terminal", "", []string{"paul"}, 1, "--password-stdin"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, out, errs := sharpieWith(t, test.stdin, append([]string{"user", "add", "--data", data}, test.args...)...)
			if code != test.code || !strings.Contains(out+errs, test.want) {
				t.Errorf("exit code %d, want %d, and %q in:\n%s%s", code, test.code, test.want, out, errs)
			}
		})
	}
}

// TestCommandsWorkWhileTheServerHoldsTheStore starts what a server starts for
// them, and runs commands as other processes would.
func TestCommandsWorkWhileTheServerHoldsTheStore(t *testing.T) {
	data := t.TempDir()
	store, err := embedded.Open(t.Context(), filepath.Join(data, "sharpie.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()

	code, _, errs := sharpieWith(t, "correct horse\n", "user", "add", "maria", "--password-stdin", "--data", data)
	if code != 1 || !strings.Contains(errs, "in use by another process") {
		t.Errorf("with a process that takes no commands: exit code %d, %q", code, errs)
	}

	var log bytes.Buffer
	control, err := startControl(testApp(context.Background(), &log), controlPath(data), store, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer control.close()
	info, err := os.Stat(controlPath(data))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket's mode is %v (%v), want 0600", info.Mode(), err)
	}
	file := filepath.Join(t.TempDir(), "car.yaml")
	write(t, file, string(experiments.Demos()[0].YAML))
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"user", "add", "maria", "--password-stdin"}, 0, "maria was added"},
		{[]string{"user", "add", "maria", "--password-stdin"}, 1, "taken"},
		{[]string{"import", file}, 0, "mountain-car"},
		{[]string{"verify", "ep_none"}, 1, "ep_none"},
		{[]string{"verify", "--experiment", "mountain-car"}, 1, "no episode"},
	} {
		code, out, errs := sharpieWith(t, "correct horse\n", append(test.args, "--data", data)...)
		if code != test.code || !strings.Contains(out+errs, test.want) {
			t.Errorf("%v: exit code %d, want %d, and %q in:\n%s%s", test.args, code, test.code, test.want, out, errs)
		}
	}
}

func TestTheControlSocketRefusesNonsense(t *testing.T) {
	data := t.TempDir()
	var log, out bytes.Buffer
	control, err := startControl(testApp(context.Background(), &log), controlPath(data), openStore(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer control.close()
	for _, test := range []struct {
		request controlRequest
		want    string
	}{
		{controlRequest{Task: "drop everything"}, "does not know"},
		{controlRequest{Task: "import", Args: []byte(`[]`)}, "not understood"},
	} {
		err := askServer(testApp(t.Context(), &out), controlPath(data), test.request)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, want %q", test.request.Task, err, test.want)
		}
	}
}
