package actors

import (
	"context"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
	"sharpie/persistence"
)

// This file is an episode whose runner is lost: another one goes on with it. It
// replays the recorded actions from the seed, checks every hash, and takes the next
// step. Where that is not possible, the episode is begun again.

// takeover is an episode on its way from one runner to another.
type takeover struct {
	why    string
	from   string // id of the lost runner
	since  time.Time
	told   bool // the new runner has its Start
	cancel context.CancelFunc
}

// How long each part of a takeover may take on the server's side.
const (
	replayRead = 60 * time.Second
	replayPace = 4 * time.Millisecond // between two messages of 512 KiB: 128 MB/s
)

// resumable says why an episode cannot be taken over; "" where it can.
func (s *session) resumable() string {
	e := s.episode
	switch {
	case s.def.Experiment.OnRunnerLoss != "resume":
		return "on_runner_loss is " + s.def.Experiment.OnRunnerLoss
	case !e.started || e.start != nil:
		return "it had not begun"
	case !e.doc.Replayable:
		return "the environment cannot be replayed"
	case s.lostBooks:
		return "its steps are not recorded any more"
	case e.stopped:
		return "its time is over"
	}
	return ""
}

// awaitRunner keeps the episode until the Queue has another runner.
func (s *session) awaitRunner(ctx actor.Context, why string) {
	e := s.episode
	if e.resume != nil && e.resume.cancel != nil {
		e.resume.cancel()
	}
	e.resume = &takeover{why: why, from: s.runnerID, since: time.Now()}
	e.waiting, e.until = nil, time.Time{}
	s.apply(ctx, evRunnerLost)
	if s.machine.phase != phasePaused {
		s.notice = noticeResume
	}
	s.tellPhase()
}

// resume: there is another runner. First everything that arrived must be stored.
func (s *session) resume(ctx actor.Context) {
	s.notice = noticeResume
	s.tellPhase()
	ctx.Send(s.recorder, &settle{episode: s.episode.doc.ID})
	s.settling.set(ctx, s.cast.cfg.Limits.FlushWait)
}

// settled: it is. The steps follow the Start to the runner, part by part.
func (s *session) settled(ctx actor.Context, m *settled) {
	e := s.episode
	if e == nil || e.over || e.resume == nil || e.resume.told || s.runner == nil || m.episode != e.doc.ID || s.settling.at.IsZero() {
		s.cast.metrics.stale.WithLabelValues("settled").Inc()
		return
	}
	s.settling.clear()
	t := e.resume
	t.told = true
	through := e.step
	start := s.startMessage(ctx, e)
	start.ResumeThrough, start.ResumeOffsetUs = &through, e.offset
	s.giveStart(ctx, start)
	var limit context.Context
	limit, t.cancel = context.WithTimeout(context.Background(), replayRead)
	store, id, root, self := s.cast.cfg.Store, e.doc.ID, s.cast.root, ctx.Self()
	go func() {
		err := readReplay(limit, store, id, int64(through), func(part *messages.Replay) {
			root.Send(self, &stepsRead{takeover: t, part: part})
		})
		if err != nil && limit.Err() != context.Canceled {
			root.Send(self, &stepsRead{takeover: t, err: err})
		}
	}()
}

// stepsRead passes recorded steps on to the runner.
func (s *session) stepsRead(ctx actor.Context, m *stepsRead) {
	e := s.episode
	switch {
	case e == nil || e.over || e.resume != m.takeover || s.runner == nil:
		s.cast.metrics.stale.WithLabelValues("stepsRead").Inc()
	case m.err != nil:
		s.restartElsewhere(ctx, "the recorded steps could not be read: "+m.err.Error())
	default:
		ctx.Request(s.runner, m.part)
	}
}

// settledLate: the store did not take everything in time.
func (s *session) settledLate(ctx actor.Context) {
	if s.episode != nil && s.episode.resume != nil && s.runner != nil {
		s.restartElsewhere(ctx, "the store was away")
	}
}

// resumed: the new runner has replayed the episode, and goes on.
func (s *session) resumed(ctx actor.Context, m *messages.Started) {
	e := s.episode
	t := e.resume
	if !m.GetResumed() || m.GetStep().GetRecord().GetStep() != e.step {
		s.fault("runner", fmt.Sprintf("a runner was to go on after step %d, and began with %d", e.step, m.GetStep().GetRecord().GetStep()))
		s.restartElsewhere(ctx, "the runner did not go on where it should")
		return
	}
	t.cancel()
	e.resume = nil
	now := time.Now().UTC()
	e.doc.Runs = append(e.doc.Runs[:len(e.doc.Runs):len(e.doc.Runs)], persistence.Run{
		Runner: persistence.RunnerID(s.runnerID), Incarnation: m.GetIncarnation(), FromStep: int64(e.step), At: now, Why: t.why})
	versions := make([]string, len(e.doc.Roles))
	for i, r := range m.GetRoles() {
		if i < len(versions) {
			versions[i] = r.GetPolicyVersion()
		}
	}
	ctx.Send(s.recorder, &takenOver{versions: versions})
	ctx.Send(s.recorder, &putEpisode{e.snapshot()})
	s.handedOver("resumed", persistence.Document{"from": t.from, "why": t.why, "took_us": now.Sub(t.since).Microseconds(), "code_version": m.GetCodeVersion()})
	s.width, s.height = m.GetWidth(), m.GetHeight()
	s.tellSeats(ctx, true)
	if s.machine.phase != phasePaused {
		s.notice = ""
	}
	s.tellPhase()
	s.picture = nil
	s.fanOut(ctx, m.GetStep(), now)
}

// notResumed: the new runner could not replay the episode. It begins it again.
func (s *session) notResumed(ctx actor.Context, m *messages.Failed) {
	why := fmt.Sprintf("%s: %s", m.GetCode(), m.GetMessage())
	s.event("not_resumed", "", "", persistence.Document{"code": m.GetCode(), "message": m.GetMessage(), "step": int64(m.GetLastStep())})
	if !s.abandonEpisode(ctx, why) {
		return
	}
	s.startEpisode(ctx)
	s.restartNotice()
}

// abandonEpisode ends an attempt that cannot go on, and reports whether there may be
// another one.
func (s *session) abandonEpisode(ctx actor.Context, why string) bool {
	if t := s.episode.resume; t != nil && t.cancel != nil {
		t.cancel()
	}
	s.episode.resume = nil
	s.settling.clear()
	s.handedOver("restarted", persistence.Document{"why": why, "attempt": int64(s.episode.doc.Attempt + 1)})
	s.closeEpisode(ctx, "aborted", with(reasonRunnerLost, why))
	if s.episode.doc.Attempt+1 >= maxAttempts {
		s.abort(ctx, reasonRunnerLost, why)
		return false
	}
	return true
}

// restartElsewhere gives the runner back, and begins the episode again on another.
func (s *session) restartElsewhere(ctx actor.Context, why string) {
	s.release(ctx)
	if !s.abandonEpisode(ctx, why) {
		return
	}
	s.apply(ctx, evRunnerLost)
	s.restartNotice()
}

// restartNotice tells participants that the round starts again.
func (s *session) restartNotice() {
	if s.machine.phase != phasePaused {
		s.notice = noticeRestart
	}
	s.tellPhase()
}

// readReplay reads the steps of an episode, 0 to through, and gives them on in parts.
func readReplay(ctx context.Context, store persistence.Store, id persistence.EpisodeID, through int64, give func(*messages.Replay)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicError{p}
		}
	}()
	p := &replayParts{episode: id, give: give}
	for c, err := range store.StepChunks(ctx, id) {
		if err != nil {
			return fmt.Errorf("read steps of %s: %w", id, err)
		}
		for i := range c.Count {
			step := c.First + int64(i)
			switch {
			case step > through:
				return fmt.Errorf("read steps of %s: step %d is stored, and %d was the last one", id, step, through)
			case step != p.next:
				return fmt.Errorf("read steps of %s: step %d is not stored", id, p.next)
			}
			r, err := replayStep(c, i)
			if err != nil {
				return fmt.Errorf("read step %d of %s: %w", step, id, err)
			}
			if err := p.add(ctx, r, step == through); err != nil {
				return err
			}
		}
	}
	if p.next != through+1 {
		return fmt.Errorf("read steps of %s: %d are stored, up to %d are needed", id, p.next, through)
	}
	return nil
}
