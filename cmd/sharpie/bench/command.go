package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"
)

// Command is `sharpie bench`.
type Command struct {
	Preset       string        `help:"Measure a list of runs: numbers (the design's table), nodes (what runner nodes and their loss cost; about 10 minutes), reference (participants, frames and latency as the Python reference measures them), participants, frames, latency, sessions. Without it, one run from the settings below." placeholder:"NAME"`
	Mode         string        `help:"When a participant sends an input: real-time, turns, saturation." enum:"real-time,turns,saturation" default:"real-time"`
	Sessions     int           `help:"Sessions side by side." default:"1"`
	Participants int           `help:"Participants in each session." default:"1"`
	FPS          float64       `name:"fps" help:"Steps a second." default:"30"`
	Size         int           `help:"Pixels of the square picture's side." default:"64"`
	Frames       string        `help:"What the pictures show: game, noise or still." enum:"game,noise,still" default:"game"`
	Latency      time.Duration `help:"Latency added to the round trip, half each way." default:"0s"`
	Steps        int           `help:"End each session after so many steps; 0 measures for --seconds." default:"0"`
	Seconds      float64       `help:"Length of the measurement; with --preset nodes, of each of its rounds." default:"10"`
	Rounds       int           `help:"With --preset nodes: how often everything is measured." default:"3"`
	Nodes        int           `help:"Play on so many runner nodes instead of in the server; 0 plays in the server." default:"0"`
	Mongo        string        `help:"Let the server that is started keep its data in this MongoDB." placeholder:"URI"`
	URL          string        `name:"url" help:"Measure a server that runs on this machine already, on the experiment --link." placeholder:"URL"`
	Link         string        `help:"With --url: the experiment, with as many seats as --participants."`
	Key          string        `help:"With --url: the registration key." env:"SHARPIE_REGISTRATION_KEY"`
	PID          int           `name:"pid" help:"With --url: the server's process, for its processor time and memory."`
	NoEcho       bool          `help:"Leave out the bare echo."`
	JSON         string        `name:"json" help:"Write the report to this file, - for standard output." placeholder:"FILE"`

	ServeEcho bool `hidden:""`
}

// Run measures and prints. version is the program's.
func (c *Command) Run(ctx context.Context, version string) error {
	if c.ServeEcho {
		return serveEcho(os.Stdout)
	}
	runs, err := c.runs()
	if err != nil {
		return err
	}
	b := &bencher{prefix: "bench-" + strconv.FormatInt(time.Now().UnixMilli(), 36), progress: func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }}
	report := Report{Version: version, At: time.Now().UTC(), Machine: thisMachine(), Store: c.storeName(), RunnerNodes: c.Nodes}
	if c.Preset == presetNodes {
		err = c.measureNodes(ctx, b, runs, &report)
	} else {
		err = c.measureRuns(ctx, b, runs, &report)
	}
	err = errors.Join(err, report.print(os.Stderr))
	if c.JSON != "" {
		err = errors.Join(err, report.writeJSON(c.JSON))
	}
	return err
}

// measureRuns measures one run after the other, on one server.
func (c *Command) measureRuns(ctx context.Context, b *bencher, runs []Run, report *Report) error {
	links := make([]string, len(runs))
	slots := 1
	for i, r := range runs {
		links[i] = link(i)
		slots = max(slots, r.Sessions)
	}
	if c.URL != "" {
		for i := range links {
			links[i] = c.Link
		}
		var err error
		if b.server, err = c.attach(); err != nil {
			return err
		}
		report.Runs, err = b.run(ctx, runs, links, !c.NoEcho)
		return err
	}
	own := serverConfig{runs: runs, slots: slots, mongo: c.Mongo}
	if c.Nodes > 0 {
		own.slots, own.nodes = 0, true
	}
	var err error
	if b.server, err = startServer(ctx, own); err != nil {
		return err
	}
	configs := make([]nodeConfig, c.Nodes)
	for i := range configs {
		configs[i] = nodeConfig{name: fmt.Sprintf("node-%d", i), slots: (slots + c.Nodes - 1) / c.Nodes}
	}
	b.nodes, err = b.server.startNodes(ctx, configs)
	if err == nil {
		report.Runs, err = b.run(ctx, runs, links, !c.NoEcho)
	}
	endNodes(b.nodes)
	stored, finishErr := b.server.finish(context.WithoutCancel(ctx), len(runs))
	for i := range min(len(report.Runs), len(stored)) {
		report.Runs[i].Stored = &stored[i]
	}
	return errors.Join(err, finishErr)
}

// measureNodes measures runner nodes: what they cost at rest, beside local runners, and
// when they are lost.
func (c *Command) measureNodes(ctx context.Context, b *bencher, runs []Run, report *Report) error {
	length := time.Duration(c.Seconds * float64(time.Second))
	for i := range runs {
		runs[i].Length = length
	}
	idle, err := b.measureIdles(ctx, c.Mongo, length, c.Rounds)
	if err != nil {
		return err
	}
	if b.server, err = startServer(ctx, serverConfig{runs: runs, slots: runs[runLocal].Sessions, mongo: c.Mongo, nodes: true}); err != nil {
		return err
	}
	out := &Nodes{Idle: idle}
	report.Nodes = out
	report.Runs, err = b.measureNodes(ctx, runs, c.Rounds, !c.NoEcho, out)
	var finishErr error
	out.Stored, finishErr = b.server.finish(context.WithoutCancel(ctx), len(runs))
	return errors.Join(err, finishErr)
}

func (c *Command) storeName() string {
	switch {
	case c.URL != "":
		return "of " + c.URL
	case c.Mongo != "":
		return "mongodb"
	}
	return "embedded"
}

func (c *Command) runs() ([]Run, error) {
	if err := c.checkNodes(); err != nil {
		return nil, err
	}
	if c.Preset != "" {
		if c.URL != "" {
			return nil, errors.New("--preset needs a server of its own: leave out --url")
		}
		return presets(c.Preset)
	}
	r := Run{
		Name: fmt.Sprintf("%d × %d, %s", c.Sessions, c.Participants, c.Mode), Mode: Mode(c.Mode), Sessions: c.Sessions, Participants: c.Participants,
		FPS: c.FPS, Size: c.Size, Frames: c.Frames, Latency: c.Latency, Steps: c.Steps, Length: time.Duration(c.Seconds * float64(time.Second)),
	}
	return []Run{r}, r.Check()
}

// checkNodes says what is wrong with the flags about runner nodes.
func (c *Command) checkNodes() error {
	switch {
	case c.Nodes < 0 || c.Nodes > 100:
		return fmt.Errorf("--nodes is %d: allowed is 0 to 100", c.Nodes)
	case c.Nodes > 0 && c.URL != "":
		return errors.New("--nodes needs a server of its own: leave out --url")
	case c.Nodes > 0 && c.Preset == presetNodes:
		return errors.New("--preset nodes starts its own nodes: leave out --nodes")
	case c.Preset == presetNodes && (c.Rounds < 1 || c.Rounds > 100):
		return fmt.Errorf("--rounds is %d: allowed is 1 to 100", c.Rounds)
	case c.Preset == presetNodes && !(c.Seconds >= 1 && c.Seconds <= 600):
		return fmt.Errorf("--seconds is %g: with --preset nodes, allowed is 1 to 600", c.Seconds)
	}
	return nil
}

// attach takes a server that runs already. Load goes to this machine only.
func (c *Command) attach() (*server, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("--url is %q: allowed is http://HOST:PORT", c.URL)
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("--url is %q: the benchmark loads this machine only, use a loopback address", c.URL)
	}
	if c.Link == "" || c.PID == 0 {
		return nil, errors.New("--url needs --link (an experiment) and --pid (the server's process)")
	}
	p, err := os.FindProcess(c.PID)
	if err != nil {
		return nil, fmt.Errorf("--pid: %w", err)
	}
	return &server{base: "http://" + u.Host, key: c.Key, child: foreign(p)}, nil
}
