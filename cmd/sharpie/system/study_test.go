package system

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// study is an experiment of the tests: the built-in benchmark environment, whose
// picture changes with every step, with one seat per participant.
type study struct {
	link   string
	seats  int
	fps    float64  // 0: 20
	kwargs string   // further ones of the environment, "size: 64, frames: game"
	lines  []string // of its experiment: "on_drop_out: abort"
}

// fullRate is the pace of studies that name none, in steps per second.
const fullRate = 20.0

func (x study) rate() float64 {
	if x.fps > 0 {
		return x.fps
	}
	return fullRate
}

func (x study) yaml() string {
	var b strings.Builder
	kwargs := fmt.Sprintf("roles: %d", x.seats)
	if x.kwargs != "" {
		kwargs += ", " + x.kwargs
	}
	fmt.Fprintf(&b, "environment:\n  name: Squares\n  source: go:Bench-v0\n  kwargs: {%s}\n", kwargs)
	b.WriteString("policies:\n  stand-in:\n    source: go:random\nagents:\n")
	for i := range x.seats {
		fmt.Fprintf(&b, "  - role: agent_%d\n    name: Player %d\n    participant: true\n", i, i+1)
		b.WriteString("    keyboard_inputs: {ArrowLeft: 1, ArrowRight: 2, ArrowDown: 3, ArrowUp: 4, default: 0}\n")
	}
	fmt.Fprintf(&b, "experiment:\n  link: %s\n  name: Study %s\n  target_fps: %g\n", x.link, x.link, x.rate())
	settings := map[string]string{"countdown": "0s", "lobby_timeout": "60s"}
	for _, line := range x.lines {
		key, value, _ := strings.Cut(line, ": ")
		settings[key] = value
	}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&b, "  %s: %s\n", key, settings[key])
	}
	return b.String()
}
