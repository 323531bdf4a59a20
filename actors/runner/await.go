package runner

import (
	"slices"
	"time"

	"sharpie/actors/messages"
)

// waitingNotice is how long a turn-based wait lasts before it is told.
const waitingNotice = 20 * time.Millisecond

// waiting is the state of one turn-based wait.
type waiting struct {
	began time.Time // zero: not waiting yet
	told  bool
	roles []uint32 // as told last
	next  []uint32
}

// await waits until the next step is due, and takes in what arrives meanwhile.
// It returns false where the episode ends instead; l.end says why.
func (l *loop) await() (bool, error) {
	turns := l.plan.def.Experiment.WaitForInputs
	l.waiting.began, l.waiting.told = time.Time{}, false
	l.lateness = 0
	for {
		if err := l.drain(); err != nil {
			return false, err
		}
		if l.stopped() {
			return false, nil
		}
		if l.taken.paused || l.taken.cut || l.window.full() {
			l.stand()
			continue
		}
		now := time.Now()
		if !l.deadline.IsZero() && !now.Before(l.deadline) {
			l.end = &messages.EpisodeEnded{How: messages.EpisodeEnded_TRUNCATED, Code: CodeEpisodeTimeout}
			return false, nil
		}
		due := l.clock.deadline
		if turns {
			due = l.turn
		}
		until := due()
		if turns && until.IsZero() {
			return true, nil
		}
		if !now.Before(until) && !turns {
			l.tick(now)
			return true, nil
		}
		if !l.deadline.IsZero() && l.deadline.Before(until) {
			until = l.deadline
		}
		l.sleep(until.Sub(now), turns)
	}
}

// tick takes a real-time tick.
func (l *loop) tick(now time.Time) {
	late, rebased := l.clock.advance(now)
	l.lateness = late
	l.cfg.Metrics.lateness.Observe(late.Seconds())
	if rebased {
		l.cfg.Metrics.rebased.Inc()
	}
}

// turn looks after a turn-based wait: it returns the zero time when the step is
// due, else when to look again at the latest.
func (l *loop) turn() time.Time {
	now := time.Now()
	if pause := l.stepped.Add(l.plan.period); now.Before(pause) {
		return pause
	}
	missing := l.missing()
	if len(missing) == 0 {
		return time.Time{}
	}
	w := &l.waiting
	if w.began.IsZero() {
		w.began = now
	}
	limit := time.Duration(l.plan.def.Experiment.InputTimeout)
	var end time.Time
	if limit > 0 {
		if end = w.began.Add(limit); !now.Before(end) {
			return time.Time{}
		}
	}
	if notice := w.began.Add(waitingNotice); !w.told && now.Before(notice) {
		if !end.IsZero() && end.Before(notice) {
			return end
		}
		return notice
	}
	if !w.told || !slices.Equal(w.roles, missing) {
		w.told, w.roles = true, append(w.roles[:0], missing...)
		m := &messages.Waiting{EpisodeId: l.start.EpisodeId, Step: l.step, Roles: slices.Clone(missing)}
		if !end.IsZero() {
			m.RemainingUs = end.Sub(now).Microseconds()
		}
		l.out.notice(m)
	}
	if end.IsZero() {
		return now.Add(time.Hour)
	}
	return end
}

// missing lists the seats that the next step waits for: live, on turn, with a person,
// who has said nothing yet. There is no reward to wait for before the first transition.
func (l *loop) missing() []uint32 {
	out := l.waiting.next[:0]
	for i := range l.seats {
		s := &l.seats[i]
		if !s.takesTurn() || !s.human() || (s.plan.feedback && l.step == 0) || s.answered(l.plan.period > 0) {
			continue
		}
		out = append(out, uint32(i))
	}
	l.waiting.next = out
	return out
}

// drain takes in what the actor put into the inbox.
func (l *loop) drain() error {
	if !l.inbox.take(&l.taken) {
		return nil
	}
	for _, in := range l.taken.inputs {
		if in == letGo {
			for i := range l.seats {
				l.seats[i].release()
			}
			continue
		}
		if int(in.GetRole()) >= len(l.seats) {
			l.cfg.Metrics.droppedInput.Inc()
			continue
		}
		if l.seats[in.GetRole()].add(in) {
			l.cfg.Metrics.droppedInput.Inc()
		}
	}
	clear(l.taken.inputs)
	for _, order := range l.taken.seats {
		if int(order.GetRole()) >= len(l.seats) {
			continue
		}
		l.watch.enter(phaseLoad, int(order.GetRole()))
		err := l.occupy(int(order.GetRole()), order.GetOccupant())
		l.watch.idle()
		if err != nil {
			return err
		}
	}
	return nil
}

// stopped reports whether the episode was told to end.
func (l *loop) stopped() bool {
	stop := l.taken.stop
	if stop == nil {
		return false
	}
	l.end = &messages.EpisodeEnded{How: messages.EpisodeEnded_STOPPED, Code: stop.GetCode(), Detail: stop.GetDetail()}
	return true
}

// stand stands still: paused, until the session is there again, or until records are
// acknowledged. All deadlines move by that time; participants' inputs are kept.
func (l *loop) stand() {
	if l.taken.cut {
		l.waiting.told = false // whoever comes back has to hear it again
	} else if !l.taken.paused {
		l.cfg.Metrics.blocked.Inc()
		l.log.Warn("waiting: too many steps are not stored yet", "unacked", l.window.len())
	}
	from := time.Now()
	for l.inboxQuiet() {
		<-l.inbox.wake
	}
	still := time.Since(from)
	l.clock.shift(still)
	l.stepped = l.stepped.Add(still)
	if !l.deadline.IsZero() {
		l.deadline = l.deadline.Add(still)
	}
	if !l.waiting.began.IsZero() {
		l.waiting.began = l.waiting.began.Add(still)
	}
}

// inboxQuiet reports whether the loop has to go on standing still.
func (l *loop) inboxQuiet() bool {
	l.inbox.mu.Lock()
	still, stop := l.inbox.paused || l.inbox.cut, l.inbox.stop
	l.inbox.mu.Unlock()
	return stop == nil && (still || l.window.full())
}

// sleep waits for d, or until the inbox rings.
func (l *loop) sleep(d time.Duration, inputs bool) {
	if inputs {
		l.inbox.listening.Store(true)
		defer l.inbox.listening.Store(false)
		if l.inbox.dirty.Load() {
			return
		}
	}
	l.timer.Reset(d)
	select {
	case <-l.timer.C:
	case <-l.inbox.wake:
	}
}
