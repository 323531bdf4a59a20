package python

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sharpie/envs"
)

// Config is how a Pool works.
type Config struct {
	// Dir is for the copies of bundles and the worker's program. It is made, for this user alone.
	Dir string
	// Logger of starts and ends; nil: slog's default.
	Logger *slog.Logger
	// Spares is how many workers are kept ready in all, of the interpreters used last; 0
	// is 1, less is none.
	Spares int
	// Confine is whether code is confined.
	Confine Confine
	// SpareIdle is after how long a spare ends that nobody used; 0: 10 min.
	SpareIdle time.Duration
	// Hide are folders that confined code must not see though an interpreter's folders
	// hold them: the data of this program.
	Hide []string

	// program is another worker than ours, for tests.
	program []byte
}

// Pool starts workers and keeps spare ones. It may be used from several goroutines.
type Pool struct {
	launcher     launcher
	interpreters interpreters
	watcher      watcher
	dir, owner   string
	log          *slog.Logger
	spareIdle    time.Duration
	mostSpares   int
	started      atomic.Int64
	// background is for what goes on between calls; it ends with the pool.
	background context.Context
	stop       context.CancelFunc
	running    sync.WaitGroup

	mu     sync.Mutex
	closed bool
	spares []*spare
	live   map[*process]struct{}
}

var errPoolClosed = fmt.Errorf("the pool of Python workers is closed: %w", envs.ErrClosed)

// NewPool makes a pool, and removes what one left behind that was killed.
func NewPool(c Config) (*Pool, error) {
	if c.Dir == "" {
		return nil, errors.New("python: Config.Dir must name a folder")
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("python: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("python: %w", err)
	}
	dir = resolved(dir)
	hide, err := checkHidden(c.Hide)
	if err != nil {
		return nil, fmt.Errorf("python: %w", err)
	}
	p := &Pool{dir: dir, owner: ownerID(), log: c.Logger, spareIdle: c.SpareIdle, mostSpares: c.Spares, live: map[*process]struct{}{}}
	if p.log == nil {
		p.log = slog.Default()
	}
	if p.spareIdle <= 0 {
		p.spareIdle = 10 * time.Minute
	}
	if p.mostSpares == 0 {
		p.mostSpares = 1
	}
	removeStale(dir)
	home := filepath.Join(dir, "p-"+p.owner)
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, fmt.Errorf("python: %w", err)
	}
	file, err := writeProgram(home, c.program)
	if err != nil {
		return nil, fmt.Errorf("python: %w", err)
	}
	p.interpreters.program, p.interpreters.run = filepath.Join(home, packageFolder), p.run
	p.launcher = launcher{starter: newStarter(), sandbox: newSandbox(c.Confine, hide), file: file}
	p.background, p.stop = context.WithCancel(context.Background())
	return p, nil
}

// ownerID names this process and this pool: what is marked with it is nobody's once
// the process is gone.
func ownerID() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // it never fails
	return fmt.Sprintf("%d-%d-%s", os.Getpid(), startOf(os.Getpid()), hex.EncodeToString(b[:]))
}

// removeStale removes the folders of pools whose process is gone, and kills what still
// carries their mark.
func removeStale(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		name := e.Name()
		if len(name) < 3 || name[1] != '-' || name[0] != 'p' && name[0] != 'w' {
			continue
		}
		var pid int
		var started uint64
		if n, _ := fmt.Sscanf(name[2:], "%d-%d-", &pid, &started); n != 2 || startOf(pid) == started {
			continue
		}
		if name[0] == 'w' {
			killMarked(name[2:])
		}
		_ = os.RemoveAll(filepath.Join(dir, name)) // tried again at the next start
	}
}

// Confinement is "bubblewrap", or begins with "unconfined:" and says why.
func (p *Pool) Confinement() string { return p.launcher.sandbox.String() }

// start starts a worker and waits for its hello.
func (p *Pool) start(ctx context.Context, i Interpreter, l Limits) (*Worker, error) {
	i, err := i.find()
	if err != nil {
		return nil, err
	}
	folders, err := p.interpreters.folders(ctx, i)
	if err != nil {
		return nil, err
	}
	proc, err := p.launch(i, folders, l)
	if err != nil {
		return nil, err
	}
	w, err := newWorker(ctx, proc, l, i, p.Confinement())
	if err != nil {
		proc.kill(killedClose, "")
		return nil, errors.Join(err, proc.waitGone(2*killWait))
	}
	return w, nil
}

// run runs a command to its end, unless the pool is closed. It ends with the pool and
// with this program, however that ends.
func (p *Pool) run(cmd *exec.Cmd) error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return errPoolClosed
	}
	err := p.launcher.starter.start(cmd)
	if err != nil {
		p.mu.Unlock()
		return err
	}
	p.running.Add(1)
	p.mu.Unlock()
	defer p.running.Done()
	defer context.AfterFunc(p.background, func() { _ = cmd.Process.Kill() })()
	return cmd.Wait()
}

// launch starts the process of a worker, unless the pool is closed.
func (p *Pool) launch(i Interpreter, folders []string, l Limits) (*process, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errPoolClosed
	}
	id := fmt.Sprintf("%s-%d", p.owner, p.started.Add(1))
	dir := filepath.Join(p.dir, "w-"+id)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	proc, err := p.launcher.launch(i, folders, id, dir, l.Network)
	if err != nil {
		_ = os.RemoveAll(dir) // the first error says more
		return nil, err
	}
	p.live[proc] = struct{}{}
	p.watcher.watch(proc, l)
	p.running.Go(func() {
		<-proc.gone
		p.mu.Lock()
		delete(p.live, proc)
		p.mu.Unlock()
	})
	p.log.Debug("python worker started", "worker", id, "interpreter", i.String())
	return proc, nil
}

// Close ends all workers, whatever they are at, and waits until they are gone, a few
// seconds at most.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	p.stop()
	for _, s := range p.spares {
		s.timer.Stop()
	}
	p.spares = nil
	for proc := range p.live {
		proc.kill(killedClose, "")
	}
	p.mu.Unlock()
	done := make(chan struct{})
	go func() { p.running.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(3 * killWait):
		return errors.New("python: a worker does not end")
	}
	p.launcher.starter.close()
	return os.RemoveAll(filepath.Dir(p.launcher.file))
}

// spare is a worker that waits for an experiment.
type spare struct {
	key string
	// ready is closed once worker or err is set.
	ready  chan struct{}
	worker *Worker
	err    error
	timer  *time.Timer
}

// Warm starts a spare worker of an interpreter in the background, unless there is one.
// It imports modules ahead.
func (p *Pool) Warm(i Interpreter, modules []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := i.key()
	if p.closed || p.mostSpares < 1 || slices.ContainsFunc(p.spares, func(s *spare) bool { return s.key == key }) {
		return
	}
	s := &spare{key: key, ready: make(chan struct{})}
	s.timer = time.AfterFunc(p.spareIdle, func() { p.discard(s) })
	p.spares = append(p.spares, s)
	if len(p.spares) > p.mostSpares {
		oldest := p.spares[0]
		p.running.Go(func() { p.discard(oldest) })
	}
	p.running.Go(func() { p.prepare(s, i, modules) })
}

// Spares is how many workers are ready for an experiment, 0 to Config.Spares.
func (p *Pool) Spares() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, s := range p.spares {
		select {
		case <-s.ready:
			if s.err == nil && s.worker.alive() {
				n++
			}
		default:
		}
	}
	return n
}

// prepare starts the worker of a spare.
func (p *Pool) prepare(s *spare, i Interpreter, modules []string) {
	defer close(s.ready)
	s.worker, s.err = p.start(p.background, i, Limits{}.withDefaults())
	if s.err == nil {
		s.err = s.worker.warm(p.background, modules)
	}
	if s.err != nil {
		level := slog.LevelWarn
		if p.background.Err() != nil {
			level = slog.LevelDebug // the pool is closing: nobody misses it
		}
		p.log.Log(context.Background(), level, "no spare python worker", "interpreter", i.String(), "error", s.err)
		if s.worker != nil {
			_ = s.worker.end() // the error above is the one to know
		}
		p.remove(s)
	}
}

// remove takes a spare out of the list, and reports whether it was there.
func (p *Pool) remove(s *spare) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := slices.Index(p.spares, s)
	if at >= 0 {
		p.spares = slices.Delete(p.spares, at, at+1)
	}
	s.timer.Stop()
	return at >= 0
}

// discard ends a spare that nobody took.
func (p *Pool) discard(s *spare) {
	if !p.remove(s) {
		return
	}
	<-s.ready // bounded by the limits of a start
	if s.worker != nil {
		_ = s.worker.end() // Close of the pool waits for it, too
	}
}

// take returns a worker for an experiment: the spare, if there is one that lives.
func (p *Pool) take(ctx context.Context, i Interpreter, l Limits) (*Worker, error) {
	// a spare cannot reach the network, if that can be kept from it
	if !l.Network || p.launcher.sandbox.bwrap == "" {
		if w, err := p.takeSpare(ctx, i, l); w != nil || err != nil {
			return w, err
		}
	}
	return p.start(ctx, i, l)
}

func (p *Pool) takeSpare(ctx context.Context, i Interpreter, l Limits) (*Worker, error) {
	p.mu.Lock()
	at := slices.IndexFunc(p.spares, func(s *spare) bool { return s.key == i.key() })
	if at < 0 {
		p.mu.Unlock()
		return nil, nil
	}
	s := p.spares[at]
	p.spares = slices.Delete(p.spares, at, at+1)
	s.timer.Stop()
	p.mu.Unlock()
	select {
	case <-s.ready:
	case <-ctx.Done():
		p.running.Go(func() {
			<-s.ready
			if s.worker != nil {
				_ = s.worker.end() // nobody wants it any more
			}
		})
		return nil, ctx.Err()
	}
	if s.err != nil || !s.worker.alive() {
		return nil, nil
	}
	s.worker.limits = l
	p.watcher.watch(s.worker.process, l)
	return s.worker, nil
}
