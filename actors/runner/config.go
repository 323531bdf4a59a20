package runner

import (
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/experiments"
)

// Bounds of the records that wait to be stored, where Config does not set them.
const (
	DefaultMaxUnacked      = 20_000
	DefaultMaxUnackedBytes = 64 << 20
)

// DefaultLinkGrace is how long a session may be out of reach.
const DefaultLinkGrace = time.Minute

// Config is what a Runner needs. Maker is required.
type Config struct {
	// Queue is told when the slot is free; nil for a runner that is driven directly.
	Queue *actor.PID
	// RunnerID names the node, Incarnation its start, Slot the actor within it.
	RunnerID    string
	Incarnation string
	Slot        uint32
	// Labels are what the node offers ("gpu"), for Experiment.Needs.
	Labels []string
	// CodeVersion is the version of the binary; episodes record it.
	CodeVersion string

	Maker experiments.Maker
	// Readiness counts what the machine became able to run since it began; nil: it is as
	// it is. Offers carry it.
	Readiness func() uint64

	// Logger defaults to one that discards.
	Logger *slog.Logger
	// Metrics is shared by the slots of a process; nil counts into the void.
	Metrics *Metrics

	// MaxUnacked and MaxUnackedBytes bound the step records that were reported and
	// not acknowledged; at either bound the episode waits. 0 takes the defaults.
	MaxUnacked      int
	MaxUnackedBytes int

	// LinkGrace is how long an episode stands still for a session that is out of reach,
	// before the slot is freed. 0 takes DefaultLinkGrace.
	LinkGrace time.Duration
}

// withDefaults returns the configuration with every optional field filled.
func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics(nil)
	}
	if c.MaxUnacked <= 0 {
		c.MaxUnacked = DefaultMaxUnacked
	}
	if c.MaxUnackedBytes <= 0 {
		c.MaxUnackedBytes = DefaultMaxUnackedBytes
	}
	if c.LinkGrace <= 0 {
		c.LinkGrace = DefaultLinkGrace
	}
	return c
}
