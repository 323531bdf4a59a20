package experiments_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	agentsbuiltin "sharpie/agents/builtin"
	envsbuiltin "sharpie/envs/builtin"
	"sharpie/experiments"
)

func TestDemosCanBePlayed(t *testing.T) {
	for _, src := range experiments.Demos() {
		if _, err := experiments.CheckSource(src, envsbuiltin.Registry(), agentsbuiltin.Registry()); err != nil {
			t.Errorf("%v", err)
		}
	}
}

// Every file of testdata/check is a demonstration with one mistake; its last
// lines, beginning with "# want: ", are what the researcher must read.
func TestCheckNamesTheMistake(t *testing.T) {
	files, err := filepath.Glob("testdata/check/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = experiments.CheckSource(experiments.Source{Name: filepath.Base(file), YAML: data}, envsbuiltin.Registry(), agentsbuiltin.Registry())
			compare(t, data, err)
		})
	}
}

// compare wants exactly the problems of the "# want: " lines, each by the words
// between " … ".
func compare(t *testing.T, data []byte, err error) {
	t.Helper()
	var wants []string
	for line := range strings.Lines(string(data)) {
		if w, ok := strings.CutPrefix(line, "# want: "); ok {
			wants = append(wants, strings.TrimSpace(w))
		}
	}
	if err == nil {
		t.Fatalf("no problem was found, want %q", wants)
	}
	if !errors.Is(err, experiments.ErrInvalid) {
		t.Errorf("got %v, want an error that wraps ErrInvalid", err)
	}
	got := strings.Split(err.Error(), "\n")
	if len(got) != len(wants) {
		t.Errorf("got %d problems, want %d:\n%v", len(got), len(wants), err)
	}
	for i, w := range wants {
		for _, part := range strings.Split(w, " … ") {
			if i < len(got) && !strings.Contains(got[i], part) {
				t.Errorf("problem %d does not say %q:\n%s", i+1, part, got[i])
			}
		}
	}
}
