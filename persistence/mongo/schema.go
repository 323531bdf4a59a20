package mongo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sharpie/persistence"
	"sharpie/persistence/mongo/document"
)

// schemaVersion goes up when an older program could no longer use the database.
const schemaVersion = 1

// index is one index of a collection: its fields in order, "-" before a falling one.
type index struct {
	fields  []string
	unique  bool
	expires bool   // documents are deleted when the date has passed
	partial bson.D // only documents that match
}

// layout is one collection.
type layout struct {
	name    string
	schema  bson.D
	indexes []index
}

// layouts lists every collection. docs/DATA.md describes them; a test compares.
func layouts() []layout {
	return []layout{
		{users, document.Schema[persistence.User](), []index{
			{fields: []string{"name_key"}, unique: true},
			{fields: []string{"server_created_at_us", "_id"}},
		}},
		{logins, document.Schema[persistence.Login](), []index{
			{fields: []string{"user_id"}},
			{fields: []string{"server_expires_at"}, expires: true},
		}},
		{oneTimeLinks, document.Schema[persistence.OneTimeLink](), nil},
		{participants, document.Schema[persistence.Participant](), []index{
			{fields: []string{"user_id", "experiment"}, unique: true},
			{fields: []string{"experiment", "server_created_at_us", "_id"}},
		}},
		{consents, document.Schema[persistence.Consent](), []index{
			{fields: []string{"user_id", "experiment", "text_hash", "server_given_at_us"}},
		}},
		{responses, document.Schema[persistence.Response](), []index{
			{fields: []string{"participant_id"}},
			{fields: []string{"session_id"}},
		}},
		{experiments, document.Schema[persistence.Experiment](), []index{
			{fields: []string{"link", "-version"}, unique: true},
			{fields: []string{"name", "link"}, partial: bson.D{{Key: "latest", Value: true}}},
		}},
		{bundles, document.Schema[persistence.Bundle](), nil},
		{parts, document.Schema[persistence.Part](), nil},
		{runners, document.Schema[persistence.Runner](), nil},
		{runnerKeys, document.Schema[persistence.RunnerKey](), []index{
			{fields: []string{"prefix"}, unique: true},
		}},
		{sessions, document.Schema[persistence.Session](), []index{
			{fields: []string{"server_opened_at_us", "_id"}},
			{fields: []string{"server_opened_at"}},
			{fields: []string{"experiment", "server_opened_at_us", "_id"}},
			{fields: []string{"node", "server_opened_at_us"}, partial: bson.D{{Key: "finished", Value: false}}},
		}},
		{episodes, document.Schema[persistence.Episode](), []index{
			{fields: []string{"session_id", "index", "attempt"}, unique: true},
			{fields: []string{"experiment", "server_started_at_us", "_id"}},
			{fields: []string{"server_started_at"}},
			{fields: []string{"roles.participant_id"}},
		}},
		{checkpoints, document.Schema[persistence.Checkpoint](), []index{
			{fields: []string{"scope", "role", "policy", "-server_received_at_us", "-_id"}},
		}},
		{stepChunks, document.Schema[persistence.StepChunk](), []index{
			{fields: []string{"episode_id", "first_step"}, unique: true},
			{fields: []string{"session_id"}},
		}},
		{events, document.Schema[persistence.Event](), []index{
			{fields: []string{"server_at_us", "_id"}},
			{fields: []string{"server_at"}},
			{fields: []string{"session_id", "server_at_us", "_id"}},
			{fields: []string{"kind", "server_at_us", "_id"}},
		}},
	}
}

func (i index) model() mongo.IndexModel {
	keys, name := bson.D{}, ""
	for _, f := range i.fields {
		order := 1
		if f[0] == '-' {
			f, order = f[1:], -1
		}
		keys = append(keys, bson.E{Key: f, Value: order})
		name += fmt.Sprintf("_%s_%d", f, order)
	}
	o := options.Index().SetName(name[1:])
	if i.unique {
		o.SetUnique(true)
	}
	if i.expires {
		o.SetExpireAfterSeconds(0)
	}
	if i.partial != nil {
		o.SetPartialFilterExpression(i.partial)
	}
	return mongo.IndexModel{Keys: keys, Options: o}
}

// prepare brings the database to what this program needs. It may run again, and
// in two processes at once.
func (s *Store) prepare(ctx context.Context) error {
	if err := s.checkVersion(ctx); err != nil {
		return err
	}
	stored, err := s.stored(ctx)
	if err != nil {
		return explain(err)
	}
	for _, l := range layouts() {
		validator := bson.D{{Key: "validator", Value: bson.D{{Key: "$jsonSchema", Value: l.schema}}}}
		if err := s.ensure(ctx, l.name, stored[l.name], validator); err != nil {
			return fmt.Errorf("collection %s: %w", l.name, explain(err))
		}
		if err := s.ensureIndexes(ctx, l); err != nil {
			return fmt.Errorf("indexes of %s: %w", l.name, explain(err))
		}
	}
	view := bson.D{{Key: "viewOn", Value: stepChunks}, {Key: "pipeline", Value: stepsView()}}
	if err := s.ensure(ctx, stepsViewName, stored[stepsViewName], view); err != nil {
		return fmt.Errorf("view %s: %w", stepsViewName, explain(err))
	}
	return s.setVersion(ctx)
}

const schemaCollection = "schema"

func (s *Store) checkVersion(ctx context.Context) error {
	var doc struct{ Version int }
	err := s.db.Collection(schemaCollection).FindOne(ctx, byID("schema")).Decode(&doc)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil
	}
	if err != nil {
		return explain(err)
	}
	if doc.Version > schemaVersion {
		return fmt.Errorf("%w: its schema is version %d, this program knows %d: use the newer program",
			persistence.ErrNewer, doc.Version, schemaVersion)
	}
	return nil
}

func (s *Store) setVersion(ctx context.Context) error {
	_, err := s.db.Collection(schemaCollection).UpdateOne(ctx, byID("schema"), bson.D{
		{Key: "$max", Value: bson.D{{Key: "version", Value: schemaVersion}}},
		{Key: "$setOnInsert", Value: bson.D{{Key: "server_created_at", Value: time.Now().UTC()}}},
	}, options.UpdateOne().SetUpsert(true))
	if mongo.IsDuplicateKeyError(err) {
		return nil // another process has just set it
	}
	return wrap("schema version", err)
}

// stored returns the options of each collection and view that exists.
func (s *Store) stored(ctx context.Context) (map[string]bson.Raw, error) {
	specs, err := s.db.ListCollectionSpecifications(ctx, bson.D{})
	if err != nil {
		return nil, err
	}
	stored := map[string]bson.Raw{}
	for _, spec := range specs {
		stored[spec.Name] = spec.Options
		if spec.Options == nil {
			stored[spec.Name] = bson.Raw{5, 0, 0, 0, 0}
		}
	}
	return stored, nil
}

// ensure creates a collection or view with the given settings, or changes them
// where they differ from the stored ones.
func (s *Store) ensure(ctx context.Context, name string, stored bson.Raw, settings bson.D) error {
	if stored == nil {
		err := s.db.RunCommand(ctx, append(bson.D{{Key: "create", Value: name}}, settings...)).Err()
		if !hasCode(err, codeNamespaceExists) {
			return err
		}
		// another process made it just now; the settings follow
	}
	if same, err := sameSettings(stored, settings); err != nil || same {
		return err
	}
	return s.db.RunCommand(ctx, append(bson.D{{Key: "collMod", Value: name}}, settings...)).Err()
}

func sameSettings(stored bson.Raw, settings bson.D) (bool, error) {
	if stored == nil {
		return false, nil
	}
	want, err := bson.Marshal(settings)
	if err != nil {
		return false, err
	}
	elements, err := bson.Raw(want).Elements()
	if err != nil {
		return false, err
	}
	for _, e := range elements {
		if v := stored.Lookup(e.Key()); v.Type != e.Value().Type || !bytes.Equal(v.Value, e.Value().Value) {
			return false, nil
		}
	}
	return true, nil
}

func (s *Store) ensureIndexes(ctx context.Context, l layout) error {
	indexes := s.db.Collection(l.name).Indexes()
	for _, i := range l.indexes {
		m := i.model()
		_, err := indexes.CreateOne(ctx, m)
		if hasCode(err, codeIndexOptions, codeIndexKeys) { // the settings have changed
			var set options.IndexOptions
			for _, f := range m.Options.List() {
				if err := f(&set); err != nil {
					return err
				}
			}
			if err := indexes.DropOne(ctx, *set.Name); err != nil {
				return err
			}
			_, err = indexes.CreateOne(ctx, m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
