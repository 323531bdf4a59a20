package actors

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
	"sharpie/experiments"
	"sharpie/persistence"
)

// session is one group's run through an experiment, and the one owner of it: its
// phase, its seats, the order of things, and the runner that it holds. What it
// does in which phase is in phase.go; the other session_*.go files are its parts:
// seats, phases, episodes, pictures, books and view.
type session struct {
	cast       *cast
	log        *slog.Logger
	id         persistence.SessionID
	link       string
	version    int
	room       string
	bundle     string
	def        *experiments.Definition
	canonical  []byte
	singleSeat bool

	machine  machine
	since    time.Time // of the phase
	deadline time.Time // of the phase; zero: none
	reason   persistence.Reason
	notice   string        // a sentence beside the phase, for participants
	phaseEnd alarm         // the phase's deadline
	playTime time.Duration // of the episode, when a pause stopped its clock
	patience alarm         // waits of an ending session: for the runner, for the store
	seatNews alarm         // seats changed, and nobody was told yet
	grace    alarm         // of a runner that cannot be reached
	knocking alarm         // such a runner is asked for again
	settling alarm         // the store has to take everything before another runner goes on

	seats    []*seat // in the order of Definition.agents
	opened   time.Time
	started  *time.Time
	ended    *time.Time
	lobbyEnd time.Time

	recorder  *actor.PID
	runner    *actor.PID // held from the first episode to the last
	runnerID  string
	slot      uint32
	readiness uint64    // readiness of its machine when it was assigned
	avoid     []unfit   // machines that said that they cannot run this
	sought    time.Time // since when a machine is sought that can run this; zero: none refused it
	leaves    bool      // its node takes nothing new: the next episode is for another one
	outage    *outage   // nil: the runner can be reached
	relief    bool      // another runner is there, and this one is being given up
	problem   string    // for the researcher; "": none
	used      bool      // the runner was given an episode
	wish      uint64    // number of the last Enqueue
	begun     int       // episodes begun, attempts not counted
	episode   *episode
	picture   []byte // the last Frame, encoded; nil before the first
	width     uint32
	height    uint32
	states    map[string]carried // by role: for the next episode

	restored  *restored // what a former run of this node left; nil: nothing
	unstored  int
	lostBooks bool // the first recorder is no more, and nothing but the end is written
	finishing bool // the books are being closed
	goodbyes  bool // participants were told
	closed    bool // everything is stored
	stopped   bool
}

// newSession prepares a session for its first Join.
func newSession(c *cast, id persistence.SessionID, r JoinRequest, canonical []byte) *session {
	s := &session{
		cast: c, id: id, link: r.Experiment, version: r.Version, room: r.Room, bundle: r.BundleHash,
		def: r.Definition, canonical: canonical,
		log:      c.log.With("session", string(id), "experiment", r.Experiment),
		machine:  machine{phase: phaseWaiting},
		states:   map[string]carried{},
		phaseEnd: alarm{name: "phase"}, patience: alarm{name: "patience"}, seatNews: alarm{name: "seats"},
		grace: alarm{name: "grace"}, knocking: alarm{name: "knocking"}, settling: alarm{name: "settling"},
	}
	for i := range r.Definition.Agents {
		if a := &r.Definition.Agents[i]; a.Participant {
			s.seats = append(s.seats, &seat{index: i, agent: a, rules: rulesOf(a, c.cfg.Limits)})
		}
	}
	s.singleSeat = len(s.seats) == 1
	return s
}

// Receive is the session's one door.
func (s *session) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		s.open(ctx)
	case *actor.Stopping:
		s.stopping(ctx)
	case *actor.Stopped, *actor.Restarting:
	case *actor.Terminated:
		s.terminated(ctx, m)
	case *rang:
		s.rang(ctx, m)
	default:
		if !s.fromPeople(ctx) && !s.fromRunner(ctx) && !s.fromRecorder(ctx) {
			s.cast.unknown(ctx, s.log)
		}
	}
}

// fromPeople takes what participants, Lobby, Queue and Admin say.
func (s *session) fromPeople(ctx actor.Context) bool {
	switch m := ctx.Message().(type) {
	case *seatInput:
		s.input(ctx, m)
	case *take:
		s.take(ctx, m)
	case *attach:
		s.attach(ctx, m)
	case *attached:
		s.attached(ctx, m)
	case *abandon:
		s.abandoned(m)
	case *away:
		s.away(ctx, m)
	case *gone:
		s.gone(ctx, m)
	case *leave:
		s.leave(ctx, m)
	case *seatReady:
		s.ready(ctx, m)
	case *seatRTT:
		if st := s.seatOf(m.participant); st != nil {
			st.rtt = m.rtt
		}
	case *look:
		ctx.Respond(s.view())
	case *abort:
		s.abortBy(ctx, m)
	case *wrapUp:
		if s.machine.phase.seating() || s.machine.phase == phaseQueued {
			s.abort(ctx, reasonStopping, "the server stopped before the first episode")
		}
	case *giveUp:
		ctx.Poison(s.recorder) // its end is this session's
	case *assigned:
		s.assigned(ctx, m)
	case *unsatisfiable:
		s.unsatisfiable(ctx, m)
	case *satisfiable:
		s.satisfiable(m)
	case *noneFree:
		s.noneFree(ctx, m)
	case *runnerLeaving:
		s.leaves = s.leaves || s.runner != nil && s.runner.Equal(m.runner)
	case *runnerGone:
		if s.runner != nil && s.runner.Equal(m.runner) {
			s.runnerLost(ctx, m.why)
		}
	case *cutOff:
		if s.runner != nil && s.runner.Equal(m.runner) {
			s.unreachable(ctx, "the connection to its node was lost")
		}
	default:
		return false
	}
	return true
}

// fromRunner takes what the runner says, of the episode that runs.
func (s *session) fromRunner(ctx actor.Context) bool {
	switch m := ctx.Message().(type) {
	case *messages.Stepped:
		if s.current(ctx, m.GetEpisodeId(), "Stepped") {
			s.stepped(ctx, m)
		}
	case *messages.Pictured:
		if s.current(ctx, m.GetEpisodeId(), "Pictured") {
			s.heard(ctx)
			s.pictured(ctx, m)
		}
	case *messages.Waiting:
		if s.current(ctx, m.GetEpisodeId(), "Waiting") {
			s.heard(ctx)
			s.waitingFor(m)
		}
	case *messages.Started:
		if s.current(ctx, m.GetEpisodeId(), "Started") {
			s.episodeStarted(ctx, m)
		}
	case *messages.EpisodeEnded:
		if s.current(ctx, m.GetEpisodeId(), "EpisodeEnded") {
			s.episodeEnded(ctx, m)
		}
	case *messages.Failed:
		if s.current(ctx, m.GetEpisodeId(), "Failed") {
			s.episodeFailed(ctx, m)
		}
	case *messages.Checkpoint:
		if s.current(ctx, m.GetEpisodeId(), "Checkpoint") {
			s.checkpoint(ctx, m)
		}
	default:
		return false
	}
	return true
}

// fromRecorder takes what the recorder and the store say.
func (s *session) fromRecorder(ctx actor.Context) bool {
	switch m := ctx.Message().(type) {
	case *stored:
		s.stored(ctx, m)
	case *statesRead:
		s.statesRead(ctx, m)
	case *settled:
		s.settled(ctx, m)
	case *stepsRead:
		s.stepsRead(ctx, m)
	case *booksClosed:
		s.closed = true
		s.goodbye(ctx)
		s.stop(ctx)
	case *unstorable:
		s.fault("store", fmt.Sprintf("%s: %v", m.what, m.err))
		s.abort(ctx, reasonRefused, fmt.Sprintf("the store refused %s: %v", m.what, m.err))
	case *overflowed:
		s.abort(ctx, reasonStoreAway, fmt.Sprintf("%d steps were not stored", m.steps))
	default:
		return false
	}
	return true
}

// current reports whether a runner's message is about the episode that runs, and of
// the runner that has it: another one may have taken it over.
func (s *session) current(ctx actor.Context, id, kind string) bool {
	from := ctx.Sender()
	if s.episode != nil && !s.episode.over && id == string(s.episode.doc.ID) && s.runner != nil && (from == nil || from.Equal(s.runner)) {
		return true
	}
	s.cast.metrics.stale.WithLabelValues(kind).Inc()
	return false
}

// open begins the session's life.
func (s *session) open(ctx actor.Context) {
	if s.restored != nil {
		s.reopen(ctx)
		return
	}
	s.opened = time.Now().UTC()
	s.lobbyEnd = s.opened.Add(time.Duration(s.def.Experiment.LobbyTimeout))
	s.recorder = ctx.Spawn(recorderProps(s.cast, s.log, s.id))
	s.entered(ctx, "")
}

// terminated: somebody that this session depends on is no more.
func (s *session) terminated(ctx actor.Context, m *actor.Terminated) {
	who := m.Who
	switch {
	case s.stopped: // the children go with the session
	case who.Equal(s.recorder) && s.machine.phase.final():
		s.closed = true // it was given up
		s.goodbye(ctx)
		s.stop(ctx)
	case who.Equal(s.recorder): // another one closes the books
		s.recorder, s.lostBooks = ctx.Spawn(recorderProps(s.cast, s.log, s.id)), true
		s.fault("recorder", "the recorder actor stopped")
		s.abort(ctx, reasonInternal, "the recorder stopped because of a fault")
	case s.runner != nil && who.Equal(s.runner) && m.Why == actor.TerminatedReason_AddressTerminated:
		ctx.Send(ctx.Self(), &cutOff{runner: who}) // behind what it said before
	case s.runner != nil && who.Equal(s.runner):
		s.runnerLost(ctx, "the runner stopped")
	default:
		s.participantLost(ctx, who)
	}
}

// stop ends the actor; a second call does nothing.
func (s *session) stop(ctx actor.Context) {
	if s.stopped {
		return
	}
	s.stopped = true
	ctx.Stop(ctx.Self())
}

// stopping is the last chance. After a fault the state is intact: it is told to
// everybody, and the recorder gets to store what it has.
func (s *session) stopping(ctx actor.Context) {
	if !s.stopped {
		s.stopped = true
		s.log.Error("session stopped because of a fault", "phase", string(s.machine.phase), "stack", string(debug.Stack()))
		s.cast.metrics.faults.WithLabelValues("session").Inc()
		if !s.machine.phase.final() {
			s.abort(ctx, reasonInternal, "the session stopped because of a fault")
		}
		s.closeEpisode(ctx, "aborted", s.reason) // there is no waiting for the runner
		s.finishBooks(ctx)
	}
	s.phaseEnd.clear()
	s.patience.clear()
	s.seatNews.clear()
	s.endOutage(ctx)
	s.settling.clear()
	if s.episode != nil && s.episode.resume != nil && s.episode.resume.cancel != nil {
		s.episode.resume.cancel()
	}
	s.goodbye(ctx)
	if s.runner != nil {
		s.release(ctx)
	}
	if !s.closed && s.recorder != nil {
		// Children are stopped next, and Stop drops what is queued: let the recorder
		// come to its end first. It never waits for this actor, and it is bounded.
		_ = ctx.PoisonFuture(s.recorder).Wait()
	}
	s.cast.metrics.phases.WithLabelValues(string(s.machine.phase)).Dec()
	s.cast.counts.unstored.Add(-int64(s.unstored))
	s.unstored = 0
}
