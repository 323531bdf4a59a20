package bench

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// Nodes is what runner nodes cost, and what their loss costs.
type Nodes struct {
	Figures []Figure `json:"figures"`
	Losses  []Loss   `json:"losses"`
	Idle    []Idle   `json:"idle"`
	// Stored is what the store holds of the runs: local, on a node, and whose node was lost.
	Stored []Stored `json:"stored"`
}

// The runs of the preset nodes, in its order.
const (
	runLocal = iota
	runNode
	runLost
)

// idleTimes is how much longer than a round nobody plays: a server at rest uses next
// to nothing.
const idleTimes = 2

// measureNodes makes the preset nodes. The results are of the rounds in which local and
// remote runners take turns.
func (b *bencher) measureNodes(ctx context.Context, runs []Run, rounds int, echo bool, out *Nodes) ([]Result, error) {
	before, err := b.assignments(ctx)
	if err != nil {
		return nil, err
	}
	results, err := b.takeTurns(ctx, runs, rounds, echo)
	if err != nil {
		return results, err
	}
	turns, err := b.assignments(ctx)
	if err != nil {
		return results, err
	}
	if out.Losses, err = b.loseNodes(ctx, runs[runLost], rounds); err != nil {
		return results, err
	}
	after, err := b.assignments(ctx)
	if err != nil {
		return results, err
	}
	out.Figures = slices.Concat(addedFigures(results), lossFigures(out.Losses), []Figure{
		assignmentFigure("assignment of a slot, local and remote", turns.since(before)),
		assignmentFigure("assignment of a slot, also after a loss", after.since(turns)),
		idleFigure(out.Idle),
	})
	return results, nil
}

// loseNodes loses a node in each way, in turns.
func (b *bencher) loseNodes(ctx context.Context, r Run, rounds int) ([]Loss, error) {
	var all []Loss
	for round := range rounds {
		for _, how := range blows() {
			b.progress("round %d: %d sessions, node %s", round+1, r.Sessions, how.name)
			l, err := b.lose(ctx, r, link(runLost), how, round)
			if err != nil {
				return all, fmt.Errorf("node %s: %w", how.name, err)
			}
			all = append(all, l)
			if err := pause(ctx, 3*time.Second); err != nil { // the sessions end, and are stored
				return all, err
			}
		}
	}
	return all, nil
}

// takeTurns plays the same on local runners and on a node, in turns.
func (b *bencher) takeTurns(ctx context.Context, runs []Run, rounds int, echo bool) ([]Result, error) {
	nodes, err := b.server.startNodes(ctx, []nodeConfig{{name: "steady", slots: runs[runNode].Sessions}})
	defer func() { endNodes(nodes); b.nodes = nil }()
	if err != nil {
		return nil, err
	}
	b.nodes = nodes
	var all []Result
	for round := range rounds {
		pair := []Run{runs[runLocal], runs[runNode]}
		for i := range pair {
			pair[i].Name = fmt.Sprintf("round %d: %s", round+1, pair[i].Name)
		}
		results, err := b.run(ctx, pair, []string{link(runLocal), link(runNode)}, echo)
		all = append(all, results...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// assignments is the server's histogram of how long sessions and slots took to meet.
func (b *bencher) assignments(ctx context.Context) (buckets, error) {
	f, err := b.server.metrics(ctx)
	if err != nil {
		return nil, err
	}
	return f.histogram("sharpie_assignment_seconds"), nil
}

// assignmentFigure says which bound no assignment exceeded.
func assignmentFigure(name string, h buckets) Figure {
	f := Figure{Name: name, Unit: "ms", AtMost: 10}
	bound := 1e3 * h.within()
	if math.IsInf(bound, 1) {
		f.Never = int(h.all())
		bound = 0
	}
	f.Measured = Spread{N: int(h.all()), Lowest: bound, Median: bound, Highest: bound}
	return f
}

// addedFigures compares the rounds on a node with the local ones beside them.
func addedFigures(results []Result) []Figure {
	var p50, p99, local50, local99 []float64
	for i := 0; i+1 < len(results); i += 2 {
		near, far := results[i].RoundTrip, results[i+1].RoundTrip
		p50, p99 = append(p50, far.P50-near.P50), append(p99, far.P99-near.P99)
		local50, local99 = append(local50, near.P50), append(local99, near.P99)
	}
	return []Figure{
		{Name: "added round trip, p50", Unit: "ms", AtMost: 1.5, Measured: spread(p50), Beside: "local", Baseline: spread(local50)},
		{Name: "added round trip, p99", Unit: "ms", AtMost: 8, Measured: spread(p99), Beside: "local", Baseline: spread(local99)},
	}
}

// lossFigures are of each kind of loss: noticed, resumed, and what it cost.
func lossFigures(losses []Loss) []Figure {
	var out []Figure
	for _, how := range blows() {
		var noticed, resumed samples
		var cost, before []float64
		players := 0
		for _, l := range losses {
			if l.Node != how.name {
				continue
			}
			noticed.d, resumed.d, players = append(noticed.d, l.noticed.d...), append(resumed.d, l.resumed.d...), players+l.Players
			cost = append(cost, float64(l.During.RSS-l.Before.RSS)/1e6)
			before = append(before, float64(l.Before.RSS)/1e6)
		}
		out = append(out,
			Figure{Name: "loss noticed, node " + how.name, Unit: "s", AtMost: how.noticed.Seconds(), Measured: spread(noticed.seconds()), Never: players - len(noticed.d)},
			Figure{Name: "play goes on after that, node " + how.name, Unit: "s", AtMost: 2, Measured: spread(resumed.seconds()), Never: players - len(resumed.d)})
		if how.name != "killed" {
			out = append(out, Figure{Name: "server's memory, node " + how.name, Unit: "MB", AtMost: 16, Measured: spread(cost), Beside: "before", Baseline: spread(before)})
		}
	}
	return out
}

// idleFigure compares a server with nodes with the same one without.
func idleFigure(all []Idle) Figure {
	var cost, without []float64
	for _, i := range all {
		cost, without = append(cost, 100*(i.With-i.Without)), append(without, 100*i.Without)
	}
	return Figure{Name: fmt.Sprintf("%d nodes × %d slots, idle", idleNodes, idleSlots), Unit: "% of a core", AtMost: 5,
		Measured: spread(cost), Beside: "without", Baseline: spread(without)}
}

// measureIdles looks at servers at rest, each with its own baseline.
func (b *bencher) measureIdles(ctx context.Context, mongo string, length time.Duration, rounds int) ([]Idle, error) {
	var all []Idle
	for range rounds {
		i, err := b.measureIdle(ctx, mongo, idleTimes*length)
		if err != nil {
			return all, fmt.Errorf("nodes at rest: %w", err)
		}
		all = append(all, i)
	}
	return all, nil
}
