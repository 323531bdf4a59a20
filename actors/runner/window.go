package runner

import (
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"sharpie/actors/messages"
)

// window holds the step records of one episode that were reported and are not
// acknowledged yet. The loop adds, the actor acknowledges.
type window struct {
	maxRecords, maxBytes int
	gauge                prometheus.Gauge

	mu      sync.Mutex
	records []kept // records[head:] wait, in order of their steps
	head    int
	bytes   int
}

// kept is a report without its picture.
type kept struct {
	record  *messages.StepRecord
	seqs    []uint64
	returns []float64
	seats   []*messages.SeatView
	bytes   int
}

func keptOf(m *messages.Stepped, bytes int) kept {
	return kept{m.Record, m.InputSeqs, m.Returns, m.Seats, bytes}
}

// report is the report again.
func (k *kept) report(episode string) *messages.Stepped {
	return &messages.Stepped{EpisodeId: episode, Record: k.record, InputSeqs: k.seqs, Returns: k.returns, Seats: k.seats}
}

func newWindow(cfg *Config) *window {
	return &window{maxRecords: cfg.MaxUnacked, maxBytes: cfg.MaxUnackedBytes, gauge: cfg.Metrics.unacked}
}

// add keeps a report until it is acknowledged.
func (w *window) add(m *messages.Stepped, bytes int) {
	w.mu.Lock()
	if w.head > 256 && w.head*2 > len(w.records) {
		n := copy(w.records, w.records[w.head:])
		clear(w.records[n:])
		w.records, w.head = w.records[:n], 0
	}
	w.records = append(w.records, keptOf(m, bytes))
	w.bytes += bytes
	w.mu.Unlock()
	w.gauge.Inc()
}

// ack forgets everything up to and with a step, and returns how much that was.
func (w *window) ack(through uint64) int {
	w.mu.Lock()
	n := 0
	for w.head < len(w.records) && w.records[w.head].record.Step <= through {
		w.bytes -= w.records[w.head].bytes
		w.records[w.head] = kept{}
		w.head++
		n++
	}
	if w.head == len(w.records) {
		w.records, w.head = w.records[:0], 0
	}
	w.mu.Unlock()
	w.gauge.Sub(float64(n))
	return n
}

// after copies what waits and comes after a step.
func (w *window) after(step uint64) []kept {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := w.head
	for i < len(w.records) && w.records[i].record.Step <= step {
		i++
	}
	return slices.Clone(w.records[i:])
}

// full reports whether the loop has to wait for an acknowledgement.
func (w *window) full() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.records)-w.head >= w.maxRecords || w.bytes >= w.maxBytes
}

// drop forgets everything: the session is gone, nobody will ask for it.
func (w *window) drop() { w.ack(^uint64(0)) }

// len is how many records wait.
func (w *window) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.records) - w.head
}
