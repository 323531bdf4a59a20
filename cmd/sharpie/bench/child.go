package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// child is a process that the benchmark started and that ends with it.
type child struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // of Wait; read after done

	mu   sync.Mutex
	tail []string // the newest lines of its output, for error messages
}

// startChild runs this binary again. Each line of output goes to onLine.
func startChild(ctx context.Context, onLine func(string), env []string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("bench: find this program: %w", err)
	}
	c := &child{cmd: exec.CommandContext(ctx, self, args...), done: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), env...)
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
	c.cmd.WaitDelay = 20 * time.Second
	// The echo ends when its standard input does: with this process at the latest.
	if _, err := c.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	r, w := io.Pipe()
	c.cmd.Stdout, c.cmd.Stderr = w, w
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("bench: start %s: %w", args[0], err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			c.remember(lines.Text())
			onLine(lines.Text())
		}
		// A line over the scanner's limit must not block the child.
		_, _ = io.Copy(io.Discard, r)
	}()
	go func() {
		c.err = c.cmd.Wait()
		_ = w.Close()
		<-read
		close(c.done)
	}()
	return c, nil
}

// over says whether the process has ended.
func (c *child) over() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func (c *child) remember(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tail = append(c.tail, line); len(c.tail) > 20 {
		c.tail = c.tail[1:]
	}
}

func (c *child) lastLines() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.tail, "\n")
}

// stop ends the child gently, then for good.
func (c *child) stop(grace time.Duration) error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
		return nil
	case <-time.After(grace):
	}
	_ = c.cmd.Process.Kill()
	<-c.done
	return fmt.Errorf("bench: sharpie %s did not stop in time and was killed", c.cmd.Args[1])
}

// Usage is what a process has used.
type Usage struct {
	CPU  time.Duration // user and system, since its start
	RSS  int64         // bytes resident now
	Peak int64         // bytes resident at most so far
}

// usage reads /proc; on systems without it the error says so.
func (c *child) usage() (Usage, error) {
	dir := "/proc/" + strconv.Itoa(c.cmd.Process.Pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return Usage{}, fmt.Errorf("bench: read what a process used: %w", err)
	}
	// Fields after the parenthesised name; utime and stime are 14 and 15 of proc(5), in ticks of 10 ms.
	_, rest, _ := strings.Cut(string(stat), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return Usage{}, errors.New("bench: /proc/PID/stat has an unknown form")
	}
	ut, err1 := strconv.ParseInt(f[11], 10, 64)
	st, err2 := strconv.ParseInt(f[12], 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return Usage{}, fmt.Errorf("bench: /proc/PID/stat: %w", err)
	}
	u := Usage{CPU: time.Duration(ut+st) * 10 * time.Millisecond}
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return Usage{}, fmt.Errorf("bench: read a process's memory: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		var kb int64
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kb); n == 1 {
			u.RSS = kb << 10
		} else if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kb); n == 1 {
			u.Peak = kb << 10
		}
	}
	return u, nil
}

// resetPeak begins anew with what usage calls the peak.
func (c *child) resetPeak() error {
	if err := os.WriteFile("/proc/"+strconv.Itoa(c.cmd.Process.Pid)+"/clear_refs", []byte("5"), 0); err != nil {
		return fmt.Errorf("bench: reset the peak of a process's memory: %w", err)
	}
	return nil
}

// foreign wraps a process that somebody else started, and will stop.
func foreign(p *os.Process) *child {
	return &child{cmd: &exec.Cmd{Process: p}, done: make(chan struct{})}
}
