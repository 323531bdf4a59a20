package experiments

import (
	"fmt"
	"strings"
	"time"

	"sharpie/agents"
	"sharpie/envs"
)

// Report is what Draft.Check found out, for the people who import.
type Report struct {
	// Interpreter and Confinement are empty where everything is built in.
	Interpreter, Confinement string
	// Width and Height are those of the first picture; 0: there is none.
	Width, Height int
	Roles         []RoleReport
	// Proposed says what was filled in, in sentences.
	Proposed []string
	Warnings []string
	// Steps is how many were played; StepTime is what one took, on average, with
	// policies and picture; ResetTime is what the reset took.
	Steps               int
	ResetTime, StepTime time.Duration
	// Updates is how many transitions policies learned from.
	Updates int
	// Ended: the episode was over before all steps were played.
	Ended bool
}

// RoleReport is one role of the environment, and who plays it.
type RoleReport struct {
	Role, Observation, Action string
	// Played says by whom: "a participant", "the policy x", both.
	Played string
	// Keys lists the participant's keys with their values.
	Keys []string
}

func (r *Report) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// describe fills in what is known without playing.
func (c *checker) describe() {
	if host, ok := c.env.(envs.Host); ok {
		info := host.Info()
		c.report.Interpreter, c.report.Confinement = info.Interpreter, info.Confinement
		c.report.Warnings = append(c.report.Warnings, info.Warnings...)
	}
	for i := range c.d.Agents {
		a, role := &c.d.Agents[i], c.cast[i].role
		if role.Action == nil {
			continue // reported as a problem
		}
		r := RoleReport{Role: string(a.Role), Observation: role.Observation.String(), Action: role.Action.String(), Played: playedBy(a, c.cast[i].agent)}
		if a.Participant {
			for _, b := range a.KeyboardInputs.Bindings {
				r.Keys = append(r.Keys, keyName(b.Key)+" = "+flow(b.Value))
			}
			r.Keys = append(r.Keys, "no key = "+flow(a.KeyboardInputs.Default))
		}
		c.report.Roles = append(c.report.Roles, r)
	}
}

func playedBy(a *Agent, agent agents.Agent) string {
	var who []string
	if a.Participant {
		who = append(who, "a participant")
	}
	if a.Policy != "" {
		text := "the policy " + a.Policy
		if agent != nil {
			text += " (" + agent.Version() + ")"
		}
		who = append(who, text)
	}
	text := strings.Join(who, " and ")
	if a.Participant && a.Policy != "" {
		text += ", inputs are " + string(a.InputsType)
	}
	return text
}

func keyName(key string) string {
	if key == " " {
		return "Space"
	}
	return key
}

// Lines is the report as text, one line for each thing.
func (r *Report) Lines() []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if r.Interpreter != "" {
		add("interpreter   %s", r.Interpreter)
		add("confinement   %s", r.Confinement)
	}
	if r.Width > 0 {
		add("picture       %d × %d", r.Width, r.Height)
	} else if r.Steps > 0 {
		add("picture       none")
	}
	for _, role := range r.Roles {
		add("role          %s: %s", role.Role, role.Played)
		add("  sees        %s", role.Observation)
		add("  does        %s", role.Action)
		if len(role.Keys) > 0 {
			add("  keys        %s", strings.Join(role.Keys, ", "))
		}
	}
	if r.Steps > 0 {
		text := fmt.Sprintf("played        reset %s, %d steps, %s each", r.ResetTime.Round(100*time.Microsecond), r.Steps, r.StepTime.Round(10*time.Microsecond))
		if r.Updates > 0 {
			text += fmt.Sprintf(", %d updates", r.Updates)
		}
		if r.Ended {
			text += "; the episode ended"
		}
		out = append(out, text)
	}
	for _, p := range r.Proposed {
		add("filled in     %s", p)
	}
	for _, w := range r.Warnings {
		add("warning       %s", w)
	}
	return out
}
