package python_test

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"sharpie/envs/python/pythontest"
)

// The worker's own tests speak its protocol over a socket pair. Each of them needs one
// process or more, and a fraction of a second.
func TestWorkerProgram(t *testing.T) {
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
