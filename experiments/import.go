package experiments

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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
	// Has reports whether the bundle has a file of that name, with slashes. With it,
	// filepaths are looked for there: as they are written, and then without their first
	// folders, since galleries write them relative to the gallery. Nil: they are taken
	// as they are written.
	Has func(name string) bool
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

// Import reads a source and saves it, without comparing it with environments and
// policies; see Draft.Save. An experiment of which something was left out must be
// completed by Draft.Check, and is refused here.
func Import(ctx context.Context, store persistence.Experiments, src Source, by string, now time.Time) (*persistence.Experiment, bool, error) {
	r, err := Read(src)
	if err != nil {
		return nil, false, err
	}
	return r.Save(ctx, store, by, now)
}
