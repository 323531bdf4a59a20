package mongo

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"sharpie/persistence"
)

// server is what a batcher sends to: each insert takes a while.
type server struct {
	takes   time.Duration
	batches [][]string // the documents of each insert
	now     int        // under way
	most    int
	lock    chan struct{}
}

func newServer(takes time.Duration) *server {
	return &server{takes: takes, lock: make(chan struct{}, 1)}
}

// insert refuses documents that begin with "bad".
func (s *server) insert(_ context.Context, docs []bson.Raw) []error {
	errs, names := make([]error, len(docs)), make([]string, len(docs))
	for i, d := range docs {
		if names[i] = string(d); names[i][:3] == "bad" {
			errs[i] = fmt.Errorf("%s: %w", d, persistence.ErrInvalid)
		}
	}
	s.lock <- struct{}{}
	s.batches = append(s.batches, names)
	s.now++
	s.most = max(s.most, s.now)
	<-s.lock
	<-time.After(s.takes)
	s.lock <- struct{}{}
	s.now--
	<-s.lock
	return errs
}

// storeAll calls store for each document from a goroutine of its own, one after the
// other as far as the batcher sees, and returns where the results will be.
func storeAll(b *batcher, ctx context.Context, docs ...string) []chan error {
	results := make([]chan error, len(docs))
	for i, d := range docs {
		results[i] = make(chan error, 1)
		go func() { results[i] <- b.store(ctx, []bson.Raw{bson.Raw(d)}) }()
		synctest.Wait()
	}
	return results
}

func TestWhatComesTogetherIsSentTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(20 * time.Millisecond)
		b := newBatcher(s.insert)
		<-time.After(time.Second)
		start := time.Now()
		storeAll(b, t.Context(), "aaa") // nothing was sent lately: at once
		last := storeAll(b, t.Context(), "bbb", "ccc", "bad", "ddd")
		for i, c := range last {
			if err := <-c; (i == 2) != errors.Is(err, persistence.ErrInvalid) || i != 2 && err != nil {
				t.Errorf("caller %d: %v; ErrInvalid is caller 2's alone", i, err)
			}
		}
		if took := time.Since(start); took != patience+s.takes {
			t.Errorf("the second batch was stored after %v, want %v", took, patience+s.takes)
		}
		b.close()
		if d := cmp.Diff([][]string{{"aaa"}, {"bbb", "ccc", "bad", "ddd"}}, s.batches); d != "" {
			t.Errorf("batches (-want +got):\n%s", d)
		}
	})
}

func TestABusyServerGetsFewLargeBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(time.Second)
		b := newBatcher(s.insert)
		var results []chan error
		for i := range 50 {
			results = append(results, storeAll(b, t.Context(), fmt.Sprintf("doc%d", i))...)
			<-time.After(10 * time.Millisecond)
		}
		for _, c := range results {
			if err := <-c; err != nil {
				t.Error(err)
			}
		}
		b.close()
		if s.most != flights || len(s.batches) != flights+1 {
			t.Errorf("%d inserts at once in %d batches, want %d in %d", s.most, len(s.batches), flights, flights+1)
		}
	})
}

func TestACallerThatGaveUpIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(time.Second)
		b := newBatcher(s.insert)
		storeAll(b, t.Context(), "aaa")
		ctx, cancel := context.WithCancel(t.Context())
		gone := storeAll(b, ctx, "bbb")
		stays := storeAll(b, t.Context(), "ccc")
		cancel()
		if err := <-gone[0]; !errors.Is(err, context.Canceled) {
			t.Errorf("the caller that gave up: %v", err)
		}
		if err := <-stays[0]; err != nil {
			t.Errorf("the one beside it: %v", err)
		}
		b.close()
		if d := cmp.Diff([][]string{{"aaa"}, {"ccc"}}, s.batches); d != "" {
			t.Errorf("batches (-want +got):\n%s", d)
		}
		if err := b.store(t.Context(), []bson.Raw{bson.Raw("ddd")}); !errors.Is(err, persistence.ErrUnavailable) {
			t.Errorf("after close: %v, want ErrUnavailable", err)
		}
	})
}
