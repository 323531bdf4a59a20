package bench

import (
	"fmt"
	"strings"
)

// experimentYAML is the experiment of run i: the built-in benchmark environment
// with one seat per participant.
func experimentYAML(i int, r Run) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "environment:\n  name: Benchmark\n  source: go:Bench-v0\n  kwargs:\n    roles: %d\n    size: %d\n    frames: %s\n", r.Participants, r.Size, r.Frames)
	b.WriteString("agents:\n")
	for n := range r.Participants {
		fmt.Fprintf(&b, "  - role: agent_%d\n    name: Player %d\n    participant: true\n    keyboard_inputs: {ArrowLeft: 1, ArrowRight: 2, ArrowDown: 3, ArrowUp: 4, default: 0}\n    inputs_type: actions\n", n, n+1)
	}
	fmt.Fprintf(&b, "experiment:\n  link: %s\n  name: Benchmark %d\n  enabled: true\n  number_of_episodes: 1\n  countdown: 0\n  lobby_timeout: 10m\n  queue_timeout: 5m\n  episode_timeout: 2h\n  reconnect_grace: 30s\n", link(i), i)
	if r.Place != "" {
		fmt.Fprintf(&b, "  needs: [%s]\n", r.Place)
	}
	if r.Steps > 0 {
		fmt.Fprintf(&b, "  max_steps: %d\n", r.Steps)
	}
	if r.Mode == RealTime {
		fmt.Fprintf(&b, "  target_fps: %g\n  wait_for_inputs: false\n", r.FPS)
	} else {
		b.WriteString("  target_fps: 0\n  wait_for_inputs: true\n  input_timeout: 30s\n")
	}
	return []byte(b.String())
}

func link(i int) string { return fmt.Sprintf("bench-%d", i) }
