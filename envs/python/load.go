package python

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sharpie/envs"
)

// Load is what a worker is to run.
type Load struct {
	Interpreter Interpreter
	// Modules to import ahead in spare workers.
	Modules []string
	// Bundle is the folder of the experiment's files; "": none. It is only read: each
	// worker gets its own copy.
	Bundle string
	// Source is "gymnasium:ID" or "pettingzoo:MODULE", or empty for File.
	Source string
	Kwargs map[string]any
	// File is the environment's, within the bundle.
	File     string
	Metadata map[string]any
	// FrameFormat is "rgb", "bgr" or empty: as the file's text looks.
	FrameFormat string
	// Roles are the experiment's, in its order.
	Roles []LoadRole
	// Seed for what is drawn while loading.
	Seed   uint64
	Limits Limits
	// Label names it in logs.
	Label string
}

// LoadRole is a role as the experiment knows it.
type LoadRole struct {
	Role string
	// EnvAgentID is its name in the environment, where that differs; empty: the same.
	EnvAgentID string
	// Policy is whether a policy of this worker has the role.
	Policy bool
}

// Open loads an environment into a worker. The error is a *envs.Fault where the
// experiment's code or its interpreter is to blame, and envs.ErrInvalidArgument for
// arguments that cannot be handed over.
func (p *Pool) Open(ctx context.Context, l Load) (*Environment, error) {
	w, m, err := p.load(ctx, l)
	if err != nil {
		return nil, err
	}
	e, err := newEnvironment(w, l, &m)
	if err != nil {
		w.mu.Lock()
		err = w.broken(call{op: "load", phase: "load"}, err)
		w.mu.Unlock()
		return nil, errors.Join(err, w.Close())
	}
	return e, nil
}

// Policies starts a worker for policies alone, whose environment is elsewhere.
func (p *Pool) Policies(ctx context.Context, l Load) (*Worker, error) {
	l.Source, l.File = "none", ""
	w, _, err := p.load(ctx, l)
	return w, err
}

// load takes a worker, and lets it load; the next spare is started behind it.
func (p *Pool) load(ctx context.Context, l Load) (*Worker, message, error) {
	l.Limits = l.Limits.withDefaults()
	if l.Source == "" && l.File == "" {
		return nil, message{}, &envs.Fault{State: envs.BadLoad, Phase: "load", Message: "environment: a source or a file is needed"}
	}
	w, err := p.take(ctx, l.Interpreter, l.Limits)
	if err != nil {
		return nil, message{}, fmt.Errorf("open %s: %w", l.Label, err)
	}
	m, err := w.load(ctx, l)
	p.Warm(l.Interpreter, l.Modules)
	if err != nil {
		if w.Close() != nil {
			p.log.Warn("a python worker does not end", "label", l.Label)
		}
		return nil, message{}, err
	}
	return w, m, nil
}

// load sends the one load of a worker's life.
func (w *Worker) load(ctx context.Context, l Load) (message, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return message{}, err
	}
	w.process.out.restart()
	q := w.request.begin("load").key("seed").uint(l.Seed).key("root")
	if l.Bundle == "" {
		q.raw("null")
	} else {
		if err := copyBundle(l.Bundle, w.process.bundleDir()); err != nil {
			return message{}, err
		}
		q.text(w.process.bundleDir())
	}
	q.raw(`,"gallery":null`).key("source").text(l.Source).key("kwargs")
	if err := q.mapping(l.Kwargs); err != nil {
		return message{}, fmt.Errorf("%w: environment.kwargs: %w", envs.ErrInvalidArgument, err)
	}
	q.key("file").text(l.File).key("metadata")
	if err := q.mapping(l.Metadata); err != nil {
		return message{}, fmt.Errorf("%w: environment.metadata: %w", envs.ErrInvalidArgument, err)
	}
	q.key("frame_format").text(l.FrameFormat).key("roles").raw("[")
	w.roles = nil
	for _, r := range l.Roles {
		q.item().raw("{").key("role").text(r.Role).key("env_agent_id").text(r.EnvAgentID).key("policy").bool(r.Policy).raw("}")
		w.roles = append(w.roles, envs.Role(r.Role))
	}
	q.raw("]").key("memory").int(l.Limits.Memory).key("render").bool(l.Source != "none")
	return w.exchange(ctx, call{op: "load", phase: "load", limit: w.limits.Load})
}

// warm imports modules ahead.
func (w *Worker) warm(ctx context.Context, modules []string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	q := w.request.begin("warm").key("modules").raw("[")
	for _, m := range modules {
		q.item().text(m)
	}
	q.raw("]")
	_, err := w.exchange(ctx, call{op: "importing " + strings.Join(modules, ", "), phase: "load", limit: w.limits.Load})
	return err
}
