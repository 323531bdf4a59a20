package making

import (
	"context"
	"fmt"

	"sharpie/envs"
	"sharpie/envs/python/interpreter"
	"sharpie/experiments"
)

// Prepare builds the interpreter that a definition needs, where it is not there yet;
// progress is told what happens, line by line, and may be nil. It may take minutes and
// use the network, so it is for imports, and never for the time when a participant waits.
func (m *Maker) Prepare(ctx context.Context, d *experiments.Definition, progress func(line string)) error {
	if !Python(d) {
		return nil
	}
	if m.cfg.Pool == nil {
		return errNoPython
	}
	if progress == nil {
		progress = func(string) {}
	}
	if _, err := m.find(ctx, d); err == nil {
		return nil
	}
	_, err := m.cfg.Interpreters.Build(ctx, Requirement(d, m.cfg.OwnInterpreter), progress)
	return err
}

// Interpreter is the one that a definition's Python runs on, without making it; the error
// names the command that does.
func (m *Maker) Interpreter(ctx context.Context, d *experiments.Definition) (interpreter.Interpreter, error) {
	if m.cfg.Pool == nil {
		return interpreter.Interpreter{}, errNoPython
	}
	return m.find(ctx, d)
}

// Ready says whether the interpreter of a definition is there, without making it; the
// error names the command that does.
func (m *Maker) Ready(ctx context.Context, d *experiments.Definition) error {
	if !Python(d) {
		return nil
	}
	_, err := m.Interpreter(ctx, d)
	return err
}

// find finds the interpreter of a definition. One that names none, and whose source is
// known, gets the default interpreter where that has the packages already: a virtual
// environment that was activated before the start.
func (m *Maker) find(ctx context.Context, d *experiments.Definition) (interpreter.Interpreter, error) {
	r := Requirement(d, m.cfg.OwnInterpreter)
	if len(d.Dependencies) == 0 && len(r.Dependencies) > 0 {
		if at, err := m.cfg.Interpreters.Find(ctx, interpreter.Requirement{}); err == nil {
			there := interpreter.Requirement{Path: at.Path, Dependencies: r.Dependencies}
			if found, err := m.cfg.Interpreters.Find(ctx, there); err == nil {
				return found, nil
			}
		}
	}
	found, err := m.cfg.Interpreters.Find(ctx, r)
	if err != nil {
		return found, fmt.Errorf("%w: %w", envs.ErrInvalidArgument, err)
	}
	return found, nil
}

// Warm has a spare process started for an order, if its interpreter is there. How
// many spares there are at a time is bounded by the Pool.
func (m *Maker) Warm(ctx context.Context, o experiments.Order) error {
	if !Python(o.Definition) || m.cfg.Pool == nil {
		return nil
	}
	load, release, err := m.load(ctx, o)
	if err != nil {
		return fmt.Errorf("warm %s: %w", o.Definition.Experiment.Link, err)
	}
	defer release()
	m.cfg.Pool.Warm(load.Interpreter, load.Modules)
	return nil
}

// Confinement says how Python code is kept from harm: "bubblewrap", or a text that
// begins with "unconfined" and says why.
func (m *Maker) Confinement() string {
	if m.cfg.Pool == nil {
		return errNoPython.Error()
	}
	return m.cfg.Pool.Confinement()
}
