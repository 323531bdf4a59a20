package system

import (
	"fmt"
	"strings"
)

// game is an experiment of the tests of what is lost: a game that people play, whose
// pictures say which step they are of.
type game struct {
	link     string
	kind     string // "car", "tag" or "squares"
	rounds   int
	steps    int      // of a round
	settings []string // further ones: "on_runner_loss: abort"
}

// gamePace is their steps per second.
var gamePace = map[string]int{"car": 24, "tag": 15, "squares": 20}

func (g game) yaml() string {
	var b strings.Builder
	role := func(name string, keys string) {
		fmt.Fprintf(&b, "  - {role: %s, name: %s, participant: true, inputs_type: actions, keyboard_inputs: {%s}}\n", name, name, keys)
	}
	const arrows = "ArrowLeft: 1, ArrowRight: 2, ArrowDown: 3, ArrowUp: 4, default: 0"
	switch g.kind {
	case "car":
		fmt.Fprintf(&b, "environment: {name: Car, source: \"go:MountainCar-v0\", kwargs: {max_episode_steps: %d}}\nagents:\n", g.steps)
		role("agent_0", "ArrowLeft: 0, ArrowRight: 2, default: 1")
	case "tag":
		fmt.Fprintf(&b, "environment: {name: Tag, source: \"go:simple_tag_v3\", kwargs: {num_good: 1, num_adversaries: 1, num_obstacles: 2, max_cycles: %d}}\nagents:\n", g.steps)
		role("adversary_0", arrows)
		role("agent_0", arrows)
	default:
		fmt.Fprintf(&b, "environment: {name: Squares, source: \"go:Bench-v0\", kwargs: {steps: %d}}\nagents:\n", g.steps)
		role("agent_0", arrows)
	}
	fmt.Fprintf(&b, "experiment:\n  link: %s\n  name: %s\n  number_of_episodes: %d\n  target_fps: %d\n", g.link, g.link, g.rounds, gamePace[g.kind])
	b.WriteString("  countdown: 0s\n  between_pause: 0s\n  on_drop_out: abort\n")
	for _, line := range g.settings {
		b.WriteString("  " + line + "\n")
	}
	return b.String()
}
