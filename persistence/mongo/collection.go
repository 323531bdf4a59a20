package mongo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sharpie/persistence"
)

// Names of the collections.
const (
	users        = "users"
	logins       = "logins"
	oneTimeLinks = "one_time_links"
	participants = "participants"
	consents     = "consents"
	responses    = "responses"
	experiments  = "experiments"
	bundles      = "bundles"
	parts        = "parts"
	runners      = "runners"
	runnerKeys   = "runner_keys"
	sessions     = "sessions"
	episodes     = "episodes"
	checkpoints  = "checkpoints"
	stepChunks   = "step_chunks"
	events       = "events"
)

// record is what the generic methods take.
type record[T any] interface {
	*T
	Validate() error
}

func byID(id any) bson.D { return bson.D{{Key: "_id", Value: id}} }

func (s *Store) marshal(r interface{ Validate() error }) (bson.Raw, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	doc, err := s.codec.Marshal(r)
	return doc, err
}

// insert stores one record, or finds the same one there.
func insert[T any, P record[T]](ctx context.Context, s *Store, collection string, v *T) error {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	what := "insert into " + collection
	doc, err := s.marshal(P(v))
	if err != nil {
		return wrap(what, err)
	}
	_, err = s.db.Collection(collection).InsertOne(ctx, doc)
	if mongo.IsDuplicateKeyError(err) {
		err = s.same(ctx, collection, doc)
	}
	return wrap(what, err)
}

// same returns nil where the document is stored as it is given, else ErrConflict.
func (s *Store) same(ctx context.Context, collection string, doc bson.Raw) error {
	id := doc.Lookup("_id")
	stored, err := s.db.Collection(collection).FindOne(ctx, byID(id)).Raw()
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		return fmt.Errorf("another key is taken: %w", persistence.ErrConflict)
	case err != nil:
		return err
	case !bytes.Equal(stored, doc):
		return fmt.Errorf("another document has the id %s: %w", id, persistence.ErrConflict)
	}
	return nil
}

// update stores the next revision of a record, and sets its Rev.
func update[T any, P record[T]](ctx context.Context, s *Store, collection string, v *T, rev func(*T) *int64) error {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	what := "update " + collection
	next, was := *v, *rev(v)
	*rev(&next) = was + 1
	doc, err := s.marshal(P(&next))
	if err != nil {
		return wrap(what, err)
	}
	ok, err := s.replace(ctx, collection, doc, was)
	if err == nil && !ok {
		err = fmt.Errorf("rev %d is not the stored one: %w", was, persistence.ErrConflict)
	}
	if err == nil {
		*rev(v) = was + 1
	}
	return wrap(what, err)
}

// replace returns whether the document with that rev was there, and is now doc.
func (s *Store) replace(ctx context.Context, collection string, doc bson.Raw, rev int64) (bool, error) {
	id := doc.Lookup("_id")
	filter := append(byID(id), bson.E{Key: "rev", Value: rev})
	r, err := s.db.Collection(collection).ReplaceOne(ctx, filter, doc)
	if err != nil {
		return false, err
	}
	if r.MatchedCount == 1 {
		return true, nil
	}
	stored, err := s.db.Collection(collection).FindOne(ctx, byID(id)).Raw()
	if err != nil {
		return false, err
	}
	return bytes.Equal(stored, doc), nil // the same update, repeated
}

// one returns the first record that the filter finds.
func one[T any](ctx context.Context, s *Store, what, collection string, filter any, sort ...bson.E) (*T, error) {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	o := options.FindOne()
	if len(sort) > 0 {
		o.SetSort(bson.D(sort))
	}
	raw, err := s.db.Collection(collection).FindOne(ctx, filter, o).Raw()
	if err != nil {
		return nil, wrap(what, err)
	}
	v := new(T)
	if err := s.codec.Unmarshal(raw, v); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return v, nil
}

// many returns all records that the filter finds.
func many[T any](ctx context.Context, s *Store, what, collection string, filter any, o *options.FindOptionsBuilder) ([]*T, error) {
	list, _, err := some[T](ctx, s, what, collection, 0, filter, o)
	return list, err
}

// some stops early, and says so, once it has read limit bytes; 0 is no limit.
func some[T any](ctx context.Context, s *Store, what, collection string, limit int, filter any, o *options.FindOptionsBuilder) (list []*T, more bool, err error) {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	c, err := s.db.Collection(collection).Find(ctx, filter, o)
	if err != nil {
		return nil, false, wrap(what, err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }() // c.Err says what went wrong
	read := 0
	for c.Next(ctx) {
		v := new(T)
		if err := s.codec.Unmarshal(c.Current, v); err != nil {
			return nil, false, fmt.Errorf("%s: %w", what, err)
		}
		list = append(list, v)
		if read += len(c.Current); limit > 0 && read >= limit {
			return list, true, nil
		}
	}
	return list, false, wrap(what, c.Err())
}

// newest sorts by time, and by id among equals.
func newest(at string) bson.D {
	return bson.D{{Key: at, Value: -1}, {Key: "_id", Value: -1}}
}

func paged(page persistence.Page, sort bson.D) *options.FindOptionsBuilder {
	offset, limit := page.Bounds()
	return options.Find().SetSort(sort).SetSkip(int64(offset)).SetLimit(int64(limit))
}

// A page of a stream ends after so many documents, or bytes of them. Between
// pages no cursor is held open, however slow the reader is.
const (
	streamRows  = 128
	streamBytes = 4 << 20
)

// position is where a stream goes on: after that key, and id among equals.
type position struct {
	key int64
	id  string
}

// stream yields the records of a filter in the order of an integer field and _id.
func stream[T any](ctx context.Context, s *Store, what, collection string, filter bson.D, field string, at func(*T) position) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		o := options.Find().SetSort(bson.D{{Key: field, Value: 1}, {Key: "_id", Value: 1}}).SetLimit(streamRows).SetBatchSize(streamRows)
		next := filter
		for {
			page, more, err := some[T](ctx, s, what, collection, streamBytes, next, o)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, v := range page {
				if err := ctx.Err(); err != nil {
					yield(nil, wrap(what, err))
					return
				}
				if !yield(v, nil) {
					return
				}
			}
			if !more && len(page) < streamRows {
				return
			}
			next = append(filter[:len(filter):len(filter)], after(field, at(page[len(page)-1]))...)
		}
	}
}

func after(field string, p position) bson.D {
	return bson.D{
		{Key: field, Value: bson.D{{Key: "$gte", Value: p.key}}},
		{Key: "$or", Value: bson.A{
			bson.D{{Key: field, Value: bson.D{{Key: "$gt", Value: p.key}}}},
			bson.D{{Key: field, Value: p.key}, {Key: "_id", Value: bson.D{{Key: "$gt", Value: p.id}}}},
		}},
	}
}
