package actors

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sharpie/actors/link"
	"sharpie/experiments"
	"sharpie/persistence"
)

// Config is what the actors need. Store and Maker are required.
type Config struct {
	Store persistence.Store
	// Maker makes environments and agents for the runners of this process.
	Maker experiments.Maker
	// Slots is how many episodes this process runs at once, 0 to 10000; with 0
	// every session waits for a runner node.
	Slots int
	// Labels are what the slots of this process offer, for Experiment.Needs.
	Labels []string
	// RunnerNodes lets runner nodes join, whose keys are in the store.
	RunnerNodes bool
	// Node names this web node: the sessions it owns carry it. "" is "web".
	Node string
	// CodeVersion is the version of the binary; episodes record it.
	CodeVersion string
	// Logger defaults to one that discards.
	Logger *slog.Logger
	// Metrics is where the counters are registered; nil registers nothing.
	Metrics prometheus.Registerer
	Limits  Limits
}

// Limits bound what people and stores can make the actors hold. A zero field
// takes its default.
type Limits struct {
	// Sessions bounds sessions that are not stored and closed yet; 2000.
	Sessions int
	// InputsPerSecond bounds the messages of one participant; 120.
	InputsPerSecond int
	// Flood closes a socket that was refused so many messages in a row; 600.
	Flood int
	// FloodTime closes a socket that was refused messages for so long; 5 s.
	FloodTime time.Duration
	// MessageBytes bounds one message from a browser; 16 KiB.
	MessageBytes int
	// TextBytes bounds Input.text; 2 KiB.
	TextBytes int
	// ControlQueue bounds the messages that wait for a slow socket; 64.
	ControlQueue int
	// UnstoredSteps bounds a session's steps that are not stored yet; 20000.
	UnstoredSteps int
	// EpisodeGrace is how much longer than its deadlines an episode may take before
	// its runner counts as hung; 10 s.
	EpisodeGrace time.Duration
	// StopWait is how long an ending session waits for its runner's last steps; 3 s.
	StopWait time.Duration
	// GoodbyeWait is how long the goodbye waits for the store; 3 s.
	GoodbyeWait time.Duration
	// FlushWait is how long Drain waits for the store; 10 s.
	FlushWait time.Duration
	// StateWait is how long an episode waits for what its policies have learned in other
	// sessions; 3 s.
	StateWait time.Duration
	// RunnerGrace is how long a session waits for a runner that cannot be reached; 10 s.
	RunnerGrace time.Duration
	// TakeoverWait is how long it waits for it alone, before it asks for another one too
	// that goes on by replay; 1.5 s. Whoever is there first goes on.
	TakeoverWait time.Duration
	// NodeWait is how long after the start of the server, and after the loss of a
	// node, participants are not told yet that nobody can run their session; 10 s.
	NodeWait time.Duration
	// RestoreWait is how long New waits for the sessions of a former run; 5 s.
	RestoreWait time.Duration
	// WriteTimeout bounds one write to the store; 10 s.
	WriteTimeout time.Duration
	// Nodes bound what runner nodes may do.
	Nodes link.Limits
	// StorePing is how often the store is asked whether it is well; 3 s.
	StorePing time.Duration
}

func (l Limits) withDefaults() Limits {
	number := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	span := func(v *time.Duration, def time.Duration) {
		if *v <= 0 {
			*v = def
		}
	}
	number(&l.Sessions, 2000)
	number(&l.InputsPerSecond, 120)
	number(&l.Flood, 600)
	span(&l.FloodTime, 5*time.Second)
	number(&l.MessageBytes, 16<<10)
	number(&l.TextBytes, 2<<10)
	number(&l.ControlQueue, 64)
	number(&l.UnstoredSteps, 20_000)
	span(&l.EpisodeGrace, 10*time.Second)
	span(&l.StopWait, 3*time.Second)
	span(&l.GoodbyeWait, 3*time.Second)
	span(&l.FlushWait, 10*time.Second)
	span(&l.StateWait, 3*time.Second)
	span(&l.RunnerGrace, 10*time.Second)
	span(&l.TakeoverWait, 1500*time.Millisecond)
	span(&l.NodeWait, 10*time.Second)
	span(&l.RestoreWait, 5*time.Second)
	span(&l.WriteTimeout, 10*time.Second)
	span(&l.StorePing, 3*time.Second)
	return l
}

// ErrConfig is returned by New for a configuration that cannot work; the text
// names the field and what is allowed.
var ErrConfig = errors.New("actors: invalid configuration")

// maxSlots bounds Config.Slots: more goroutines than that help nobody.
const maxSlots = 10_000

func (c Config) withDefaults() (Config, error) {
	switch {
	case c.Store == nil:
		return c, fmt.Errorf("%w: Store is nil", ErrConfig)
	case c.Maker == nil:
		return c, fmt.Errorf("%w: Maker is nil", ErrConfig)
	case c.Slots < 0 || c.Slots > maxSlots:
		return c, fmt.Errorf("%w: Slots is %d, allowed are 0 to %d", ErrConfig, c.Slots, maxSlots)
	}
	if c.Node == "" {
		c.Node = "web"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Limits = c.Limits.withDefaults()
	return c, nil
}
