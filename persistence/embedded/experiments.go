package embedded

import (
	"context"
	"errors"
	"fmt"

	"sharpie/persistence"
)

var experiments = newCollection("experiments", []string{"rev", "link", "version", "latest", "name"},
	func(e *persistence.Experiment) []any {
		return []any{e.ID, e.Rev, e.Link, e.Version, e.Latest, e.Name}
	}, func(e *persistence.Experiment) *int64 { return &e.Rev })

var bundles = newCollection("bundles", nil, func(b *persistence.Bundle) []any { return []any{b.Hash} }, nil)

// imported is what ImportExperiment returns.
type imported struct {
	experiment *persistence.Experiment
	isNew      bool
}

// ImportExperiment implements persistence.Store.
func (s *Store) ImportExperiment(ctx context.Context, e *persistence.Experiment) (*persistence.Experiment, bool, error) {
	what := "import experiment " + e.Link
	if err := e.Validate(); err != nil {
		return nil, false, fmt.Errorf("%s: %w", what, err)
	}
	doc, err := s.codec.Marshal(e)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", what, err)
	}
	given := new(persistence.Experiment) // a copy that the caller cannot change meanwhile
	if err := s.codec.Unmarshal(doc, given); err != nil {
		return nil, false, fmt.Errorf("%s: %w", what, err)
	}
	r, err := write(ctx, s, what, len(doc), true, func(tx *tx) (imported, error) { return s.importVersion(tx, given) })
	return r.experiment, r.isNew, err
}

func (s *Store) importVersion(tx *tx, e *persistence.Experiment) (imported, error) {
	var stored []byte
	err := tx.row(`SELECT doc FROM experiments WHERE link = ? AND latest`, []any{e.Link}, &stored)
	switch {
	case errors.Is(err, persistence.ErrNotFound):
		e.Version = 1
	case err != nil:
		return imported{}, err
	default:
		former := new(persistence.Experiment)
		if err := s.codec.Unmarshal(stored, former); err != nil {
			return imported{}, fmt.Errorf("%w: %w", persistence.ErrInvalid, err)
		}
		if former.Hash == e.Hash {
			return imported{former, false}, nil
		}
		e.Version, e.Enabled = former.Version+1, former.Enabled
		former.Latest, former.Rev = false, former.Rev+1
		if err := s.storeVersion(tx, former); err != nil {
			return imported{}, err
		}
	}
	e.ID, e.Latest = fmt.Sprintf("%s@%d", e.Link, e.Version), true
	e.Rev = 0
	return imported{e, true}, s.storeVersion(tx, e)
}

func (s *Store) storeVersion(tx *tx, e *persistence.Experiment) error {
	doc, err := s.codec.Marshal(e)
	if err != nil {
		return err
	}
	_, err = tx.exec(experiments.upsert, experiments.row(e, doc)...)
	return err
}

// LatestExperiments implements persistence.Store.
func (s *Store) LatestExperiments(ctx context.Context) ([]*persistence.Experiment, error) {
	return many[persistence.Experiment](ctx, s, "experiments", `SELECT doc FROM experiments WHERE latest ORDER BY name, link`)
}

// LatestExperiment implements persistence.Store.
func (s *Store) LatestExperiment(ctx context.Context, link string) (*persistence.Experiment, error) {
	return one[persistence.Experiment](ctx, s, "experiment "+link, `SELECT doc FROM experiments WHERE link = ? AND latest`, link)
}

// ExperimentVersion implements persistence.Store.
func (s *Store) ExperimentVersion(ctx context.Context, link string, version int) (*persistence.Experiment, error) {
	return one[persistence.Experiment](ctx, s, fmt.Sprintf("experiment %s@%d", link, version),
		`SELECT doc FROM experiments WHERE link = ? AND version = ?`, link, version)
}

// ExperimentVersions implements persistence.Store.
func (s *Store) ExperimentVersions(ctx context.Context, link string) ([]*persistence.Experiment, error) {
	return many[persistence.Experiment](ctx, s, "versions of "+link,
		`SELECT doc FROM experiments WHERE link = ? ORDER BY version DESC`, link)
}

// SetExperimentEnabled implements persistence.Store.
func (s *Store) SetExperimentEnabled(ctx context.Context, link string, enabled bool) error {
	_, err := modify(ctx, s, experiments, "link = ? AND latest", []any{link}, func(e *persistence.Experiment) (bool, error) {
		if e.Enabled == enabled {
			return false, nil
		}
		e.Enabled, e.Rev = enabled, e.Rev+1
		return true, nil
	})
	return err
}

// InsertBundle implements persistence.Store.
func (s *Store) InsertBundle(ctx context.Context, b *persistence.Bundle) error {
	if err := b.Validate(); err != nil {
		return fmt.Errorf("insert into bundles: %w", err)
	}
	stored := *b
	var err error
	if stored.Data, stored.Parts, err = s.insertParts(ctx, b.Data); err != nil {
		return fmt.Errorf("insert bundle %s: %w", b.Hash, err)
	}
	return insert(ctx, s, bundles, &stored)
}

// Bundle implements persistence.Store.
func (s *Store) Bundle(ctx context.Context, hash string) (*persistence.Bundle, error) {
	b, err := one[persistence.Bundle](ctx, s, "bundle "+hash, `SELECT doc FROM bundles WHERE id = ?`, hash)
	if err != nil {
		return nil, err
	}
	if b.Data, err = s.joinParts(ctx, b.Data, b.Parts, persistence.MaxBundle); err != nil {
		return nil, fmt.Errorf("bundle %s: %w", hash, err)
	}
	b.Parts = nil
	return b, nil
}
