package bench

import (
	"errors"
	"fmt"
	"time"
)

// Mode is when a participant sends the next input.
type Mode string

// The modes.
const (
	// RealTime: the server ticks at FPS, and each participant sends FPS inputs a second.
	RealTime Mode = "real-time"
	// Turns: the server steps when every input is there, and each participant sends
	// one every 1/FPS on absolute deadlines: the round trip is the path and nothing else.
	Turns Mode = "turns"
	// Saturation: as Turns, but the next input follows the frame at once.
	Saturation Mode = "saturation"
)

// Run is one measurement.
type Run struct {
	Name         string        `json:"name"`
	Mode         Mode          `json:"mode"`
	Sessions     int           `json:"sessions"`
	Participants int           `json:"participants"` // per session
	FPS          float64       `json:"fps"`
	Size         int           `json:"size"`   // of the picture, pixels square
	Frames       string        `json:"frames"` // "game", "noise" or "still"
	Latency      time.Duration `json:"latency_ns"`
	Steps        int           `json:"steps"`     // per session; 0: by Seconds
	Length       time.Duration `json:"length_ns"` // upper bound of the measurement
	// Place is the label of the runners that play it; empty: any.
	Place string `json:"place,omitempty"`
}

// Players is the number of sockets of the run.
func (r Run) Players() int { return r.Sessions * r.Participants }

// Check says what is wrong with the settings and what is allowed.
func (r Run) Check() error {
	var errs []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(r.Sessions >= 1 && r.Sessions <= 5000, "--sessions is %d: allowed is 1 to 5000", r.Sessions)
	bad(r.Participants >= 1 && r.Participants <= 1000, "--participants is %d: allowed is 1 to 1000", r.Participants)
	bad(r.FPS >= 0.1 && r.FPS <= 240, "--fps is %g: allowed is 0.1 to 240", r.FPS)
	bad(r.Size >= 16 && r.Size <= 2048, "--size is %d: allowed is 16 to 2048", r.Size)
	bad(r.Steps >= 0 && r.Steps <= 1_000_000, "--steps is %d: allowed is 0 to 1000000", r.Steps)
	bad(r.Length > 0 && r.Length <= time.Hour, "--seconds is %g: allowed is more than 0, up to 3600", r.Length.Seconds())
	bad(r.Latency >= 0 && r.Latency <= 5*time.Second, "--latency is %s: allowed is 0s to 5s", r.Latency)
	return errors.Join(errs...)
}

// presets are the runs of the reference platform's own benchmark, and the ones
// that the design's table of numbers asks for.
func presets(name string) ([]Run, error) {
	base := Run{Mode: RealTime, Sessions: 1, Participants: 1, FPS: 30, Size: 64, Frames: "game", Steps: 100, Length: 60 * time.Second}
	var out []Run
	add := func(name string, edit func(*Run)) {
		r := base
		edit(&r)
		r.Name = name
		out = append(out, r)
	}
	switch name {
	case "participants":
		for _, n := range []int{1, 10, 50, 100, 250} {
			add(fmt.Sprintf("%d participants in one session", n), func(r *Run) { r.Participants, r.Mode = n, Turns })
		}
	case "frames":
		for _, s := range []int{64, 128, 256, 512, 1024} {
			add(fmt.Sprintf("noise %d×%d", s, s), func(r *Run) { r.Size, r.Frames = s, "noise" })
		}
	case "latency":
		for _, ms := range []float64{0.1, 10, 20, 50, 200} {
			add(fmt.Sprintf("10 participants, %g ms added", ms), func(r *Run) {
				r.Participants = 10
				r.Latency = time.Duration(ms * float64(time.Millisecond))
			})
		}
	case "sessions":
		for _, n := range []int{1, 10, 50, 100, 250, 500} {
			add(fmt.Sprintf("%d sessions", n), func(r *Run) { r.Sessions, r.Steps, r.Length = n, 0, 15*time.Second })
		}
	case "numbers":
		add("round trip, 100 sessions", func(r *Run) { r.Mode, r.Sessions, r.Steps, r.Length = Turns, 100, 0, 10*time.Second })
		add("500 sessions", func(r *Run) { r.Sessions, r.Steps, r.Length = 500, 0, 15*time.Second })
		add("saturation, 64 sessions", func(r *Run) { r.Mode, r.Sessions, r.Steps, r.Length = Saturation, 64, 0, 8*time.Second })
		add("closed loop, one participant", func(r *Run) { r.Mode, r.Steps, r.Length = Saturation, 0, 5*time.Second })
		add("ticks on time, 200 sessions", func(r *Run) { r.Sessions, r.Steps, r.Length = 200, 0, 15*time.Second })
		add("250 participants in one session", func(r *Run) { r.Mode, r.Participants, r.Steps, r.Length = Turns, 250, 0, 10*time.Second })
		add("10 participants, 200 ms added", func(r *Run) {
			r.Participants, r.Latency, r.Steps, r.Length = 10, 200*time.Millisecond, 0, 10*time.Second
		})
		add("noise 1024×1024", func(r *Run) { r.Size, r.Frames, r.Steps, r.Length = 1024, "noise", 0, 10*time.Second })
		add("frames that do not change", func(r *Run) { r.Sessions, r.Frames, r.Steps, r.Length = 10, "still", 0, 5*time.Second })
	case "reference":
		for _, n := range []string{"participants", "frames", "latency"} {
			more, err := presets(n)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
	case presetNodes:
		add("20 sessions, local", func(r *Run) { onNodes(r, Turns, placeLocal) })
		add("20 sessions, on a node", func(r *Run) { onNodes(r, Turns, placeNode) })
		add("20 sessions, whose node is lost", func(r *Run) { onNodes(r, RealTime, placeNode) })
	default:
		return nil, fmt.Errorf("--preset is %q: allowed are numbers, nodes, reference, participants, frames, latency, sessions", name)
	}
	return out, nil
}

// presetNodes is the list of runs that runner nodes are measured with.
const presetNodes = "nodes"

// Where a run is played: the labels of runners.
const (
	placeLocal = "local" // in the server's own process
	placeNode  = "node"  // on a runner node
)

// onNodes makes a run of what runner nodes are measured with: 20 sessions at 60 FPS
// with pictures of 20 KB.
func onNodes(r *Run, mode Mode, place string) {
	r.Mode, r.Place, r.Sessions, r.FPS, r.Frames, r.Size, r.Steps, r.Length = mode, place, 20, 60, "noise", 158, 0, 10*time.Second
}
