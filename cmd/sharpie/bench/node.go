package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// node is a runner node: a child of this process, with a folder of its own.
type node struct {
	*child
	name  string
	slots int
	relay *relay // nil: it joins the server itself
}

// nodeConfig is how a node is started.
type nodeConfig struct {
	name    string
	slots   int
	relayed bool // through a link that can be stalled
}

// startNode starts a node; nodesReady waits for it.
func (s *server) startNode(ctx context.Context, c nodeConfig) (*node, error) {
	n := &node{name: c.name, slots: c.slots}
	join := s.base
	if c.relayed {
		var err error
		if n.relay, err = startRelay(s.addr); err != nil {
			return nil, err
		}
		join = "http://" + n.relay.address()
	}
	var err error
	n.child, err = startChild(ctx, func(string) {}, []string{"SHARPIE_RUNNER_KEY=" + s.nodeKey}, "runner", "--join", join, "--name", c.name,
		"--slots", strconv.Itoa(c.slots), "--label", placeNode, "--data", filepath.Join(s.data, "nodes", c.name), "--drain-grace", "2s", "--log-level", "warn")
	if err != nil {
		n.end()
		return nil, err
	}
	return n, nil
}

// startNodes starts nodes, a few at a time, and waits until all their slots are free.
func (s *server) startNodes(ctx context.Context, configs []nodeConfig) ([]*node, error) {
	free, err := s.freeSlots(ctx)
	if err != nil {
		return nil, err
	}
	var nodes []*node
	for len(configs) > 0 {
		some := configs[:min(4, len(configs))]
		configs = configs[len(some):]
		for _, c := range some {
			n, err := s.startNode(ctx, c)
			if err != nil {
				return nodes, err
			}
			nodes = append(nodes, n)
			free += c.slots
		}
		if err := s.nodesReady(ctx, nodes, free); err != nil {
			return nodes, err
		}
	}
	return nodes, nil
}

// nodesReady waits until the server has so many free slots.
func (s *server) nodesReady(ctx context.Context, nodes []*node, slots int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		free, err := s.freeSlots(ctx)
		if err != nil {
			return err
		}
		if free >= slots {
			return nil
		}
		for _, n := range nodes {
			if n.over() {
				return fmt.Errorf("bench: the runner node %s ended: %s", n.name, n.lastLines())
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("bench: the server has %d free slots instead of %d a minute after runner nodes were started: %s", free, slots, s.lastLines())
		case <-s.done:
			return fmt.Errorf("bench: the server ended: %s", s.lastLines())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *server) freeSlots(ctx context.Context) (int, error) {
	f, err := s.metrics(ctx)
	return int(f.gauge("sharpie_runner_slots_free")), err
}

// kill ends the node as a power cut does.
func (n *node) kill() error { return n.signal(syscall.SIGKILL) }

// freeze stops the process where it is; it keeps its connections.
func (n *node) freeze() error { return n.signal(syscall.SIGSTOP) }

// stall lets nothing more through to the node.
func (n *node) stall() error {
	if n.relay == nil {
		return errors.New("bench: the node has no link that can be stalled")
	}
	n.relay.stall()
	return nil
}

func (n *node) signal(sig os.Signal) error {
	if err := n.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("bench: send a signal to the runner node %s: %w", n.name, err)
	}
	return nil
}

// end ends the node, whatever state it is in.
func (n *node) end() {
	if n.child != nil {
		_ = n.cmd.Process.Kill() // fails where it has ended
		<-n.done
	}
	if n.relay != nil {
		n.relay.close()
	}
}

func endNodes(nodes []*node) {
	for _, n := range nodes {
		n.end()
	}
}

// nodesCPU is what the runner nodes have used so far.
func (b *bencher) nodesCPU() (time.Duration, error) {
	var sum time.Duration
	for _, n := range b.nodes {
		u, err := n.usage()
		if err != nil {
			return 0, err
		}
		sum += u.CPU
	}
	return sum, nil
}
