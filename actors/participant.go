package actors

import (
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
	"sharpie/actors/play"
	"sharpie/persistence"
)

// participant is one person in one seat. It outlives sockets: it owns which socket
// is the newest, the number of the last input, the browser's clock offset, the
// inbound rate, and the grace within which a lost person keeps the seat.
type participant struct {
	cast    *cast
	log     *slog.Logger
	session *actor.PID
	id      persistence.ParticipantID
	role    uint32 // index into Definition.agents
	grace   time.Duration
	arrival time.Duration // until the first socket must be there

	limiter *limiter
	conn    *connection // nil: away
	before  bool        // there was a socket
	lastSeq uint64
	offset  int64 // µs, server minus client
	missed  alarm
}

// maxRTT bounds what a browser may claim; more is of no use to anybody.
const maxRTT = time.Minute

func (p *participant) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		p.missed.set(ctx, p.arrival)
	case *inputReceived:
		p.input(ctx, m)
	case *pinged:
		p.ping(ctx, m)
	case *painted:
		p.cast.metrics.painted.Inc()
	case *readied:
		if p.conn == m.conn {
			ctx.Send(p.session, &seatReady{p.id})
		}
	case *left:
		if p.conn == m.conn {
			ctx.Send(p.session, &leave{p.id})
		}
	case *admit:
		p.admit(ctx, m)
	case *detached:
		p.detach(ctx, m)
	case *rang:
		if p.missed.is(m) {
			ctx.Send(p.session, &gone{p.id})
		}
	case *actor.Stopping:
		p.stopping()
	case *actor.Stopped:
	default:
		p.cast.unknown(ctx, p.log)
	}
}

// admit takes the newest socket and closes the one before.
func (p *participant) admit(ctx actor.Context, m *admit) {
	if p.conn != nil {
		p.conn.end(encodeEnd("replaced", "This experiment was opened in another tab.", ""), Close{Code: closeReplaced, Text: "replaced by a newer tab"})
		p.log.Info("socket replaced by a newer one")
	} else {
		p.cast.counts.connected.Add(1)
	}
	m.conn.limiter = p.limiter
	p.conn = m.conn
	p.missed.clear()
	ctx.RequestWithCustomSender(p.session, &attached{participant: p.id, conn: m.conn, nextSeq: p.lastSeq + 1, again: p.before}, ctx.Sender())
	p.before = true
}

// detach starts the grace, unless a newer socket is there already.
func (p *participant) detach(ctx actor.Context, m *detached) {
	if p.conn != m.conn {
		return
	}
	p.drop()
	p.missed.set(ctx, p.grace)
	ctx.Send(p.session, &away{p.id})
}

func (p *participant) drop() {
	if p.conn != nil {
		p.conn = nil
		p.cast.counts.connected.Add(-1)
	}
}

// input passes one on, numbered and dated. Numbers must grow: after a reconnect a
// page may repeat what it does not know to have arrived.
func (p *participant) input(ctx actor.Context, m *inputReceived) {
	if p.conn != m.conn {
		p.cast.metrics.inputs.WithLabelValues("old_socket").Inc()
		return
	}
	if m.in.GetSeq() <= p.lastSeq {
		p.cast.metrics.inputs.WithLabelValues("old_seq").Inc()
		return
	}
	p.lastSeq = m.in.GetSeq()
	ctx.Send(p.session, &seatInput{participant: p.id, episode: m.in.GetEpisode(), in: &messages.Input{
		Role:             p.role,
		Seq:              m.in.GetSeq(),
		StepSeen:         m.in.GetStepSeen(),
		Keys:             m.in.GetKeys(),
		Text:             m.in.Text,
		ClientTimeUs:     m.in.GetClientTimeUs(),
		ClientOffsetUs:   p.offset,
		ServerReceivedUs: m.at.UnixMicro(),
	}})
}

func (p *participant) ping(ctx actor.Context, m *pinged) {
	if p.conn != m.conn || m.rtt <= 0 || m.rtt > maxRTT {
		return
	}
	p.offset = m.offset
	ctx.Send(p.session, &seatRTT{p.id, m.rtt})
}

// stopping closes a socket that nobody closed before: the actor stops because of
// a fault, and the page may come again.
func (p *participant) stopping() {
	p.missed.clear()
	if p.conn != nil {
		p.conn.end(encodeNotice(play.Notice_ERROR, "internal", "Something went wrong on our side."), Close{Code: closeInternal, Text: "internal error"})
	}
	p.drop()
}
