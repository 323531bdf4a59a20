package bench

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// window is the time in which players count; before it they play uncounted.
type window struct{ from, to atomic.Int64 }

func (w *window) holds(t time.Time) bool {
	f, n := w.from.Load(), t.UnixNano()
	return f != 0 && n >= f && n < w.to.Load()
}

// tally is what one player met within the window.
type tally struct {
	rtt         samples
	frames      int
	messages    int
	bytes       int64     // of all messages
	frameBytes  int64     // of those with a picture
	first, last time.Time // of the frames
	firstStep   uint64
	lastStep    uint64
	err         error
}

// player is one participant at one socket.
type player struct {
	sock  *socket
	mode  Mode
	fps   float64
	win   *window
	phase time.Duration // of its deadlines; the same for everybody in the session
	still bool          // pictures do not change: any message that answers an input counts

	mu   sync.Mutex
	sent map[uint64]time.Time
	seq  uint64
	acks uint64
	step atomic.Uint64

	started chan struct{} // closed at the first picture
	tally   tally
	outage  outage
}

func newPlayer(sock *socket, r Run, phase time.Duration, win *window) *player {
	return &player{sock: sock, mode: r.Mode, fps: r.FPS, phase: phase, win: win, still: r.Frames == "still", sent: map[uint64]time.Time{}, started: make(chan struct{})}
}

// play reads until the session is over, the context ends, or the socket fails.
func (p *player) play(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(ctx, func() { // without a goodbye the session would play on for its grace, under the next run
		_ = p.sock.write(leaveMessage())
		p.sock.close()
	})
	if err := p.sock.send(readyMessage()); err != nil {
		p.tally.err = err
		return
	}
	go p.keepAlive(ctx)
	running := false
	for {
		b, err := p.sock.read()
		if err != nil {
			if ctx.Err() == nil {
				p.tally.err = err
			}
			return
		}
		now := time.Now()
		s, err := parseServerMessage(b)
		if err != nil {
			p.tally.err = err
			return
		}
		p.count(s, len(b), now)
		if s.over {
			return
		}
		if !s.frame {
			if p.still && running && p.mode == Saturation && s.inputSeq > 0 {
				p.sendNext()
			}
			continue
		}
		if !running {
			running = true
			close(p.started)
			if p.mode != Saturation {
				go paced(ctx, p.fps, p.phase, p.input)
				continue
			}
		}
		if p.mode == Saturation {
			p.sendNext()
		}
	}
}

// count takes one message into the tally.
func (p *player) count(s seen, size int, now time.Time) {
	in := p.win.holds(now)
	p.outage.see(s, now)
	if s.frame {
		p.step.Store(s.step)
	}
	if in {
		p.tally.messages++
		p.tally.bytes += int64(size)
		if s.frame {
			if p.tally.frames == 0 {
				p.tally.first, p.tally.firstStep = now, s.step
			}
			p.tally.frames++
			p.tally.frameBytes += int64(size)
			p.tally.last, p.tally.lastStep = now, s.step
		}
	}
	if !s.frame && !p.still {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for ; p.acks < s.inputSeq; p.acks++ {
		if t, ok := p.sent[p.acks+1]; ok {
			delete(p.sent, p.acks+1)
			if in {
				p.tally.rtt.add(now.Sub(t))
			}
		}
	}
}

// sendNext sends the next input; a failure shows in the reader.
func (p *player) sendNext() { _ = p.input() }

// input sends the next input.
func (p *player) input() error {
	p.mu.Lock()
	p.seq++
	seq := p.seq
	now := time.Now()
	p.sent[seq] = now
	p.mu.Unlock()
	var buf [128]byte
	return p.sock.send(appendInput(buf[:0], seq, p.step.Load(), now))
}

func (p *player) keepAlive(ctx context.Context) {
	t := time.NewTicker(5 * time.Second)
	defer t.Stop()
	for id := uint64(1); ; id++ {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			if err := p.sock.send(pingMessage(id, now)); err != nil {
				return
			}
		}
	}
}

var errNotStarted = errors.New("bench: the session did not start in time")
