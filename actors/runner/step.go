package runner

import (
	"errors"
	"fmt"
	"time"

	"sharpie/actors/messages"
	"sharpie/agents"
	"sharpie/envs"
)

// take takes one step: inputs, updates, policies, merge, step, render, report.
func (l *loop) take() error {
	l.watch.enter(phaseStep, -1)
	for i := range l.seats {
		l.seats[i].merged()
	}
	if l.plan.learns {
		if err := l.update(); err != nil {
			return err
		}
	}
	l.step++
	if err := l.act(); err != nil {
		return err
	}
	l.watch.change(phaseStep, -1)
	t, err := l.env.Step(l.ctx, l.actions)
	if err != nil {
		return l.fail(phaseStep, -1, err)
	}
	l.watch.change(phaseRender, -1)
	picture, err := l.render()
	if err != nil {
		return err
	}
	l.stepped = time.Now()
	err = l.reportStep(t.Roles, picture)
	l.encodeLate()
	l.watch.idle()
	return err
}

// update gives the learners that are due the transition that was just shown. A
// checkpoint_interval of N makes every N-th transition due, and the last one of
// a role always.
func (l *loop) update() error {
	for i := range l.seats {
		s := &l.seats[i]
		if !s.learn {
			continue
		}
		s.learn = false
		due := s.interval > 0 && l.step%uint64(s.interval) == 0
		if !due && s.live {
			continue
		}
		l.watch.change(phaseUpdate, i)
		if err := s.update(l.ctx); err != nil {
			return l.fail(phaseUpdate, i, err)
		}
	}
	return nil
}

// lastUpdates gives every learner its last transition.
func (l *loop) lastUpdates() error {
	defer l.watch.idle()
	for i := range l.seats {
		s := &l.seats[i]
		if !s.learn {
			continue
		}
		s.learn = false
		if !l.over {
			s.transition.Truncated = true
		}
		l.watch.enter(phaseUpdate, i)
		if err := s.update(l.ctx); err != nil {
			return l.fail(phaseUpdate, i, err)
		}
	}
	return nil
}

// act asks each policy once and decides every live role's action.
func (l *loop) act() error {
	for i := range l.seats {
		s := &l.seats[i]
		s.action, s.policyAction, s.source = nil, nil, messages.Source_SOURCE_NONE
		if !s.live {
			continue
		}
		if agent := s.actor(); agent != nil {
			l.watch.change(phaseAct, i)
			v, err := agent.Act(l.ctx, agents.Input{Observation: s.obs, ActionMask: s.mask, Human: s.advice()})
			if err != nil {
				return l.fail(phaseAct, i, err)
			}
			if v != nil {
				if err := s.plan.spec.Action.Contains(v); err != nil {
					return l.fail(phaseAct, i, fmt.Errorf("the policy's action is none: %w", err))
				}
			}
			s.policyAction = v
		}
		s.action, s.source = decide(s.plan, s.said(), s.policyAction, s.mask)
	}
	l.actions = l.actions[:0]
	for _, policy := range []bool{true, false} {
		for i := range l.seats {
			s := &l.seats[i]
			if s.live && (s.plan.policy != nil) == policy {
				l.actions = append(l.actions, envs.RoleAction{Role: s.plan.spec.Role, Action: s.action})
			}
		}
	}
	return nil
}

// see takes a transition in, in the order of the environment's roles, and calls
// each for every role with its seat and whether it was truncated. It ends the episode where the transition does.
func (l *loop) see(roles []envs.RoleTransition, each func(*seat, *envs.RoleTransition, bool)) error {
	if len(roles) != len(l.actions) {
		return l.fail(phaseStep, -1, fmt.Errorf("step returned %d roles, %d were live", len(roles), len(l.actions)))
	}
	cut := l.plan.maxSteps > 0 && l.step >= l.plan.maxSteps
	next, live := 0, 0
	for i := range roles {
		t := &roles[i]
		for next < len(l.plan.byRole) && l.plan.spec.Roles[next].Role != t.Role {
			next++
		}
		if next == len(l.plan.byRole) {
			return l.fail(phaseStep, -1, fmt.Errorf("step returned role %q unknown or out of order", t.Role))
		}
		s := &l.seats[l.plan.byRole[next]]
		next++
		if !s.live {
			return l.fail(phaseStep, s.index, errors.New("step returned a role that had ended"))
		}
		ended := t.Terminated || t.Truncated
		truncated := t.Truncated || (cut && !ended)
		if cut && !ended {
			ended = true
			l.end = &messages.EpisodeEnded{How: messages.EpisodeEnded_TRUNCATED, Code: CodeMaxSteps}
		}
		if s.learner != nil {
			s.learn = true
			s.transition = agents.Transition{
				Observation: s.obs, Action: s.action, Reward: t.Reward,
				NextObservation: t.Observation, Terminated: t.Terminated, Truncated: truncated,
			}
		}
		s.total += t.Reward
		each(s, t, truncated)
		s.live = !ended
		if s.live {
			live++
		}
		s.obs, s.mask = t.Observation, t.ActionMask
	}
	if live == 0 {
		l.over = true
		if l.end == nil {
			l.end = &messages.EpisodeEnded{How: howEnded(roles)}
		}
	}
	return nil
}

// howEnded says how the last roles ended: terminated if any of them was.
func howEnded(roles []envs.RoleTransition) messages.EpisodeEnded_How {
	for i := range roles {
		if roles[i].Terminated {
			return messages.EpisodeEnded_TERMINATED
		}
	}
	return messages.EpisodeEnded_TRUNCATED
}
