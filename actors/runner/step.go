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
	t, frame, err := l.transit()
	if err != nil {
		return err
	}
	picture, err := l.encode(frame)
	if err != nil {
		return err
	}
	l.stepped = time.Now()
	err = l.reportStep(t.Roles, picture)
	l.encodeLate()
	if err == nil && l.plan.checkpoints {
		err = l.dueCheckpoints()
	}
	l.watch.idle()
	return err
}

// transit steps the environment and draws it; a host in one exchange.
func (l *loop) transit() (envs.Transition, envs.Frame, error) {
	l.watch.change(phaseStep, -1)
	if l.host != nil {
		return l.takeTurn()
	}
	t, err := l.env.Step(l.ctx, l.actions)
	if err != nil {
		return t, envs.Frame{}, l.fail(phaseStep, -1, err)
	}
	l.watch.change(phaseRender, -1)
	frame, err := l.draw()
	return t, frame, err
}

// update gives the learners of this process that are due the transition that was
// just shown; those of a host learn in its turn.
func (l *loop) update() error {
	for i := range l.seats {
		s := &l.seats[i]
		if s.hosted || !s.takesLesson() {
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
		if s.open {
			s.close()
		}
		if s.learn && !l.over {
			s.transition.Truncated = true
		}
		if !s.learn || s.hosted {
			continue
		}
		s.learn = false
		l.watch.enter(phaseLastUpdate, i)
		if err := s.update(l.ctx); err != nil {
			return l.fail(phaseLastUpdate, i, err)
		}
	}
	return l.lastLessons()
}

// act asks each policy of this process once and decides what every role does whose
// turn it is; what a hosted policy says is decided with its answer.
func (l *loop) act() error {
	l.actions = l.actions[:0]
	for i := range l.seats {
		s := &l.seats[i]
		s.action, s.policyAction, s.source = nil, nil, messages.Source_SOURCE_NONE
		if !s.takesTurn() {
			continue
		}
		if agent := s.actor(); agent != nil && !s.asksHost() {
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
	if l.host != nil {
		return nil
	}
	for _, i := range l.plan.order {
		if s := &l.seats[i]; s.takesTurn() {
			l.actions = append(l.actions, envs.RoleAction{Role: s.plan.spec.Role, Action: s.action})
		}
	}
	return nil
}

// see takes a transition in, in the order of the environment's roles, and calls
// each for every role with its seat and whether it was truncated. It ends the episode where the transition does.
func (l *loop) see(roles []envs.RoleTransition, each func(*seat, *envs.RoleTransition, bool)) error {
	if len(roles) != l.liveRoles {
		return l.fail(phaseStep, -1, fmt.Errorf("step returned %d roles, %d were live", len(roles), l.liveRoles))
	}
	cut := l.plan.maxSteps > 0 && l.step >= l.plan.maxSteps
	next, live, acting := 0, 0, 0
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
		s.see(t, ended, truncated)
		s.total += t.Reward
		s.live, s.waits = !ended, t.Waits && !ended
		each(s, t, truncated)
		if s.live {
			live++
		}
		if s.takesTurn() {
			acting++
		}
		s.obs, s.mask = t.Observation, t.ActionMask
	}
	if live > 0 && acting == 0 {
		return l.fail(phaseStep, -1, errNobodysTurn)
	}
	l.liveRoles = live
	if live == 0 {
		l.over = true
		if l.end == nil {
			l.end = &messages.EpisodeEnded{How: howEnded(roles)}
		}
	}
	return nil
}

// errNobodysTurn breaks the contract of turns: the episode could not go on.
var errNobodysTurn = errors.New("all live roles wait for their turn")

// howEnded says how the last roles ended: terminated if any of them was.
func howEnded(roles []envs.RoleTransition) messages.EpisodeEnded_How {
	for i := range roles {
		if roles[i].Terminated {
			return messages.EpisodeEnded_TERMINATED
		}
	}
	return messages.EpisodeEnded_TRUNCATED
}
