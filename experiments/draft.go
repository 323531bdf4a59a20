package experiments

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"sharpie/persistence"
)

// Draft is an experiment on its way into the store: read, checked, perhaps
// completed, saved.
type Draft struct {
	// Definition is complete once Check has succeeded.
	Definition *Definition
	source     Source
	at         places
}

// Read parses a source, and finds the files that it names (see Source.Has). What is
// wrong comes back as one *Error with the places in the file.
func Read(src Source) (*Draft, error) {
	d, at, err := parse(src.Name, src.YAML)
	if err != nil {
		return nil, err
	}
	r := &Draft{Definition: d, source: src, at: at}
	c := &checker{d: d}
	if src.Has != nil {
		c.files(src.Has)
	}
	return r, r.placed(&c.problems)
}

// Files reports whether the definition names Python files, which a bundle has to hold.
func (d *Definition) Files() bool {
	for i := range d.Policies {
		if d.Policies[i].Source == "" {
			return true
		}
	}
	return d.Environment.Source == ""
}

// Incomplete reports whether Check has something to fill in: agents that were left
// out, or the keys of a participant.
func (r *Draft) Incomplete() bool {
	return len(r.Definition.Agents) == 0 || len(r.keyless()) > 0
}

// keyless lists the agents whose keys were left out, and would be needed.
func (r *Draft) keyless() []int {
	var out []int
	for i := range r.Definition.Agents {
		a := &r.Definition.Agents[i]
		_, written := r.at.marks[fmt.Sprintf("agents[%d].keyboard_inputs", i)]
		if a.Participant && a.InputsType == InputActions && !a.TextualInputs && !written {
			out = append(out, i)
		}
	}
	return out
}

// Check makes the environment and the policies, compares them with the definition,
// fills in what was left out, and plays a few steps where Python is involved. The
// bundle of the source must be known to the maker. What is wrong comes back as one
// *Error with the places in the file.
func (r *Draft) Check(ctx context.Context, m Maker, steps int) (*Report, error) {
	c := &checker{ctx: ctx, d: r.Definition, maker: m, bundle: r.source.BundleHash, label: r.source.Name, steps: steps,
		keyless: r.keyless(), paced: r.paced(), bad: map[string]bool{}}
	c.run()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("check %s: %w", r.source.Name, ctx.Err())
	}
	if err := r.placed(&c.problems); err != nil {
		return nil, err
	}
	return &c.report, nil
}

// paced: the author said how time goes by.
func (r *Draft) paced() bool {
	_, fps := r.at.marks["experiment.target_fps"]
	_, wait := r.at.marks["experiment.wait_for_inputs"]
	return fps || wait
}

// placed gives problems their places in the file.
func (r *Draft) placed(p *problems) error {
	placed := decoder{places: r.at}
	for _, q := range p.list {
		placed.at(r.at.inFile(q.Key), "%s", q.Text)
	}
	placed.more = p.more
	return placed.err(r.source.Name)
}

// Lacks is the error of a draft whose interpreter cannot be had, with the place in the
// file of the key that asks for it.
func (r *Draft) Lacks(why error) error {
	d, key := r.Definition, "environment.source"
	switch {
	case d.Interpreter != "":
		key = "interpreter"
	case d.CondaEnvironment != "":
		key = "conda_environment"
	case len(d.Dependencies) > 0:
		key = "dependencies"
	case d.PythonVersion != "":
		key = "python_version"
	case d.Environment.Source == "":
		key = "environment.filepaths"
	}
	var p problems
	p.add(Problem{Key: key, Text: strings.TrimPrefix(why.Error(), key+": ")})
	return r.placed(&p)
}

// Save stores the draft as a new version of its experiment, only if its definition
// or its bundle differs from the latest version; comments and layout do not count.
// It returns the version in force, and whether it is new. The bundle must be in the
// store already, so that a version that can be seen can be played.
func (r *Draft) Save(ctx context.Context, store persistence.Experiments, by string, now time.Time) (*persistence.Experiment, bool, error) {
	if len(r.Definition.Agents) == 0 {
		return nil, false, whole(r.source.Name, 0, 0, "the agents were left out and not filled in")
	}
	d := r.Definition
	doc, err := d.Document()
	if err != nil {
		return nil, false, err
	}
	hash, err := d.Hash(r.source.BundleHash)
	if err != nil {
		return nil, false, err
	}
	e, fresh, err := store.ImportExperiment(ctx, &persistence.Experiment{
		Link:       d.Experiment.Link,
		Enabled:    d.Experiment.Enabled,
		Name:       d.Experiment.Name,
		Hash:       hash,
		Definition: doc,
		Source:     string(r.source.YAML),
		BundleHash: r.source.BundleHash,
		ImportedAt: now.UTC().Truncate(time.Microsecond),
		ImportedBy: by,
	})
	if err != nil {
		return nil, false, fmt.Errorf("import %s: %w", r.source.Name, err)
	}
	return e, fresh, nil
}

// files replaces every path of the definition by that of the file in the bundle.
func (c *checker) files(has func(name string) bool) {
	c.paths("environment.filepaths", c.d.Environment.Filepaths, has)
	for i := range c.d.Policies {
		c.paths(fmt.Sprintf("policies[%d].filepaths", i), c.d.Policies[i].Filepaths, has)
	}
}

func (c *checker) paths(key string, files map[string]string, has func(name string) bool) {
	for purpose, name := range files {
		found, ok := findFile(name, has)
		if !ok {
			c.fail(join(key, purpose), "there is no file %s in the experiment's folder, nor %s", name, path.Base(name))
			continue
		}
		files[purpose] = found
	}
}

// findFile finds a path that is written relative to the experiment's folder, or to a
// folder around it: the path itself, then without its first folders, to the bare name.
func findFile(name string, has func(string) bool) (string, bool) {
	for name = path.Clean(name); ; {
		if has(name) {
			return name, true
		}
		_, rest, more := strings.Cut(name, "/")
		if !more {
			return "", false
		}
		name = rest
	}
}
