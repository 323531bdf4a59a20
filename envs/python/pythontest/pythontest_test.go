package pythontest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestTheInterpreterHasWhatTheTestsNeed(t *testing.T) {
	python := Interpreter(t)
	out, err := exec.Command(python, "-c", "import gymnasium, pettingzoo, mpe2, numpy, pygame").CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", python, err, out)
	}
}

func TestWhereTheInterpreterIsLookedFor(t *testing.T) {
	root := t.TempDir()
	deep := filepath.Join(root, "envs", "python")
	python := filepath.Join(root, ".cache", "python", "bin", "python")
	write := func(path string, mode os.FileMode) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(root, "go.mod"), 0o644)
	t.Setenv(Env, "")

	if path, ok := find(deep); ok {
		t.Errorf("found %s where nothing was built", path)
	}
	write(python, 0o755)
	if path, ok := find(deep); ok {
		t.Errorf("found %s, whose installation did not end", path)
	}
	write(filepath.Join(root, ".cache", "python", "ready"), 0o644)
	if path, ok := find(deep); !ok || path != python {
		t.Errorf("found %q, %v, want %s", path, ok, python)
	}

	own := filepath.Join(root, "own")
	t.Setenv(Env, own)
	if path, ok := find(deep); ok {
		t.Errorf("found %s, which does not exist", path)
	}
	write(own, 0o755)
	if path, ok := find(deep); !ok || path != own {
		t.Errorf("found %q, %v, want the one that %s names", path, ok, Env)
	}
}
