package runner

import (
	"time"

	"sharpie/actors/messages"
	"sharpie/agents"
)

// awaitFeedback gives the people who reward a policy a last chance to judge the
// transition that ended the episode: at most feedback_grace, and less if all have
// said something.
func (l *loop) awaitFeedback() {
	grace := time.Duration(l.plan.def.Experiment.FeedbackGrace)
	if !l.over || grace <= 0 {
		return
	}
	end := time.Now().Add(grace)
	for l.awaitsFeedback() && !l.taken.paused && l.taken.stop == nil {
		left := time.Until(end)
		if left <= 0 {
			return
		}
		l.sleep(left, true)
		if err := l.drain(); err != nil {
			return
		}
	}
}

// awaitsFeedback reports whether somebody could still judge the last transition.
func (l *loop) awaitsFeedback() bool {
	for i := range l.seats {
		s := &l.seats[i]
		if s.plan.feedback && s.human() && s.source != messages.Source_SOURCE_NONE && !s.answered(false) {
			return true
		}
	}
	return false
}

// lastFeedback records the inputs that no step used.
func (l *loop) lastFeedback() {
	if err := l.drain(); err != nil {
		l.log.Warn("an order about a seat came too late", "error", err)
	}
	for i := range l.seats {
		s := &l.seats[i]
		s.merged()
		f := &messages.Feedback{Role: uint32(i), Inputs: usedInputs(s)}
		if len(f.Inputs) == 0 {
			continue
		}
		if reward, given := s.feedback(); given && s.source != messages.Source_SOURCE_NONE {
			f.HumanReward = &reward
		}
		l.end.Feedback = append(l.end.Feedback, f)
	}
}

// checkpoint collects what the learners have learned.
func (l *loop) checkpoint() error {
	defer l.watch.idle()
	for i := range l.seats {
		s := &l.seats[i]
		c, ok := s.agent.(agents.Checkpointer)
		if !ok || s.learner == nil {
			continue
		}
		l.watch.enter(phaseCheckpoint, i)
		data, err := c.State()
		if err != nil {
			return l.fail(phaseCheckpoint, i, err)
		}
		l.end.Checkpoints = append(l.end.Checkpoints, &messages.Checkpoint{
			EpisodeId: l.start.EpisodeId, Role: string(s.plan.agent.Role), Policy: s.plan.policy.Name,
			Version: s.agent.Version(), Step: l.step, Data: data,
		})
	}
	return nil
}
