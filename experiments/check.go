package experiments

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sharpie/agents"
	"sharpie/envs"
)

// Check compares a definition with what can be run here: it makes the
// environment and the policies once, closes them again, and looks at roles, keys,
// inputs and pacing. What is wrong comes back as one *Error, with the path of each
// key and what is allowed; it wraps ErrInvalid.
func Check(d *Definition, m Maker) error {
	c := check(d, m)
	return c.err("")
}

// CheckSource parses a file and checks it, so that the problems of Check have
// their places in the file.
func CheckSource(src Source, m Maker) (*Definition, error) {
	d, at, err := parse(src.Name, src.YAML)
	if err != nil {
		return nil, err
	}
	c := check(d, m)
	placed := decoder{places: at}
	for _, p := range c.list {
		placed.at(at.inFile(p.Key), "%s", p.Text)
	}
	placed.more = c.more
	if err := placed.err(src.Name); err != nil {
		return nil, err
	}
	return d, nil
}

// checker looks at one definition.
type checker struct {
	problems
	d     *Definition
	spec  envs.Spec // of the environment
	maker Maker
	// bad: policies that are wrong for every role, reported once.
	bad map[string]bool
}

func (c *checker) fail(key, format string, args ...any) {
	c.add(Problem{Key: key, Text: fmt.Sprintf(format, args...)})
}

func check(d *Definition, m Maker) *checker {
	c := &checker{d: d, maker: m, bad: map[string]bool{}}
	c.sources()
	if len(d.Seats()) == 0 {
		c.fail("agents", "no role is a seat: give one of them participant: true")
	}
	if c.pythonEnvironment() || !c.environment() {
		return c
	}
	roles := c.roles()
	for i := range d.Agents {
		if r, ok := roles[i]; ok {
			c.agent(i, &d.Agents[i], r)
		}
	}
	return c
}

// pythonEnvironment reports whether the environment is not one of ours.
func (c *checker) pythonEnvironment() bool {
	return !strings.HasPrefix(c.d.Environment.Source, envs.SourcePrefix)
}

// sources refuses what cannot run yet.
func (c *checker) sources() {
	if c.pythonEnvironment() {
		key := "environment.source"
		if c.d.Environment.Source == "" {
			key = "environment.filepaths"
		}
		c.fail(key, "Python environments cannot run yet; built-in ones can (source: go:ID)")
	}
	for i, p := range c.d.Policies {
		if p.Source == "" {
			c.fail(fmt.Sprintf("policies[%d].filepaths", i), "Python policies cannot run yet; built-in ones can (source: go:NAME)")
			c.bad[p.Name] = true
		}
	}
}

func (c *checker) order() Order { return Order{Definition: c.d, Label: "check"} }

// environment makes the environment once, for its Spec.
func (c *checker) environment() bool {
	env, err := c.maker.Environment(context.Background(), c.order())
	if err != nil {
		key := "environment.kwargs"
		if errors.Is(err, envs.ErrUnknown) {
			key = "environment.source"
		}
		c.fail(key, "%v", err)
		return false
	}
	c.spec = env.Spec()
	if err := env.Close(); err != nil {
		c.fail("environment.source", "the environment cannot be closed: %v", err)
	}
	return true
}

// roles finds the environment's role of each agent, by index of the agent, and
// wants every role of the environment to be played once.
func (c *checker) roles() map[int]envs.RoleSpec {
	names := make([]string, len(c.spec.Roles))
	for i, r := range c.spec.Roles {
		names[i] = string(r.Role)
	}
	out, played := map[int]envs.RoleSpec{}, map[string]string{}
	for i, a := range c.d.Agents {
		key, want := fmt.Sprintf("agents[%d].role", i), string(a.Role)
		if a.EnvAgentID != "" {
			key, want = fmt.Sprintf("agents[%d].env_agent_id", i), a.EnvAgentID
		}
		at := slices.Index(names, want)
		if at < 0 {
			c.fail(key, "%s has no role %q%s; its roles are %s", c.d.Environment.Source, want, didYouMean(want, names), strings.Join(names, ", "))
			continue
		}
		if other, taken := played[want]; taken {
			c.fail(key, "the role %q is played by %q already", want, other)
			continue
		}
		played[want], out[i] = string(a.Role), c.spec.Roles[at]
	}
	for _, name := range names {
		if _, ok := played[name]; !ok {
			c.fail("agents", "nobody plays the role %q of %s: add an agent with that role, and a policy or participant: true", name, c.d.Environment.Source)
		}
	}
	return out
}

// agent looks at one agent and its role.
func (c *checker) agent(i int, a *Agent, r envs.RoleSpec) {
	path := fmt.Sprintf("agents[%d]", i)
	if a.Policy != "" {
		c.policy(path+".policy", a.Policy, r)
	}
	if !a.Participant {
		if a.Policy == "" {
			c.fail(path, "the role %q has neither a policy nor a participant: nobody would act", a.Role)
		}
		return
	}
	if c.d.Experiment.OnDropOut == DropOutAI && c.d.Experiment.DropOutPolicy != "" {
		c.policy("experiment.drop_out_policy", c.d.Experiment.DropOutPolicy, r)
	}
	c.inputs(path, a, r)
}

// policy makes a policy once for a role.
func (c *checker) policy(key, name string, r envs.RoleSpec) {
	at := slices.IndexFunc(c.d.Policies, func(p Policy) bool { return p.Name == name })
	if at < 0 {
		c.fail(key, "no policy %q", name)
		return
	}
	if c.bad[name] {
		return
	}
	p := c.d.Policies[at]
	agent, err := c.maker.Agent(context.Background(), c.order(), nil, Casting{Policy: &p, Spec: agents.Spec{
		Role: r, Environment: c.spec.ID, Roles: c.spec.Roles, Kwargs: p.Kwargs,
	}})
	switch {
	case errors.Is(err, agents.ErrUnknown):
		c.bad[name] = true
		c.fail(fmt.Sprintf("policies[%d].source", at), "%v", err)
	case err != nil:
		c.fail(key, "%q cannot act as %q: %v", name, r.Role, err)
	default:
		if err := agent.Close(); err != nil {
			c.fail(key, "%q cannot be closed: %v", name, err)
		}
	}
}
