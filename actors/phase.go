package actors

// phase is where a session is in its life. The same words are stored with the
// session and shown in Admin.
type phase string

// The phases. Paused stands beside running; aborted is reachable from all.
const (
	phaseWaiting   phase = "waiting"   // for people
	phaseReady     phase = "ready"     // everybody is here: the countdown runs
	phaseQueued    phase = "queued"    // for a runner
	phaseRunning   phase = "running"   // an episode runs
	phaseBetween   phase = "between"   // two episodes
	phasePaused    phase = "paused"    // somebody, or the runner, is missing and may come back
	phaseCompleted phase = "completed" // all episodes were played
	phaseAborted   phase = "aborted"   // ended early, for a reason
)

// final reports whether a session in that phase has ended.
func (p phase) final() bool { return p == phaseCompleted || p == phaseAborted }

// seating reports whether people may still join and leave freely.
func (p phase) seating() bool { return p == phaseWaiting || p == phaseReady }

// event is what can move a session from one phase to another.
type event string

const (
	evFull        event = "full"         // every seat is taken, and everybody is here
	evNotFull     event = "not full"     // somebody left or is away
	evGo          event = "go"           // the countdown is over
	evAssigned    event = "assigned"     // a runner is ours
	evEpisodeDone event = "episode done" // it reached its end
	evNext        event = "next"         // the pause between two episodes is over
	evMissing     event = "missing"      // somebody is missed: pause
	evBack        event = "back"         // nobody is missed any more
	evRunnerAway  event = "runner away"  // it cannot be reached, and may come back
	evRunnerLost  event = "runner lost"  // and the episode needs another one
	evAbort       event = "abort"
)

// effect is what the session does because of a transition, in the order given.
type effect string

const (
	doEnqueue  effect = "enqueue"  // ask the queue for a runner
	doWithdraw effect = "withdraw" // leave the queue
	doStart    effect = "start"    // start the next episode, or the same one again
	doPause    effect = "pause"    // tell the runner to pause
	doResume   effect = "resume"   // tell the runner to go on
	doFinish   effect = "finish"   // stop the runner, close the books, say goodbye
)

// facts is what a transition depends on beside phase and event.
type facts struct {
	skipCountdown bool // one seat only, or a countdown of 0
	lastEpisode   bool // the episode that ended was the last one
	hasRunner     bool // that stays
	nobodyMissed  bool // a pause is for the runner alone
	relieved      bool // of a runner that is lost: the next one is there already
}

// machine is a session's place in its life. The zero value is not a machine; a
// session starts as machine{phase: phaseWaiting}.
type machine struct {
	phase phase
	// resume is the phase that a pause returns to; "" outside paused.
	resume phase
}

// next is the whole phase machine: where an event leads, and what to do. An event
// that means nothing in a phase leaves it as it is, and ok is false.
func (m machine) next(e event, f facts) (to machine, do []effect, ok bool) {
	if m.phase.final() {
		return m, nil, false
	}
	if e == evAbort {
		if m.phase == phaseQueued {
			do = append(do, doWithdraw)
		}
		return machine{phase: phaseAborted}, append(do, doFinish), true
	}
	switch m.phase {
	case phaseWaiting, phaseReady:
		return m.nextSeating(e, f)
	case phaseQueued:
		switch e {
		case evAssigned:
			return machine{phase: phaseRunning}, []effect{doStart}, true
		case evMissing:
			return machine{phasePaused, phaseQueued}, []effect{doWithdraw}, true
		}
	case phaseRunning:
		switch e {
		case evEpisodeDone:
			return m.afterEpisode(f)
		case evMissing:
			return machine{phasePaused, phaseRunning}, []effect{doPause}, true
		case evRunnerAway:
			return machine{phasePaused, phaseRunning}, nil, true
		case evRunnerLost:
			return machine{phase: phaseQueued}, []effect{doEnqueue}, true
		}
	case phaseBetween:
		switch e {
		case evNext:
			if f.hasRunner {
				return machine{phase: phaseRunning}, []effect{doStart}, true
			}
			return machine{phase: phaseQueued}, []effect{doEnqueue}, true
		case evMissing:
			return machine{phasePaused, phaseBetween}, nil, true
		}
	case phasePaused:
		return m.nextPaused(e, f)
	}
	return m, nil, false
}

// nextSeating is next while people come and go.
func (m machine) nextSeating(e event, f facts) (machine, []effect, bool) {
	switch {
	case e == evFull && m.phase == phaseWaiting && f.skipCountdown:
		return machine{phase: phaseQueued}, []effect{doEnqueue}, true
	case e == evFull && m.phase == phaseWaiting:
		return machine{phase: phaseReady}, nil, true
	case e == evNotFull && m.phase == phaseReady:
		return machine{phase: phaseWaiting}, nil, true
	case e == evGo && m.phase == phaseReady:
		return machine{phase: phaseQueued}, []effect{doEnqueue}, true
	}
	return m, nil, false
}

// nextPaused is next while somebody, or the runner, is missed.
func (m machine) nextPaused(e event, f facts) (machine, []effect, bool) {
	switch e {
	case evBack:
		switch m.resume {
		case phaseQueued:
			return machine{phase: phaseQueued}, []effect{doEnqueue}, true
		case phaseBetween:
			return machine{phase: phaseBetween}, nil, true
		}
		return machine{phase: phaseRunning}, []effect{doResume}, true
	case evEpisodeDone: // it ended before the pause reached the runner
		if m.resume != phaseRunning {
			return m, nil, false
		}
		if f.lastEpisode {
			return m.afterEpisode(f)
		}
		return machine{phasePaused, phaseBetween}, nil, true
	case evRunnerLost:
		if m.resume != phaseRunning {
			return m, nil, false
		}
		switch {
		case !f.nobodyMissed:
			return machine{phasePaused, phaseQueued}, nil, true
		case f.relieved:
			return machine{phase: phaseQueued}, nil, true
		}
		return machine{phase: phaseQueued}, []effect{doEnqueue}, true
	}
	return m, nil, false
}

func (m machine) afterEpisode(f facts) (machine, []effect, bool) {
	if f.lastEpisode {
		return machine{phase: phaseCompleted}, []effect{doFinish}, true
	}
	return machine{phase: phaseBetween}, nil, true
}
