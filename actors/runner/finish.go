package runner

import (
	"sharpie/actors/messages"
)

// finish sends the last message: the end of the episode, or the fault. The actor
// hears first, so that it is ready when the session answers; it is told without any
// lock, because it may run on this goroutine.
// It returns false for a loop that was abandoned before.
func (l *loop) finish(last any, kept *stage) bool {
	if !l.out.close() {
		l.cfg.Metrics.hung.Dec() // it did return, after it was given up
		return false
	}
	if l.orphan.Load() {
		kept = nil
	}
	if f, ok := last.(*fault); ok {
		last = l.failed(f)
	}
	l.done(l, kept)
	l.out.finish(last)
	return kept != nil
}

// abandon gives the loop up: its code did not return in time. What it does from
// now on reaches nobody; its goroutine ends if the code ever returns.
func (l *loop) abandon(f *fault) {
	l.cancel()
	if !l.out.close() {
		return
	}
	l.cfg.Metrics.hung.Inc()
	l.done(l, nil)
	l.out.finish(l.failed(f))
}

// failed counts and logs a fault, and makes its message.
func (l *loop) failed(f *fault) *messages.Failed {
	l.out.mu.Lock()
	last := l.out.last
	l.out.mu.Unlock()
	l.cfg.Metrics.failures.WithLabelValues(f.code).Inc()
	l.log.Error("the episode failed", "code", f.code, "phase", f.phase.String(), "role", f.role, "step", last, "error", f.message)
	return f.failed(l.start.EpisodeId, last)
}
