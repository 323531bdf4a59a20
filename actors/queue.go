package actors

import (
	"log/slog"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
	"sharpie/persistence"
)

// queue owns the order of waiting sessions and the free runner slots. It pushes: a
// session hears of its runner in the moment that both are there.
type queue struct {
	cast    *cast
	log     *slog.Logger
	waiting []*ticketed // first come, first served, among those a slot can serve
	slots   []*slot
}

// ticketed is a session that waits.
type ticketed struct {
	pid     *actor.PID
	session persistence.SessionID
	number  uint64
	needs   []string
	since   time.Time
}

// slot is a runner that is known: free, or held by a session.
type slot struct {
	pid    *actor.PID
	offer  *messages.Offer
	holder *ticketed // nil: free
	since  time.Time
}

func (q *queue) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started, *actor.Stopping, *actor.Stopped:
	case *enqueue:
		q.enqueue(ctx, m)
	case *withdraw:
		q.withdraw(ctx, m)
	case *messages.Offer:
		q.offered(ctx, m)
	case *actor.Terminated:
		q.terminated(ctx, m.Who)
	case *listRunners:
		ctx.Respond(q.views())
	default:
		q.cast.unknown(ctx, q.log)
	}
	q.count()
}

// enqueue puts a session at the end, and tells it at once if nobody that is known
// can ever serve it.
func (q *queue) enqueue(ctx actor.Context, m *enqueue) {
	t := &ticketed{pid: ctx.Sender(), session: m.session, number: m.number, needs: m.needs, since: time.Now()}
	ctx.Watch(t.pid)
	q.waiting = append(q.waiting, t)
	if !slices.ContainsFunc(q.slots, func(s *slot) bool { return s.serves(t.needs) }) {
		q.cast.tell(t.pid, &unsatisfiable{needs: t.needs})
	}
	q.match(ctx)
}

func (s *slot) serves(needs []string) bool {
	for _, n := range needs {
		if !slices.Contains(s.offer.GetLabels(), n) {
			return false
		}
	}
	return true
}

// withdraw forgets a wish. A slot that was assigned for it is free again: whatever
// the session still hears of it, it leaves alone.
func (q *queue) withdraw(ctx actor.Context, m *withdraw) {
	is := func(t *ticketed) bool { return t != nil && t.session == m.session && t.number == m.number }
	q.waiting = slices.DeleteFunc(q.waiting, is)
	for _, s := range q.slots {
		if is(s.holder) {
			s.holder, s.since = nil, time.Now()
		}
	}
	q.match(ctx)
}

// offered: a runner is free. The same runner offers itself after each session.
func (q *queue) offered(ctx actor.Context, m *messages.Offer) {
	pid := ctx.Sender()
	if pid == nil {
		q.log.Warn("offer without a sender dropped", "runner", m.GetRunnerId(), "slot", m.GetSlot())
		return
	}
	i := slices.IndexFunc(q.slots, func(s *slot) bool { return s.pid.Equal(pid) })
	if i < 0 {
		ctx.Watch(pid)
		q.slots = append(q.slots, &slot{pid: pid})
		i = len(q.slots) - 1
	}
	q.slots[i].offer, q.slots[i].holder, q.slots[i].since = m, nil, time.Now()
	q.match(ctx)
}

// match brings sessions and slots together. A session that needs what no free slot
// has does not hold up those behind it.
func (q *queue) match(ctx actor.Context) {
	for i := 0; i < len(q.waiting); {
		t := q.waiting[i]
		at := slices.IndexFunc(q.slots, func(s *slot) bool { return s.holder == nil && s.serves(t.needs) })
		if at < 0 {
			if len(t.needs) == 0 {
				return // no slot is free at all
			}
			i++
			continue
		}
		s := q.slots[at]
		met := t.since
		if s.since.After(met) {
			met = s.since
		}
		s.holder, s.since = t, time.Now()
		q.waiting = slices.Delete(q.waiting, i, i+1)
		q.cast.tell(t.pid, &assigned{number: t.number, runner: s.pid, id: s.offer.GetRunnerId(), slot: s.offer.GetSlot()})
		q.cast.metrics.assignment.Observe(s.since.Sub(met).Seconds())
		q.log.Debug("assigned", "session", string(t.session), "runner", s.offer.GetRunnerId(), "slot", s.offer.GetSlot(), "waited", s.since.Sub(t.since))
	}
}

// terminated: a session or a runner is no more.
func (q *queue) terminated(ctx actor.Context, who *actor.PID) {
	q.slots = slices.DeleteFunc(q.slots, func(s *slot) bool { return s.pid.Equal(who) })
	q.waiting = slices.DeleteFunc(q.waiting, func(t *ticketed) bool { return t.pid.Equal(who) })
	for _, s := range q.slots {
		if s.holder != nil && s.holder.pid.Equal(who) {
			// The runner offers itself again when it has let go; a session that let go
			// in good order is asked for once more, which does nothing.
			ctx.Request(s.pid, &messages.Release{SessionId: string(s.holder.session)})
		}
	}
}

func (q *queue) count() {
	free := 0
	for _, s := range q.slots {
		if s.holder == nil {
			free++
		}
	}
	q.cast.counts.waiting.Store(int64(len(q.waiting)))
	q.cast.counts.slots.Store(int64(len(q.slots)))
	q.cast.counts.freeSlots.Store(int64(free))
}

func (q *queue) views() []RunnerView {
	out := make([]RunnerView, len(q.slots))
	for i, s := range q.slots {
		out[i] = RunnerView{Runner: s.offer.GetRunnerId(), Slot: int(s.offer.GetSlot()), Labels: s.offer.GetLabels(), Since: s.since}
		if s.holder != nil {
			out[i].Session = s.holder.session
		}
	}
	slices.SortFunc(out, func(a, b RunnerView) int {
		if a.Runner != b.Runner {
			if a.Runner < b.Runner {
				return -1
			}
			return 1
		}
		return a.Slot - b.Slot
	})
	return out
}
