package bench

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sharpie/experiments"
)

func TestPresetsAreExperiments(t *testing.T) {
	for _, name := range []string{"numbers", "nodes", "reference", "participants", "frames", "latency", "sessions"} {
		runs, err := presets(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range runs {
			if err := r.Check(); err != nil {
				t.Errorf("%s: %s: %v", name, r.Name, err)
			}
			d, err := experiments.Parse("bench.yaml", experimentYAML(i, r))
			if err != nil {
				t.Errorf("%s: %s: %v", name, r.Name, err)
			} else if r.Place != "" && !slices.Equal(d.Experiment.Needs, []string{r.Place}) {
				t.Errorf("%s: %s: needs %v, want %s", name, r.Name, d.Experiment.Needs, r.Place)
			} else if len(d.Seats()) != r.Participants {
				t.Errorf("%s: %s: %d seats, want %d", name, r.Name, len(d.Seats()), r.Participants)
			}
		}
	}
	if _, err := presets("nothing"); err == nil || !strings.Contains(err.Error(), "reference") {
		t.Errorf("an unknown preset says %v, want the allowed ones", err)
	}
}

func TestCheckNamesTheFlag(t *testing.T) {
	r := Run{Sessions: 0, Participants: 1, FPS: 30, Size: 8, Length: time.Second}
	err := r.Check()
	if err == nil || !strings.Contains(err.Error(), "--sessions") || !strings.Contains(err.Error(), "--size") {
		t.Errorf("Check = %v, want both flags named", err)
	}
}

func TestLoadStaysOnThisMachine(t *testing.T) {
	for _, url := range []string{"http://example.org:8080", "https://127.0.0.1:1", "127.0.0.1:8080"} {
		if _, err := (&Command{URL: url, Link: "x", PID: 1}).attach(); err == nil {
			t.Errorf("--url %s was accepted", url)
		}
	}
}

func TestFlagsAboutNodesAreChecked(t *testing.T) {
	fine := Command{Preset: presetNodes, Rounds: 1, Seconds: 1}
	if runs, err := fine.runs(); err != nil || len(runs) != 3 {
		t.Errorf("--preset nodes --rounds 1 --seconds 1 gives %d runs and %v", len(runs), err)
	}
	for name, c := range map[string]Command{
		"--nodes":   {Nodes: 101},
		"--url":     {Nodes: 2, URL: "http://127.0.0.1:1"},
		"--preset":  {Nodes: 2, Preset: presetNodes, Rounds: 1, Seconds: 1},
		"--rounds":  {Preset: presetNodes, Rounds: 0, Seconds: 1},
		"--seconds": {Preset: presetNodes, Rounds: 1, Seconds: .5},
	} {
		if _, err := c.runs(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%+v: %v, want an error that names %s", c, err, name)
		}
	}
}
