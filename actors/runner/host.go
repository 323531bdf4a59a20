package runner

import (
	"fmt"
	"strings"

	"sharpie/actors/messages"
	"sharpie/agents"
	"sharpie/envs"
	"sharpie/experiments"
)

// This file is the step of an environment in a process of its own, which has
// policies beside it: one exchange instead of one for every update, question, step
// and picture. What counts as an action stays here: before the exchange it is
// decided what each role does unless its policy says otherwise, and after it the
// same decision is made again with what the policy said.

// hostTurn is the memory of one exchange.
type hostTurn struct {
	turns []envs.RoleTurn
	seats []*seat // parallel to turns
}

// asksHost reports whether the policy that acts lives in the environment's process.
func (s *seat) asksHost() bool {
	if s.standsIn() {
		return s.guest
	}
	return s.hosted
}

// foreign reports whether some code of a definition runs in a process of its own.
func foreign(d *experiments.Definition) bool {
	if !strings.HasPrefix(d.Environment.Source, envs.SourcePrefix) {
		return true
	}
	for i := range d.Policies {
		if !strings.HasPrefix(d.Policies[i].Source, agents.SourcePrefix) {
			return true
		}
	}
	return false
}

// takeTurn is the whole step of a host. The frame is the host's until its next turn.
func (l *loop) takeTurn() (envs.Transition, envs.Frame, error) {
	b := &l.exchange
	b.turns, b.seats = b.turns[:0], b.seats[:0]
	for _, i := range l.plan.order {
		s := &l.seats[i]
		t := envs.RoleTurn{Role: s.plan.spec.Role, Acts: s.takesTurn()}
		if s.hosted && s.takesLesson() {
			t.Learn = s.lesson()
		}
		if t.Acts {
			t.Ask, t.Action, t.Final = s.asksHost(), s.action, s.source == messages.Source_SOURCE_HUMAN
			if t.Ask {
				t.Advice = s.hostAdvice()
			}
		}
		if t.Acts || t.Learn != nil {
			b.turns, b.seats = append(b.turns, t), append(b.seats, s)
		}
	}
	out, err := l.host.Turn(l.ctx, b.turns)
	if err != nil {
		return out.Transition, out.Frame, l.fail(phaseStep, -1, err)
	}
	if len(out.Decisions) != len(b.turns) {
		return out.Transition, out.Frame, l.fail(phaseStep, -1,
			fmt.Errorf("the host returned %d decisions for %d turns", len(out.Decisions), len(b.turns)))
	}
	for i, s := range b.seats {
		s.decided(&b.turns[i], &out.Decisions[i])
	}
	return out.Transition, out.Frame, nil
}

// hostAdvice is what a hosted policy sees of the person's input. It is always told,
// as researchers' code counts on the argument: the default, where nobody is there.
func (s *seat) hostAdvice() envs.Value {
	if v := s.advice(); v != nil || !s.plan.advice {
		return v
	}
	return s.plan.keys.idle.advice
}

// decided takes in what became of the seat's turn.
func (s *seat) decided(t *envs.RoleTurn, d *envs.Decision) {
	if d.Version != "" {
		s.hostVersion = d.Version
	}
	if !t.Acts {
		return
	}
	if t.Ask {
		s.policyAction = d.Policy
		s.action, s.source = decide(s.plan, s.said(), d.Policy, s.mask)
	}
	if d.Action != nil {
		s.action = d.Action
	}
}

// lastLessons gives the hosted policies their last transitions, all at once.
func (l *loop) lastLessons() error {
	b := &l.exchange
	b.turns, b.seats = b.turns[:0], b.seats[:0]
	for _, i := range l.plan.order {
		s := &l.seats[i]
		if !s.hosted || !s.learn {
			continue
		}
		s.learn = false
		b.turns = append(b.turns, envs.RoleTurn{Role: s.plan.spec.Role, Learn: s.lesson()})
		b.seats = append(b.seats, s)
	}
	if len(b.turns) == 0 {
		return nil
	}
	l.watch.enter(phaseLastUpdate, b.seats[0].index)
	versions, err := l.host.Learn(l.ctx, b.turns)
	if err != nil {
		return l.fail(phaseLastUpdate, b.seats[0].index, err)
	}
	for i, v := range versions {
		if i < len(b.seats) && v != "" {
			b.seats[i].hostVersion = v
		}
	}
	return nil
}

// refresh takes in what a host knows only once it was reset: the picture's size.
func (l *loop) refresh() {
	if l.host == nil {
		return
	}
	spec := l.host.Spec()
	l.plan.spec.Width, l.plan.spec.Height = spec.Width, spec.Height
}

// output is the last that the hosted code printed; empty without a host.
func (l *loop) output() string {
	if l.host == nil {
		return ""
	}
	return tail(l.host.Output(), maxLog)
}

// news are the host's warnings that were not reported yet.
func (l *loop) news() []string {
	if l.host == nil {
		return nil
	}
	all := l.host.Info().Warnings
	first := min(l.warned, len(all))
	l.warned = len(all)
	var out []string
	for _, w := range all[first:min(len(all), first+maxWarnings)] {
		out = append(out, tail(w, maxTrace))
	}
	return out
}

// maxWarnings bounds the warnings of one message.
const maxWarnings = 100
