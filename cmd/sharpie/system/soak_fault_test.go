package system

import (
	"fmt"
	"sync"
	"syscall"
	"time"
)

// soakNode is a node of the soak, with a wire of its own. One thing happens to it at a
// time.
type soakNode struct {
	*pythonNode
	name string
	wire *wire
	busy chan struct{} // holds a token while something happens to it
}

// fault is what can happen to a node: it is over when the function returns, and then
// the node is as it was. The times are drawn before it begins.
type fault struct {
	kind   string
	weight int
	does   func(k *soak, n *soakNode, lasts time.Duration, times []time.Duration)
	most   time.Duration // that it lasts
}

var faults = []fault{
	{"kill", 4, (*soak).kills, 3 * time.Second},
	{"freeze", 3, (*soak).freezes, 6 * time.Second},
	{"stop in good order", 3, (*soak).drains, 2 * time.Second},
	{"silence", 2, poisons(silent, toServer, toNode), 6 * time.Second},
	{"silence to the server", 2, poisons(silent, toServer), 6 * time.Second},
	{"silence to the node", 2, poisons(silent, toNode), 6 * time.Second},
	{"stall", 2, poisons(stalled, toServer, toNode), 9 * time.Second},
	{"reset", 2, poisons(reset, toServer, toNode), time.Second},
	{"latency", 2, poisons(distant, toServer, toNode), 5 * time.Second},
	{"cut", 3, (*soak).cuts, 4 * time.Second},
	{"flapping", 2, (*soak).flaps, time.Second},
}

// begin starts the nodes.
func (k *soak) begin() {
	for _, name := range []string{"a", "b", "c"} {
		w := k.wire()
		n := k.node(name, "--slots", "10", "--join", w.base, "--drain-grace", "2s")
		k.nodes = append(k.nodes, &soakNode{pythonNode: n, name: name, wire: w, busy: make(chan struct{}, 1)})
	}
}

// serverLives is how long a server lives at least in a soak, and at most.
const (
	serverLives    = 10 * time.Second
	serverLivesMax = 30 * time.Second
)

// disturb lets things happen, for so long, and returns when all are over.
func (k *soak) disturb(length time.Duration) {
	k.began = time.Now()
	var all sync.WaitGroup
	defer all.Wait()
	next := k.began.Add(min(k.between(serverLives, serverLivesMax), length/2))
	for time.Since(k.began) < length {
		pass(k.between(300*time.Millisecond, 2*time.Second))
		if time.Now().After(next) {
			k.note("kill the server", "", 0)
			k.acknowledged += k.metric(storedSteps)
			k.kill()
			pass(k.between(0, time.Second))
			k.start()
			next = time.Now().Add(k.between(serverLives, serverLivesMax))
			continue
		}
		n, f := k.nodes[k.random.IntN(len(k.nodes))], k.draw()
		lasts := k.between(f.most/10, f.most)
		times := make([]time.Duration, 10)
		for i := range times {
			times[i] = k.between(200*time.Millisecond, 1500*time.Millisecond)
		}
		select {
		case n.busy <- struct{}{}:
		default:
			continue // something happens to it
		}
		k.note(f.kind, n.name, lasts)
		all.Go(func() {
			defer func() { <-n.busy }()
			f.does(k, n, lasts, times)
		})
	}
}

func (k *soak) between(least, most time.Duration) time.Duration {
	return least + time.Duration(k.random.Int64N(int64(most-least)+1))
}

// draw chooses a fault.
func (k *soak) draw() fault {
	sum := 0
	for _, f := range faults {
		sum += f.weight
	}
	n := k.random.IntN(sum)
	for _, f := range faults {
		if n -= f.weight; n < 0 {
			return f
		}
	}
	return faults[0]
}

func (k *soak) note(kind, node string, lasts time.Duration) {
	k.mu.Lock()
	k.did[kind]++
	k.mu.Unlock()
	text := fmt.Sprintf("%6.2fs %s %s", time.Since(k.began).Seconds(), kind, node)
	if lasts > 0 {
		text += " for " + lasts.Round(10*time.Millisecond).String()
	}
	k.t.Log(text)
}

func (k *soak) kills(n *soakNode, lasts time.Duration, _ []time.Duration) {
	n.kill9()
	pass(lasts)
	n.start()
}

func (k *soak) freezes(n *soakNode, lasts time.Duration, _ []time.Duration) {
	n.freeze()
	pass(lasts)
	n.thaw()
}

// drains: what is not over within the node's grace is handed over.
func (k *soak) drains(n *soakNode, lasts time.Duration, _ []time.Duration) {
	stopped := make(chan int, 1)
	go func() { stopped <- n.stop(syscall.SIGTERM) }()
	select {
	case code := <-stopped:
		if code != 0 {
			k.t.Errorf("node %s was stopped in good order, and ended with %d", n.name, code)
		}
	case <-time.After(patience):
		k.t.Errorf("node %s was stopped in good order, and has not ended after %s", n.name, patience)
		n.kill9()
		<-stopped
	}
	pass(lasts)
	n.start()
}

func (k *soak) cuts(n *soakNode, lasts time.Duration, _ []time.Duration) {
	n.wire.cut()
	pass(lasts)
	n.wire.mend()
}

func (k *soak) flaps(n *soakNode, _ time.Duration, times []time.Duration) {
	for i := 0; i+1 < len(times); i += 2 {
		n.wire.cut()
		pass(times[i])
		n.wire.mend()
		pass(times[i+1])
	}
}

// poisons makes a fault of a bad wire.
func poisons(x toxic, directions ...string) func(*soak, *soakNode, time.Duration, []time.Duration) {
	return func(_ *soak, n *soakNode, lasts time.Duration, _ []time.Duration) {
		n.wire.poison(x, directions...)
		pass(lasts)
		n.wire.heal()
	}
}
