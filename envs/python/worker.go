package python

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"sharpie/envs"
)

// How long the orderly end of a worker may take before it is killed.
const (
	closeLimit = 2 * time.Second
	// maxWarnings bounds what is kept of warnings.
	maxWarnings = 50
)

// Worker is a process that runs the code of one experiment: its environment, its
// policies or both. It may be used from several goroutines; one request is made at a time.
type Worker struct {
	process *process
	reader  *frameReader
	limits  Limits
	info    envs.HostInfo
	// greeting is the interpreter's version and path, as it says them itself.
	greeting string
	// version is the interpreter's version alone.
	version string

	mu       sync.Mutex
	request  request
	roles    []envs.Role
	policies map[envs.Role]*hosted
	// failed is why nothing more can be asked of it.
	failed error
	closed bool

	warnings sync.Mutex // guards info.Warnings
}

// hosted is what is known of a loaded policy.
type hosted struct {
	action, observation envs.Space
}

// newWorker waits until a process says hello.
func newWorker(ctx context.Context, p *process, l Limits, i Interpreter, confinement string) (*Worker, error) {
	w := &Worker{process: p, reader: newFrameReader(p.conn), limits: l, policies: map[envs.Role]*hosted{}}
	c := call{op: "the start of the interpreter", phase: "load", limit: l.Load}
	m, err := w.receive(ctx, c)
	if err != nil {
		var f *envs.Fault
		if errors.As(err, &f) && f.State == envs.Exited {
			f.State = envs.BadLoad
			f.Message = fmt.Sprintf("interpreter: %s cannot run the worker: %s", i, f.Message)
		}
		return nil, err
	}
	w.version = m.head.get("python").str()
	if m.head.get("op").str() != "hello" || w.version == "" {
		return nil, w.broken(c, fmt.Errorf("%w: it does not say hello", errProtocol))
	}
	if v, _ := m.head.get("protocol").integer(); v != 1 {
		return nil, w.broken(c, fmt.Errorf("%w: it speaks protocol %d, not 1", errProtocol, v))
	}
	pid, _ := m.head.get("pid").integer()
	p.inner.Store(pid)
	w.greeting = "Python " + shorten(w.version, 40)
	w.info = envs.HostInfo{Interpreter: w.greeting + ", " + i.String(), Confinement: confinement}
	return w, nil
}

// exchange sends the request and waits for its reply. The error is the context's
// where that is over, envs.ErrClosed, or a *envs.Fault. w.mu is held.
func (w *Worker) exchange(ctx context.Context, c call) (message, error) {
	if err := w.usable(ctx); err != nil {
		return message{}, err
	}
	pieces, err := w.request.frame()
	if err != nil {
		return message{}, &envs.Fault{State: envs.EnvError, Phase: c.phase, Role: c.role, Type: "ProtocolError", Message: err.Error()}
	}
	release := w.deadline(ctx, c.limit)
	defer release()
	if len(pieces) == 1 {
		_, err = w.process.conn.Write(pieces[0])
	} else {
		buffers := net.Buffers(pieces)
		_, err = buffers.WriteTo(w.process.conn)
	}
	if err != nil {
		return message{}, w.lost(ctx, c, err)
	}
	m, err := w.reader.read()
	if err != nil {
		return message{}, w.lost(ctx, c, err)
	}
	return w.open(c, m)
}

// receive waits for a message without asking for it.
func (w *Worker) receive(ctx context.Context, c call) (message, error) {
	release := w.deadline(ctx, c.limit)
	defer release()
	m, err := w.reader.read()
	if err != nil {
		return m, w.lost(ctx, c, err)
	}
	return m, nil
}

// deadline lets the connection fail when the time is up or the context ends. The
// returned function takes the context's hands off the connection.
func (w *Worker) deadline(ctx context.Context, limit time.Duration) (release func()) {
	conn := w.process.conn
	_ = conn.SetDeadline(time.Now().Add(limit)) // a closed connection fails by itself
	if ctx.Done() == nil {
		return func() {}
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = conn.SetDeadline(time.Unix(1, 0))
		close(done)
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

// usable says why nothing can be asked, if so.
func (w *Worker) usable(ctx context.Context) error {
	switch {
	case w.closed:
		return envs.ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return w.failed
}

// open returns a reply that is no error. m.head stays the whole header.
func (w *Worker) open(c call, m message) (message, error) {
	if m.head.get("ok").kind == kindObject {
		w.warn(m.head.get("ok").get("warnings").texts())
		return m, nil
	}
	e := m.head.get("error")
	if e.kind != kindObject {
		return message{}, w.broken(c, fmt.Errorf("%w: a reply is neither ok nor an error", errProtocol))
	}
	f := reported(e, w.process.out.last())
	if f.Phase == "" {
		f.Phase = c.phase
	}
	if f.State == envs.OutOfMemory {
		w.failed = f
		w.process.kill(killedMemory, f.Message)
		w.awaitExit()
	}
	return message{}, f
}

// lost is the error of a connection that failed, and ends the process if it has not ended.
func (w *Worker) lost(ctx context.Context, c call, err error) error {
	switch {
	case errors.Is(err, errProtocol):
		return w.broken(c, err)
	case ctx.Err() != nil:
		w.process.kill(killedCancelled, "")
		w.awaitExit()
		w.failed = w.dead(c)
		return fmt.Errorf("%s: %w", c.op, ctx.Err())
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.failed = w.hung(c)
	default:
		// the channel ends a little before the process does
		select {
		case <-w.process.exited:
		case <-time.After(dumpWait):
			w.process.kill(killedProtocol, "the process closed its channel")
		}
		w.awaitExit()
		w.failed = w.dead(c)
	}
	return w.failed
}

// broken ends a process that does not speak the protocol.
func (w *Worker) broken(c call, err error) error {
	w.process.kill(killedProtocol, err.Error())
	w.awaitExit()
	w.failed = w.dead(c)
	return w.failed
}

// awaitExit waits until the process has ended. It has been killed, so it does soon.
func (w *Worker) awaitExit() {
	select {
	case <-w.process.exited:
	case <-time.After(2 * killWait):
	}
}

// warn keeps warnings, each once.
func (w *Worker) warn(texts []string) {
	if len(texts) == 0 {
		return
	}
	w.warnings.Lock()
	defer w.warnings.Unlock()
	for _, t := range texts {
		t = shorten(t, 1000)
		if len(w.info.Warnings) < maxWarnings && !slices.Contains(w.info.Warnings, t) {
			// whoever has the old slice keeps it as it is
			w.info.Warnings = append(slices.Clip(w.info.Warnings), t)
		}
	}
}

// Info says where and how the code runs.
func (w *Worker) Info() envs.HostInfo {
	w.warnings.Lock()
	defer w.warnings.Unlock()
	return w.info
}

// Output is the last that the code printed since it was loaded, each line with its
// time in seconds and its stream; at most 64 KiB. It is there after Close, too.
func (w *Worker) Output() string {
	select {
	case <-w.process.exited: // all of it was read
	default:
		w.process.out.settle()
	}
	return w.process.out.String()
}

// Close ends the process: in good order within 2 s, else by force. It returns once
// nothing is left of it. A second Close does nothing.
func (w *Worker) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed && w.failed == nil {
		w.request.begin("close")
		// whether it says so or not, it ends
		if _, err := w.exchange(context.Background(), call{op: "close", phase: "close", limit: closeLimit}); err == nil {
			select {
			case <-w.process.exited:
			case <-time.After(closeLimit / 2):
			}
		}
	}
	w.closed = true
	return w.end()
}

// end kills what is left, and waits until it is gone.
func (w *Worker) end() error {
	w.process.kill(killedClose, "")
	return w.process.waitGone(2 * killWait)
}

// alive reports whether the process is alive.
func (w *Worker) alive() bool {
	select {
	case <-w.process.exited:
		return false
	default:
		return true
	}
}
