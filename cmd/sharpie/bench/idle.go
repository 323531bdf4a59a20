package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How many nodes are connected while nobody plays.
const (
	idleNodes = 50
	idleSlots = 4
)

// Idle is what connected nodes cost a server on which nobody plays, in parts of a core.
type Idle struct {
	Nodes   int     `json:"nodes"`
	Slots   int     `json:"slots"` // of each
	Without float64 `json:"cores_without"`
	With    float64 `json:"cores_with"`
	// Memory without and with them, resident bytes.
	MemoryWithout int64 `json:"memory_without"`
	MemoryWith    int64 `json:"memory_with"`
}

// measureIdle starts a server of its own, and looks at it without nodes and with them.
func (b *bencher) measureIdle(ctx context.Context, mongo string, length time.Duration) (out Idle, err error) {
	out = Idle{Nodes: idleNodes, Slots: idleSlots}
	s, err := startServer(ctx, serverConfig{mongo: mongo, nodes: true})
	if err != nil {
		return out, err
	}
	defer func() {
		_, stopErr := s.finish(context.WithoutCancel(ctx), 0)
		err = errors.Join(err, stopErr)
	}()
	b.progress("idle, without nodes")
	if out.Without, out.MemoryWithout, err = s.idle(ctx, length); err != nil {
		return out, err
	}
	b.progress("starting %d nodes", out.Nodes)
	configs := make([]nodeConfig, out.Nodes)
	for i := range configs {
		configs[i] = nodeConfig{name: fmt.Sprintf("idle-%d", i), slots: out.Slots}
	}
	nodes, err := s.startNodes(ctx, configs)
	defer func() { endNodes(nodes) }() // before the server
	if err != nil {
		return out, err
	}
	b.progress("idle, with %d nodes", out.Nodes)
	out.With, out.MemoryWith, err = s.idle(ctx, length)
	return out, err
}

// idle is what the server uses while nobody does anything.
func (s *server) idle(ctx context.Context, length time.Duration) (cores float64, memory int64, err error) {
	if err := pause(ctx, 2*time.Second); err != nil {
		return 0, 0, err
	}
	from := time.Now()
	before, err := s.usage()
	if err != nil {
		return 0, 0, err
	}
	if err := pause(ctx, length); err != nil {
		return 0, 0, err
	}
	after, err := s.usage()
	if err != nil {
		return 0, 0, err
	}
	return (after.CPU - before.CPU).Seconds() / time.Since(from).Seconds(), after.RSS, nil
}
