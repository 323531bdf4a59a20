package actors

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"sharpie/actors/link"
	"sharpie/persistence"
)

// roll keeps the books about runner nodes: a document of each, and an event for each
// change, so that a pause in somebody's game can be explained years later. It is not
// an actor: nobody waits for it.
type roll struct {
	store   persistence.Store
	log     *slog.Logger
	timeout time.Duration // of one write
	changes chan noted
	// pace bounds what nodes that come and go all the time write.
	pace *rate.Limiter
}

// noted is a change, and when it was.
type noted struct {
	link.Event
	at time.Time
}

// Bounds of the roll. What is beyond them is in the log alone.
const (
	rollQueue = 1024
	rollPace  = 20 // changes a second, after as many at once as the queue holds
)

func newRoll(store persistence.Store, log *slog.Logger, timeout time.Duration) *roll {
	return &roll{store: store, log: log, timeout: timeout, changes: make(chan noted, rollQueue), pace: rate.NewLimiter(rollPace, rollQueue)}
}

// note takes a change down. It never blocks.
func (r *roll) note(e link.Event) {
	if !r.pace.Allow() {
		return
	}
	select {
	case r.changes <- noted{e, time.Now().UTC()}:
	default:
		r.log.Warn("a change of a runner node is not recorded: too many wait for the store", "node", e.Node.ID, "change", e.Change.String())
	}
}

// run writes what was noted, in order, until the context ends; then what is left, as
// far as the store takes it at once.
func (r *roll) run(ctx context.Context) {
	for {
		select {
		case n := <-r.changes:
			r.write(ctx, n)
			continue
		case <-ctx.Done():
		}
		for {
			select {
			case n := <-r.changes:
				if !r.write(ctx, n) {
					return
				}
			default:
				return
			}
		}
	}
}

// write stores one change, and reports whether it is stored. It tries again while the
// store is away, until the context ends.
func (r *roll) write(ctx context.Context, n noted) bool {
	event, node := nodeEvent(n), nodeDocument(n)
	for tries := 1; ; tries++ {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.timeout)
		err := errors.Join(r.store.UpsertRunner(limit, node), r.store.InsertEvents(limit, []*persistence.Event{event}))
		cancel()
		away := errors.Is(err, persistence.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded)
		switch {
		case err == nil:
			return true
		case !away || ctx.Err() != nil:
			r.log.Warn("a change of a runner node is not recorded", "node", n.Node.ID, "change", n.Change.String(), "error", err)
			return false
		}
		select {
		case <-time.After(backoff(tries)):
		case <-ctx.Done():
		}
	}
}

// nodeEvent is a change as it is stored.
func nodeEvent(n noted) *persistence.Event {
	detail := persistence.Document{
		"node": n.Node.ID, "incarnation": n.Node.Incarnation, "version": n.Node.Version, "platform": n.Node.Platform,
		"slots": int64(n.Node.Slots), "labels": anySlice(n.Node.Labels), "from": n.Node.Remote,
	}
	if n.Why.Code != "" {
		detail["code"], detail["why"] = n.Why.Code, n.Why.Detail
	}
	return &persistence.Event{ID: persistence.NewID("ev"), At: n.at, Kind: "node." + n.Change.String(), Actor: "system", Detail: detail}
}

// nodeDocument is a node as it is stored.
func nodeDocument(n noted) *persistence.Runner {
	name := n.Node.ID
	if i := strings.LastIndexByte(name, '.'); i > 0 { // behind it is the key's prefix
		name = name[:i]
	}
	seen := n.at
	if !n.Node.Connected && !n.Node.SeenAt.IsZero() {
		seen = n.Node.SeenAt.UTC()
	}
	return &persistence.Runner{
		ID: persistence.RunnerID(n.Node.ID), Name: name, Incarnation: n.Node.Incarnation, Version: n.Node.Version, Slots: n.Node.Slots,
		Labels: append([]string{}, n.Node.Labels...), FirstSeenAt: n.Node.JoinedAt.UTC(), LastSeenAt: seen,
	}
}
