package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"sharpie/actors/frames"
	"sharpie/actors/messages"
	"sharpie/envs"
	"sharpie/experiments"
)

// loop runs one episode in one goroutine. It reports through send, to the
// session, and done, to its actor, and hears from both through its inbox.
type loop struct {
	cfg    *Config
	start  *messages.Start
	def    *experiments.Definition
	log    *slog.Logger
	inbox  *inbox
	out    *outbox
	window *window // of out
	feed   *feed   // what a resumed episode begins with; nil for one from its start
	done   func(*loop, *stage)

	ctx    context.Context
	cancel context.CancelFunc
	watch  *watchdog

	// orphan: the actor is gone, nobody takes the environment back.
	orphan atomic.Bool

	// pictureErr is why the pipeline failed.
	pictureErr atomic.Pointer[error]

	// What follows belongs to the loop's goroutine.
	stage *stage
	plan  *plan
	env   envs.Environment
	host  envs.Host // env, if it is one
	// liveRoles is how many roles have not ended.
	liveRoles int
	warned    int // warnings of the host that were reported
	seats     []seat
	encoder   *frames.Encoder
	// pipeline encodes instead, once a picture took long; late is the picture of
	// this step for it.
	pipeline *frames.Pipeline
	late     envs.Frame
	hash     hasher
	taken    taken
	actions  []envs.RoleAction
	exchange hostTurn
	step     uint64
	over     bool
	end      *messages.EpisodeEnded

	timer    *time.Timer
	clock    clock
	began    time.Time // step 0 was complete
	stepped  time.Time // the last step was complete
	deadline time.Time // of the episode; zero: none
	lateness time.Duration
	waiting  waiting
}

// newLoop prepares an episode; run runs it. kept is the stage of the session's
// last episode, nil for none; it belongs to the loop from now on.
func newLoop(cfg *Config, start *messages.Start, def *experiments.Definition, kept *stage, send func(any), done func(*loop, *stage)) *loop {
	l := &loop{
		cfg: cfg, start: start, def: def, stage: kept, done: done,
		inbox: newInbox(), out: newOutbox(cfg, start, send),
		log: cfg.Logger.With("session", start.SessionId, "episode", start.EpisodeId),
	}
	l.window = l.out.window
	if start.ResumeThrough != nil {
		l.feed = newFeed(start.GetResumeThrough())
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// run runs the episode to its end, and reports it.
func (l *loop) run() {
	defer l.cancel()
	x := l.def.Experiment
	l.watch = newWatchdog(limit(x.LoadTimeout, 120*time.Second), limit(x.ResetTimeout, 30*time.Second),
		limit(x.StepTimeout, 5*time.Second), limit(x.UpdateTimeout, 300*time.Second), l.roleName, l.abandon)
	if foreign(l.def) {
		l.watch.grace.Store(int64(hostGrace))
	}
	defer l.watch.stop()
	l.timer = time.NewTimer(time.Hour)
	defer l.timer.Stop()

	err := l.protect(l.episode)
	l.watch.stop()
	if l.pipeline != nil {
		l.pipeline.Close()
	}
	kept := false
	if err == nil {
		l.end.Log, l.end.Warnings = l.output(), l.news()
		kept = l.finish(l.end, l.keepable())
	} else {
		f := new(fault)
		if !errors.As(err, &f) {
			f = &fault{code: CodeRunnerError, message: err.Error()}
		}
		if f.log == "" {
			f.log = l.output()
		}
		l.finish(f, nil)
	}
	late := time.AfterFunc(closeTimeout, func() { l.log.Warn("an episode's environment and agents take too long to close") })
	defer late.Stop()
	l.closeAgents()
	if !kept && l.stage != nil {
		l.closeEnv(l.stage.env)
	}
}

// keepable is the stage if another episode can be played on it.
func (l *loop) keepable() *stage {
	if l.host != nil && !l.host.Reusable() {
		return nil
	}
	return l.stage
}

// limit is a deadline of the experiment, or another where it sets none.
func limit(d experiments.Duration, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return time.Duration(d)
}

// protect runs f; a panic becomes the fault of the phase in which it happened.
func (l *loop) protect(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			p, role := l.watch.phase()
			code := p.code()
			if p == phaseLoad && role != "" {
				code = CodePolicyError
			}
			err = &fault{code: code, phase: p, role: role, message: fmt.Sprintf("panic: %v", r), trace: trace()}
		}
	}()
	return f()
}

func trace() string {
	s := debug.Stack()
	return string(s[:min(len(s), maxTrace)])
}

// episode is the whole of an episode but for its last message.
func (l *loop) episode() error {
	l.watch.enter(phaseLoad, -1)
	if err := l.load(); err != nil {
		return err
	}
	begin := l.reset
	if l.feed != nil {
		begin = l.resume
	}
	if err := begin(); err != nil {
		return err
	}
	if l.began.IsZero() && l.stopped() { // before there was anything to end
		l.end.EpisodeId, l.end.LastStep = l.start.EpisodeId, l.start.GetResumeThrough()
		return nil
	}
	for !l.over {
		more, err := l.await()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if err := l.take(); err != nil {
			return err
		}
	}
	return l.close()
}

// reset begins the episode and reports step 0.
func (l *loop) reset() error {
	observations, err := l.first()
	if err != nil {
		return err
	}
	picture, err := l.firstPicture()
	if err != nil {
		return err
	}
	l.setClock(0)
	record, size := l.firstRecord(observations)
	l.reportStarted(record, size, picture)
	return nil
}

// first resets the environment and takes the first observations in.
func (l *loop) first() (envs.Observations, error) {
	l.watch.enter(phaseReset, -1)
	observations, err := l.env.Reset(l.ctx, l.start.Seed)
	if err != nil {
		return nil, l.fail(phaseReset, -1, err)
	}
	return observations, l.seeFirst(observations)
}

// firstPicture draws the state that the episode is played from.
func (l *loop) firstPicture() (*messages.Picture, error) {
	l.encoder = frames.NewEncoder()
	l.watch.enter(phaseRender, -1)
	frame, err := l.draw()
	if err != nil {
		return nil, err
	}
	picture, err := l.encode(frame)
	l.watch.idle()
	return picture, err
}

// setClock begins to count time, in an episode that has lasted for a while already.
func (l *loop) setClock(lasted time.Duration) {
	l.stepped = time.Now()
	l.began = l.stepped.Add(-lasted)
	if t := time.Duration(l.plan.def.Experiment.EpisodeTimeout); t > 0 {
		l.deadline = l.began.Add(t)
	}
	l.clock = clock{base: l.stepped, tick: 1, fps: l.plan.def.Experiment.TargetFPS}
}

// seeFirst takes the first observations in.
func (l *loop) seeFirst(observations envs.Observations) error {
	for i := range observations {
		s, err := l.seatOf(observations[i].Role)
		if err != nil {
			return l.fail(phaseReset, -1, err)
		}
		s.live, s.waits, s.obs, s.mask = true, observations[i].Waits, observations[i].Observation, observations[i].ActionMask
	}
	l.liveRoles = len(observations)
	l.refresh()
	if len(observations) == 0 {
		return l.fail(phaseReset, -1, errors.New("reset returned no observation"))
	}
	if !slices.ContainsFunc(l.seats, func(s seat) bool { return s.takesTurn() }) {
		return l.fail(phaseReset, -1, errNobodysTurn)
	}
	return nil
}

// seatOf finds the seat of an environment's role.
func (l *loop) seatOf(role envs.Role) (*seat, error) {
	for i := range l.plan.spec.Roles {
		if l.plan.spec.Roles[i].Role == role {
			return &l.seats[l.plan.byRole[i]], nil
		}
	}
	return nil, fmt.Errorf("unknown role %q", role)
}

// close ends the episode: feedback on the last transition, last updates,
// checkpoints.
func (l *loop) close() error {
	if l.end == nil {
		l.end = &messages.EpisodeEnded{How: messages.EpisodeEnded_TERMINATED}
	}
	l.end.EpisodeId, l.end.LastStep = l.start.EpisodeId, l.step
	l.awaitFeedback()
	if err := l.lastPicture(); err != nil {
		return err
	}
	l.lastFeedback()
	if err := l.lastUpdates(); err != nil {
		return err
	}
	return l.checkpoint()
}

// fail is the fault of an error in a phase.
func (l *loop) fail(p phase, role int, err error) error {
	f := faultOf(p, l.roleName(role), err)
	h := new(envs.Fault)
	if errors.As(err, &h) && h.Role != "" {
		f.role = l.agentOf(h.Role)
	}
	return f
}

// agentOf is the definition's name of an environment's role, or the role's own.
func (l *loop) agentOf(role envs.Role) string {
	if l.plan != nil {
		for i := range l.plan.roles {
			if l.plan.roles[i].spec.Role == role {
				return string(l.plan.roles[i].agent.Role)
			}
		}
	}
	return string(role)
}

// roleName is a role's name in the definition; empty for -1.
func (l *loop) roleName(i int) string {
	if i < 0 || i >= len(l.def.Agents) {
		return ""
	}
	return string(l.def.Agents[i].Role)
}
