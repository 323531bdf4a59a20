package experiments

import (
	"fmt"
	"strings"

	"sharpie/envs"
)

// complete fills in what the author left out: the agents, or the keys of
// participants. What was filled in is reported, and part of the definition from
// then on; the stored source stays the author's. false: a problem was reported.
func (c *checker) complete() bool {
	if len(c.d.Agents) == 0 {
		return c.completeAgents()
	}
	pace := pacing{wait: c.d.Experiment.WaitForInputs, fps: c.d.Experiment.TargetFPS}
	names := make([]string, len(c.spec.Roles))
	for i, r := range c.spec.Roles {
		names[i] = string(r.Role)
	}
	for _, i := range c.keyless {
		a := &c.d.Agents[i]
		want := string(a.Role)
		if a.EnvAgentID != "" {
			want = a.EnvAgentID
		}
		at := c.findRole(a, want, names)
		if at < 0 {
			continue // the roles are looked at later
		}
		keys, err := proposeKeys(c.d.Environment.Source, c.spec.Roles[at], pace.wait)
		if err != nil {
			if a.Policy == "" {
				c.fail(fmt.Sprintf("agents[%d].keyboard_inputs", i), "no key was given, and for the role %q none can be proposed: %v", a.Role, err)
			}
			continue
		}
		keys.give(a)
		c.report.propose("%s: %s", a.Role, keys)
	}
	return len(c.list) == 0
}

// completeAgents fills in everybody, and how time goes by where nothing is said.
func (c *checker) completeAgents() bool {
	turns, err := takesTurns(c.ctx, c.env)
	if err != nil {
		c.fail(c.blame(err), "reset: %s", explain(err))
		return false
	}
	pace := pacing{wait: c.d.Experiment.WaitForInputs, fps: c.d.Experiment.TargetFPS}
	if !c.paced {
		pace = paceFor(c.d.Environment.Source, c.spec, turns)
		c.d.Experiment.WaitForInputs, c.d.Experiment.TargetFPS = pace.wait, pace.fps
		c.report.propose("wait_for_inputs: %t, target_fps: %v", pace.wait, pace.fps)
	}
	list, err := proposeAgents(c.d.Environment.Source, c.spec, pace)
	if err != nil {
		c.fail("agents", "%v", err)
		return false
	}
	for _, p := range list {
		a := Agent{Role: envs.Role(p.role), Name: p.role, InputsType: InputActions, KeyboardInputs: KeyMap{Default: int64(0)}}
		if p.keys != nil {
			a.Participant = true
			p.keys.give(&a)
			c.report.propose("%s is a participant: %s", p.role, p.keys)
		} else {
			a.Policy = c.chance()
			c.report.propose("%s is played by %s (go:random)", p.role, a.Policy)
		}
		c.d.Agents = append(c.d.Agents, a)
	}
	return true
}

// chance returns the name of a go:random policy, which is added where there is none.
func (c *checker) chance() string {
	name := "random"
	for _, p := range c.d.Policies {
		if p.Source == "go:random" {
			return p.Name
		}
		if p.Name == name {
			name += "-actions"
		}
	}
	c.d.Policies = append(c.d.Policies, Policy{Name: name, Source: "go:random", CheckpointInterval: 1, CheckpointScope: "session"})
	return name
}

// give puts the keys into the agent.
func (p keyProposal) give(a *Agent) {
	a.KeyboardInputs = KeyMap{Default: p.def}
	a.MultipleKeyboardInputs, a.TextualInputs = p.several, p.texts
	if len(p.keys) > 0 && len(a.KeyboardInputDisplay) == 0 {
		a.KeyboardInputDisplay = map[string]KeyDisplay{}
	}
	for _, k := range p.keys {
		a.KeyboardInputs.Bindings = append(a.KeyboardInputs.Bindings, KeyBinding{Key: k.key, Value: k.value})
		if _, said := a.KeyboardInputDisplay[k.key]; !said {
			a.KeyboardInputDisplay[k.key] = KeyDisplay{Symbol: k.symbol, Label: k.label}
		}
	}
}

// String is the keys in one line.
func (p keyProposal) String() string {
	if p.texts {
		return "texts"
	}
	var out []string
	for _, k := range p.keys {
		out = append(out, fmt.Sprintf("%s = %v (%s)", keyName(k.key), k.value, k.label))
	}
	return strings.Join(append(out, fmt.Sprintf("no key = %v", p.def)), ", ")
}

func (r *Report) propose(format string, args ...any) {
	r.Proposed = append(r.Proposed, fmt.Sprintf(format, args...))
}
