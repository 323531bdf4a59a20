package mongo

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sharpie/persistence"
)

// ImportExperiment implements persistence.Store. The unique _id decides between
// two importers; what follows it is repaired by the next import where it fails.
func (s *Store) ImportExperiment(ctx context.Context, e *persistence.Experiment) (*persistence.Experiment, bool, error) {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	what := "import experiment " + e.Link
	if err := e.Validate(); err != nil {
		return nil, false, fmt.Errorf("%s: %w", what, err)
	}
	next := *e
	next.Rev = 0
	for {
		former, err := s.LatestExperiment(ctx, e.Link)
		switch {
		case errors.Is(err, persistence.ErrNotFound):
			next.Version, next.Enabled = 1, e.Enabled
		case err != nil:
			return nil, false, fmt.Errorf("%s: %w", what, err)
		case former.Hash == e.Hash:
			return former, false, s.retire(ctx, former)
		default:
			next.Version, next.Enabled = former.Version+1, former.Enabled
		}
		next.ID, next.Latest = fmt.Sprintf("%s@%d", next.Link, next.Version), true
		doc, err := s.marshal(&next)
		if err != nil {
			return nil, false, wrap(what, err)
		}
		_, err = s.db.Collection(experiments).InsertOne(ctx, doc)
		if mongo.IsDuplicateKeyError(err) {
			continue // another import took the number
		}
		if err != nil {
			return nil, false, wrap(what, err)
		}
		if err := s.retire(ctx, &next); err != nil {
			return nil, false, fmt.Errorf("%s: %w", what, err)
		}
		stored, err := s.ExperimentVersion(ctx, next.Link, next.Version)
		return stored, true, err
	}
}

// retire takes the flag from versions before latest, and lets it inherit a change
// of Enabled that the former one got after it was read.
func (s *Store) retire(ctx context.Context, latest *persistence.Experiment) error {
	before := bson.D{
		{Key: "link", Value: latest.Link}, {Key: "latest", Value: true},
		{Key: "version", Value: bson.D{{Key: "$lt", Value: latest.Version}}},
	}
	former, err := one[persistence.Experiment](ctx, s, "former version of "+latest.Link, experiments, before, bson.E{Key: "version", Value: -1})
	if errors.Is(err, persistence.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if former.Enabled != latest.Enabled {
		// only where nobody has set it since
		if err := s.setEnabled(ctx, append(byID(latest.ID), bson.E{Key: "rev", Value: int64(0)}), former.Enabled); err != nil {
			return err
		}
	}
	_, err = s.db.Collection(experiments).UpdateMany(ctx, before, bson.D{
		{Key: "$set", Value: bson.D{{Key: "latest", Value: false}}},
		{Key: "$inc", Value: bson.D{{Key: "rev", Value: int64(1)}}},
	})
	return wrap("retire versions of "+latest.Link, err)
}

func (s *Store) setEnabled(ctx context.Context, filter bson.D, enabled bool) error {
	_, err := s.db.Collection(experiments).UpdateOne(ctx, append(filter, bson.E{Key: "enabled", Value: !enabled}), bson.D{
		{Key: "$set", Value: bson.D{{Key: "enabled", Value: enabled}}},
		{Key: "$inc", Value: bson.D{{Key: "rev", Value: int64(1)}}},
	})
	return wrap("enable experiment", err)
}

// LatestExperiments implements persistence.Store.
func (s *Store) LatestExperiments(ctx context.Context) ([]*persistence.Experiment, error) {
	list, err := many[persistence.Experiment](ctx, s, "experiments", experiments, bson.D{{Key: "latest", Value: true}},
		options.Find().SetSort(bson.D{{Key: "name", Value: 1}, {Key: "link", Value: 1}, {Key: "version", Value: -1}}))
	if err != nil {
		return nil, err
	}
	// while an import is under way two versions may carry the flag
	version := map[string]int{}
	for _, e := range list {
		version[e.Link] = max(version[e.Link], e.Version)
	}
	latest := list[:0]
	for _, e := range list {
		if e.Version == version[e.Link] {
			latest = append(latest, e)
		}
	}
	return latest, nil
}

// LatestExperiment implements persistence.Store.
func (s *Store) LatestExperiment(ctx context.Context, link string) (*persistence.Experiment, error) {
	return one[persistence.Experiment](ctx, s, "experiment "+link, experiments,
		bson.D{{Key: "link", Value: link}}, bson.E{Key: "version", Value: -1})
}

// ExperimentVersion implements persistence.Store.
func (s *Store) ExperimentVersion(ctx context.Context, link string, version int) (*persistence.Experiment, error) {
	return one[persistence.Experiment](ctx, s, fmt.Sprintf("experiment %s@%d", link, version), experiments,
		bson.D{{Key: "link", Value: link}, {Key: "version", Value: version}})
}

// ExperimentVersions implements persistence.Store.
func (s *Store) ExperimentVersions(ctx context.Context, link string) ([]*persistence.Experiment, error) {
	list, err := many[persistence.Experiment](ctx, s, "versions of "+link, experiments,
		bson.D{{Key: "link", Value: link}}, options.Find().SetSort(bson.D{{Key: "version", Value: -1}}))
	for i, e := range list {
		e.Latest = i == 0
	}
	return list, err
}

// SetExperimentEnabled implements persistence.Store.
func (s *Store) SetExperimentEnabled(ctx context.Context, link string, enabled bool) error {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	done := 0
	for {
		e, err := s.LatestExperiment(ctx, link)
		if err != nil {
			return fmt.Errorf("enable experiment %s: %w", link, err)
		}
		if e.Version == done {
			return nil // no newer version came meanwhile
		}
		if err := s.setEnabled(ctx, byID(e.ID), enabled); err != nil {
			return err
		}
		done = e.Version
	}
}

// InsertBundle implements persistence.Store.
func (s *Store) InsertBundle(ctx context.Context, b *persistence.Bundle) error {
	if err := b.Validate(); err != nil {
		return wrap("insert into bundles", err)
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
	b, err := one[persistence.Bundle](ctx, s, "bundle "+hash, bundles, byID(hash))
	if err != nil {
		return nil, err
	}
	if b.Data, err = s.joinParts(ctx, b.Data, b.Parts, persistence.MaxBundle); err != nil {
		return nil, fmt.Errorf("bundle %s: %w", hash, err)
	}
	b.Parts = nil
	return b, nil
}
