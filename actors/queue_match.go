package actors

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// This file is how the queue brings sessions and slots together.

// match brings sessions and slots together. A session that needs what no free slot
// has does not hold up those behind it.
func (q *queue) match(ctx actor.Context) {
	for i := 0; i < len(q.waiting); {
		t := q.waiting[i]
		s := q.choose(t)
		if s == nil {
			if len(t.needs)+len(t.avoid) == 0 {
				return // no slot is free at all
			}
			i++
			continue
		}
		met := t.since
		if s.since.After(met) {
			met = s.since
		}
		s.holder, s.since = t, time.Now()
		q.waiting = slices.Delete(q.waiting, i, i+1)
		q.cast.tell(t.pid, &assigned{number: t.number, runner: s.pid, id: s.offer.GetRunnerId(), slot: s.offer.GetSlot(), readiness: s.offer.GetReadiness()})
		q.cast.metrics.assignment.Observe(s.since.Sub(met).Seconds())
		q.log.Debug("assigned", "session", string(t.session), "runner", s.offer.GetRunnerId(), "slot", s.offer.GetSlot(), "waited", s.since.Sub(t.since))
	}
}

// choose is the free slot for what waits; nil: none. What only few machines have is
// kept for those who need it, and among equals the machine with the least to do plays.
func (q *queue) choose(t *ticketed) *slot {
	var best *slot
	load := map[string]int{} // by runner id, in percent of its slots
	if len(q.newest) > 1 {
		load = q.load()
	}
	for _, s := range q.slots {
		if !s.free() || !s.serves(t) {
			continue
		}
		if best != nil {
			labels, former := len(s.offer.GetLabels()), len(best.offer.GetLabels())
			if labels > former || labels == former && load[s.offer.GetRunnerId()] >= load[best.offer.GetRunnerId()] {
				continue
			}
		}
		best = s
	}
	return best
}

// load is how much of each machine's slots plays, in percent.
func (q *queue) load() map[string]int {
	held, all := map[string]int{}, map[string]int{}
	for _, s := range q.slots {
		all[s.offer.GetRunnerId()]++
		if s.holder != nil {
			held[s.offer.GetRunnerId()]++
		}
	}
	for id := range held {
		held[id] = held[id] * 100 / all[id]
	}
	return held
}

// judge tells those that wait whether somebody can serve them, where that is news.
func (q *queue) judge() {
	for _, t := range q.waiting {
		now := someone
		switch {
		case slices.ContainsFunc(q.slots, func(s *slot) bool { return s.serves(t) }):
		case len(t.needs)+len(t.avoid) == 0 && len(q.slots) == 0 && q.cast.cfg.Slots > 0: // slots of this process are on their way
		case q.unsettled.at.IsZero():
			now = noone
		default:
			now = nobody
		}
		if now == t.told {
			continue
		}
		t.told = now
		if now == someone {
			q.cast.tell(t.pid, &satisfiable{number: t.number})
		} else {
			q.cast.tell(t.pid, &unsatisfiable{number: t.number, needs: t.needs, final: now == noone})
		}
	}
}

// serves reports whether a slot can run what waits, now or later.
func (s *slot) serves(t *ticketed) bool {
	if s.leaves || slices.ContainsFunc(t.avoid, func(u unfit) bool {
		return u.runner == s.offer.GetRunnerId() && u.readiness >= s.offer.GetReadiness()
	}) {
		return false
	}
	for _, n := range t.needs {
		if !slices.Contains(s.offer.GetLabels(), n) {
			return false
		}
	}
	return true
}
