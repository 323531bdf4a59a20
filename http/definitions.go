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
	mu    sync.Mutex
	known map[string]*experiments.Definition // by version's id and hash
}

func newDefinitions() *definitions {
	return &definitions{known: map[string]*experiments.Definition{}}
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
	}
	d.known[key] = def
	return def, nil
}
