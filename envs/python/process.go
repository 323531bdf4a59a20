package python

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// How long the end of a process may take, step by step.
const (
	dumpWait = 300 * time.Millisecond
	killWait = 1500 * time.Millisecond
	pipeWait = 200 * time.Millisecond
)

// process is a worker's process with all that hangs on it.
type process struct {
	// id is in the environment of the process and of its children.
	id       string
	cmd      *exec.Cmd
	conn     *net.UnixConn
	progress *os.File
	out      *output
	// dir is its own folder, the only one that it may write to where it is confined.
	dir      string
	confined bool
	// inner is its number as it sees it itself.
	inner atomic.Int64
	// oom is how many the kernel had killed for want of memory when it started.
	oom int64
	// exited is closed once it has ended, and gone once nothing is left of it.
	exited, gone chan struct{}

	mu sync.Mutex
	// over is set once its number may be another's.
	over bool
	// why is the first reason for which it was killed by us; empty: it was not.
	why killReason
	// detail says more about why, for people.
	detail string
	// atPhase and atRole are what it was at when it ended.
	atPhase, atRole byte
	// peak is the most memory it was seen with, limit the most it may have.
	peak, limit int64
}

// killReason is why a process was killed by us.
type killReason string

const (
	killedClose     killReason = "closed"
	killedHung      killReason = "hung"
	killedCancelled killReason = "cancelled"
	killedMemory    killReason = "memory"
	killedProcesses killReason = "processes"
	killedProtocol  killReason = "protocol"
)

// mark is what the environment of a process and its children carries.
func mark(id string) string { return "SHARPIE_WORKER=" + id }

// bundleDir is where its copy of the bundle lies.
func (p *process) bundleDir() string { return filepath.Join(p.dir, "bundle") }

// launch starts a process. The caller has made its folder; it is removed with the process.
func (l *launcher) launch(i Interpreter, folders []string, id, dir string, network bool) (*process, error) {
	p := &process{id: id, dir: dir, out: newOutput(), oom: oomKills(), exited: make(chan struct{}), gone: make(chan struct{})}
	for _, sub := range [...]string{"home", "tmp", "bundle"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, fmt.Errorf("start a worker: %w", err)
		}
	}
	ours, theirs, err := channelPair()
	if err != nil {
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	defer ours.Close()
	defer theirs.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	p.conn, _ = conn.(*net.UnixConn)
	if p.progress, err = os.OpenFile(filepath.Join(dir, "progress"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
		err = p.progress.Truncate(16)
	}
	if err != nil {
		p.conn.Close()
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	command := []string{i.Path, "-s", "-u", "-B", l.file}
	if l.sandbox.bwrap != "" {
		p.confined = true
		command = l.sandbox.command(i, folders, l.file, dir, p.bundleDir(), network, command)
	}
	p.cmd = exec.Command(command[0], command[1:]...)
	p.cmd.Dir = p.bundleDir()
	p.cmd.Env = environment(i, []string{"HOME=" + filepath.Join(dir, "home"), "TMPDIR=" + filepath.Join(dir, "tmp"), mark(id)})
	p.cmd.ExtraFiles = []*os.File{theirs, p.progress}
	if err := p.startWithPipes(l.starter); err != nil {
		p.conn.Close()
		p.progress.Close()
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	return p, nil
}

// launcher is what all processes of a pool are started with.
type launcher struct {
	starter *starter
	sandbox *sandbox
	// file is the worker's program.
	file string
}

// startWithPipes starts the command, with its output read until it ends.
func (p *process) startWithPipes(s *starter) error {
	var ends [2]*os.File
	var others []*os.File
	defer func() {
		for _, f := range others {
			f.Close()
		}
	}()
	for i := range ends {
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		ends[i], others = r, append(others, w)
	}
	p.cmd.Stdout, p.cmd.Stderr = others[0], others[1]
	if err := s.start(p.cmd); err != nil {
		others = append(others, ends[:]...)
		return err
	}
	var reading sync.WaitGroup
	for i, r := range ends {
		reading.Go(func() { p.out.read(r, uint8(i)) })
	}
	go p.reap(ends, &reading)
	return nil
}

// reap waits for the end of the process and takes with it whatever it left behind.
func (p *process) reap(pipes [2]*os.File, reading *sync.WaitGroup) {
	awaitExit(p.cmd)
	phase, role := p.under()
	p.mu.Lock()
	p.atPhase, p.atRole = phase, role
	// its children do not outlive it
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	p.over = true
	p.mu.Unlock()
	_ = p.cmd.Wait() // how it ended is in its state
	killMarked(p.id) // what left the group
	// the pipes end with the last process that holds them
	for _, r := range pipes {
		_ = r.SetReadDeadline(time.Now().Add(pipeWait))
	}
	reading.Wait()
	for _, r := range pipes {
		r.Close()
	}
	close(p.exited)
	p.conn.Close()
	p.progress.Close()
	_ = os.RemoveAll(p.dir)
	close(p.gone)
}

// killMarked kills what carries the mark of a worker, and waits until none is left.
func killMarked(id string) {
	until := time.Now().Add(killWait)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		left := marked(processes(), mark(id))
		if len(left) == 0 || time.Now().After(until) {
			return
		}
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(pause)
	}
}

// kill ends the process and everything that it started, for the first reason given.
func (p *process) kill(why killReason, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	if p.why == "" {
		p.why, p.detail = why, detail
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	_ = p.cmd.Process.Kill()
}

// dump asks the process where it is, and returns what it printed: every thread's stack.
func (p *process) dump() string {
	pid := p.realPID()
	if pid == 0 {
		return ""
	}
	from := p.out.mark()
	p.mu.Lock()
	if !p.over {
		_ = syscall.Kill(pid, syscall.SIGUSR1)
	}
	p.mu.Unlock()
	until := time.Now().Add(dumpWait)
	for {
		text, quiet := p.out.stderrSince(from)
		stack := stackIn(text)
		if now := time.Now(); now.After(until) || stack != "" && quiet > 20*time.Millisecond {
			return stack
		}
		select {
		case <-p.exited:
			return stack
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// realPID is the number of the interpreter as we see it; 0 if it cannot be found.
func (p *process) realPID() int {
	if !p.confined {
		return p.cmd.Process.Pid
	}
	inner := int(p.inner.Load())
	for _, q := range family(processes(), p.cmd.Process.Pid) {
		if inner != 0 && q.pid != p.cmd.Process.Pid && innerPID(q.pid) == inner {
			return q.pid
		}
	}
	return 0
}

// under is what the process is at, or was when it ended: the phase and the role's number.
func (p *process) under() (phase, role byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return p.atPhase, p.atRole
	}
	var b [2]byte
	if _, err := p.progress.ReadAt(b[:], 0); err != nil {
		return 0, 0
	}
	return b[0], b[1]
}

// ended is how the process ended: the signal, or the exit code.
func (p *process) ended() (signal syscall.Signal, code int) {
	state, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok {
		return 0, -1
	}
	if state.Signaled() {
		return state.Signal(), 0
	}
	code = state.ExitStatus()
	if p.confined && code > 128 && code <= 128+64 {
		return syscall.Signal(code - 128), 0 // so bubblewrap says it
	}
	return 0, code
}

// waitGone waits until nothing is left of the process.
func (p *process) waitGone(most time.Duration) error {
	select {
	case <-p.gone:
		return nil
	case <-time.After(most):
		return errors.New("the process does not end")
	}
}
