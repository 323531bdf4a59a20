package mongo_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"sharpie/persistence"
	"sharpie/persistence/mongo"
	"sharpie/persistence/mongo/mongotest"
)

func TestOpenSaysWhatIsWrong(t *testing.T) {
	for uri, want := range map[string]string{
		"localhost:27017":             "the URI must be like mongodb://host:27017/database",
		"mongodb://":                  "the URI must be like",
		"mongodb://h/?replicaSets=no": "",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := mongo.Open(ctx, uri)
		cancel()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("open %q: %v, want %q", uri, err, want)
		}
	}
}

// TestAServerThatDoesNotAnswer: it takes connections and says nothing.
func TestAServerThatDoesNotAnswer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err = mongo.Open(ctx, "mongodb://"+l.Addr().String()+"/x")
	if !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("open: %v, want ErrUnavailable", err)
	}
	if wait := time.Since(start); wait > 3*time.Second {
		t.Errorf("open took %v with a deadline of 300 ms", wait)
	}
}

// TestTheServerIsKilled takes the server away and brings it back.
func TestTheServerIsKilled(t *testing.T) {
	path, ok := mongotest.Find(".")
	if !ok {
		const missing = "no mongod to kill: an outage of MongoDB was not tried"
		if os.Getenv("CI") == "true" && os.Getenv(mongotest.EnvURI) == "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	server, err := mongotest.Start(t.Context(), path, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	s := open(t, server.URI("outage"))

	acknowledged := 0
	for ; acknowledged < 50; acknowledged++ {
		if err := s.InsertStepChunks(t.Context(), []*persistence.StepChunk{steps(int64(acknowledged))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	during, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := s.InsertStepChunks(during, []*persistence.StepChunk{steps(50)}); !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("a write while the server is away: %v, want ErrUnavailable", err)
	}
	if _, err := s.Episode(during, "e"); !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("a read while the server is away: %v, want ErrUnavailable", err)
	}
	if wait := time.Since(start); wait > 3*time.Second {
		t.Errorf("both took %v with a deadline of 500 ms", wait)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.InsertStepChunks(t.Context(), []*persistence.StepChunk{steps(50)}); err != nil {
		t.Errorf("the same write after the server is back: %v", err)
	}
	next := int64(0)
	for c, err := range s.StepChunks(t.Context(), "e") {
		if err != nil {
			t.Fatal(err)
		}
		if c.First != next {
			t.Fatalf("a chunk begins at step %d, want %d", c.First, next)
		}
		next++
	}
	if next != 51 {
		t.Errorf("%d steps are stored, want the 50 that were acknowledged and the one after", next)
	}
}

func steps(first int64) *persistence.StepChunk {
	return &persistence.StepChunk{ID: persistence.ChunkID("e", first), EpisodeID: "e", SessionID: "s", First: first, Count: 1,
		ReceivedAt: time.UnixMicro(1), Offsets: []int64{0}, Lateness: []int64{0}, Hashes: make([]byte, 8)}
}
