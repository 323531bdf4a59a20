package experiments

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"sharpie/persistence"
)

// Source is an experiment as it comes from its author.
type Source struct {
	// Name is the file's name, for messages.
	Name string
	// YAML is the file.
	YAML []byte
	// BundleHash names the bundle of the files that the experiment ships; empty
	// where it ships none.
	BundleHash string
}

// Hash tells versions apart: the SHA-256 of the canonical definition, a line
// break and the bundle's hash, in hex.
func (d *Definition) Hash(bundleHash string) (string, error) {
	b, err := d.Canonical()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append(append(b, '\n'), bundleHash...))
	return hex.EncodeToString(sum[:]), nil
}

// Import parses a source and stores it as a new version of its experiment, only
// if its definition or its bundle differs from the latest version; comments and
// layout do not count. It returns the version in force, and whether it is new.
// by is a user's name or "command line". Import does not compare the definition
// with environments and policies: call Check before.
func Import(ctx context.Context, store persistence.Experiments, src Source, by string, now time.Time) (*persistence.Experiment, bool, error) {
	d, err := Parse(src.Name, src.YAML)
	if err != nil {
		return nil, false, err
	}
	doc, err := d.Document()
	if err != nil {
		return nil, false, err
	}
	hash, err := d.Hash(src.BundleHash)
	if err != nil {
		return nil, false, err
	}
	e, fresh, err := store.ImportExperiment(ctx, &persistence.Experiment{
		Link:       d.Experiment.Link,
		Enabled:    d.Experiment.Enabled,
		Name:       d.Experiment.Name,
		Hash:       hash,
		Definition: doc,
		Source:     string(src.YAML),
		BundleHash: src.BundleHash,
		ImportedAt: now.UTC().Truncate(time.Microsecond),
		ImportedBy: by,
	})
	if err != nil {
		return nil, false, fmt.Errorf("import %s: %w", src.Name, err)
	}
	return e, fresh, nil
}
