package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// workers runs mailboxes on goroutines that are used again. The library's own
// dispatcher starts one for every burst of messages, whose small stack then grows
// while a message is handled: 7 % of the processor's time with 500 sessions.
type workers struct {
	mu     sync.Mutex
	idle   []chan func() // newest last: its stack is warm
	closed bool
}

// inline runs a mailbox on the goroutine that sent the message, unless the actor is
// at work already: a hop without a change of goroutine. Participants, Sessions and
// Runners run so: an input goes from the socket to the episode's loop, and a step
// from the loop to the sockets, with one change of goroutine each. It asks three
// things. Such an actor never blocks, because somebody else's goroutine would. Who
// sends to it holds no lock that it may need. And the Recorder, for which a Session
// waits when it stops after a fault, must not have that Session on its own
// goroutine: it tells, and so does the Queue, which has no time for a session's work.
var inline = actor.NewSynchronizedDispatcher(throughput)

// maxIdle bounds the goroutines that wait for work; more are started as needed.
const maxIdle = 256

// throughput is how many messages an actor takes before others get their turn.
const throughput = 300

var _ actor.Dispatcher = (*workers)(nil)

// Schedule implements actor.Dispatcher.
func (w *workers) Schedule(run func()) {
	w.mu.Lock()
	n := len(w.idle)
	if n == 0 {
		w.mu.Unlock()
		go w.work(run)
		return
	}
	next := w.idle[n-1]
	w.idle = w.idle[:n-1]
	w.mu.Unlock()
	next <- run
}

// Throughput implements actor.Dispatcher.
func (w *workers) Throughput() int { return throughput }

func (w *workers) work(run func()) {
	next := make(chan func(), 1)
	for {
		run()
		w.mu.Lock()
		if w.closed || len(w.idle) >= maxIdle {
			w.mu.Unlock()
			return
		}
		w.idle = append(w.idle, next)
		w.mu.Unlock()
		var ok bool
		if run, ok = <-next; !ok {
			return
		}
	}
}

// close lets the idle goroutines go. What is scheduled after it still runs.
func (w *workers) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, c := range w.idle {
		close(c)
	}
	w.idle = nil
}
