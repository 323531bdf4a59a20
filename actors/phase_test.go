package actors

import (
	"slices"
	"testing"
)

type phaseRow struct {
	from machine
	e    event
	f    facts
	to   machine
	do   []effect
}

// rowFor is the row with these facts, else the one with none, else none.
func rowFor(rows []phaseRow, from machine, e event, f facts) (phaseRow, bool) {
	for _, with := range []facts{f, {}} {
		for _, r := range rows {
			if r.from == from && r.e == e && r.f == with {
				return r, true
			}
		}
	}
	return phaseRow{to: from}, false
}

// The phase machine, row by row. What is not in the table leaves the phase as it is.
func TestPhaseMachine(t *testing.T) {
	at := func(p phase) machine { return machine{phase: p} }
	paused := func(resume phase) machine { return machine{phasePaused, resume} }
	single, last, held := facts{skipCountdown: true}, facts{lastEpisode: true}, facts{hasRunner: true}
	alone, relieved := facts{nobodyMissed: true}, facts{nobodyMissed: true, relieved: true}
	rows := []phaseRow{
		{at(phaseWaiting), evFull, facts{}, at(phaseReady), nil},
		{at(phaseWaiting), evFull, single, at(phaseQueued), []effect{doEnqueue}},
		{at(phaseReady), evNotFull, facts{}, at(phaseWaiting), nil},
		{at(phaseReady), evGo, facts{}, at(phaseQueued), []effect{doEnqueue}},
		{at(phaseQueued), evAssigned, facts{}, at(phaseRunning), []effect{doStart}},
		{at(phaseQueued), evMissing, facts{}, paused(phaseQueued), []effect{doWithdraw}},
		{at(phaseRunning), evEpisodeDone, facts{}, at(phaseBetween), nil},
		{at(phaseRunning), evEpisodeDone, last, at(phaseCompleted), []effect{doFinish}},
		{at(phaseRunning), evMissing, facts{}, paused(phaseRunning), []effect{doPause}},
		{at(phaseRunning), evRunnerLost, facts{}, at(phaseQueued), []effect{doEnqueue}},
		{at(phaseBetween), evNext, held, at(phaseRunning), []effect{doStart}},
		{at(phaseBetween), evNext, facts{}, at(phaseQueued), []effect{doEnqueue}},
		{at(phaseBetween), evMissing, facts{}, paused(phaseBetween), nil},
		{paused(phaseQueued), evBack, facts{}, at(phaseQueued), []effect{doEnqueue}},
		{paused(phaseRunning), evBack, facts{}, at(phaseRunning), []effect{doResume}},
		{paused(phaseBetween), evBack, facts{}, at(phaseBetween), nil},
		{paused(phaseRunning), evEpisodeDone, facts{}, paused(phaseBetween), nil},
		{paused(phaseRunning), evEpisodeDone, last, at(phaseCompleted), []effect{doFinish}},
		{paused(phaseRunning), evRunnerLost, facts{}, paused(phaseQueued), nil},
		{paused(phaseRunning), evRunnerLost, alone, at(phaseQueued), []effect{doEnqueue}},
		{paused(phaseRunning), evRunnerLost, relieved, at(phaseQueued), nil},
		{at(phaseRunning), evRunnerAway, facts{}, paused(phaseRunning), nil},
	}
	states := []machine{at(phaseWaiting), at(phaseReady), at(phaseQueued), at(phaseRunning), at(phaseBetween),
		paused(phaseQueued), paused(phaseRunning), paused(phaseBetween), at(phaseCompleted), at(phaseAborted)}
	for _, from := range states {
		if from.phase.final() {
			continue
		}
		do := []effect{doFinish}
		if from.phase == phaseQueued {
			do = []effect{doWithdraw, doFinish}
		}
		rows = append(rows, phaseRow{from, evAbort, facts{}, at(phaseAborted), do})
	}
	events := []event{evFull, evNotFull, evGo, evAssigned, evEpisodeDone, evNext, evMissing, evBack, evRunnerAway, evRunnerLost, evAbort}
	for _, from := range states {
		for _, e := range events {
			for _, f := range []facts{{}, single, last, held, alone, relieved, {relieved: true}} {
				want, known := rowFor(rows, from, e, f)
				to, do, ok := from.next(e, f)
				if to != want.to || !slices.Equal(do, want.do) || ok != known {
					t.Errorf("%s(%s) + %s %+v: %s(%s) %v %v, want %s(%s) %v %v", from.phase, from.resume, e, f, to.phase, to.resume, do, ok, want.to.phase, want.to.resume, want.do, known)
				}
			}
		}
	}
}
