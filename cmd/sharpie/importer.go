package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sharpie/experiments"
	"sharpie/experiments/bundle"
	"sharpie/experiments/making"
	"sharpie/persistence"
)

// Bounds of one import.
const (
	importWait = 30 * time.Minute // with an interpreter that is built first
	checkWait  = 5 * time.Minute  // without
	checkSteps = 20               // of --check
	takeSteps  = 3                // of an import
)

// importMaker makes what an import is checked with. *making.Maker is one.
type importMaker interface {
	experiments.Maker
	// Prepare builds the interpreter of a definition, where there is none yet.
	Prepare(ctx context.Context, d *experiments.Definition, progress func(line string)) error
	// Keep makes a bundle known that no store has yet.
	Keep(ctx context.Context, hash string, data []byte) error
}

var _ importMaker = (*making.Maker)(nil)

// importer takes experiments, from the command line and from Admin: read, prepared
// for, checked by playing some steps, and only then stored: the files first, and the
// version that names them last, so that nothing is ever half there.
type importer struct {
	store persistence.Experiments
	maker importMaker
	now   func() time.Time
}

func newImporter(store persistence.Experiments, maker importMaker, now func() time.Time) *importer {
	return &importer{store: store, maker: maker, now: now}
}

// parcel is an experiment as it came: its file, and its folder as an archive.
type parcel struct {
	name   string
	yaml   []byte
	bundle bundle.Packed // zero: none
	by     string
	// progress is told what happens; nil: nobody listens.
	progress func(string)
}

// Check says what is wrong with a file, one line per problem; it stores and installs
// nothing.
func (i *importer) Check(file string, yaml []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), checkWait)
	defer cancel()
	p := parcel{name: file, yaml: yaml}
	if err := i.former(ctx, &p); err != nil {
		return err
	}
	draft, err := i.read(ctx, p)
	if err != nil {
		return err
	}
	_, err = draft.Check(ctx, i.maker, takeSteps)
	return err
}

// Import checks a file and stores a new version where something changed; it returns
// the version in force and whether it is new. A file that names Python files is taken
// for a new version of its experiment, with the files that this had.
func (i *importer) Import(ctx context.Context, file string, yaml []byte, by string) (*persistence.Experiment, bool, error) {
	p := parcel{name: file, yaml: yaml, by: by}
	if err := i.former(ctx, &p); err != nil {
		return nil, false, err
	}
	e, fresh, _, err := i.take(ctx, p)
	return e, fresh, err
}

// former gives a file without its folder the files of the version before.
func (i *importer) former(ctx context.Context, p *parcel) error {
	d, err := experiments.Parse(p.name, p.yaml)
	if err != nil || !d.Files() {
		return err
	}
	latest, err := i.store.LatestExperiment(ctx, d.Experiment.Link)
	if errors.Is(err, persistence.ErrNotFound) || err == nil && latest.BundleHash == "" {
		return fmt.Errorf("%w: %s names Python files: import the folder that they are in (sharpie import FOLDER, or as a zip file in Admin)", experiments.ErrInvalid, p.name)
	}
	if err != nil {
		return err
	}
	stored, err := i.store.Bundle(ctx, latest.BundleHash)
	if err != nil {
		return fmt.Errorf("the files of %s, version %d: %w", latest.Link, latest.Version, err)
	}
	p.bundle = bundle.Packed{Hash: stored.Hash, Data: stored.Data}
	return nil
}

// ImportFolder takes a folder with a config.yaml that was uploaded.
func (i *importer) ImportFolder(ctx context.Context, name string, files fs.FS, by string, progress func(string)) (*persistence.Experiment, bool, error) {
	dir, err := os.MkdirTemp("", "sharpie-import-")
	if err != nil {
		return nil, false, fmt.Errorf("make a folder for %s: %w", name, err)
	}
	defer os.RemoveAll(dir)
	// Under its own name: what files say of each other may begin with it.
	folder := filepath.Join(dir, "experiment")
	if err := os.CopyFS(folder, files); err != nil {
		return nil, false, fmt.Errorf("unpack %s: %w", name, err)
	}
	config, ok := configIn(folder)
	if !ok {
		return nil, false, fmt.Errorf("%w: %s has no config.yaml", experiments.ErrInvalid, name)
	}
	yaml, err := os.ReadFile(config)
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", name, err)
	}
	packed, err := bundle.Pack(folder)
	if err != nil {
		return nil, false, fmt.Errorf("%w: %s: %w", experiments.ErrInvalid, name, err)
	}
	e, fresh, _, err := i.take(ctx, parcel{name: name + "/" + filepath.Base(config), yaml: yaml, bundle: packed, by: by, progress: progress})
	return e, fresh, err
}

// read parses a parcel, and makes its files known to the maker.
func (i *importer) read(ctx context.Context, p parcel) (*experiments.Draft, error) {
	src := experiments.Source{Name: p.name, YAML: p.yaml}
	if p.bundle.Hash != "" {
		names, err := bundle.Names(p.bundle.Data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		src.BundleHash = p.bundle.Hash
		src.Has = func(name string) bool { return slices.Contains(names, name) }
	}
	draft, err := experiments.Read(src)
	if err != nil {
		return nil, err
	}
	if p.bundle.Hash != "" {
		if err := i.maker.Keep(ctx, p.bundle.Hash, p.bundle.Data); err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return draft, nil
}

// try reads a parcel, prepares for it and plays some steps; it stores nothing.
func (i *importer) try(ctx context.Context, p parcel, steps int) (*experiments.Draft, *experiments.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, importWait)
	defer cancel()
	draft, err := i.read(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	progress := p.progress
	if progress == nil {
		progress = func(string) {}
	}
	if err := i.maker.Prepare(ctx, draft.Definition, progress); err != nil {
		if ctx.Err() != nil {
			return nil, nil, fmt.Errorf("prepare for %s: %w", p.name, ctx.Err())
		}
		return nil, nil, draft.Lacks(err)
	}
	report, err := draft.Check(ctx, i.maker, steps)
	return draft, report, err
}

// take tries a parcel and stores it.
func (i *importer) take(ctx context.Context, p parcel) (*persistence.Experiment, bool, *experiments.Report, error) {
	draft, report, err := i.try(ctx, p, takeSteps)
	if err != nil {
		return nil, false, nil, err
	}
	if err := i.storeBundle(ctx, p.bundle); err != nil {
		return nil, false, nil, fmt.Errorf("%s: %w", p.name, err)
	}
	e, fresh, err := draft.Save(ctx, i.store, p.by, i.now().UTC())
	return e, fresh, report, err
}

// storeBundle stores the files, where they are not there. The same files may have been
// compressed otherwise by another version of this program: they are the same by hash.
func (i *importer) storeBundle(ctx context.Context, b bundle.Packed) error {
	if b.Hash == "" {
		return nil
	}
	err := i.store.InsertBundle(ctx, &persistence.Bundle{
		Hash: b.Hash, Size: int64(len(b.Data)), Data: b.Data, CreatedAt: i.now().UTC().Truncate(time.Microsecond),
	})
	if errors.Is(err, persistence.ErrConflict) {
		return nil
	}
	return err
}
