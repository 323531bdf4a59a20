package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/yamux"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Times and sizes of a tunnel.
const (
	beatEvery = time.Second
	lostAfter = 3 * time.Second        // of silence, whatever TCP says
	lookEvery = 200 * time.Millisecond // for silence
	// slowAfter is how long a beat may be under way, there and back, on a link that
	// carries something all the while. Ahead of it is a window at most, so that this is
	// less than two megabits a second, with more to carry: nobody can play over that.
	slowAfter   = 6 * time.Second
	helloWait   = 5 * time.Second
	goodbyeWait = 300 * time.Millisecond
	// stalledWrite ends a connection that takes nothing; heartbeats are quicker.
	stalledWrite = 10 * time.Second

	streamWindow = 1 << 20 // bytes on their way in one stream
	// carriers bounds the gRPC connections that a peer may open in a tunnel: one, and
	// one more while a lost one is replaced.
	carriers = 4
)

// The first byte of a stream says what it is.
const (
	kindControl = 'c'
	kindRemote  = 'r'
)

// End is why a tunnel ended, or was refused. Codes are "lost", "left", "fenced",
// "replaced", "revoked", "breach", "stopping", "protocol", "refused", "address",
// "certificate", "stranger", "anew", "penalty", "wait", "full".
type End struct {
	Code   string
	Detail string // a sentence
}

// Error implements error.
func (e *End) Error() string { return e.Detail }

// Final says whether coming back is useless: the server refused the node, or has
// refused what it is.
func (e *End) Final() bool {
	switch e.Code {
	case "fenced", "revoked", "protocol", "refused":
		return true
	}
	return false
}

// tunnel is one connection between a node and the server, at either end.
type tunnel struct {
	meter    *meter
	session  *yamux.Session
	control  net.Conn
	carriers atomic.Int32
	// describe fills what this end's beats say of it; nil says nothing.
	describe func(*Beat)
	// beaten is told every beat of the peer.
	beaten func(*Beat)
	// nudged, where it is set, has the next beat sent at once.
	nudged chan struct{}
	peer   string // "The node" or "The server", for sentences
	// skew is what to say of versions where the peer breaks a rule; set before run.
	skew string
	// carrier takes a gRPC connection that the peer opened.
	carrier func(net.Conn)

	writing sync.Mutex // of control
	beats   pulse

	once sync.Once
	done chan struct{} // closed at the end
	end  *End          // why; read after done
}

// pulse is what is known of the beats of a tunnel.
type pulse struct {
	mu       sync.Mutex
	sent     uint64
	sentAt   time.Time
	answered uint64    // the newest that was
	waiting  time.Time // since when, about, a beat has no answer; zero: none waits
	got      uint64
	gotAt    time.Time
	rtt      time.Duration
}

func tunnelConfig() *yamux.Config {
	c := yamux.DefaultConfig()
	c.AcceptBacklog = 8
	c.EnableKeepAlive = false // the beats are stricter
	c.ConnectionWriteTimeout = stalledWrite
	c.StreamOpenTimeout = stalledWrite
	c.StreamCloseTimeout = stalledWrite
	c.MaxStreamWindowSize = streamWindow
	c.LogOutput = io.Discard
	return c
}

// open opens a stream of a kind.
func (t *tunnel) open(kind byte) (net.Conn, error) {
	s, err := t.session.OpenStream()
	if err != nil {
		return nil, fmt.Errorf("open a stream of the tunnel: %w", err)
	}
	if _, err := s.Write([]byte{kind}); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("open a stream of the tunnel: %w", err)
	}
	return s, nil
}

// accept takes the peer's next stream, which must be of a kind.
func accept(ctx context.Context, s *yamux.Session, kind byte) (net.Conn, error) {
	c, err := s.AcceptStreamWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("accept a stream of the tunnel: %w", err)
	}
	if got, err := kindOf(c); err != nil || got != kind {
		_ = c.Close()
		return nil, errors.Join(err, fmt.Errorf("a stream of kind %q, expected was %q", got, kind))
	}
	return c, nil
}

// kindOf reads a stream's first byte.
func kindOf(c net.Conn) (byte, error) {
	var first [1]byte
	_ = c.SetReadDeadline(time.Now().Add(helloWait))
	_, err := io.ReadFull(c, first[:])
	_ = c.SetReadDeadline(time.Time{})
	return first[0], err
}

// run carries the tunnel until it ends, and returns why. With the end of the context
// it says farewell. Nothing of it runs on.
func (t *tunnel) run(ctx context.Context, farewell *End) *End {
	t.meter.touch()
	flood := func() { t.close(&End{"breach", "It sent more bytes a second than a node may send."}, false) }
	t.meter.flood.Store(&flood)
	stop := context.AfterFunc(ctx, func() { t.close(farewell, true) })
	defer stop()
	var all sync.WaitGroup
	all.Go(t.readControl)
	all.Go(t.acceptStreams)
	all.Go(t.beat)
	all.Go(t.watch)
	<-t.done
	_ = t.session.Close()
	all.Wait()
	return t.end
}

// close ends the tunnel, once; tell says it to the peer, if it still listens.
func (t *tunnel) close(e *End, tell bool) {
	t.once.Do(func() {
		t.end = e
		if tell && t.control != nil {
			_ = t.control.SetWriteDeadline(time.Now().Add(goodbyeWait))
			_ = t.send(goodbye(e))
		}
		close(t.done)
		go func() { _ = t.session.Close() }() // waits for the goroutine that may be here
	})
}

// ended says whether the tunnel is no more.
func (t *tunnel) ended() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

// streamEnded ends the tunnel with the stream of packets to the peer.
func (t *tunnel) streamEnded(reason string, err error) {
	if reason != "" {
		t.breached(reason)
		return
	}
	if err == nil || errors.Is(err, io.EOF) || status.Code(err) == codes.Unavailable { // gRPC's words say less
		err = io.EOF
	}
	t.close(broke(err), true)
}

// breached ends the tunnel of a peer that broke a rule.
func (t *tunnel) breached(sent string) {
	t.close(&End{"breach", clip(t.peer+" sent "+sent+".", 512) + t.skew}, true)
}

// send writes a control message.
func (t *tunnel) send(m *Control) error {
	t.writing.Lock()
	defer t.writing.Unlock()
	return writeControl(t.control, m)
}

// readControl takes beats until the peer says goodbye or is gone.
func (t *tunnel) readControl() {
	for {
		m, err := readControl(t.control)
		if err != nil {
			t.close(broke(err), false)
			return
		}
		switch m := m.GetKind().(type) {
		case *Control_Beat:
			t.beats.heard(m.Beat)
			if t.beaten != nil {
				t.beaten(m.Beat)
			}
		case *Control_Goodbye:
			t.close(farewellOf(m.Goodbye), false)
			return
		case nil:
			t.breached("a control message that is not known here")
			return
		default:
			t.breached(fmt.Sprintf("a control message at the wrong time (%T)", m))
			return
		}
	}
}

// broke is the end of a tunnel without a goodbye. How TCP ended it tells a process that
// died from a network that did, and is for whoever looks for the fault.
func broke(err error) *End {
	if errors.Is(err, io.EOF) {
		return &End{"lost", "The connection was closed without a goodbye: the process at its other end died or gave this one up, or something on the way ended it."}
	}
	return &End{"lost", "The connection broke: " + err.Error() + "."}
}

// acceptStreams takes the gRPC connections of the peer.
func (t *tunnel) acceptStreams() {
	for {
		c, err := t.session.AcceptStream()
		if err != nil {
			return // the control stream says why, after its last message
		}
		if t.carriers.Add(1) > carriers {
			t.close(&End{"breach", fmt.Sprintf("More than %d connections at once in one tunnel.", carriers)}, true)
			return
		}
		go func() {
			kind, err := kindOf(c)
			if err != nil || kind != kindRemote {
				t.carriers.Add(-1)
				_ = c.Close()
				return
			}
			t.carrier(&counted{Conn: c, n: &t.carriers})
		}()
	}
}

// counted is a connection that counts itself out when it is closed.
type counted struct {
	net.Conn
	n    *atomic.Int32
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.n.Add(-1) })
	return c.Conn.Close()
}

// beat tells the peer every second that this end lives.
func (t *tunnel) beat() {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		b := t.beats.next()
		if t.describe != nil {
			t.describe(b)
		}
		if err := t.send(beat(b)); err != nil {
			if t.session.IsClosed() {
				return // as above
			}
			t.close(broke(err), false)
			return
		}
		select {
		case <-tick.C:
		case <-t.nudged:
		case <-t.done:
			return
		}
	}
}

// watch ends the tunnel when nothing was heard for too long. A process that was
// itself asleep gives its peer the time to be heard.
func (t *tunnel) watch() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case now := <-tick.C:
			if now.Sub(last) > beatEvery {
				t.meter.touch()
				t.beats.forgive()
			}
			last = now
			if t.meter.silent() > lostAfter {
				t.close(&End{"lost", fmt.Sprintf("Nothing was heard for %s.", lostAfter)}, false)
				return
			}
			if t.beats.unanswered() > slowAfter {
				t.close(&End{"lost", fmt.Sprintf("The connection is too slow: it took more than %s for an answer.", slowAfter)}, false)
				return
			}
		case <-t.done:
			return
		}
	}
}

// next is the beat to send.
func (p *pulse) next() *Beat {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := &Beat{}
	p.sent++
	p.sentAt = time.Now()
	if p.waiting.IsZero() {
		p.waiting = p.sentAt
	}
	b.Number, b.Answers = p.sent, p.got
	if p.got > 0 {
		b.HeldUs = time.Since(p.gotAt).Microseconds()
	}
	return b
}

// heard measures the round trip where a beat answers the newest one sent.
func (p *pulse) heard(b *Beat) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if b.GetAnswers() == p.sent && p.answered != p.sent {
		p.rtt = max(0, now.Sub(p.sentAt)-time.Duration(b.GetHeldUs())*time.Microsecond)
	}
	if behind := p.sent - min(p.sent, b.GetAnswers()); b.GetAnswers() > p.answered {
		p.answered = p.sent - behind
		p.waiting = now.Add(-time.Duration(behind) * beatEvery) // when the next one went out
		if behind == 0 {
			p.waiting = time.Time{}
		}
	}
	p.got, p.gotAt = b.GetNumber(), now
}

// unanswered is for about how long a beat has been waiting for its answer.
func (p *pulse) unanswered() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting.IsZero() {
		return 0
	}
	return time.Since(p.waiting)
}

// forgive counts the wait anew: this process was asleep itself.
func (p *pulse) forgive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.waiting.IsZero() {
		p.waiting = time.Now()
	}
}

func (p *pulse) latency() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rtt
}
