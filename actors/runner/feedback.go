package runner

import (
	"time"

	"sharpie/actors/messages"
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
		if l.taken.cut {
			from := time.Now()
			l.stand()
			end = end.Add(time.Since(from))
		}
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
		if s.plan.feedback && s.human() && s.judgeable() && !s.answered(false) {
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
		if reward, given := s.feedback(); given && s.judgeable() {
			f.HumanReward = &reward
		}
		l.end.Feedback = append(l.end.Feedback, f)
	}
}
