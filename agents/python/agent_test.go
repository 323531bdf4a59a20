package python

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sharpie/agents"
	"sharpie/envs"
	worker "sharpie/envs/python"
)

// desk stands for a worker: it writes down what it is asked, and counts what it learns.
type desk struct {
	loaded  worker.PolicyLoaded
	said    []string
	learned int
	fails   error
}

func (d *desk) LoadPolicy(_ context.Context, p worker.PolicyLoad) (worker.PolicyLoaded, error) {
	d.said = append(d.said, "load "+p.Role+" "+p.File)
	return d.loaded, d.fails
}

func (d *desk) Act(_ context.Context, _ string, in worker.ActInput) (envs.Value, string, error) {
	said := "act"
	if len(in.Learn) > 0 {
		said = "learn and act"
	}
	d.said = append(d.said, said)
	return envs.Int(1), d.learn(in.Learn), d.fails
}

func (d *desk) Learn(_ context.Context, _ string, from []worker.Transition) (string, error) {
	d.said = append(d.said, "learn")
	return d.learn(from), d.fails
}

func (d *desk) learn(from []worker.Transition) string {
	d.learned += len(from)
	return strings.Repeat("+", d.learned)
}

func (d *desk) State(context.Context, string) ([]byte, string, error) {
	d.said = append(d.said, "state")
	return []byte("P."), "", d.fails
}

func (d *desk) Restore(context.Context, string, []byte) (string, error) {
	d.said = append(d.said, "restore")
	return "restored", d.fails
}

func (d *desk) heard(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, d.said); diff != "" {
		t.Errorf("the worker was asked otherwise (-want +got):\n%s", diff)
	}
}

func policy() *Policy {
	return &Policy{Learns: true, Every: 1, File: "policy.py", Spec: agents.Spec{Role: envs.RoleSpec{
		Role: "agent_0", Observation: envs.Discrete{N: 3}, Action: envs.Discrete{N: 3},
	}}}
}

func seated(t *testing.T, d *desk) agents.Agent {
	t.Helper()
	d.loaded.Version = "policy.py@1"
	a, _, err := settleAlone(t.Context(), d, policy(), func() error { d.said = append(d.said, "end"); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func step(done bool) agents.Transition {
	return agents.Transition{Observation: envs.Int(0), Action: envs.Int(1), NextObservation: envs.Int(2), Terminated: done}
}

func TestAStepOfALearnerIsOneExchangeAndItsLastTransitionArrives(t *testing.T) {
	d := &desk{loaded: worker.PolicyLoaded{Learner: true, Checkpointer: true}}
	a := seated(t, d)
	for range 2 {
		if _, err := a.Act(t.Context(), agents.Input{Observation: envs.Int(0)}); err != nil {
			t.Fatal(err)
		}
		if err := a.(agents.Learner).Update(t.Context(), step(false)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.(agents.Learner).Update(t.Context(), step(true)); err != nil {
		t.Fatal(err)
	}
	if got, want := a.Version(), "+++"; got != want {
		t.Errorf("version %q, want %q", got, want)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	d.heard(t, "load agent_0 policy.py", "act", "learn and act", "learn", "learn", "end")
}

func TestWhateverAsksForTheStateOrTheVersionLearnsFirst(t *testing.T) {
	for name, ask := range map[string]func(a agents.Agent) error{
		"state":    func(a agents.Agent) error { _, err := a.(agents.Checkpointer).State(); return err },
		"setstate": func(a agents.Agent) error { return a.(agents.Checkpointer).SetState([]byte("P.")) },
		"version":  func(a agents.Agent) error { _ = a.Version(); return nil },
		"close":    func(a agents.Agent) error { return a.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{loaded: worker.PolicyLoaded{Learner: true, Checkpointer: true}}
			a := seated(t, d)
			if err := a.(agents.Learner).Update(t.Context(), step(false)); err != nil {
				t.Fatal(err)
			}
			if err := ask(a); err != nil {
				t.Fatal(err)
			}
			if len(d.said) < 2 || d.said[1] != "learn" || d.learned != 1 {
				t.Errorf("the transition was not learned from first: %q", d.said)
			}
		})
	}
}

func TestAnAgentHasTheMethodsOfItsPolicy(t *testing.T) {
	for _, c := range []struct{ learns, keeps bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
		d := &desk{loaded: worker.PolicyLoaded{Learner: c.learns, Checkpointer: c.keeps}}
		hosted, _, err := host(t.Context(), nil, d, policy())
		if err != nil {
			t.Fatal(err)
		}
		for name, a := range map[string]agents.Agent{"alone": seated(t, d), "hosted": hosted} {
			_, learns := a.(agents.Learner)
			_, keeps := a.(agents.Checkpointer)
			if learns != c.learns || keeps != c.keeps {
				t.Errorf("%s: learns %t, keeps a state %t; the policy: %+v", name, learns, keeps, c)
			}
		}
	}
	idle := policy()
	idle.Learns = false
	a, _, err := settleAlone(t.Context(), &desk{loaded: worker.PolicyLoaded{Learner: true}}, idle, nil)
	if _, learns := a.(agents.Learner); err != nil || learns {
		t.Errorf("a policy that is never updated learns: %t, %v", learns, err)
	}
}

func TestAHostedPolicyIsAskedThroughItsHost(t *testing.T) {
	a, _, err := host(t.Context(), nil, &desk{loaded: worker.PolicyLoaded{Version: "v1", Learner: true, Checkpointer: true}}, policy())
	if err != nil {
		t.Fatal(err)
	}
	h := a.(interface {
		HostedBy(envs.Environment) bool
		Learns() bool
	})
	if !h.Learns() || !h.HostedBy(nil) {
		t.Error("it does not say that it learns, or who hosts it")
	}
	if _, err := a.Act(t.Context(), agents.Input{Observation: envs.Int(0)}); err == nil || !strings.Contains(err.Error(), "Turn") {
		t.Errorf("Act: %v", err)
	}
	if err := a.(agents.Learner).Update(t.Context(), step(false)); err == nil || !strings.Contains(err.Error(), "Learn") {
		t.Errorf("Update: %v", err)
	}
	if state, err := a.(agents.Checkpointer).State(); err != nil || string(state) != "P." {
		t.Errorf("State: %q, %v", state, err)
	}
	if err := a.(agents.Checkpointer).SetState([]byte("P.")); err != nil || a.Version() != "restored" {
		t.Errorf("SetState: %v, version %q", err, a.Version())
	}
	if err := errors.Join(a.Close(), a.Close()); err != nil {
		t.Error(err)
	}
	if _, err := a.(agents.Checkpointer).State(); !errors.Is(err, agents.ErrClosed) {
		t.Errorf("State after Close: %v", err)
	}
}

func TestAFaultNamesPhaseAndRole(t *testing.T) {
	d := &desk{loaded: worker.PolicyLoaded{Learner: true}}
	a := seated(t, d)
	d.fails = &envs.Fault{State: envs.PolicyError, Message: "no"}
	want := func(phase string, err error) {
		t.Helper()
		var f *envs.Fault
		if !errors.As(err, &f) || f.Phase != phase || f.Role != "agent_0" {
			t.Errorf("%s: %+v", phase, err)
		}
	}
	_, err := a.Act(t.Context(), agents.Input{Observation: envs.Int(0)})
	want("act", err)
	want("update", a.(agents.Learner).Update(t.Context(), step(true)))
	_, err = a.Act(t.Context(), agents.Input{Observation: envs.Int(0)})
	want("update", err) // what was not learned is not forgotten
	if _, _, err := settleAlone(t.Context(), d, policy(), func() error { d.said = append(d.said, "end"); return nil }); err == nil || d.said[len(d.said)-1] != "end" {
		t.Errorf("a policy that cannot be loaded leaves its process: %v, %q", err, d.said)
	}
}
