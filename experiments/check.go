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

// Check compares a definition with what can be run here: it makes the environment
// and the policies once, plays a few steps where Python is involved, closes them
// again, and looks at roles, keys, inputs and pacing. What is wrong comes back as
// one *Error, with the path of each key and what is allowed; it wraps ErrInvalid.
func Check(d *Definition, m Maker) error {
	c := &checker{ctx: context.Background(), d: d, maker: m, label: "check", steps: importSteps, bad: map[string]bool{}}
	c.run()
	return c.err("")
}

// CheckSource reads a file and checks it, so that the problems of Check have their
// places in the file. The definition is complete.
func CheckSource(src Source, m Maker) (*Definition, error) {
	r, err := Read(src)
	if err != nil {
		return nil, err
	}
	if _, err := r.Check(context.Background(), m, importSteps); err != nil {
		return nil, err
	}
	return r.Definition, nil
}

// importSteps is how many steps are played before an experiment is taken.
const importSteps = 3

// checker looks at one definition.
type checker struct {
	problems
	ctx    context.Context
	d      *Definition
	maker  Maker
	bundle string // hash; empty: none
	label  string
	steps  int // of the trial
	// keyless are the agents whose keys are filled in; paced: the author said how time
	// goes by.
	keyless []int
	paced   bool

	env    envs.Environment
	spec   envs.Spec // of the environment
	cast   []seat    // parallel to the agents
	report Report
	// bad: policies that are wrong for every role, reported once.
	bad map[string]bool
}

// seat is one agent of the definition, made.
type seat struct {
	role  envs.RoleSpec
	agent agents.Agent // nil: no policy
}

func (c *checker) fail(key, format string, args ...any) {
	c.add(Problem{Key: key, Text: fmt.Sprintf(format, args...)})
}

// run looks at everything, and closes what it made.
func (c *checker) run() {
	complete := len(c.d.Agents) > 0
	if complete && len(c.d.Seats()) == 0 {
		c.fail("agents", "no role is a seat: give one of them participant: true")
	}
	if !c.environment() {
		return
	}
	defer c.close()
	if !complete || len(c.keyless) > 0 {
		if !c.complete() {
			return
		}
		if !complete { // loaded again, with its agents, as it will be played
			c.close()
			if !c.environment() {
				return
			}
		}
	}
	roles := c.roles()
	c.cast = make([]seat, len(c.d.Agents))
	for i := range c.d.Agents {
		if r, ok := roles[i]; ok {
			c.cast[i].role = r
			c.agent(i, &c.d.Agents[i], r)
		}
	}
	c.describe()
	if len(c.list) == 0 && (c.python() || c.steps > importSteps) {
		c.trial()
	}
}

// python reports whether code of the researcher's, or of Gymnasium, is involved.
func (c *checker) python() bool {
	return c.d.Files() || !strings.HasPrefix(c.d.Environment.Source, envs.SourcePrefix)
}

func (c *checker) order() Order {
	return Order{Definition: c.d, BundleHash: c.bundle, Label: c.label, Seed: 1}
}

// environment makes the environment.
func (c *checker) environment() bool {
	env, err := c.maker.Environment(c.ctx, c.order())
	if err != nil {
		c.fail(c.blame(err), "%s", explain(err))
		return false
	}
	c.env, c.spec = env, env.Spec()
	return true
}

// blame is the key that an error of the environment belongs to.
func (c *checker) blame(err error) string {
	var fault *envs.Fault
	switch {
	case c.d.Environment.Source == "":
		return "environment.filepaths"
	case errors.As(err, &fault), errors.Is(err, envs.ErrUnknown), !strings.HasPrefix(c.d.Environment.Source, envs.SourcePrefix):
		return "environment.source"
	}
	return "environment.kwargs"
}

// close closes policies and environment, in this order.
func (c *checker) close() {
	for i := range c.cast {
		if c.cast[i].agent == nil {
			continue
		}
		if err := c.cast[i].agent.Close(); err != nil {
			c.fail(fmt.Sprintf("agents[%d].policy", i), "the policy cannot be closed: %s", explain(err))
		}
	}
	c.cast = nil
	if c.env == nil {
		return
	}
	if err := c.env.Close(); err != nil {
		c.fail(c.blame(err), "the environment cannot be closed: %s", explain(err))
	}
	c.env = nil
}

// traceLines is how much of a traceback a problem shows: the end says what failed.
const traceLines = 12

// explain says all of an error that helps: of a fault the traceback's end and the
// last lines that were printed.
func explain(err error) string {
	var fault *envs.Fault
	if !errors.As(err, &fault) {
		return err.Error()
	}
	var b strings.Builder
	b.WriteString(err.Error())
	for _, part := range []struct{ title, text string }{{"traceback", fault.Traceback}, {"printed", fault.Log}} {
		text := strings.TrimRight(part.text, "\n")
		if text == "" {
			continue
		}
		lines := strings.Split(text, "\n")
		if len(lines) > traceLines {
			lines = append([]string{"…"}, lines[len(lines)-traceLines:]...)
		}
		b.WriteString("\n  " + part.title + ":")
		for _, l := range lines {
			b.WriteString("\n    " + l)
		}
	}
	return b.String()
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
		at := c.findRole(&a, want, names)
		if at < 0 {
			c.fail(key, "%s has no role %q%s; its roles are %s", c.called(), want, didYouMean(want, names), strings.Join(names, ", "))
			continue
		}
		if other, taken := played[names[at]]; taken {
			c.fail(key, "the role %q is played by %q already", names[at], other)
			continue
		}
		played[names[at]], out[i] = string(a.Role), c.spec.Roles[at]
	}
	for _, name := range names {
		if _, ok := played[name]; !ok {
			c.fail("agents", "nobody plays the role %q of %s: add an agent with that role, and a policy or participant: true", name, c.called())
		}
	}
	return out
}

// called names the environment in messages.
func (c *checker) called() string {
	if c.d.Environment.Source != "" {
		return c.d.Environment.Source
	}
	return c.d.Environment.Name
}

// findRole finds the environment's role of an agent, as the runner does: the one of
// that name, the only one there is, or the only one that the agent's name ends in
// ("x_agent_0" for "agent_0"). -1: none.
func (c *checker) findRole(a *Agent, want string, names []string) int {
	if at := slices.Index(names, want); at >= 0 {
		return at
	}
	if a.EnvAgentID != "" {
		if c.d.Environment.Source == "" { // the worker knows the environment's own names
			return slices.Index(names, string(a.Role))
		}
		return -1
	}
	found := -1
	for i, name := range names {
		if name == "" || !strings.HasSuffix(want, "_"+name) {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = i
	}
	if found < 0 && len(names) == 1 && len(c.d.Agents) == 1 && c.python() {
		found = 0
	}
	if found >= 0 {
		c.report.warn("the role %q is the environment's %q; env_agent_id: %s says so for certain", want, names[found], names[found])
	}
	return found
}

// agent looks at one agent and its role.
func (c *checker) agent(i int, a *Agent, r envs.RoleSpec) {
	path := fmt.Sprintf("agents[%d]", i)
	if a.Policy != "" {
		c.cast[i].agent = c.policy(path+".policy", a.Policy, i, r)
	}
	if !a.Participant {
		if a.Policy == "" {
			c.fail(path, "the role %q has neither a policy nor a participant: nobody would act", a.Role)
		}
		return
	}
	if c.d.Experiment.OnDropOut == DropOutAI && c.d.Experiment.DropOutPolicy != "" {
		if standIn := c.policy("experiment.drop_out_policy", c.d.Experiment.DropOutPolicy, i, r); standIn != nil {
			if err := standIn.Close(); err != nil {
				c.fail("experiment.drop_out_policy", "the policy cannot be closed: %s", explain(err))
			}
		}
	}
	c.inputs(path, a, r)
}

// policy makes a policy for a role; nil: it cannot be made, which is reported.
func (c *checker) policy(key, name string, i int, r envs.RoleSpec) agents.Agent {
	at := slices.IndexFunc(c.d.Policies, func(p Policy) bool { return p.Name == name })
	if at < 0 {
		c.fail(key, "no policy %q", name)
		return nil
	}
	if c.bad[name] {
		return nil
	}
	p := c.d.Policies[at]
	agent, err := c.maker.Agent(c.ctx, c.order(), c.env, Casting{Agent: i, Policy: &p, Spec: agents.Spec{
		Role: r, Environment: c.spec.ID, Roles: c.spec.Roles, Kwargs: p.Kwargs, Seed: uint64(i) + 1,
	}})
	var fault *envs.Fault
	switch {
	case errors.As(err, &fault):
		c.bad[name] = true
		c.fail(fmt.Sprintf("policies[%d].filepaths", at), "%s", explain(err))
	case errors.Is(err, agents.ErrUnknown):
		c.bad[name] = true
		key := fmt.Sprintf("policies[%d].source", at)
		if p.Source == "" {
			key = fmt.Sprintf("policies[%d].filepaths", at)
		}
		c.fail(key, "%v", err)
	case err != nil:
		c.fail(key, "%q cannot act as %q: %v", name, r.Role, err)
	default:
		return agent
	}
	return nil
}
