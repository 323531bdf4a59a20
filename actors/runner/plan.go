package runner

import (
	"fmt"
	"strings"
	"time"

	"sharpie/envs"
	"sharpie/experiments"
)

// plan is an experiment made ready for stepping in one environment: every role
// resolved, every key mapped. It is used by one loop at a time.
type plan struct {
	def   *experiments.Definition
	spec  envs.Spec
	roles []rolePlan // in the order of Definition.agents
	// byRole is the agent's index by the environment's order of roles.
	byRole []int
	// period is the time between two steps; 0 is none.
	period   time.Duration
	maxSteps uint64 // 0: no limit
	// learns says that some policy gets updates at all.
	learns bool
	// order is the roles in the order of their turns: those with a policy, then the
	// others.
	order []int
	// checkpoints says that some policy's state is stored during the episode.
	checkpoints bool
}

// rolePlan is one agent of the definition.
type rolePlan struct {
	agent    *experiments.Agent
	spec     envs.RoleSpec
	envIndex int
	policy   *experiments.Policy // nil: none
	keys     *keymap             // nil: no participant
	// feedback and advice: the participant's input is a reward, or for the policy.
	feedback, advice bool
	neutral          envs.Value
	// ints are the value messages of a small Discrete space, shared by all steps.
	ints *intValues
}

// fieldError names the field of the experiment that is wrong.
func fieldError(field, format string, args ...any) error {
	return fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...))
}

// newPlan resolves a definition against an environment; errors name the field.
func newPlan(def *experiments.Definition, spec envs.Spec) (*plan, error) {
	if len(spec.Roles) == 0 {
		return nil, fieldError("environment", "%s has no roles", spec.ID)
	}
	p := &plan{def: def, spec: spec, byRole: make([]int, len(spec.Roles)), maxSteps: uint64(max(def.Experiment.MaxSteps, 0))}
	if fps := def.Experiment.TargetFPS; fps > 0 {
		p.period = time.Duration(float64(time.Second) / fps)
	} else if !def.Experiment.WaitForInputs {
		return nil, fieldError("experiment.target_fps", "must be above 0 in real time, got %g", fps)
	}
	if n := uint64(max(spec.MaxSteps, 0)); n > 0 && (p.maxSteps == 0 || n < p.maxSteps) {
		p.maxSteps = n
	}
	for i := range p.byRole {
		p.byRole[i] = -1
	}
	for i := range def.Agents {
		r, err := p.newRole(i)
		if err != nil {
			return nil, err
		}
		p.roles = append(p.roles, r)
		p.byRole[r.envIndex] = i
		p.learns = p.learns || (r.policy != nil && updates(r.policy.CheckpointInterval))
		p.checkpoints = p.checkpoints || (r.policy != nil && r.policy.CheckpointEvery > 0)
	}
	for _, policy := range []bool{true, false} {
		for i := range p.roles {
			if (p.roles[i].policy != nil) == policy {
				p.order = append(p.order, i)
			}
		}
	}
	for i, a := range p.byRole {
		if a < 0 {
			return nil, fieldError("agents", "nobody plays the environment's role %q; its roles are %s", spec.Roles[i].Role, roleNames(spec))
		}
	}
	return p, nil
}

// updates reports whether a checkpoint_interval, which is the interval of
// updates, asks for any.
func updates(interval int) bool { return interval > 0 || interval == -2 }

func (p *plan) newRole(i int) (rolePlan, error) {
	a := &p.def.Agents[i]
	field := fmt.Sprintf("agents[%d]", i)
	at, err := findRole(p.def, a, p.spec)
	if err != nil {
		return rolePlan{}, fieldError(field+".role", "%v", err)
	}
	if other := p.byRole[at]; other >= 0 {
		return rolePlan{}, fieldError(field+".role", "%q and %q are both the environment's role %q", p.def.Agents[other].Role, a.Role, p.spec.Roles[at].Role)
	}
	r := rolePlan{agent: a, spec: p.spec.Roles[at], envIndex: at}
	if a.Policy != "" {
		if r.policy = findPolicy(p.def, a.Policy); r.policy == nil {
			return rolePlan{}, fieldError(field+".policy", "no policy is named %q", a.Policy)
		}
	}
	switch a.InputsType {
	case experiments.InputActions, "":
	case experiments.InputReward:
		r.feedback = a.Participant
	case experiments.InputOther:
		r.advice = a.Participant
	default:
		return rolePlan{}, fieldError(field+".inputs_type", "%q is not one of actions, reward, other", a.InputsType)
	}
	if len(a.KeyboardInputs.Bindings) > 255 {
		return rolePlan{}, fieldError(field+".keyboard_inputs", "has %d keys, at most 255 are possible", len(a.KeyboardInputs.Bindings))
	}
	// Also a role without participant has a default.
	if r.keys, err = newKeymap(a, r.spec.Action); err != nil {
		return rolePlan{}, fieldError(field, "%v", err)
	}
	if r.neutral = neutral(r.spec.Action, nil); r.neutral == nil {
		return rolePlan{}, fieldError(field+".role", "actions of %s are not supported", r.spec.Action)
	}
	r.ints = newIntValues(r.spec.Action)
	return r, nil
}

// findRole finds the environment's role of an agent: env_agent_id, the same name,
// the only role there is, or the one whose name is the only ending of the
// agent's ("x_agent_0" for "agent_0").
func findRole(def *experiments.Definition, a *experiments.Agent, spec envs.Spec) (int, error) {
	want := string(a.Role)
	if a.EnvAgentID != "" {
		want = a.EnvAgentID
	}
	found := -1
	for i := range spec.Roles {
		name := string(spec.Roles[i].Role)
		if name == want {
			return i, nil
		}
		if a.EnvAgentID == "" && name != "" && strings.HasSuffix(want, "_"+name) {
			if found >= 0 {
				found = -2
				break
			}
			found = i
		}
	}
	if found >= 0 {
		return found, nil
	}
	if a.EnvAgentID == "" && len(spec.Roles) == 1 && len(def.Agents) == 1 {
		return 0, nil
	}
	return 0, fmt.Errorf("the environment has no role %q; its roles are %s", want, roleNames(spec))
}

func findPolicy(def *experiments.Definition, name string) *experiments.Policy {
	for i := range def.Policies {
		if def.Policies[i].Name == name {
			return &def.Policies[i]
		}
	}
	return nil
}

func roleNames(spec envs.Spec) string {
	names := make([]string, len(spec.Roles))
	for i := range spec.Roles {
		names[i] = string(spec.Roles[i].Role)
	}
	return strings.Join(names, ", ")
}
