package runner

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
)

// link is what a runner knows of the way to its session.
type link struct {
	cut bool
	// number tells one cut from the next.
	number uint64
	timer  *time.Timer // of the grace
	// since is when the session came back last; zero: it did not, or that it is out of
	// reach was heard once since.
	since time.Time
	// asked is the Reattach that was answered last, and when.
	asked    *messages.Reattach
	answered time.Time
}

// settle is how long after a Reattach the end of the link before may still be heard.
const settle = 2 * time.Second

// patience is how long an answer to a Reattach may be on its way: who asks again
// meanwhile, or asked several times while the link was cut, is not answered twice.
const patience = 400 * time.Millisecond

// graceOver: the session of a cut was not back in time.
type graceOver struct{ number uint64 }

// end forgets a cut.
func (k *link) end() {
	if k.timer != nil {
		k.timer.Stop()
	}
	k.cut, k.timer = false, nil
	k.number++
}

// terminated: the session's actor is no more, or only out of reach.
func (r *Runner) terminated(ctx actor.Context, m *actor.Terminated) {
	if r.session == nil || !r.session.Equal(m.Who) {
		return
	}
	if m.Why != actor.TerminatedReason_AddressTerminated {
		r.let(ctx, "session_gone", "the session's actor ended")
		return
	}
	if !r.link.since.IsZero() && time.Since(r.link.since) < settle {
		// The link that ended is most likely the one before. Were it this one, whoever
		// comes back asks again, and whoever does not is heard of once more.
		r.link.since = time.Time{}
		if r.loop != nil {
			r.loop.out.distrust()
		}
		ctx.Watch(r.session)
		return
	}
	r.sever(ctx)
}

// sever stands still: the session is out of reach.
func (r *Runner) sever(ctx actor.Context) {
	if r.link.cut {
		return
	}
	r.link.cut = true
	r.link.number++
	r.cfg.Metrics.cuts.Inc()
	r.cfg.Logger.Warn("the session is out of reach", "session", r.sessionID, "slot", r.cfg.Slot, "grace", r.cfg.LinkGrace)
	if r.loop != nil {
		r.loop.out.sever()
		if r.running {
			r.loop.sever()
		}
	}
	root, self, over := ctx.ActorSystem().Root, ctx.Self(), &graceOver{r.link.number}
	r.link.timer = time.AfterFunc(r.cfg.LinkGrace, func() { root.Send(self, over) })
}

// sever makes the loop stand still.
func (l *loop) sever() {
	if l.feed != nil {
		l.feed.sever()
	}
	l.inbox.setCut(true)
}

// graceOver frees the slot of a session that did not come back.
func (r *Runner) graceOver(ctx actor.Context, m *graceOver) {
	if !r.link.cut || m.number != r.link.number || r.session == nil {
		return
	}
	r.let(ctx, CodeLinkLost, fmt.Sprintf("the session was out of reach for %s", r.cfg.LinkGrace))
}

// attach takes a session's actor, as whom the runner works for from now on.
func (r *Runner) attach(ctx actor.Context, session *actor.PID) {
	if r.session != nil && !r.session.Equal(session) {
		ctx.Unwatch(r.session)
	}
	r.session = session
	r.link.end()
	ctx.Watch(session)
}

// reattach: the session is there again.
func (r *Runner) reattach(ctx actor.Context, m *messages.Reattach) {
	sender := ctx.Sender()
	if sender == nil {
		r.cfg.Metrics.stale.Inc()
		r.cfg.Logger.Warn("a Reattach without sender was dropped", "episode", m.GetEpisodeId())
		return
	}
	if r.loop == nil || r.releasing || r.loop.start.EpisodeId != m.GetEpisodeId() {
		r.cfg.Metrics.stale.Inc()
		if r.session != nil && r.session.Equal(sender) && r.link.cut && !r.running {
			r.attach(ctx, sender) // its Start was lost: the next one will arrive
		}
		ctx.Request(sender, (&fault{code: CodeUnknownEpisode, message: "the runner does not have this episode"}).failed(m.GetEpisodeId(), 0))
		return
	}
	if a := r.link.asked; !r.link.cut && a.GetEpisodeId() == m.GetEpisodeId() && m.GetReceived() <= a.GetReceived() &&
		r.session.Equal(sender) && time.Since(r.link.answered) < patience {
		r.cfg.Metrics.stale.Inc()
		return
	}
	r.cfg.Logger.Info("the session is there again", "session", r.sessionID, "slot", r.cfg.Slot, "received", m.GetReceived())
	r.attach(ctx, sender)
	r.link.since = time.Now()
	r.link.asked, r.link.answered = m, r.link.since
	r.loop.out.reattach(sendTo(ctx, sender), m.GetReceived())
	if r.running {
		r.loop.inbox.setCut(false)
	}
}

// shown gives credit for pictures.
func (r *Runner) shown(m *messages.Shown) {
	if r.loop == nil || r.loop.start.EpisodeId != m.GetEpisodeId() {
		r.cfg.Metrics.stale.Inc()
		return
	}
	r.loop.out.shown(m.GetStep())
}
