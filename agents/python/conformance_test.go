package python_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"sharpie/agents"
	"sharpie/agents/agenttest"
	agentspython "sharpie/agents/python"
	"sharpie/envs"
	"sharpie/envs/python"
	"sharpie/envs/python/pythontest"
)

// most is how many processes of one rule are open at a time: no rule compares more
// than two agents.
const most = 4

// office makes agents that have a process each, and closes those that a rule left.
type office struct {
	t      *testing.T
	pool   *python.Pool
	file   string
	python string
	open   []agents.Agent
}

func (o *office) make(spec agents.Spec) (agents.Agent, error) {
	folder, err := filepath.Abs("testdata")
	if err != nil {
		return nil, err
	}
	w, err := o.pool.Policies(context.Background(), python.Load{
		Interpreter: python.Interpreter{Path: o.python}, Modules: []string{"numpy"}, Bundle: folder,
		Roles: []python.LoadRole{{Role: string(spec.Role.Role), Policy: true}}, Seed: spec.Seed, Label: o.t.Name(),
	})
	if err != nil {
		return nil, err
	}
	a, warnings, err := agentspython.Alone(context.Background(), w, &agentspython.Policy{
		Spec: spec, File: o.file, Learns: true, Every: 1,
	}, w.Close)
	if err != nil {
		return nil, err
	}
	if len(warnings) > 0 {
		o.t.Errorf("the policy has warnings: %q", warnings)
	}
	if o.open = append(o.open, a); len(o.open) > most {
		o.close(len(o.open) - most)
	}
	return a, nil
}

func (o *office) close(n int) {
	for _, a := range o.open[:n] {
		if err := a.Close(); err != nil {
			o.t.Errorf("close: %v", err)
		}
	}
	o.open = append(o.open[:0:0], o.open[n:]...)
}

func TestPythonPoliciesKeepTheContractOfAgents(t *testing.T) {
	program := pythontest.Interpreter(t)
	pool, err := python.NewPool(python.Config{Dir: t.TempDir(), Spares: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	spec := agents.Spec{
		Role: envs.RoleSpec{Role: "agent_0", Observation: envs.Discrete{N: 6}, Action: envs.Discrete{N: 3}},
		Seed: 5, Kwargs: map[string]any{"actions": int64(3)},
	}
	for _, file := range []string{"counting.py", "chance.py"} {
		for _, rule := range agenttest.Rules() {
			t.Run(fmt.Sprintf("%s/%s", file, rule.Name), func(t *testing.T) {
				o := &office{t: t, pool: pool, file: file, python: program}
				if err := rule.Check(o.make, spec); err != nil {
					t.Errorf("%s: %s\n%v", rule.Name, rule.Text, err)
				}
				o.close(len(o.open))
			})
		}
	}
}
