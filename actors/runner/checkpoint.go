package runner

import (
	"strings"

	"sharpie/actors/messages"
	"sharpie/agents"
)

// checkpoint collects what the learners have learned, at the end of the episode.
func (l *loop) checkpoint() error {
	defer l.watch.idle()
	for i := range l.seats {
		c, err := l.stateOf(i)
		if err != nil {
			return err
		}
		if c != nil {
			l.end.Checkpoints = append(l.end.Checkpoints, c)
		}
	}
	return nil
}

// dueCheckpoints reports what the learners have learned that have had another
// checkpoint_every updates.
func (l *loop) dueCheckpoints() error {
	for i := range l.seats {
		if !l.seats[i].due {
			continue
		}
		l.seats[i].due = false
		c, err := l.stateOf(i)
		if err != nil {
			return err
		}
		if c != nil {
			l.out.checkpoint(c)
		}
	}
	return nil
}

// selfTaught reports whether the seat's policy may change what it keeps without an
// update: researchers' code that writes models when it pleases.
func (s *seat) selfTaught() bool {
	return s.plan.policy != nil && !strings.HasPrefix(s.plan.policy.Source, agents.SourcePrefix)
}

// stateOf asks the policy of a seat for what it has learned; nil where it learns
// nothing, or keeps no state.
func (l *loop) stateOf(i int) (*messages.Checkpoint, error) {
	s := &l.seats[i]
	if s.last != nil {
		return s.last, nil
	}
	c, ok := s.agent.(agents.Checkpointer)
	if !ok || (!s.pupil && !s.selfTaught()) || s.guest {
		return nil, nil
	}
	l.watch.enter(phaseCheckpoint, i)
	data, err := c.State()
	if err != nil {
		return nil, l.fail(phaseCheckpoint, i, err)
	}
	if len(data) == 0 {
		return nil, nil
	}
	return &messages.Checkpoint{
		EpisodeId: l.start.EpisodeId, Role: string(s.plan.agent.Role), Policy: s.plan.policy.Name,
		Version: s.agent.Version(), Step: l.step, Data: data,
	}, nil
}
