package bench

import (
	"context"
	"sync"
	"time"
)

// Memory is what the server held at most, bytes.
type Memory struct {
	RSS  int64 `json:"resident"` // by the kernel's own peak
	Heap int64 `json:"heap"`     // in use by Go, the largest of some samples a second
}

// memoryWatch watches the server's memory.
type memoryWatch struct {
	server *server
	stop   context.CancelFunc
	done   chan struct{}

	mu   sync.Mutex
	heap int64
	err  error
}

// heapEvery is how often the heap is asked for.
const heapEvery = 200 * time.Millisecond

func (s *server) watchMemory(ctx context.Context) (*memoryWatch, error) {
	ctx, stop := context.WithCancel(ctx)
	w := &memoryWatch{server: s, stop: stop, done: make(chan struct{})}
	if err := w.begin(); err != nil {
		stop()
		return nil, err
	}
	go w.sample(ctx)
	return w, nil
}

func (w *memoryWatch) sample(ctx context.Context) {
	defer close(w.done)
	tick := time.NewTicker(heapEvery)
	defer tick.Stop()
	for {
		f, err := w.server.metrics(ctx)
		w.mu.Lock()
		if err != nil && ctx.Err() == nil {
			w.err = err
		}
		w.heap = max(w.heap, int64(f.gauge("go_memstats_heap_inuse_bytes")))
		w.mu.Unlock()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// begin forgets what was held until now.
func (w *memoryWatch) begin() error {
	w.mu.Lock()
	w.heap = 0
	w.mu.Unlock()
	return w.server.resetPeak()
}

// most is what was held at most since begin.
func (w *memoryWatch) most() (Memory, error) {
	u, err := w.server.usage()
	if err != nil {
		return Memory{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return Memory{RSS: u.Peak, Heap: w.heap}, w.err
}

func (w *memoryWatch) close() {
	w.stop()
	<-w.done
}
