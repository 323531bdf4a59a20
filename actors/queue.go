package actors

import (
	"log/slog"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/link"
	"sharpie/actors/messages"
	"sharpie/persistence"
)

// queue owns the order of waiting sessions and the runner slots, of this process and
// of all nodes. It pushes: a session hears of its runner in the moment that both are
// there.
type queue struct {
	cast    *cast
	log     *slog.Logger
	waiting []*ticketed // first come, first served, among those a slot can serve
	slots   []*slot
	// newest is the incarnation of each runner id that offered last; former are those
	// that it had before, which may offer nothing any more.
	newest map[string]string
	former map[string][]string
	// unsettled ends when nodes that are expected have had the time to come.
	unsettled alarm
}

func newQueue(c *cast) *queue {
	return &queue{cast: c, log: c.log, newest: map[string]string{}, former: map[string][]string{}, unsettled: alarm{name: "unsettled"}}
}

// ticketed is a session that waits.
type ticketed struct {
	pid     *actor.PID
	session persistence.SessionID
	number  uint64
	needs   []string
	avoid   []unfit
	front   bool
	since   time.Time
	told    hope
	over    bool // its actor is no more
}

// hope is what a waiting session was told about its chances.
type hope int

const (
	someone hope = iota // there is a slot that can serve it, be it busy
	nobody              // there is none; one may come soon
	noone               // there is none, and none is expected
)

// slot is a runner that is known: free, held by a session, or away.
type slot struct {
	pid    *actor.PID
	offer  *messages.Offer
	holder *ticketed // nil: free
	away   bool      // its node cannot be reached now
	leaves bool      // its node takes nothing new
	since  time.Time
}

func (s *slot) free() bool { return s.holder == nil && !s.away && !s.leaves }

func (q *queue) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		q.unsettled.set(ctx, q.cast.cfg.Limits.NodeWait)
	case *actor.Stopping:
		q.unsettled.clear()
	case *actor.Stopped:
	case *enqueue:
		q.enqueue(ctx, m)
	case *withdraw:
		q.withdraw(ctx, m)
	case *messages.Offer:
		q.offered(ctx, m)
	case *actor.Terminated:
		q.terminated(ctx, m)
	case *nodeChanged:
		q.nodeChanged(ctx, m)
	case *rang:
		if q.unsettled.is(m) {
			q.judge()
		}
	case *listRunners:
		ctx.Respond(q.views(ctx.Self().GetAddress()))
	default:
		q.cast.unknown(ctx, q.log)
	}
	q.count()
}

// enqueue puts a session at the end, or behind the others in mid-episode; it hears at
// once if nobody that is known can ever serve it.
func (q *queue) enqueue(ctx actor.Context, m *enqueue) {
	t := &ticketed{pid: ctx.Sender(), session: m.session, number: m.number, needs: m.needs, avoid: m.avoid, front: m.front, since: time.Now()}
	ctx.Watch(t.pid)
	at := len(q.waiting)
	if m.front {
		at = 0
		for at < len(q.waiting) && q.waiting[at].front {
			at++
		}
	}
	q.waiting = slices.Insert(q.waiting, at, t)
	q.match(ctx)
	if i := slices.Index(q.waiting, t); m.orNot && i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
		q.cast.tell(t.pid, &noneFree{number: t.number})
	}
	q.judge()
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
	if !q.admit(m) {
		q.cast.metrics.stale.WithLabelValues("Offer").Inc()
		q.log.Warn("offer of a former incarnation dropped", "runner", m.GetRunnerId(), "incarnation", m.GetIncarnation())
		return
	}
	ctx.Watch(pid) // each time: it ends with every connection
	i := slices.IndexFunc(q.slots, func(s *slot) bool { return s.pid.Equal(pid) })
	if i < 0 {
		q.slots = append(q.slots, &slot{pid: pid})
		i = len(q.slots) - 1
	}
	s := q.slots[i]
	if s.holder != nil && m.GetFormerSession() != "" && m.GetFormerSession() != string(s.holder.session) {
		q.cast.metrics.stale.WithLabelValues("Offer").Inc() // told twice, and taken already
		return
	}
	s.offer, s.holder, s.away, s.since = m, nil, false, time.Now()
	q.match(ctx)
	q.judge()
}

// Bounds of what is remembered of runners that are no more.
const (
	maxFormer    = 16
	maxRunnerIDs = 10_000
)

// admit fences former incarnations off: with the first offer of a newer one, all
// slots of the older are gone.
func (q *queue) admit(m *messages.Offer) bool {
	id, inc := m.GetRunnerId(), m.GetIncarnation()
	known, ok := q.newest[id]
	switch {
	case ok && known == inc:
		return true
	case slices.Contains(q.former[id], inc):
		return false
	}
	if len(q.newest) >= maxRunnerIDs {
		clear(q.newest)
		clear(q.former)
	}
	if ok {
		list := append(q.former[id], known)
		q.former[id] = list[max(0, len(list)-maxFormer):]
		q.drop("its node began anew", func(s *slot) bool { return s.offer.GetRunnerId() == id && s.offer.GetIncarnation() != inc })
	}
	q.newest[id] = inc
	return true
}

// drop forgets slots for good; the sessions that hold them look for others.
func (q *queue) drop(why string, which func(*slot) bool) {
	q.slots = slices.DeleteFunc(q.slots, func(s *slot) bool {
		if !which(s) {
			return false
		}
		if s.holder != nil {
			q.cast.tell(s.holder.pid, &runnerGone{runner: s.pid, why: why})
		}
		return true
	})
}

// nodeChanged: a runner node came, went, or can be reached again.
func (q *queue) nodeChanged(ctx actor.Context, m *nodeChanged) {
	n := m.event.Node
	of := func(s *slot) bool { return s.offer.GetRunnerId() == n.ID && s.offer.GetIncarnation() == n.Incarnation }
	switch m.event.Change {
	case link.Away:
		q.unsettled.set(ctx, q.cast.cfg.Limits.NodeWait)
		for _, s := range q.slots {
			s.away = s.away || of(s)
		}
	case link.Back:
		for _, s := range q.slots {
			if of(s) && s.away {
				s.away, s.since = false, time.Now()
				ctx.Watch(s.pid)
			}
			if of(s) && s.holder != nil && s.holder.over { // its offer may have been lost
				ctx.Request(s.pid, &messages.Release{SessionId: string(s.holder.session)})
			}
		}
		q.match(ctx)
	case link.Leaving:
		for _, s := range q.slots {
			if of(s) && !s.leaves {
				s.leaves = true
				if s.holder != nil {
					q.cast.tell(s.holder.pid, &runnerLeaving{runner: s.pid})
				}
			}
		}
	case link.Gone:
		q.unsettled.set(ctx, q.cast.cfg.Limits.NodeWait)
		q.drop("its node is gone", of)
	}
	q.judge()
}

// terminated: a session or a runner is no more, or cannot be reached.
func (q *queue) terminated(ctx actor.Context, m *actor.Terminated) {
	who := m.Who
	if m.Why == actor.TerminatedReason_AddressTerminated {
		for _, s := range q.slots {
			s.away = s.away || s.pid.Equal(who)
		}
		return
	}
	defer q.judge()
	q.slots = slices.DeleteFunc(q.slots, func(s *slot) bool { return s.pid.Equal(who) })
	q.waiting = slices.DeleteFunc(q.waiting, func(t *ticketed) bool { return t.pid.Equal(who) })
	for _, s := range q.slots {
		if s.holder != nil && s.holder.pid.Equal(who) {
			s.holder.over = true
			// The runner offers itself again when it has let go; a session that let go
			// in good order is asked for once more, which does nothing.
			ctx.Request(s.pid, &messages.Release{SessionId: string(s.holder.session)})
		}
	}
}

func (q *queue) count() {
	all, free := 0, 0
	for _, s := range q.slots {
		if !s.away {
			all++
		}
		if s.free() {
			free++
		}
	}
	q.cast.counts.waiting.Store(int64(len(q.waiting)))
	q.cast.counts.slots.Store(int64(all))
	q.cast.counts.freeSlots.Store(int64(free))
}

// views lists the slots; those at another address than here are of nodes.
func (q *queue) views(here string) []RunnerView {
	out := make([]RunnerView, len(q.slots))
	for i, s := range q.slots {
		out[i] = RunnerView{
			Runner: s.offer.GetRunnerId(), Incarnation: s.offer.GetIncarnation(), Node: s.pid.GetAddress() != here, Away: s.away,
			Slot: int(s.offer.GetSlot()), Labels: s.offer.GetLabels(), Since: s.since,
		}
		if s.holder != nil && !q.left(s) {
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

// left reports whether the session of a slot that is away has gone on elsewhere: the
// slot is kept for it until its runner has let go.
func (q *queue) left(s *slot) bool {
	return s.away && slices.ContainsFunc(q.slots, func(o *slot) bool {
		return o != s && o.holder != nil && o.holder.session == s.holder.session && o.holder.number > s.holder.number
	})
}
