package mongo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sharpie/persistence"
)

// Chunks of many sessions come one by one, and a journaled write of one costs as
// much as a write of many. So they are sent together: what comes within patience of
// the write before, and what waits while flights of them are under way.
const (
	flights    = 4
	patience   = 8 * time.Millisecond
	batchCalls = 256
	batchBytes = 8 << 20
	queued     = 1024
)

// call is one caller's documents.
type call struct {
	ctx   context.Context
	docs  []bson.Raw
	bytes int
	done  chan error
}

// batcher sends the documents of concurrent callers together.
type batcher struct {
	insert  func(context.Context, []bson.Raw) []error // what became of each
	calls   chan *call
	quit    chan struct{}
	once    sync.Once
	flights chan struct{} // one token each
	work    sync.WaitGroup
}

func newBatcher(insert func(context.Context, []bson.Raw) []error) *batcher {
	b := &batcher{insert: insert, calls: make(chan *call, queued), quit: make(chan struct{}), flights: make(chan struct{}, flights)}
	b.work.Go(b.run)
	return b
}

// close answers what was taken, and takes no more.
func (b *batcher) close() {
	b.once.Do(func() { close(b.quit) })
	b.work.Wait()
}

// store waits until the documents are stored. A caller that gives up leaves them
// to their fate: the same call may be repeated.
func (b *batcher) store(ctx context.Context, docs []bson.Raw) error {
	c := &call{ctx: ctx, docs: docs, done: make(chan error, 1)}
	for _, d := range docs {
		c.bytes += len(d)
	}
	select {
	case <-b.quit:
		return errClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case b.calls <- c:
	case <-b.quit:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errClosed = fmt.Errorf("store is closed: %w", persistence.ErrUnavailable)

// run gathers calls and sends them off.
func (b *batcher) run() {
	var last time.Time
	for {
		select {
		case c := <-b.calls:
			batch := b.gather(c, patience-time.Since(last))
			last = time.Now()
			b.work.Go(func() {
				b.send(batch)
				<-b.flights
			})
		case <-b.quit:
			for {
				select {
				case c := <-b.calls:
					c.done <- errClosed
				default:
					return
				}
			}
		}
	}
}

// gather takes what comes until wait is over and a flight is free; it holds the
// flight's token then.
func (b *batcher) gather(first *call, wait time.Duration) []*call {
	batch, bytes := []*call{first}, first.bytes
	timer := time.NewTimer(max(wait, 0))
	defer timer.Stop()
	late, free := timer.C, (chan struct{})(nil)
	for {
		calls := b.calls
		if len(batch) >= batchCalls || bytes >= batchBytes {
			calls, free = nil, b.flights // full: no need to wait longer
		}
		select {
		case c := <-calls:
			batch, bytes = append(batch, c), bytes+c.bytes
		case <-late:
			late, free = nil, b.flights
		case free <- struct{}{}:
			return batch
		}
	}
}

// send stores a batch and tells each caller about its own documents.
func (b *batcher) send(batch []*call) {
	var docs []bson.Raw
	for _, c := range batch {
		if c.ctx.Err() == nil {
			docs = append(docs, c.docs...)
		}
	}
	ctx, cancel := persistence.Bounded(context.Background())
	defer cancel()
	var errs []error
	if len(docs) > 0 {
		errs = b.insert(ctx, docs)
	}
	next := 0
	for _, c := range batch {
		if next == len(errs) || &docs[next][0] != &c.docs[0][0] { // it was left out
			c.done <- c.ctx.Err()
			continue
		}
		c.done <- errors.Join(errs[next : next+len(c.docs)]...)
		next += len(c.docs)
	}
}

// insertDocs stores documents in one call, and returns what became of each.
// Those that are there already must be the same.
func (s *Store) insertDocs(ctx context.Context, collection string, docs []bson.Raw) []error {
	errs := make([]error, len(docs))
	_, err := s.db.Collection(collection).InsertMany(ctx, docs, options.InsertMany().SetOrdered(false))
	if err == nil {
		return errs
	}
	var bulk mongo.BulkWriteException
	if !errors.As(err, &bulk) || bulk.WriteConcernError != nil || len(bulk.WriteErrors) == 0 {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	for _, e := range bulk.WriteErrors {
		errs[e.Index] = e.WriteError
		if mongo.IsDuplicateKeyError(e.WriteError) {
			errs[e.Index] = s.same(ctx, collection, docs[e.Index])
		}
	}
	return errs
}
