package main

import "sharpie/cmd/sharpie/bench"

// benchCommand measures a server that it starts itself, or one that runs.
type benchCommand struct{ bench.Command }

// Help is the longer text of `sharpie bench --help`.
func (*benchCommand) Help() string {
	return `People log in, meet in lobbies and play over real sockets; every run is followed
by a bare Fiber WebSocket echo of the same bytes on the same number of sockets, so
that figures are ratios and can be compared between machines.

  sharpie bench --sessions 100 --fps 30 --mode turns
  sharpie bench --sessions 64 --mode saturation --seconds 5
  sharpie bench --preset numbers --json report.json
  sharpie bench --nodes 2 --sessions 20 --fps 60 --mode turns
  sharpie bench --preset nodes --json nodes.json
  sharpie bench --preset reference --mongo mongodb://localhost:27017/bench`
}

// Run measures and prints.
func (c *benchCommand) Run(a *app) error { return c.Command.Run(a.ctx, a.version) }
