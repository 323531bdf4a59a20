// Package golden holds trajectories of the real Gymnasium and mpe2 packages, which
// the built-in environments are tested against. make.py records them. Only tests
// import it; it refuses to know how an environment is stepped.
package golden

import (
	"compress/gzip"
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

//go:embed testdata/*.json.gz
var files embed.FS

// Trajectory is what one environment did, with which packages and arguments.
type Trajectory struct {
	Packages    map[string]string `json:"packages"`
	Environment string            `json:"environment"`
	Kwargs      map[string]any    `json:"kwargs"`
	Roles       []string          `json:"roles"`
	// Rotating: step i holds the observation of role i mod n alone.
	Rotating bool      `json:"rotating"`
	Episodes []Episode `json:"episodes"`
}

// Episode is a reset and the steps after it, which are as many as Actions. Numbers
// are rounded to 7 decimals.
type Episode struct {
	// State is the full state after the reset, in the form of the environment's
	// snapshot.
	State json.RawMessage `json:"state"`
	// Observation is after the reset: of the one role, or of each role.
	Observation any `json:"observation"`
	// Actions, Observations and Rewards have one element per step; actions and
	// rewards of several roles are lists.
	Actions      []any `json:"actions"`
	Observations []any `json:"observations"`
	Rewards      []any `json:"rewards"`
	// Chances are the random numbers and Probabilities the infos of a slippery lake.
	Chances       []float64 `json:"chances"`
	Probabilities []float64 `json:"probabilities"`
	// Terminated and Truncated are of the last step; no step before it ended
	// anything. Neither: the recording was left off.
	Terminated bool `json:"terminated"`
	Truncated  bool `json:"truncated"`
}

// Names lists all trajectories.
func Names() ([]string, error) {
	entries, err := files.ReadDir("testdata")
	if err != nil {
		return nil, fmt.Errorf("golden: %w", err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".json.gz"))
	}
	return out, nil
}

// Load reads a trajectory by name.
func Load(name string) (*Trajectory, error) {
	f, err := files.Open(path.Join("testdata", name+".json.gz"))
	if err != nil {
		return nil, fmt.Errorf("golden %s: %w", name, err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("golden %s: %w", name, err)
	}
	var t Trajectory
	if err := json.NewDecoder(z).Decode(&t); err != nil {
		return nil, fmt.Errorf("golden %s: %w", name, err)
	}
	return &t, nil
}
