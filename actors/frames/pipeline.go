package frames

import (
	"sync"

	"sharpie/actors/messages"
	"sharpie/envs"
)

// Encoded is a picture that a Pipeline has made, or why it could not.
type Encoded struct {
	Step          uint64
	Codec         messages.Codec
	Data          []byte
	Width, Height int
	Err           error
}

// Pipeline encodes pictures beside the goroutine that draws them: one is being
// encoded, at most one waits, and a newer one takes the place of that which
// waits. So a slow encoder costs pictures, never time of the environment.
//
// Put, Wait and Close are called from one goroutine.
type Pipeline struct {
	encoder *Encoder
	deliver func(Encoded)

	mu      sync.Mutex
	changed sync.Cond // the worker took or finished something, or there is something new
	waiting bool      // next holds a frame
	busy    bool      // the worker is encoding
	closed  bool
	next    slot
	worker  slot
	running bool
}

// slot is a frame in memory of the pipeline's own.
type slot struct {
	frame envs.Frame
	step  uint64
}

// NewPipeline makes a pipeline around an encoder, which belongs to it from now
// on. deliver is called for every changed picture and every error, in order of
// steps, from the pipeline's goroutine.
func NewPipeline(e *Encoder, deliver func(Encoded)) *Pipeline {
	p := &Pipeline{encoder: e, deliver: deliver}
	p.changed.L = &p.mu
	return p
}

// Put hands a frame over; it is copied before Put returns.
func (p *Pipeline) Put(f envs.Frame, step uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	n := &p.next
	n.step = step
	n.frame.Width, n.frame.Height = f.Width, f.Height
	n.frame.Index = keep(n.frame.Index, f.Index)
	n.frame.RGB = keep(n.frame.RGB, f.RGB)
	n.frame.Palette = keep(n.frame.Palette, f.Palette)
	p.waiting = true
	if !p.running {
		p.running = true
		go p.run()
	}
	p.changed.Broadcast()
}

// Wait returns once everything put so far is delivered, or overtaken.
func (p *Pipeline) Wait() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.waiting || p.busy {
		p.changed.Wait()
	}
}

// Close ends the pipeline; what waits is dropped. It does not wait for the worker.
func (p *Pipeline) Close() {
	p.mu.Lock()
	p.closed, p.waiting = true, false
	p.changed.Broadcast()
	p.mu.Unlock()
}

// run is the worker.
func (p *Pipeline) run() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for !p.waiting && !p.closed {
			p.changed.Wait()
		}
		if p.closed {
			return
		}
		p.waiting, p.busy = false, true
		p.next, p.worker = p.worker, p.next
		p.mu.Unlock()
		p.encode(&p.worker)
		p.mu.Lock()
		p.busy = false
		p.changed.Broadcast()
	}
}

func (p *Pipeline) encode(s *slot) {
	out := Encoded{Step: s.step, Width: s.frame.Width, Height: s.frame.Height}
	var changed bool
	out.Codec, out.Data, changed, out.Err = p.encoder.Encode(s.frame)
	if changed || out.Err != nil {
		p.deliver(out)
	}
}

// keep copies src into dst's memory; nil stays nil.
func keep(dst, src []byte) []byte {
	if src == nil {
		return nil
	}
	return append(dst[:0], src...)
}
