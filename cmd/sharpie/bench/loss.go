package bench

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// blow is a way in which a runner node is lost.
type blow struct {
	name    string // of the node that it hits
	relayed bool
	noticed time.Duration // in which it is to be noticed
	strike  func(*node) error
}

func blows() []blow {
	return []blow{
		{name: "killed", noticed: time.Second, strike: (*node).kill},
		{name: "frozen", noticed: 3500 * time.Millisecond, strike: (*node).freeze},
		{name: "stalled", relayed: true, noticed: 3500 * time.Millisecond, strike: (*node).stall},
	}
}

// Loss is one loss of a runner node that played all sessions, while another one was free.
type Loss struct {
	Node    string    `json:"node"`    // what became of it: killed, frozen, stalled
	Players int       `json:"players"` // for whom N of what follows is less, it did not come
	Step    uint64    `json:"step"`    // the newest that anybody saw before
	Noticed Quantiles `json:"noticed"`
	Resumed Quantiles `json:"resumed_after_noticed"`
	// The server's memory: at most, in as long a time before, until everybody had
	// noticed, and until play went on for everybody.
	Before  Memory `json:"memory_before"`
	Stalled Memory `json:"memory_until_noticed"`
	During  Memory `json:"memory_until_resumed"`

	noticed, resumed samples // of each participant
}

// lossPatience is how long play may take to go on.
const lossPatience = 40 * time.Second

// lose plays a run on one node, starts another one, and strikes the first.
func (b *bencher) lose(ctx context.Context, r Run, link string, how blow, round int) (Loss, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*r.Length+5*time.Minute)
	defer cancel()
	out := Loss{Node: how.name, Players: r.Players()}
	name := fmt.Sprintf("%s-%d", how.name, round)
	nodes, err := b.server.startNodes(ctx, []nodeConfig{{name: name, slots: r.Sessions, relayed: how.relayed}})
	defer func() { endNodes(nodes) }()
	if err != nil {
		return out, err
	}
	players, err := b.seat(ctx, r, link, &window{})
	if err != nil {
		return out, err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	playCtx, stop := context.WithCancel(ctx)
	defer stop()
	for _, p := range players {
		wg.Go(func() { p.play(playCtx) })
	}
	if err := waitStarted(ctx, players); err != nil {
		return out, err
	}
	spare, err := b.server.startNodes(ctx, []nodeConfig{{name: name + "-next", slots: r.Sessions}})
	nodes = append(nodes, spare...)
	if err != nil {
		return out, err
	}
	watch, err := b.server.watchMemory(ctx)
	if err != nil {
		return out, err
	}
	defer watch.close()
	if err := pause(ctx, 2*time.Second); err != nil { // until all is warm
		return out, err
	}
	if err := watch.begin(); err != nil {
		return out, err
	}
	if err := pause(ctx, r.Length); err != nil {
		return out, err
	}
	if out.Before, err = watch.most(); err != nil {
		return out, err
	}
	return out, out.strike(ctx, nodes[0], how, players, watch)
}

// strike hits the node, and waits until play goes on for everybody.
func (l *Loss) strike(ctx context.Context, n *node, how blow, players []*player, watch *memoryWatch) error {
	ctx, cancel := context.WithTimeout(ctx, lossPatience)
	defer cancel()
	for _, p := range players {
		l.Step = max(l.Step, p.outage.newest())
	}
	if err := watch.begin(); err != nil {
		return err
	}
	now := time.Now()
	var noticed, resumed []<-chan struct{}
	for _, p := range players {
		n, r := p.outage.begin(now)
		noticed, resumed = append(noticed, n), append(resumed, r)
	}
	if err := how.strike(n); err != nil {
		return err
	}
	awaitAll(ctx, noticed)
	var err error
	if l.Stalled, err = watch.most(); err != nil {
		return err
	}
	awaitAll(ctx, resumed)
	if l.During, err = watch.most(); err != nil {
		return err
	}
	for _, p := range players {
		p.outage.met(&l.noticed, &l.resumed)
	}
	l.Noticed, l.Resumed = merge(&l.noticed).quantiles(), merge(&l.resumed).quantiles()
	return nil
}

// awaitAll waits until all are closed, or the context ends.
func awaitAll(ctx context.Context, all []<-chan struct{}) {
	for _, c := range all {
		select {
		case <-c:
		case <-ctx.Done():
			return
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
