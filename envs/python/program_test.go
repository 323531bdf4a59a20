package python

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"sharpie/envs/python/pythontest"
)

// The worker's own tests speak its protocol over a socket pair. Each of them needs one
// process or more, and a fraction of a second.
func TestWorkerProgram(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, pythontest.Interpreter(t), "-B", "-m", "unittest", "discover", "-q")
	cmd.Dir = "testdata"
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("python -m unittest discover: %v\n%s", err, out)
	}
}

// Compiling it anew would cost each start more than all else that is ours.
func TestTheWorkerIsCompiledBeforeTheFirstStart(t *testing.T) {
	pool := newTestPool(t, Config{})
	e, err := pool.Open(t.Context(), loadOf(t, "gymnasium:CartPole-v1", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	folder := filepath.Join(filepath.Dir(pool.launcher.file), packageFolder)
	sources, _ := filepath.Glob(filepath.Join(folder, "*.py"))
	compiled, _ := filepath.Glob(filepath.Join(folder, "__pycache__", "*.pyc"))
	if len(sources) == 0 || len(compiled) != len(sources) {
		t.Errorf("%d of %d files of the worker are compiled", len(compiled), len(sources))
	}
}
