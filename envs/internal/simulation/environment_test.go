package simulation_test

import (
	"os"
	"strings"
	"testing"

	"sharpie/envs"
	"sharpie/envs/envtest"
)

func TestCorridor(t *testing.T) {
	envtest.Run(t, func() (envs.Environment, error) {
		return NewCorridor(map[string]any{"length": 12})
	}, envtest.Options{})
}

// TestGuideShowsTheTestedCode keeps the example of the guide the one that is
// tested here.
func TestGuideShowsTheTestedCode(t *testing.T) {
	guide, err := os.ReadFile("../../../docs/WRITING_AN_ENVIRONMENT.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("corridor_test.go")
	if err != nil {
		t.Fatal(err)
	}
	shown := strings.Replace(string(code), "package simulation_test", "package corridor", 1)
	if !strings.Contains(string(guide), "```go\n"+shown+"```\n") {
		t.Error("docs/WRITING_AN_ENVIRONMENT.md does not show corridor_test.go as it is: copy it there, with the package named corridor")
	}
}
