package runner

import (
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"sharpie/actors/messages"
)

// outbox is what one episode tells its session, in order. It keeps what has to be
// told again when the session was out of reach: the records until they are stored
// (in the window), Started and the checkpoints until a later record is, the newest
// picture until it was shown, and the last message for as long as the outbox lives.
// While the link is cut it sends nothing at all; what cannot be told again (Waiting)
// is made anew by the loop.
//
// Pictures are latest-wins: with a credit at most that many are under way, and the
// newest one follows as soon as one of those has arrived. The last picture of an
// episode, and the one sent after a cut, do not wait for credit.
type outbox struct {
	episode string
	window  *window
	metrics *Metrics

	mu       sync.Mutex // taken with Lock, let go with unlock
	outgoing []any      // to be sent, in order
	spare    []any      // memory of those before
	sending  bool       // somebody sends

	send   func(any)
	cut    bool   // the session is out of reach
	closed bool   // the last message was made, or the loop was abandoned
	last   uint64 // the last step reported
	report kept   // of it; no record: none yet

	started     *messages.Started
	checkpoints []*messages.Checkpoint // in order of their steps
	end         any                    // EpisodeEnded or Failed
	// doubt: a cut may have gone unseen, so that what is stored says nothing of what
	// was sent before it, until the next Reattach.
	doubt bool

	credit int               // 0: no bound
	flying []uint64          // steps of the pictures under way; only with a credit
	newest *messages.Picture // not known to have arrived
	due    bool              // newest was not sent yet
}

// maxCheckpointBytes bounds the checkpoints that are kept to be told again, except
// the newest; beyond, the oldest are told only once.
const maxCheckpointBytes = 64 << 20

func newOutbox(cfg *Config, start *messages.Start, send func(any)) *outbox {
	return &outbox{
		episode: start.GetEpisodeId(), window: newWindow(cfg), metrics: cfg.Metrics, send: send,
		credit: int(start.GetPictureCredit()), last: start.GetResumeThrough(),
	}
}

// begin sends Started. Its record is kept unless it is stored already.
func (o *outbox) begin(m *messages.Started, size int) {
	o.mu.Lock()
	defer o.unlock()
	if o.closed {
		return
	}
	o.last, o.started, o.report = m.Step.Record.Step, m, keptOf(m.Step, 0)
	if !m.Resumed {
		o.window.add(m.Step, size)
	}
	m.Step.Picture = o.show(m.Step.Picture)
	o.tell(m)
}

// step sends the report of a step and keeps its record.
func (o *outbox) step(m *messages.Stepped, size int) {
	o.mu.Lock()
	if !o.closed {
		o.last, o.report = m.Record.Step, keptOf(m, 0)
		o.window.add(m, size)
		m.Picture = o.show(m.Picture)
		o.tell(m)
	}
	o.unlock()
}

// picture sends a picture whose step was reported before.
func (o *outbox) picture(p *messages.Picture) {
	o.mu.Lock()
	defer o.unlock()
	if o.closed {
		return
	}
	if p = o.show(p); p != nil {
		o.tell(&messages.Pictured{EpisodeId: o.episode, Picture: p})
	}
}

// checkpoint sends what a policy has learned, and keeps it.
func (o *outbox) checkpoint(c *messages.Checkpoint) {
	o.mu.Lock()
	defer o.unlock()
	if o.closed {
		return
	}
	o.checkpoints = append(o.checkpoints, c)
	size := 0
	for i := len(o.checkpoints) - 1; i >= 0; i-- {
		if size += len(o.checkpoints[i].Data); size > maxCheckpointBytes && i < len(o.checkpoints)-1 {
			o.checkpoints = slices.Delete(o.checkpoints, 0, i+1)
			break
		}
	}
	o.tell(c)
}

// notice sends what only matters now.
func (o *outbox) notice(m any) {
	o.mu.Lock()
	if !o.closed {
		o.tell(m)
	}
	o.unlock()
}

// close says that only the last message may follow; false if that is so already.
func (o *outbox) close() bool {
	o.mu.Lock()
	defer o.unlock()
	was := o.closed
	o.closed = true
	return !was
}

// finish sends the last message, after the last picture.
func (o *outbox) finish(m any) {
	o.mu.Lock()
	defer o.unlock()
	o.end = m
	if o.due && !o.cut {
		o.tellNewest()
	}
	o.tell(m)
}

// tell puts a message among those to be sent, unless nobody is there; under the lock.
func (o *outbox) tell(m any) {
	if !o.cut {
		o.outgoing = append(o.outgoing, m)
	}
}

// unlock sends what was told meanwhile, in order, and lets go of the lock, which is
// not held while sending: the session and the actor may run on this very goroutine,
// and answer from within. What they cause is sent by whoever sends already.
func (o *outbox) unlock() {
	if o.sending {
		o.mu.Unlock()
		return
	}
	o.sending = true
	for len(o.outgoing) > 0 {
		batch, send := o.outgoing, o.send
		o.outgoing, o.spare = o.spare[:0], nil
		o.mu.Unlock()
		for _, m := range batch {
			send(m)
		}
		clear(batch)
		o.mu.Lock()
		o.spare = batch
	}
	o.sending = false
	o.mu.Unlock()
}

// unsent forgets what is not under way yet, because all of it is kept; under the lock.
func (o *outbox) unsent() {
	clear(o.outgoing)
	o.outgoing = o.outgoing[:0]
}

// show takes a new picture, and returns it if it may be sent now; under the lock.
func (o *outbox) show(p *messages.Picture) *messages.Picture {
	if p == nil {
		return nil
	}
	o.newest = p
	o.due = o.cut || (o.credit > 0 && len(o.flying) >= o.credit)
	if o.due {
		o.metrics.withheld.Inc()
		return nil
	}
	if o.credit > 0 {
		o.flying = append(o.flying, p.Step)
	}
	return p
}

// tellNewest sends the newest picture by itself; under the lock.
func (o *outbox) tellNewest() {
	o.due = false
	if o.credit > 0 {
		o.flying = append(o.flying, o.newest.Step)
	}
	o.tell(&messages.Pictured{EpisodeId: o.episode, Picture: o.newest})
}

// shown takes note that the pictures up to that of a step have arrived.
func (o *outbox) shown(step uint64) {
	o.mu.Lock()
	defer o.unlock()
	o.flying = slices.DeleteFunc(o.flying, func(s uint64) bool { return s <= step })
	switch {
	case o.newest == nil || o.cut:
	case o.due && len(o.flying) < o.credit:
		o.tellNewest()
	case !o.due && o.newest.Step <= step:
		o.newest = nil
	}
}

// ack forgets what is stored. What was sent before a record that is stored has
// arrived, because messages keep their order.
func (o *outbox) ack(through uint64) {
	o.window.ack(through)
	o.mu.Lock()
	defer o.unlock()
	if o.doubt {
		return
	}
	o.checkpoints = slices.DeleteFunc(o.checkpoints, func(c *messages.Checkpoint) bool { return c.Step < through })
	if s := o.started; s != nil && (through > s.Step.Record.Step || (!s.Resumed && through == s.Step.Record.Step)) {
		o.started = nil
	}
}

// drop forgets everything: nobody will ask for it.
func (o *outbox) drop() {
	o.window.drop()
	o.mu.Lock()
	o.started, o.checkpoints, o.end, o.newest, o.due, o.report = nil, nil, nil, nil, false, kept{}
	o.mu.Unlock()
}

// sever stops sending: the session is out of reach.
func (o *outbox) sever() {
	o.mu.Lock()
	o.cut = true
	o.unsent()
	o.mu.Unlock()
}

// distrust says that a cut may have gone unseen.
func (o *outbox) distrust() {
	o.mu.Lock()
	o.doubt = true
	o.mu.Unlock()
}

// reattach tells the session everything again that it may have missed, having
// received all records up to and with a step, and goes on sending to it. Whoever asks
// gets an answer: the newest record once more, where nothing else was missed.
func (o *outbox) reattach(send func(any), received uint64) {
	o.mu.Lock()
	defer o.unlock()
	o.unsent()
	o.send, o.cut, o.doubt, o.flying = send, false, false, o.flying[:0]
	if s := o.started; s != nil && received <= s.Step.Record.Step {
		o.tell(withoutPicture(s))
	}
	at := 0
	checkpoints := func(before uint64) { // those of the steps before
		for ; at < len(o.checkpoints) && o.checkpoints[at].Step < before; at++ {
			if o.checkpoints[at].Step >= received {
				o.tell(o.checkpoints[at])
			}
		}
	}
	missed := o.window.after(received)
	if len(missed) == 0 && o.report.record != nil && o.end == nil {
		missed = append(missed, o.report)
	}
	for i := range missed {
		checkpoints(missed[i].record.Step)
		o.metrics.resent.Inc()
		o.tell(missed[i].report(o.episode))
	}
	checkpoints(^uint64(0))
	if o.newest != nil {
		o.tellNewest()
	}
	if o.end != nil {
		o.tell(o.end)
	}
}

// withoutPicture copies a Started; the picture follows by itself.
func withoutPicture(s *messages.Started) *messages.Started {
	out := proto.CloneOf(s)
	out.Step.Picture = nil
	return out
}
