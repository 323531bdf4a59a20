package runner

import (
	"sharpie/envs"
	"sharpie/experiments"
)

// Recording turns the recorded final actions of an episode back into what its
// environment was given, for Replay.
type Recording struct{ plan *plan }

// NewRecording resolves the definition's roles against the environment, exactly
// as the episode did; errors name the field.
func NewRecording(def *experiments.Definition, spec envs.Spec) (*Recording, error) {
	p, err := newPlan(def, spec)
	if err != nil {
		return nil, err
	}
	return &Recording{plan: p}, nil
}

// Space is the action space of the agent with that index in Definition.Agents.
func (r *Recording) Space(agent int) envs.Space { return r.plan.roles[agent].spec.Action }

// Actions names and orders one step's actions, given in the order of
// Definition.Agents with nil for roles that had ended: policies first, as the
// loop does it.
func (r *Recording) Actions(actions []envs.Value) []envs.RoleAction {
	out := make([]envs.RoleAction, 0, len(actions))
	for _, policy := range []bool{true, false} {
		for i, action := range actions {
			if role := &r.plan.roles[i]; action != nil && (role.policy != nil) == policy {
				out = append(out, envs.RoleAction{Role: role.spec.Role, Action: action})
			}
		}
	}
	return out
}
