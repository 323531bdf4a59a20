package actors

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
	"sharpie/persistence"
)

// recorder writes everything about one session, strictly in the order in which it
// was said, one write at a time. Steps are gathered into chunks of at most a second
// or 256 steps. While the store is away it tries again, for as long as it takes;
// it says stored only after the store has said yes, so what waits is bounded by
// what a runner may have unacknowledged.
type recorder struct {
	cast    *cast
	log     *slog.Logger
	session *actor.PID
	books   *books // belongs to the write that is under way, if there is one

	batch    batch
	versions []string // policy versions in force, by role
	roles    []string // of the episode
	current  persistence.EpisodeID
	flush    alarm
	retry    alarm
	queue    []*job
	busy     bool // a write is under way, or waits to be repeated
	tries    int
	unstored int
	overflow bool
	closing  bool
	stopping bool
}

// batch is consecutive steps of one episode that are not a chunk yet.
type batch struct {
	episode persistence.EpisodeID
	records []*messages.StepRecord
	bytes   int
	at      time.Time // of the last one
}

// job is one write.
type job struct {
	what string
	do   func(context.Context) error
	// For steps: whose, how far, and how many.
	episode persistence.EpisodeID
	through uint64
	steps   int
	// more takes a following write of the same kind in, as long as this one waits.
	more func(*job) bool
	docs []*persistence.Event // of an events job
	// done is closed when a try has ended, with err; nil while no try was begun.
	done chan struct{}
	err  error
}

// Bounds of a chunk. It is cut early by up to a third, at random, so that the
// recorders of many sessions do not write in the same instant.
const (
	chunkAge   = 950 * time.Millisecond
	chunkBytes = 4 << 20
)

func recorderProps(c *cast, log *slog.Logger, id persistence.SessionID) *actor.Props {
	return c.props(func() actor.Actor { return newRecorder(c, log, newBooks(c.cfg.Store, id)) })
}

func newRecorder(c *cast, log *slog.Logger, b *books) *recorder {
	return &recorder{cast: c, log: log, books: b, flush: alarm{name: "flush"}, retry: alarm{name: "retry"}}
}

// reopenedProps are of the recorder of a session that a former run left: it goes on
// where the store is.
func reopenedProps(c *cast, log *slog.Logger, from *restored) *actor.Props {
	return c.props(func() actor.Actor {
		r := newRecorder(c, log, reopenBooks(c.cfg.Store, from))
		if e := from.episode; e != nil {
			r.current, r.roles, r.versions = e.ID, roleNames(e), from.tally.versions
		}
		return r
	})
}

func roleNames(e *persistence.Episode) []string {
	out := make([]string, len(e.Roles))
	for i := range e.Roles {
		out[i] = e.Roles[i].Role
	}
	return out
}

func (r *recorder) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		r.session = ctx.Parent()
	case *record:
		r.record(ctx, m)
	case *putSession:
		r.header(ctx, m.doc)
	case *putEpisode:
		r.episode(ctx, m)
	case *putEvents:
		r.events(ctx, m.events)
	case *putState:
		r.put(ctx, "a checkpoint", func(c context.Context) error { return r.books.store.InsertCheckpoint(c, m.doc) })
	case *feedback:
		r.put(ctx, "feedback", func(context.Context) error { r.books.feedback(m); return nil })
	case *complete:
		r.put(ctx, "completion codes", func(c context.Context) error { return r.books.complete(c, m) })
	case *settle:
		r.settle(ctx, m)
	case *takenOver:
		r.cut(ctx) // the next chunk says which versions its steps have
		r.versions = m.versions
	case *closeBooks:
		r.cut(ctx)
		r.header(ctx, m.doc)
		r.closing = true
	case *salvage:
		r.put(ctx, "the session", func(c context.Context) error { return r.books.salvage(c, m.doc) })
		r.closing = true
	case *written:
		r.written(ctx, m.err)
	case *rang:
		switch {
		case r.flush.is(m):
			r.cut(ctx)
		case r.retry.is(m):
			r.write(ctx)
		}
	case *actor.Stopping:
		r.finish()
	case *actor.Stopped:
	default:
		r.cast.unknown(ctx, r.log)
	}
}

// record gathers a step.
func (r *recorder) record(ctx actor.Context, m *record) {
	if r.unstored >= r.cast.cfg.Limits.UnstoredSteps+persistence.MaxChunkSteps {
		if !r.overflow {
			r.overflow = true
			r.cast.tell(r.session, &overflowed{steps: r.unstored})
		}
		return // not stored, hence never acknowledged
	}
	if r.batch.episode != m.episode {
		r.cut(ctx)
		r.batch.episode = m.episode
	}
	if len(r.batch.records) == 0 {
		r.flush.set(ctx, chunkAge-time.Duration(rand.Int64N(int64(chunkAge/3))))
	}
	r.batch.records = append(r.batch.records, m.step)
	r.batch.bytes += sizeOf(m.step)
	r.batch.at = m.at
	r.unstored++
	if len(r.batch.records) >= persistence.MaxChunkSteps || r.batch.bytes >= chunkBytes {
		r.cut(ctx)
	}
}

// sizeOf is what a record weighs, roughly, in bytes: its observations.
func sizeOf(s *messages.StepRecord) int {
	n := 0
	for _, r := range s.GetRoles() {
		n += 64 + len(r.GetObservation().GetArray().GetData()) + len(r.GetInfo())
	}
	return n
}

// cut makes a chunk of what was gathered.
func (r *recorder) cut(ctx actor.Context) {
	b := r.batch
	r.batch = batch{}
	r.flush.clear()
	if len(b.records) == 0 {
		return
	}
	chunk, versions := chunkOf(r.books.id, b.episode, r.roles, b.records, r.versions, b.at)
	r.versions = versions
	r.add(ctx, &job{
		what: "steps", episode: b.episode, through: b.records[len(b.records)-1].GetStep(), steps: len(b.records),
		do: func(c context.Context) error { return r.books.putSteps(c, chunk, b.records) },
	})
}

// episode begins an episode, or writes its end after its last steps.
func (r *recorder) episode(ctx actor.Context, m *putEpisode) {
	r.cut(ctx)
	if m.doc.ID != r.current {
		r.current, r.roles, r.versions = m.doc.ID, roleNames(&m.doc), make([]string, len(m.doc.Roles))
		for i := range m.doc.Roles {
			r.versions[i] = m.doc.Roles[i].PolicyVersion
		}
	}
	r.put(ctx, "the episode", func(c context.Context) error { return r.books.putEpisode(c, m.doc) })
}

// settle tells the session once everything before it is stored.
func (r *recorder) settle(ctx actor.Context, m *settle) {
	r.cut(ctx)
	root, session := ctx.ActorSystem().Root, r.session
	r.put(ctx, "a mark", func(context.Context) error {
		root.Send(session, &settled{episode: m.episode})
		return nil
	})
}

func (r *recorder) put(ctx actor.Context, what string, do func(context.Context) error) {
	r.add(ctx, &job{what: what, do: do})
}

// header writes the session as it is now. Of several that wait one after the other,
// only the last one is written.
func (r *recorder) header(ctx actor.Context, doc persistence.Session) {
	j := &job{what: "the session", do: func(c context.Context) error { return r.books.putSession(c, doc) }}
	j.more = func(next *job) bool {
		if next.what == j.what {
			j.do = next.do
		}
		return next.what == j.what
	}
	r.add(ctx, j)
}

// events writes events; those that wait one after the other go together.
func (r *recorder) events(ctx actor.Context, docs []*persistence.Event) {
	j := &job{what: "events", docs: docs}
	j.do = func(c context.Context) error { return r.books.store.InsertEvents(c, j.docs) }
	j.more = func(next *job) bool {
		j.docs = append(j.docs, next.docs...)
		return next.docs != nil
	}
	r.add(ctx, j)
}

func (r *recorder) add(ctx actor.Context, j *job) {
	if n := len(r.queue); n > 0 {
		if last := r.queue[n-1]; last.more != nil && last.done == nil && last.more(j) {
			return
		}
	}
	r.queue = append(r.queue, j)
	if !r.busy {
		r.write(ctx)
	}
}

// write begins the first write of the queue, beside the actor.
func (r *recorder) write(ctx actor.Context) {
	r.busy = true
	root, self, session, j := ctx.ActorSystem().Root, ctx.Self(), r.session, r.queue[0]
	done := make(chan struct{})
	j.done = done
	go func() {
		err := r.try(j)
		j.err = err
		close(done)
		if err == nil && j.steps > 0 {
			r.cast.metrics.stored.Add(float64(j.steps))
			root.Send(session, &stored{episode: j.episode, through: j.through, steps: j.steps})
		}
		root.Send(self, &written{err: err})
	}()
}

// try does one write. A store that panics has failed, and may be asked again.
func (r *recorder) try(j *job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.Join(persistence.ErrUnavailable, panicError{p})
		}
	}()
	began := time.Now()
	c, cancel := context.WithTimeout(context.Background(), r.cast.cfg.Limits.WriteTimeout)
	defer cancel()
	err = j.do(c)
	r.cast.metrics.writes.Observe(time.Since(began).Seconds())
	return err
}

// written: the write has ended.
func (r *recorder) written(ctx actor.Context, err error) {
	if r.stopping || len(r.queue) == 0 {
		return
	}
	j := r.queue[0]
	switch {
	case err == nil:
		r.tries = 0
		r.cast.health.well()
		r.unstored -= j.steps
	case errors.Is(err, persistence.ErrInvalid) || errors.Is(err, persistence.ErrConflict):
		r.tries = 0
		r.cast.metrics.storeFails.WithLabelValues("refused").Inc()
		r.cast.tell(r.session, &unstorable{what: j.what, err: err})
		r.unstored -= j.steps
	default:
		r.cast.metrics.storeFails.WithLabelValues("away").Inc()
		r.cast.health.ill(err)
		r.tries++
		r.retry.set(ctx, backoff(r.tries))
		return
	}
	r.queue[0] = nil
	r.queue = r.queue[1:]
	r.busy = len(r.queue) > 0
	if r.busy {
		r.write(ctx)
		return
	}
	r.queue = nil
	if r.closing {
		r.cast.tell(r.session, &booksClosed{})
	}
}

// backoff is how long to wait before try n+1: doubled each time, 50 ms to 5 s, and
// up to a quarter less, at random.
func backoff(tries int) time.Duration {
	d := 5 * time.Second
	if tries < 8 {
		d = min(d, 25*time.Millisecond<<tries)
	}
	return d - time.Duration(rand.Int64N(int64(d/4)))
}

// finish writes what is left while the actor stops: nothing follows, so the writes
// are made here, within bounded time. What remains after that is lost, and said.
func (r *recorder) finish() {
	r.flush.clear()
	r.retry.clear()
	r.stopping = true
	if len(r.batch.records) > 0 {
		b := r.batch
		chunk, _ := chunkOf(r.books.id, b.episode, r.roles, b.records, r.versions, b.at)
		r.queue = append(r.queue, &job{what: "steps", steps: len(b.records), do: func(c context.Context) error { return r.books.putSteps(c, chunk, b.records) }})
	}
	limit := time.Now().Add(lastChance)
	for len(r.queue) > 0 && time.Now().Before(limit) {
		j := r.queue[0]
		if !r.lastTry(j, limit) {
			break
		}
		if j.err != nil && !errors.Is(j.err, persistence.ErrInvalid) && !errors.Is(j.err, persistence.ErrConflict) {
			time.Sleep(min(backoff(1), time.Until(limit)))
			continue
		}
		r.unstored -= j.steps
		r.queue = r.queue[1:]
	}
	if len(r.queue) > 0 {
		r.log.Error("recorder stopped with unstored writes", "writes", len(r.queue), "steps", r.unstored)
	}
}

// lastTry waits for the write that is under way, or does it here. It reports whether
// the write came to an end in time.
func (r *recorder) lastTry(j *job, limit time.Time) bool {
	if j.done == nil {
		j.err = r.try(j)
		return true
	}
	select {
	case <-j.done:
		j.done = nil
		return true
	case <-time.After(time.Until(limit)):
		return false
	}
}

// lastChance is how long a recorder that is stopped may still write.
const lastChance = 2 * time.Second
