package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/prometheus/client_golang/prometheus"

	agentsbuiltin "sharpie/agents/builtin"
	"sharpie/envs"
	envsbuiltin "sharpie/envs/builtin"
	"sharpie/envs/python"
	"sharpie/envs/python/interpreter"
	"sharpie/experiments"
	"sharpie/experiments/bundle"
	"sharpie/experiments/making"
	"sharpie/persistence"
)

// Bounds of the workshop.
const (
	workshopWait = 5 * time.Second  // its processes' end
	warmWait     = 60 * time.Second // all spares of a start
	warmMost     = 4                // experiments that get a spare at a start
	readyWait    = 5 * time.Second  // an interpreter's answer, for a page
)

// pythonFlags say how researchers' Python runs.
type pythonFlags struct {
	Interpreter programPath `name:"python" help:"Python of experiments that name none: a program, or the folder of a virtual environment. Without it, one with the packages that an experiment's source needs." placeholder:"PATH" env:"SHARPIE_PYTHON"`
	Confine     string      `help:"Confinement of researchers' Python: ${enum}. auto uses bubblewrap where it works; never does without." enum:"auto,never" default:"auto" env:"SHARPIE_CONFINE"`
}

// programPath is a program, absolute: what runs it works in another folder.
type programPath string

// UnmarshalText takes a path as people write it: from this folder, from ~, or the name
// of a program on the PATH.
func (p *programPath) UnmarshalText(text []byte) error {
	path := string(text)
	switch {
	case path == "":
		*p = ""
		return nil
	case strings.ContainsRune(path, 0):
		return errors.New("want a path without null characters")
	}
	at := kong.ExpandPath(path)
	if _, err := os.Stat(at); err != nil && !strings.ContainsRune(path, filepath.Separator) {
		if found, err := exec.LookPath(path); err == nil {
			if found, err = filepath.Abs(found); err == nil {
				at = found
			}
		}
	}
	*p = programPath(at)
	return nil
}

// confine is the setting as the Pool takes it.
func (f *pythonFlags) confine() python.Confine {
	if f.Confine == "never" {
		return python.Never
	}
	return python.Auto
}

// builder finds and builds the Pythons of experiments, in the data folder.
func (f *pythonFlags) builder(a *app, data string, timeout time.Duration) *interpreter.Builder {
	return interpreter.New(interpreter.Config{
		Dir: filepath.Join(data, "python"), Default: string(f.Interpreter), Timeout: timeout, Logger: a.log,
	})
}

// workshop makes environments and policies: what a Maker works with, and where.
type workshop struct {
	maker *making.Maker
	pool  *python.Pool
	store persistence.Experiments // nil on a runner node
	// scratch is removed at the end; empty where it belongs to the data folder.
	scratch string
	cancel  context.CancelFunc
	warming chan struct{} // closed once nothing is warmed any more; nil before warm
}

// open makes the workshop of a server, which owns the data folder: what is unpacked
// and built there is found again by the next one.
func (f *pythonFlags) open(a *app, data string, store persistence.Experiments, metrics prometheus.Registerer) (*workshop, error) {
	return f.assemble(a, data, filepath.Join(data, "bundles"), store, metrics)
}

// openBeside makes the workshop of a command, which may run beside a server: what was
// unpacked belongs to one process, so that it has a folder of its own for that.
func (f *pythonFlags) openBeside(a *app, data string, store persistence.Experiments) (*workshop, error) {
	scratch, err := os.MkdirTemp("", "sharpie-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for experiments: %w", err)
	}
	w, err := f.assemble(a, data, filepath.Join(scratch, "bundles"), store, nil)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(scratch))
	}
	w.scratch = scratch
	return w, nil
}

func (f *pythonFlags) assemble(a *app, data, bundles string, store persistence.Experiments, metrics prometheus.Registerer) (*workshop, error) {
	w, err := f.equip(a, data, metrics, &bundle.Cache{Dir: bundles, Fetch: func(ctx context.Context, hash string) ([]byte, error) {
		b, err := store.Bundle(ctx, hash)
		if err != nil {
			return nil, err
		}
		return b.Data, nil
	}})
	if err != nil {
		return nil, err
	}
	w.store = store
	return w, nil
}

// equip makes a workshop that has files from the cache, and knows no store.
func (f *pythonFlags) equip(a *app, data string, metrics prometheus.Registerer, bundles *bundle.Cache) (*workshop, error) {
	pool, err := python.NewPool(python.Config{Dir: filepath.Join(data, "work"), Logger: a.log, Confine: f.confine(), Hide: []string{data}})
	if err != nil {
		return nil, fmt.Errorf("prepare for Python: %w", err)
	}
	if metrics != nil {
		metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "sharpie_python_spares", Help: "Python processes that wait, started ahead, for an episode.",
		}, func() float64 { return float64(pool.Spares()) }))
	}
	return &workshop{pool: pool, maker: making.New(making.Config{
		Registries: registries(), Pool: pool, Interpreters: f.builder(a, data, 0), Bundles: bundles,
		OwnInterpreter: f.Interpreter != "", Env: devices(os.Environ()), Logger: a.log, Metrics: metrics,
	})}, nil
}

// devices is the part of the operator's environment that researchers' code sees: which
// devices it computes and draws with. Pictures of MuJoCo need no screen by default.
func devices(environ []string) []string {
	out := []string{"MUJOCO_GL=egl"}
	for _, kv := range environ {
		switch key, _, _ := strings.Cut(kv, "="); key {
		case "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "NVIDIA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES",
			"MUJOCO_GL", "MUJOCO_EGL_DEVICE_ID", "PYOPENGL_PLATFORM", "OMP_NUM_THREADS", "MKL_NUM_THREADS":
			out = append(out, kv)
		}
	}
	return out
}

// registries are what is built into this program.
func registries() experiments.Registries {
	return experiments.Registries{Environments: envsbuiltin.Registry(), Agents: agentsbuiltin.Registry()}
}

// warm has spare processes started for the open experiments that need Python, a few
// of them, beside whatever else goes on. It returns a line that says how their code is
// confined; empty where no experiment is in Python.
func (w *workshop) warm(ctx context.Context, a *app) (string, error) {
	latest, err := w.store.LatestExperiments(ctx)
	if err != nil {
		return "", fmt.Errorf("look for experiments in Python: %w", err)
	}
	var orders []experiments.Order
	for _, e := range latest {
		d, err := experiments.FromDocument(e.Definition)
		if err != nil {
			a.log.Warn("an experiment cannot be read", "experiment", e.Link, "error", err)
			continue
		}
		if e.Enabled && making.Python(d) {
			orders = append(orders, experiments.Order{Definition: d, BundleHash: e.BundleHash, Label: e.Link})
		}
	}
	if len(orders) == 0 {
		a.log.Debug("no experiment is in Python", "confinement", w.maker.Confinement())
		return "", nil
	}
	background, cancel := context.WithTimeout(context.Background(), warmWait)
	w.cancel, w.warming = cancel, make(chan struct{})
	go func() {
		defer close(w.warming)
		defer cancel()
		for _, o := range orders[:min(len(orders), warmMost)] {
			if err := w.maker.Warm(background, o); err != nil {
				a.log.Warn("an experiment cannot be played yet", "experiment", o.Label, "error", err)
			}
		}
	}()
	return w.maker.Confinement(), nil
}

// readiness says for Admin which interpreter an experiment's Python gets, or how it
// comes to one.
func (w *workshop) readiness(ctx context.Context, d *experiments.Definition) (text string, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, readyWait)
	defer cancel()
	found, err := w.maker.Interpreter(ctx, d)
	switch {
	case ctx.Err() != nil:
		return "It did not answer within " + readyWait.String() + "; look again.", false
	case err != nil:
		return strings.TrimPrefix(err.Error(), envs.ErrInvalidArgument.Error()+": "), false
	}
	return fmt.Sprintf("Python %s, %s", found.Version, found.Path), true
}

// confinement says for Admin how an experiment's Python is confined.
func (w *workshop) confinement(*experiments.Definition) string { return w.maker.Confinement() }

// close ends all processes, and removes what was only for them.
func (w *workshop) close() error {
	if w.cancel != nil {
		w.cancel()
		<-w.warming
	}
	closed := make(chan error, 1)
	go func() { closed <- w.pool.Close() }()
	var err error
	select {
	case err = <-closed:
	case <-time.After(workshopWait):
		err = fmt.Errorf("researchers' processes did not end within %s", workshopWait)
	}
	if w.scratch != "" {
		err = errors.Join(err, os.RemoveAll(w.scratch))
	}
	return err
}
