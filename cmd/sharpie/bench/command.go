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
	Preset       string        `help:"Measure a list of runs: numbers (the design's table), reference (participants, frames and latency as the Python reference measures them), participants, frames, latency, sessions. Without it, one run from the settings below." placeholder:"NAME"`
	Mode         string        `help:"When a participant sends an input: real-time, turns, saturation." enum:"real-time,turns,saturation" default:"real-time"`
	Sessions     int           `help:"Sessions side by side." default:"1"`
	Participants int           `help:"Participants in each session." default:"1"`
	FPS          float64       `name:"fps" help:"Steps a second." default:"30"`
	Size         int           `help:"Pixels of the square picture's side." default:"64"`
	Frames       string        `help:"What the pictures show: game, noise or still." enum:"game,noise,still" default:"game"`
	Latency      time.Duration `help:"Latency added to the round trip, half each way." default:"0s"`
	Steps        int           `help:"End each session after so many steps; 0 measures for --seconds." default:"0"`
	Seconds      float64       `help:"Length of the measurement." default:"10"`
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
	links := make([]string, len(runs))
	for i := range links {
		links[i] = link(i)
	}
	if c.URL != "" {
		if b.server, err = c.attach(); err != nil {
			return err
		}
		for i := range links {
			links[i] = c.Link
		}
	} else if b.server, err = startServer(ctx, runs, c.Mongo); err != nil {
		return err
	}
	results, runErr := b.run(ctx, runs, links, !c.NoEcho)
	if c.URL == "" {
		stored, err := b.server.finish(context.WithoutCancel(ctx), len(runs))
		runErr = errors.Join(runErr, err)
		for i := range min(len(results), len(stored)) {
			results[i].Stored = &stored[i]
		}
	}
	report := Report{Version: version, At: time.Now().UTC(), Machine: thisMachine(), Store: c.storeName(), Runs: results}
	if err := report.print(os.Stderr); err != nil {
		return errors.Join(runErr, err)
	}
	if c.JSON != "" {
		runErr = errors.Join(runErr, report.writeJSON(c.JSON))
	}
	return runErr
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
