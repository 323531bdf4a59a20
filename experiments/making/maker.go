package making

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sharpie/agents"
	agentspython "sharpie/agents/python"
	"sharpie/envs"
	"sharpie/envs/python"
	"sharpie/envs/python/interpreter"
	"sharpie/experiments"
)

// Interpreters finds and builds the Pythons of experiments. *interpreter.Builder is one.
type Interpreters interface {
	// Find returns an interpreter that is there; it installs nothing, and its error
	// names the command that does.
	Find(ctx context.Context, r interpreter.Requirement) (interpreter.Interpreter, error)
	// Build makes it, where it is not there; progress is told each line of what happens.
	Build(ctx context.Context, r interpreter.Requirement, progress func(line string)) (interpreter.Interpreter, error)
}

// Bundles finds the files that experiments ship. *bundle.Cache is one.
type Bundles interface {
	// Hold returns the folder of the bundle with that hash, which stays until release
	// is called. Nobody writes in it.
	Hold(ctx context.Context, hash string) (dir string, release func(), err error)
}

// Config is what a Maker works with. Without Pool it makes only what is built in.
type Config struct {
	Registries   experiments.Registries
	Pool         *python.Pool
	Interpreters Interpreters
	Bundles      Bundles
	// OwnInterpreter says that the operator named the interpreter of experiments that
	// name none; it is then taken as it is.
	OwnInterpreter bool
	// Env is what processes see of the operator's environment, as KEY=VALUE, besides what
	// their interpreter needs.
	Env []string
	// Logger defaults to one that discards.
	Logger *slog.Logger
	// Metrics is where the counters are registered; nil registers nothing.
	Metrics prometheus.Registerer
}

// Maker makes everything. It may be used from many goroutines.
type Maker struct {
	cfg     Config
	metrics *metrics

	mu sync.Mutex
	// shared holds the workers of policies for Go environments.
	shared map[home]*shared
}

var _ experiments.Maker = (*Maker)(nil)

// errNoPython is returned where a definition needs Python and there is no Pool.
var errNoPython = errors.New("experiments/making: this program was started without Python")

// New returns a Maker.
func New(cfg Config) *Maker {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Maker{cfg: cfg, metrics: newMetrics(cfg.Metrics), shared: map[home]*shared{}}
}

// Environment makes the environment of an order; see experiments.Maker.
func (m *Maker) Environment(ctx context.Context, o experiments.Order) (envs.Environment, error) {
	if !pythonEnvironment(o.Definition) {
		return m.cfg.Registries.Environment(ctx, o)
	}
	load, release, err := m.load(ctx, o)
	if err != nil {
		return nil, err
	}
	e := &o.Definition.Environment
	load.Source, load.Kwargs = e.Source, e.Kwargs
	load.File, load.Metadata, load.FrameFormat = e.Filepaths["environment"], e.Metadata, e.FrameFormat
	for i := range o.Definition.Agents {
		a := &o.Definition.Agents[i]
		load.Roles = append(load.Roles, python.LoadRole{
			Role: string(a.Role), EnvAgentID: a.EnvAgentID, Policy: a.Policy != "",
		})
	}
	began := time.Now()
	env, err := m.cfg.Pool.Open(ctx, load)
	m.metrics.opened(began, err)
	if err != nil {
		release()
		return nil, err
	}
	return &housed{Environment: env, metrics: m.metrics, release: sync.OnceFunc(func() {
		release()
		m.metrics.workers.Dec()
	})}, nil
}

// housed is an environment in Python, whose files stay as long as it is open.
type housed struct {
	*python.Environment
	metrics *metrics
	release func()
}

var _ envs.Host = (*housed)(nil)

// Turn counts the faults of a step.
func (h *housed) Turn(ctx context.Context, turns []envs.RoleTurn) (envs.Outcome, error) {
	out, err := h.Environment.Turn(ctx, turns)
	if err != nil {
		h.metrics.failed(err)
	}
	return out, err
}

// Reset counts the faults of a reset.
func (h *housed) Reset(ctx context.Context, seed uint64) (envs.Observations, error) {
	out, err := h.Environment.Reset(ctx, seed)
	if err != nil {
		h.metrics.failed(err)
	}
	return out, err
}

// Close ends the environment's process and lets go of its files.
func (h *housed) Close() error {
	defer h.release()
	return h.Environment.Close()
}

// load is what environments and policies of an order have in common. The files that
// it names stay until release is called, once or more often.
func (m *Maker) load(ctx context.Context, o experiments.Order) (l python.Load, release func(), err error) {
	if m.cfg.Pool == nil {
		return l, nil, notHere(fmt.Errorf("%w: %w", envs.ErrUnknown, errNoPython))
	}
	found, err := m.find(ctx, o.Definition)
	if err != nil {
		return l, nil, notHere(err)
	}
	folder, release, err := m.folder(ctx, o)
	if err != nil {
		return l, nil, err
	}
	return python.Load{
		Interpreter: python.Interpreter{Path: found.Path, Version: found.Version, Env: slices.Concat(m.cfg.Env, found.Env), Name: found.Name},
		Modules:     modules(o.Definition, folder), Bundle: folder,
		Seed: o.Seed, Limits: limits(&o.Definition.Experiment), Label: o.Label,
	}, release, nil
}

// folder is where the order's files are; empty where it has none.
func (m *Maker) folder(ctx context.Context, o experiments.Order) (dir string, release func(), err error) {
	if o.BundleHash == "" {
		if files(o.Definition) {
			return "", nil, fmt.Errorf("%w: the experiment names Python files and ships none: import its folder, with sharpie import FOLDER", envs.ErrInvalidArgument)
		}
		return "", func() {}, nil
	}
	dir, release, err = m.cfg.Bundles.Hold(ctx, o.BundleHash)
	if err != nil {
		return "", nil, notHere(fmt.Errorf("the files of the experiment (bundle %.12s): %w", o.BundleHash, err))
	}
	return dir, release, nil
}

// notHere says of an error that another machine may not have it.
func notHere(err error) error { return lacking{err} }

// lacking is an error of this machine. It reads as the error that it is about.
type lacking struct{ error }

// Unwrap implements the interface of package errors.
func (l lacking) Unwrap() []error { return []error{l.error, experiments.ErrNotHere} }

// files reports whether the definition names files.
func files(d *experiments.Definition) bool {
	if d.Environment.Source == "" {
		return true
	}
	for i := range d.Policies {
		if d.Policies[i].Source == "" {
			return true
		}
	}
	return false
}

// limits are those of the experiment.
func limits(x *experiments.Experiment) python.Limits {
	return python.Limits{
		Load: time.Duration(x.LoadTimeout), Reset: time.Duration(x.ResetTimeout),
		Step: time.Duration(x.StepTimeout), Update: time.Duration(x.UpdateTimeout),
		Memory: int64(x.MemoryLimit) << 20, Network: x.Network,
	}
}

// Agent makes the agent of one seat; see experiments.Maker.
func (m *Maker) Agent(ctx context.Context, o experiments.Order, env envs.Environment, c experiments.Casting) (agents.Agent, error) {
	if strings.HasPrefix(c.Policy.Source, agents.SourcePrefix) {
		return m.cfg.Registries.Agent(ctx, o, env, c)
	}
	policy := &agentspython.Policy{
		Spec: c.Spec, File: c.Policy.Filepaths["policy"], State: c.State,
		Learns: c.Policy.CheckpointInterval > 0 || c.Policy.CheckpointInterval == -2, Every: c.Policy.CheckpointInterval,
	}
	agent, warnings, err := m.place(ctx, o, env, c, policy)
	if err != nil {
		return nil, fmt.Errorf("policy %q: %w", c.Policy.Name, err)
	}
	for _, w := range warnings {
		m.cfg.Logger.Warn("a policy has a warning", "order", o.Label, "policy", c.Policy.Name, "role", c.Spec.Role.Role, "warning", w)
	}
	return agent, nil
}

// place finds the policy its process.
func (m *Maker) place(ctx context.Context, o experiments.Order, env envs.Environment, c experiments.Casting, policy *agentspython.Policy) (agents.Agent, []string, error) {
	if host, ok := env.(*housed); ok {
		return agentspython.Host(ctx, host, host.Worker(), policy)
	}
	worker, end, err := m.worker(ctx, o, env, c)
	if err != nil {
		return nil, nil, err
	}
	return agentspython.Alone(ctx, worker, policy, end)
}
