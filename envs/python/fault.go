package python

import (
	"fmt"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"sharpie/envs"
)

// The most of each part of a fault, in bytes.
const (
	maxMessage   = 4 << 10
	maxTraceback = 24 << 10
)

// phaseNames are the names of the phases that a worker writes down.
var phaseNames = [...]string{"", "load", "reset", "step", "render", "act", "update", "checkpoint", "close"}

// reported is a fault that the worker itself told of; it is still alive.
func reported(e *node, log string) *envs.Fault {
	f := &envs.Fault{
		State: envs.EnvError, Phase: e.get("phase").str(), Role: envs.Role(e.get("role").str()),
		Type: shorten(e.get("type").str(), 200), Message: shorten(e.get("message").str(), maxMessage),
		Traceback: shortenFront(e.get("traceback").str(), maxTraceback), Log: log,
	}
	if f.Role != "" {
		f.State = envs.PolicyError
	}
	if f.Type == "MemoryError" {
		f.State = envs.OutOfMemory
	}
	switch s := envs.State(e.get("state").str()); s {
	case envs.EnvError, envs.PolicyError, envs.OutOfMemory, envs.BadLoad:
		f.State = s
	}
	if f.Message == "" {
		f.Message = "it gave no message"
	}
	return f
}

// call is what was asked of a worker when something went wrong.
type call struct {
	op, phase string
	role      envs.Role
	limit     time.Duration
}

// place is where a dead process was: what it wrote down, else what was asked.
func (w *Worker) place(c call) (phase string, role envs.Role) {
	p, r := w.process.under()
	if p == 0 || int(p) >= len(phaseNames) {
		return c.phase, c.role
	}
	if r > 0 && int(r) <= len(w.roles) {
		return phaseNames[p], w.roles[r-1]
	}
	if r == 255 {
		return phaseNames[p], c.role
	}
	return phaseNames[p], ""
}

// hung is the fault of a call that did not return in time; the process is alive until
// this returns.
func (w *Worker) hung(c call) *envs.Fault {
	stack := w.process.dump()
	phase, role := w.place(c)
	w.process.kill(killedHung, "")
	w.awaitExit()
	if !w.process.was(killedHung) {
		return w.dead(c) // it had ended in between, or had been ended for another reason
	}
	return &envs.Fault{
		State: envs.Hung, Phase: phase, Role: role,
		Message:   fmt.Sprintf("%s did not return within %v", c.op, c.limit),
		Traceback: stack, Log: w.process.out.last(),
	}
}

// dead is the fault of a process that has ended.
func (w *Worker) dead(c call) *envs.Fault {
	p := w.process
	phase, role := w.place(c)
	f := &envs.Fault{Phase: phase, Role: role, Log: p.out.last()}
	text, _ := p.out.stderrSince(0)
	f.Traceback = stackIn(lastText(text, "Fatal Python error"))
	p.mu.Lock()
	why, detail, peak, limit := p.why, p.detail, p.peak, p.limit
	p.mu.Unlock()
	signal, code := p.ended()
	starved := limit > 0 && (peak > limit/5*4 || strings.Contains(text, "MemoryError") || strings.Contains(text, "bad_alloc"))
	switch {
	case why == killedMemory:
		f.State, f.Message = envs.OutOfMemory, detail
	case why == killedProcesses:
		f.State, f.Message = envs.Killed, detail
	case why == killedProtocol:
		f.State, f.Type, f.Message = envs.EnvError, "ProtocolError", detail
	case why == killedClose || why == killedCancelled:
		f.State, f.Message = envs.Killed, "it was stopped from outside"
	case signal == syscall.SIGKILL && (starved || oomKills() > p.oom):
		f.State, f.Message = envs.OutOfMemory, "the system ended the process, for want of memory"
	case signal != 0 && starved:
		f.State, f.Message = envs.OutOfMemory, "the process ended for want of memory: "+signalText(signal)
	case signal != 0:
		f.State, f.Message = envs.Killed, "the process was ended by "+signalText(signal)
	default:
		f.State, f.Message = envs.Exited, fmt.Sprintf("the process ended itself, with exit code %d", code)
	}
	return f
}

// was reports whether a process was killed by us for this reason.
func (p *process) was(why killReason) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why == why
}

// signalText is a signal by name and meaning: "SIGSEGV (segmentation fault)".
func signalText(s syscall.Signal) string {
	name := unix.SignalName(s)
	if name == "" {
		return fmt.Sprintf("signal %d", int(s))
	}
	return fmt.Sprintf("%s (%s)", name, s)
}

// stackIn is where a stack begins that faulthandler printed; empty if there is none.
func stackIn(text string) string {
	first := -1
	for _, sign := range [...]string{"Fatal Python error", "Current thread 0x", "Thread 0x"} {
		if i := strings.Index(text, sign); i >= 0 && (first < 0 || i < first) {
			first = i
		}
	}
	if first < 0 {
		return ""
	}
	return shorten(text[first:], maxTraceback)
}

// lastText is the text from the last occurrence of a sign on; empty if there is none.
func lastText(text, sign string) string {
	i := strings.LastIndex(text, sign)
	if i < 0 {
		return ""
	}
	return text[i:]
}

// shorten cuts the end of a text off.
func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + " …"
}

// shortenFront cuts the beginning of a text off: a traceback says at its end what went wrong.
func shortenFront(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return "…\n" + lastLines(s, most)
}
