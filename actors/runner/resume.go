package runner

import (
	"errors"
	"fmt"
	"math"
	"time"

	"sharpie/actors/messages"
	"sharpie/envs"
)

// This file goes on with an episode that another runner has lost: its recorded steps
// are taken again from the seed, and each has to come out as it did. Policies are
// neither asked nor taught meanwhile; what they know is what Start brought.

// replay takes recorded steps in; it runs in the actor.
func (l *loop) replay(m *messages.Replay) {
	if l.feed == nil || !l.feed.put(m) {
		l.cfg.Metrics.stale.Inc()
		return
	}
	l.inbox.ring()
}

// resume takes the recorded steps again, and reports the last one. It returns before
// that where it was told to stop.
func (l *loop) resume() error {
	observations, err := l.first()
	if err != nil {
		return err
	}
	l.watch.idle()
	recorded, err := l.recorded()
	if err != nil || recorded == nil {
		return err
	}
	record, _ := l.firstRecord(observations)
	if err := l.same(recorded, record.ObservationHash); err != nil {
		return err
	}
	for l.step < l.feed.through {
		if recorded, err = l.recorded(); err != nil || recorded == nil {
			return err
		}
		if record, err = l.again(recorded); err != nil {
			return err
		}
	}
	for i := range l.seats {
		l.seats[i].learn, l.seats[i].open, l.seats[i].judged = false, false, nil
	}
	picture, err := l.firstPicture()
	if err != nil {
		return err
	}
	l.setClock(time.Duration(l.start.GetResumeOffsetUs()) * time.Microsecond)
	record.RunnerOffsetUs = l.start.GetResumeOffsetUs()
	l.log.Info("an episode was taken over", "step", l.step)
	l.reportStarted(record, 0, picture)
	return nil
}

// recorded waits for the next recorded step, for as long as loading may take. It
// returns nil where the episode is to be stopped.
func (l *loop) recorded() (*messages.ReplayStep, error) {
	wait := limit(l.def.Experiment.LoadTimeout, 120*time.Second)
	end := time.Now().Add(wait)
	for {
		if err := l.drain(); err != nil {
			return nil, err
		}
		if l.taken.stop != nil {
			return nil, nil
		}
		if s, err := l.feed.take(); s != nil || err != nil {
			return s, err
		}
		left := time.Until(end)
		if left <= 0 {
			return nil, incomplete("nothing came for %s, and step %d of %d is next", wait, l.feed.expects(), l.feed.through)
		}
		l.sleep(left, false)
	}
}

// again takes one recorded step again, and returns its record, but for its times.
func (l *loop) again(recorded *messages.ReplayStep) (*messages.StepRecord, error) {
	l.step++
	l.cfg.Metrics.replayed.Inc()
	l.watch.enter(phaseStep, -1)
	if err := l.actAgain(recorded); err != nil {
		return nil, err
	}
	t, err := l.env.Step(l.ctx, l.actions)
	switch {
	case errors.Is(err, envs.ErrInvalidAction), errors.Is(err, envs.ErrEpisodeOver):
		return nil, l.mismatch("the environment refused the recorded actions: %v", err)
	case err != nil:
		return nil, l.fail(phaseStep, -1, err)
	}
	record, roles := l.recordOf()
	for i := range l.seats {
		s, m := &l.seats[i], &roles[i]
		m.step.Live = s.live
		m.step.Action = s.plan.ints.message(s.action)
	}
	l.hash.reset()
	rewards := recorded.GetRewards()
	var paid error
	err = l.see(t.Roles, func(s *seat, t *envs.RoleTransition, truncated bool) {
		m := &roles[s.index]
		l.hash.role(t.Role, t.Observation)
		m.step.Reward, m.step.Terminated, m.step.Truncated = t.Reward, t.Terminated, truncated
		m.seen(s, &t.RoleObservation)
		if s.index < len(rewards) && math.Float64bits(rewards[s.index]) != math.Float64bits(t.Reward) && rewards[s.index] != t.Reward {
			paid = l.mismatch("role %s got the reward %v, recorded is %v", s.plan.agent.Role, t.Reward, rewards[s.index])
		}
	})
	if err != nil {
		return nil, err
	}
	l.watch.idle()
	record.ObservationHash = l.hash.sum()
	if err := errors.Join(l.same(recorded, record.ObservationHash), paid); err != nil {
		return nil, err
	}
	if l.over && l.step < l.feed.through {
		return nil, l.mismatch("the episode ended, and %d steps are recorded", l.feed.through)
	}
	return record, nil
}

// actAgain sets the recorded actions, in the order in which they were given.
func (l *loop) actAgain(recorded *messages.ReplayStep) error {
	actions := recorded.GetActions()
	if len(actions) != len(l.seats) {
		return l.mismatch("%d actions are recorded of %d roles", len(actions), len(l.seats))
	}
	for i := range l.seats {
		s := &l.seats[i]
		s.action, s.policyAction, s.source = nil, nil, messages.Source_SOURCE_NONE
		given := actions[i].GetKind() != nil
		switch {
		case given && !s.takesTurn():
			return l.mismatch("an action of role %s is recorded, and it is not its turn", s.plan.agent.Role)
		case !given && s.takesTurn():
			return l.mismatch("no action of role %s is recorded, and it is its turn", s.plan.agent.Role)
		case !given:
			continue
		}
		v, err := FromMessage(actions[i])
		if err != nil {
			return l.mismatch("the recorded action of role %s cannot be read: %v", s.plan.agent.Role, err)
		}
		s.action, s.source = v, messages.Source_SOURCE_POLICY // whose it was is not needed
	}
	l.actions = l.actions[:0]
	for _, i := range l.plan.order {
		if s := &l.seats[i]; s.action != nil {
			l.actions = append(l.actions, envs.RoleAction{Role: s.plan.spec.Role, Action: s.action})
		}
	}
	return nil
}

// same checks what the roles saw.
func (l *loop) same(recorded *messages.ReplayStep, hash uint64) error {
	if recorded.GetObservationHash() == hash {
		return nil
	}
	return l.mismatch("the observations have the hash %016x, recorded is %016x", hash, recorded.GetObservationHash())
}

// mismatch is the fault of a step that came out differently.
func (l *loop) mismatch(format string, args ...any) error {
	p := phaseStep
	if l.step == 0 {
		p = phaseReset
	}
	return &fault{code: CodeReplayMismatch, phase: p, message: fmt.Sprintf("step %d: ", l.step) + fmt.Sprintf(format, args...)}
}
