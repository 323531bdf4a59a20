package bench

import (
	"strings"
	"testing"
	"time"

	"sharpie/experiments"
)

func TestPresetsAreExperiments(t *testing.T) {
	for _, name := range []string{"numbers", "reference", "participants", "frames", "latency", "sessions"} {
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
