package runner

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
	"sharpie/experiments"
)

// Props are the props of a Runner actor, one per slot. The actor stops on a panic
// of its own, whoever its parent is.
func Props(cfg Config) *actor.Props {
	cfg = cfg.withDefaults()
	return actor.PropsFromProducer(func() actor.Actor { return &Runner{cfg: &cfg} })
}

// Runner is the actor of one slot: it belongs to the Queue while it is free, and
// to one session from that session's first Start to its Release or its end.
type Runner struct {
	cfg *Config

	session   *actor.PID
	sessionID string
	formerID  string // of the session that held the slot last
	closing   bool   // what that one used; the offer follows
	loop      *loop  // the episode that runs, or ran last
	running   bool
	kept      *stage // between two episodes of a session
	releasing bool   // offer once the loop has ended
	link      link

	// The definition read last: sessions start many episodes of one.
	definition []byte
	parsed     *experiments.Definition
}

// What a loop and a closer tell their actor.
type (
	loopEnded struct {
		loop *loop
		kept *stage
	}
	stageClosed struct{}
)

// closeTimeout is how long a slot waits for an environment to close before it
// offers itself anyway.
const closeTimeout = 10 * time.Second

// Receive handles one message.
func (r *Runner) Receive(ctx actor.Context) {
	defer r.stopOnPanic(ctx)
	switch m := ctx.Message().(type) {
	case *actor.Started:
		r.offer(ctx)
	case *actor.Stopping:
		r.stop()
	case *actor.Stopped, *actor.Restarting:
	case *actor.Terminated:
		r.terminated(ctx, m)
	case *messages.Start:
		r.start(ctx, m)
	case *messages.Replay:
		r.toLoop(m.GetEpisodeId(), func(l *loop) { l.replay(m) })
	case *messages.Reattach:
		r.reattach(ctx, m)
	case *messages.Shown:
		r.shown(m)
	case *messages.Inputs:
		r.inputs(m)
	case *messages.Ack:
		r.ack(m)
	case *messages.Pause:
		r.toLoop(m.GetEpisodeId(), func(l *loop) { l.inbox.setPaused(true) })
	case *messages.Resume:
		r.toLoop(m.GetEpisodeId(), func(l *loop) { l.inbox.setPaused(false) })
	case *messages.SetSeat:
		r.toLoop(m.GetEpisodeId(), func(l *loop) { l.inbox.putSeat(m) })
	case *messages.Stop:
		r.toLoop(m.GetEpisodeId(), func(l *loop) { l.inbox.putStop(m) })
	case *messages.Release:
		r.release(ctx, m)
	case *graceOver:
		r.graceOver(ctx, m)
	case *loopEnded:
		r.loopEnded(ctx, m)
	case *stageClosed:
		r.closing = false
		r.offer(ctx)
	default:
		r.cfg.Metrics.stale.Inc()
		r.cfg.Logger.Warn("a runner got a message that is not for it", "type", fmt.Sprintf("%T", m))
	}
}

// stopOnPanic keeps the library from restarting the actor empty.
func (r *Runner) stopOnPanic(ctx actor.Context) {
	p := recover()
	if p == nil {
		return
	}
	r.cfg.Logger.Error("a runner stops after a panic", "slot", r.cfg.Slot, "session", r.sessionID, "panic", p, "trace", string(debug.Stack()))
	if r.running {
		r.loop.inbox.putStop(&messages.Stop{EpisodeId: r.loop.start.EpisodeId, Code: CodeRunnerError, Detail: fmt.Sprintf("panic: %v", p)})
	}
	ctx.Stop(ctx.Self()) // whoever watches the runner hears of it
}

// offer tells the Queue that the slot is free.
func (r *Runner) offer(ctx actor.Context) {
	if r.cfg.Queue == nil {
		return
	}
	m := &messages.Offer{RunnerId: r.cfg.RunnerID, Incarnation: r.cfg.Incarnation, Labels: r.cfg.Labels, Slot: r.cfg.Slot, FormerSession: r.formerID}
	if r.cfg.Readiness != nil {
		m.Readiness = r.cfg.Readiness()
	}
	ctx.Request(r.cfg.Queue, m)
}

// start begins an episode, or tells the sender why not.
func (r *Runner) start(ctx actor.Context, m *messages.Start) {
	sender := ctx.Sender()
	if sender == nil {
		r.cfg.Metrics.stale.Inc()
		r.cfg.Logger.Warn("a Start without sender was dropped", "session", m.GetSessionId())
		return
	}
	refuse := func(f *fault) {
		r.cfg.Metrics.failures.WithLabelValues(f.code).Inc()
		r.cfg.Logger.Warn("a Start was refused", "session", m.GetSessionId(), "episode", m.GetEpisodeId(), "error", f.message)
		ctx.Request(sender, f.failed(m.GetEpisodeId(), 0))
	}
	if err := validate(m); err != nil {
		refuse(badExperiment(err))
		return
	}
	if r.session != nil && (r.sessionID != m.GetSessionId() || !(r.session.Equal(sender) || r.link.cut)) {
		refuse(&fault{code: CodeBusy, phase: phaseLoad, message: "the slot belongs to session " + r.sessionID})
		return
	}
	if r.running || r.releasing {
		if old := r.loop.start; old.EpisodeId == m.GetEpisodeId() && old.Attempt == m.GetAttempt() && (old.ResumeThrough == nil) == (m.ResumeThrough == nil) {
			r.cfg.Metrics.stale.Inc() // told twice
			return
		}
		refuse(&fault{code: CodeBusy, phase: phaseLoad, message: "episode " + r.loop.start.EpisodeId + " is still running"})
		return
	}
	if r.session == nil || r.link.cut {
		if r.link.cut {
			r.link.since = time.Now()
		}
		r.sessionID = m.GetSessionId()
		r.attach(ctx, sender)
	}
	def, err := r.parse(m.GetDefinition())
	if err != nil {
		f := badExperiment(fieldError("definition", "%v", err))
		f.elsewhere = true // the server could read it: this program is of another version
		refuse(f)
		return
	}
	r.begin(ctx, m, def)
}

// parse reads a definition, unless it is the one read last.
func (r *Runner) parse(definition []byte) (*experiments.Definition, error) {
	if r.parsed != nil && bytes.Equal(definition, r.definition) {
		return r.parsed, nil
	}
	def, err := experiments.FromCanonical(definition)
	if err != nil {
		return nil, err
	}
	r.definition, r.parsed = definition, def
	return def, nil
}

// begin starts the loop of an episode.
func (r *Runner) begin(ctx actor.Context, m *messages.Start, def *experiments.Definition) {
	if r.loop != nil {
		r.loop.out.drop()
	}
	root, self := ctx.ActorSystem().Root, ctx.Self()
	done := func(l *loop, kept *stage) { root.Send(self, &loopEnded{loop: l, kept: kept}) }
	r.loop = newLoop(r.cfg, m, def, r.kept, sendTo(ctx, r.session), done)
	r.running, r.kept = true, nil
	go r.loop.run()
}

// sendTo is how a loop tells a session. To another process everything goes with its
// sender, so that the session knows a runner that has lost the episode to another.
func sendTo(ctx actor.Context, session *actor.PID) func(any) {
	root, self := ctx.ActorSystem().Root, ctx.Self()
	if session.GetAddress() != ctx.ActorSystem().Address() {
		return func(m any) { root.RequestWithCustomSender(session, m, self) }
	}
	return func(m any) {
		switch m.(type) {
		case *messages.Stepped, *messages.Pictured, *messages.Waiting:
			root.Send(session, m)
		default:
			root.RequestWithCustomSender(session, m, self)
		}
	}
}

// toLoop hands something to the loop of the episode, or counts it as stale.
func (r *Runner) toLoop(episode string, f func(*loop)) {
	if r.loop == nil || !r.running || r.loop.start.EpisodeId != episode {
		r.cfg.Metrics.stale.Inc()
		return
	}
	f(r.loop)
}

func (r *Runner) inputs(m *messages.Inputs) {
	r.toLoop(m.GetEpisodeId(), func(l *loop) {
		if n := l.inbox.putInputs(m.GetInputs()); n > 0 {
			r.cfg.Metrics.droppedInput.Add(float64(n))
		}
	})
}

// ack forgets stored records, also of an episode that has just ended.
func (r *Runner) ack(m *messages.Ack) {
	if r.loop == nil || r.loop.start.EpisodeId != m.GetEpisodeId() {
		r.cfg.Metrics.stale.Inc()
		return
	}
	full := r.loop.window.full()
	r.loop.out.ack(m.GetThrough())
	if full {
		r.loop.inbox.ring()
	}
}

// loopEnded takes the environment back.
func (r *Runner) loopEnded(ctx actor.Context, m *loopEnded) {
	if m.loop != r.loop {
		r.closeStage(ctx, m.kept, false)
		return
	}
	r.running, r.kept = false, m.kept
	if r.releasing {
		r.free(ctx)
	}
}

// release ends the session's hold. For a session that was given this slot and died
// before its first Start, the Queue asks: nothing is held, so the slot is offered.
func (r *Runner) release(ctx actor.Context, m *messages.Release) {
	switch {
	case r.session == nil && !r.closing: // also where the offer was lost
		r.formerID = m.GetSessionId()
		r.offer(ctx)
		return
	case r.session == nil || m.GetSessionId() != r.sessionID:
		r.cfg.Metrics.stale.Inc() // the slot was offered already, or is somebody else's
		return
	}
	r.let(ctx, "released", "the session released the runner")
}

// let stops what runs and frees the slot.
func (r *Runner) let(ctx actor.Context, code, detail string) {
	if r.releasing {
		return
	}
	r.releasing = true
	if r.running {
		r.loop.inbox.putStop(&messages.Stop{EpisodeId: r.loop.start.EpisodeId, Code: code, Detail: detail})
		return
	}
	r.free(ctx)
}

// free closes what the session used and offers the slot again.
func (r *Runner) free(ctx actor.Context) {
	ctx.Unwatch(r.session)
	if r.loop != nil {
		r.loop.out.drop()
	}
	r.link.end()
	r.link.since, r.link.asked = time.Time{}, nil
	kept := r.kept
	r.formerID = r.sessionID
	r.session, r.sessionID, r.loop, r.kept, r.releasing = nil, "", nil, nil, false
	r.closing = kept != nil
	r.closeStage(ctx, kept, true)
}

// closeStage closes an environment beside the actor; with offer, the slot is
// offered once that is done, or has taken too long.
func (r *Runner) closeStage(ctx actor.Context, s *stage, offer bool) {
	if s == nil {
		if offer {
			r.offer(ctx)
		}
		return
	}
	root, self, log := ctx.ActorSystem().Root, ctx.Self(), r.cfg.Logger
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		defer func() {
			if p := recover(); p != nil {
				log.Warn("an environment did not close", "panic", p)
			}
		}()
		if err := s.env.Close(); err != nil {
			log.Warn("an environment did not close", "error", err)
		}
	}()
	if !offer {
		return
	}
	go func() {
		timer := time.NewTimer(closeTimeout)
		defer timer.Stop()
		select {
		case <-closed:
		case <-timer.C:
			log.Warn("an environment takes too long to close; the slot goes on without it")
		}
		root.Send(self, &stageClosed{})
	}()
}

// stop ends everything: the actor is going.
func (r *Runner) stop() {
	r.link.end()
	if r.running {
		r.loop.orphan.Store(true)
		r.loop.inbox.putStop(&messages.Stop{EpisodeId: r.loop.start.EpisodeId, Code: CodeRunnerStopped, Detail: "the runner was stopped"})
		return // the loop ends by itself, and closes its environment
	}
	if r.kept != nil {
		kept := r.kept
		r.kept = nil
		go func() {
			defer func() { _ = recover() }()
			_ = kept.env.Close()
		}()
	}
}
