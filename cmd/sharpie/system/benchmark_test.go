package system

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// The benchmark makes everything that it needs by the program's own commands, runner
// nodes too, and counts in the store what was played.
func TestTheBenchmarkPlaysOnNodes(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	said, err := exec.CommandContext(ctx, binary, "bench", "--nodes", "1", "--sessions", "2", "--steps", "20", "--seconds", "20", "--no-echo", "--json", "-").CombinedOutput()
	if err != nil {
		t.Fatalf("bench: %v\n%s", err, said)
	}
	for _, want := range []string{`"step_records": 42`, `"step_records_expected": 42`, `"episodes": 2`} {
		if !strings.Contains(string(said), want) {
			t.Errorf("the report does not say %s:\n%s", want, said)
		}
	}
}
