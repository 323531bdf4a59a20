package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/link"
	"sharpie/actors/runner"
	"sharpie/persistence"
)

// System is the actor system of one web node, with the runner node inside it.
type System struct {
	cast  *cast
	as    *actor.ActorSystem
	slots *actor.PID
	nodes *link.Server // nil: none may join

	background context.CancelFunc
	workers    sync.WaitGroup
	restoring  atomic.Bool // a former run's sessions are not all there yet
	once       sync.Once
	drainErr   error
}

var _ Platform = (*System)(nil)

// askTimeout bounds the façade's methods where the context has no deadline.
const askTimeout = 5 * time.Second

// New starts the actors. What a crash left open in the store is closed in the
// background. End it with Drain.
func New(cfg Config) (*System, error) { return start(cfg, nil) }

// start is New, with other runners than the real ones for tests.
func start(cfg Config, probe func(queue *actor.PID, slot int) *actor.Props) (*System, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	as := actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(link.Quiet(cfg.Logger.Handler())) }),
		actor.WithDeadLetterRequestLogging(false),
	)
	n := &counts{}
	c := &cast{cfg: cfg, log: cfg.Logger, root: as.Root, metrics: newMetrics(cfg.Metrics, n), counts: n, health: newStoreHealth(cfg.Logger), workers: &workers{}}
	var nodes *link.Server
	book := newRoll(cfg.Store, cfg.Logger, cfg.Limits.WriteTimeout)
	if cfg.RunnerNodes { // before any actor: they have an address of their own with it
		nodes, err = link.NewServer(link.ServerConfig{System: as, Name: cfg.Node, Queue: queueName, Keys: cfg.Store, Version: cfg.CodeVersion,
			Logger: cfg.Logger, Metrics: cfg.Metrics, Limits: cfg.Limits.Nodes,
			Notify: func(e link.Event) {
				as.Root.Send(as.NewLocalPID(queueName), &nodeChanged{e})
				book.note(e)
			}})
		if err != nil {
			return nil, fmt.Errorf("runner nodes: %w", err)
		}
	}
	c.lobby, c.queue = as.NewLocalPID(lobbyName), as.NewLocalPID(queueName)
	s := &System{cast: c, as: as, nodes: nodes}
	if err := s.spawn(probe); err != nil {
		if nodes != nil {
			nodes.Close()
		}
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.background = cancel
	back := &recovery{store: cfg.Store, node: cfg.Node, before: time.Now(), log: cfg.Logger, reopen: s.reopen, went: make(chan struct{})}
	s.workers.Go(func() { c.health.watch(ctx, cfg.Store, cfg.Limits.StorePing) })
	s.workers.Go(func() { book.run(ctx) })
	s.restoring.Store(true)
	s.workers.Go(func() {
		back.run(ctx)
		s.restoring.Store(false)
	})
	wait := time.NewTimer(cfg.Limits.RestoreWait)
	defer wait.Stop()
	select {
	case <-back.went: // people who come back at once find their sessions
	case <-wait.C:
	}
	return s, nil
}

// reopen makes an actor of a session that a former run left.
func (s *System) reopen(ctx context.Context, from *restored) error {
	_, err := s.ask(ctx, s.cast.lobby, &restore{from})
	return err
}

// The names of the well-known actors.
const (
	lobbyName = "lobby"
	queueName = "queue"
	slotsName = "slots"
)

// spawn starts the actors that are always there.
func (s *System) spawn(probe func(*actor.PID, int) *actor.Props) error {
	c := s.cast
	guard := actor.WithGuardian(actor.NewOneForOneStrategy(0, 0, func(reason any) actor.Directive {
		c.log.Error("a central actor stopped because of a fault", "panic", fmt.Sprint(reason))
		c.metrics.faults.WithLabelValues("central").Inc()
		return actor.ResumeDirective
	}))
	if probe == nil {
		shared := runner.NewMetrics(c.cfg.Metrics)
		incarnation := persistence.NewID("inc")
		probe = func(queue *actor.PID, slot int) *actor.Props {
			return runner.Props(runner.Config{
				Queue: queue, RunnerID: c.cfg.Node, Incarnation: incarnation, Slot: uint32(slot), Labels: c.cfg.Labels, CodeVersion: c.cfg.CodeVersion,
				Maker: c.cfg.Maker, Logger: c.log, Metrics: shared, MaxUnacked: c.cfg.Limits.UnstoredSteps,
			})
		}
	}
	if _, err := c.root.SpawnNamed(c.props(func() actor.Actor { return newQueue(c) }, guard), queueName); err != nil {
		return fmt.Errorf("spawn queue: %w", err)
	}
	if _, err := c.root.SpawnNamed(c.props(func() actor.Actor { return newLobby(c) }, guard, stopOnPanic()), lobbyName); err != nil {
		return fmt.Errorf("spawn lobby: %w", err)
	}
	node := &slots{cast: c, log: c.log, runners: make([]*actor.PID, c.cfg.Slots), props: func(i int) *actor.Props { return probe(c.queue, i).Configure(actor.WithDispatcher(inline)) }}
	pid, err := c.root.SpawnNamed(c.props(func() actor.Actor { return node }, guard, stopOnPanic()), slotsName)
	if err != nil {
		return fmt.Errorf("spawn slots: %w", err)
	}
	s.slots = pid
	return nil
}

// ask sends a question to an actor, and waits for the answer. An actor that is no
// more gives ErrGone; an answer that is an error is returned as one.
func (s *System) ask(ctx context.Context, to *actor.PID, question any) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	d := askTimeout
	if at, ok := ctx.Deadline(); ok {
		d = time.Until(at)
	}
	answer, err := s.await(s.cast.root.RequestFuture(to, question, d), to)
	switch {
	case errors.Is(err, actor.ErrTimeout):
		return nil, ErrTimeout
	case errors.Is(err, actor.ErrDeadLetter) && s.restoring.Load():
		return nil, ErrTimeout // it may come yet
	case errors.Is(err, actor.ErrDeadLetter):
		return nil, ErrGone
	case err != nil:
		return nil, fmt.Errorf("ask: %w", err)
	}
	if e, ok := answer.(error); ok {
		return nil, e
	}
	return answer, nil
}

// goneCheck is how often an answer's sender is looked for.
const goneCheck = 100 * time.Millisecond

// await waits for an answer, but not for one that cannot come any more: what is in
// an actor's mailbox when it stops is dropped without a word.
func (s *System) await(f *actor.Future, from *actor.PID) (any, error) {
	type result struct {
		answer any
		err    error
	}
	done := make(chan result, 1)
	go func() {
		answer, err := f.Result()
		done <- result{answer, err}
	}()
	check := time.NewTicker(goneCheck)
	defer check.Stop()
	for missed := false; ; {
		select {
		case r := <-done:
			return r.answer, r.err
		case <-check.C:
			if _, alive := s.as.ProcessRegistry.Get(from); alive {
				continue
			}
			if missed { // twice: an answer had the time to arrive
				return nil, actor.ErrDeadLetter
			}
			missed = true
		}
	}
}

// askFor is ask, with an answer of one type.
func askFor[T any](ctx context.Context, s *System, to *actor.PID, question any) (T, error) {
	var zero T
	answer, err := s.ask(ctx, to, question)
	if err != nil {
		return zero, err
	}
	v, ok := answer.(T)
	if !ok {
		return zero, fmt.Errorf("actors: an actor answered %T with %T", question, answer)
	}
	return v, nil
}

// session is where the actor of a session is, if there is one.
// An id comes from outside: one with a slash would name a child of a session.
func (s *System) session(id persistence.SessionID) *actor.PID {
	if strings.Contains(string(id), "/") {
		id = ""
	}
	return s.as.NewLocalPID(lobbyName + "/" + string(id))
}
