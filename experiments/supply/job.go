package supply

import (
	"context"
	"fmt"
	"strings"
	"time"

	"sharpie/experiments"
)

// job is one version of an experiment, to be made ready.
type job struct {
	item       Item
	definition *experiments.Definition
	built      bool // its interpreter is there
	done       bool
	failed     string    // why not
	again      time.Time // when it is tried again
}

// name names the version, with its files.
func (j *job) name() string {
	return fmt.Sprintf("%s@%d#%s", j.item.Link, j.item.Version, j.item.Bundle)
}

// prepare makes ready what is not: first what needs no building.
func (p *Preparer) prepare(ctx context.Context) {
	for _, build := range []bool{false, true} {
		for _, j := range p.jobs {
			if j.done || ctx.Err() != nil || time.Now().Before(j.again) {
				continue
			}
			if !j.built && !p.interpreter(ctx, j, build) {
				continue
			}
			p.files(ctx, j)
		}
	}
}

// interpreter sees to the interpreter; true: it is there.
func (p *Preparer) interpreter(ctx context.Context, j *job, build bool) bool {
	missing := p.cfg.Workshop.Ready(ctx, j.definition)
	if missing == nil {
		j.built = true
		return true
	}
	if !build || ctx.Err() != nil {
		return false
	}
	began := time.Now()
	p.log.Info("the Python of an experiment is being built", "experiment", j.item.Link)
	err := p.cfg.Workshop.Prepare(ctx, j.definition, func(line string) {
		p.log.Info("build: "+line, "experiment", j.item.Link)
	})
	if err != nil {
		why := err.Error()
		if said := missing.Error(); !strings.Contains(said, why) {
			why += " (before that: " + said + ")" // which has the command to run
		}
		p.fail(ctx, j, why)
		return false
	}
	p.log.Info("the Python of an experiment was built", "experiment", j.item.Link, "took", time.Since(began).Round(time.Second))
	j.built = true
	return true
}

// files fetches the files, and starts a spare.
func (p *Preparer) files(ctx context.Context, j *job) {
	if j.item.Bundle != "" {
		if _, err := p.cfg.Bundles.Folder(ctx, j.item.Bundle); err != nil {
			p.fail(ctx, j, err.Error())
			return
		}
	}
	order := experiments.Order{Definition: j.definition, BundleHash: j.item.Bundle, Label: j.item.Link}
	if err := p.cfg.Workshop.Warm(ctx, order); err != nil {
		p.fail(ctx, j, err.Error())
		return
	}
	j.done, j.failed = true, ""
	p.readiness.Add(1)
	select {
	case p.renewed <- struct{}{}:
	default: // it will be heard
	}
	p.log.Info("an experiment can be played here", "experiment", j.item.Link, "version", j.item.Version)
}

// fail notes why an experiment is not ready, and says so once.
func (p *Preparer) fail(ctx context.Context, j *job, why string) {
	if ctx.Err() != nil {
		return
	}
	j.again = time.Now().Add(p.cfg.Retry)
	if why != j.failed {
		j.failed = why
		p.log.Error("an experiment cannot be played here yet", "experiment", j.item.Link, "version", j.item.Version, "why", why, "again_in", p.cfg.Retry)
	}
}

// look takes back that an experiment is ready whose interpreter somebody removed.
func (p *Preparer) look(ctx context.Context) {
	for _, j := range p.jobs {
		if j.built && p.cfg.Workshop.Ready(ctx, j.definition) != nil {
			j.built, j.done = false, false
		}
	}
}
