package http

import (
	"fmt"
	"sync"

	"sharpie/experiments"
	"sharpie/persistence"
)

// definitionsKept bounds the cache; an experiment's page needs one.
const definitionsKept = 256

// definitions remembers the parsed definitions of experiments: versions never
// change.
type definitions struct {
	mu       sync.Mutex
	known    map[string]*experiments.Definition // by version's id and hash
	versions map[version]*persistence.Experiment
}

// version names one version of an experiment.
type version struct {
	link   string
	number int
}

func newDefinitions() *definitions {
	return &definitions{known: map[string]*experiments.Definition{}, versions: map[version]*persistence.Experiment{}}
}

// version returns a version that was read before, so that people can reload the
// play page while the store does not answer. Its Enabled and Latest may be old.
func (d *definitions) version(link string, number int) (*persistence.Experiment, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, ok := d.versions[version{link, number}]
	return e, ok
}

// of returns the definition of a stored version; shared, not to be changed.
func (d *definitions) of(e *persistence.Experiment) (*experiments.Definition, error) {
	key := fmt.Sprintf("%s@%d#%s", e.Link, e.Version, e.Hash)
	d.mu.Lock()
	def := d.known[key]
	d.mu.Unlock()
	if def != nil {
		return def, nil
	}
	def, err := experiments.FromDocument(e.Definition)
	if err != nil {
		return nil, fmt.Errorf("definition of %s, version %d: %w", e.Link, e.Version, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.known) >= definitionsKept {
		clear(d.known)
		clear(d.versions)
	}
	d.known[key], d.versions[version{e.Link, e.Version}] = def, e
	return def, nil
}
