// Package mongo is a persistence.Store in MongoDB, the database of the platform. It
// owns one database: collections with a validator each, their indexes, and a view
// for analysts, all made or brought up to date when it opens. Every write waits for
// a majority and its journal. It refuses a database that a newer version wrote. It
// uses no transactions and no change streams, so that a plain server will do.
package mongo

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"sharpie/persistence"
	"sharpie/persistence/mongo/document"
)

// openWait bounds Open where its context has no deadline: a first index of a large
// collection takes a while.
const openWait = time.Minute

// DefaultDatabase is the database where the URI names none.
const DefaultDatabase = "sharpie"

// Store keeps everything in one database.
type Store struct {
	codec  *document.Codec
	client *mongo.Client
	db     *mongo.Database
	chunks *batcher
}

var _ persistence.Store = (*Store)(nil)

// Open connects to the database that the URI names (mongodb://host/database), and
// makes its collections, indexes and view. A server that does not answer is
// ErrUnavailable.
func Open(ctx context.Context, uri string) (*Store, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, openWait)
		defer cancel()
	}
	parsed, err := connstring.ParseAndValidate(uri)
	if err != nil {
		return nil, fmt.Errorf("open mongodb: the URI must be like mongodb://host:27017/database: %w", err)
	}
	name := parsed.Database
	if name == "" {
		name = DefaultDatabase
	}
	journal := true
	client, err := mongo.Connect(options.Client().ApplyURI(uri).
		SetAppName("sharpie").
		SetServerSelectionTimeout(5 * time.Second).
		SetWriteConcern(&writeconcern.WriteConcern{W: writeconcern.WCMajority, Journal: &journal}))
	if err != nil {
		return nil, fmt.Errorf("open mongodb: %w", err)
	}
	s := &Store{codec: document.New(), client: client, db: client.Database(name)}
	if err := s.prepare(ctx); err != nil {
		_ = client.Disconnect(context.WithoutCancel(ctx)) // the first error says more
		return nil, fmt.Errorf("open mongodb, database %s: %w", name, err)
	}
	s.chunks = newBatcher(func(ctx context.Context, docs []bson.Raw) []error { return s.insertDocs(ctx, stepChunks, docs) })
	return s, nil
}

// Name is "mongodb".
func (s *Store) Name() string { return "mongodb" }

// Ping writes, with the durability of every write, and so reads.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	_, err := s.db.Collection("probe").UpdateOne(ctx, bson.D{{Key: "_id", Value: "ping"}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "server_at", Value: time.Now().UTC()}}}},
		options.UpdateOne().SetUpsert(true))
	if mongo.IsDuplicateKeyError(err) {
		return nil // two first pings at once: the other one wrote
	}
	return wrap("ping", err)
}

// Close ends the connections. Calls after it return ErrUnavailable.
func (s *Store) Close() error {
	s.chunks.close()
	ctx, cancel := context.WithTimeout(context.Background(), persistence.MaxWait)
	defer cancel()
	if err := s.client.Disconnect(ctx); err != nil && err != mongo.ErrClientDisconnected {
		return fmt.Errorf("close mongodb: %w", err)
	}
	return nil
}
