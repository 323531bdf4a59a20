// Package storetest is the contract of persistence.Store as a suite: one named
// test per sentence. An implementation passes all of them or is none. It knows
// nothing of how a store works, and looks at it only through the contract.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sharpie/persistence"
)

// Run runs the suite. open returns a store that is empty, and closes it when t ends.
func Run(t *testing.T, open func(t *testing.T) persistence.Store) {
	groups := []struct {
		name string
		run  func(*testing.T, persistence.Store)
	}{
		{"store", testStore},
		{"times", testTimes},
		{"users", testUsers},
		{"user updates", testUserUpdates},
		{"logins", testLogins},
		{"one-time links", testOneTimeLinks},
		{"participants", testParticipants},
		{"consents", testConsents},
		{"experiments", testExperiments},
		{"import", testImport},
		{"bundles", testBundles},
		{"parts", testParts},
		{"sessions", testSessions},
		{"episodes", testEpisodes},
		{"checkpoints", testCheckpoints},
		{"steps", testSteps},
		{"step mistakes are the caller's own", testStepMistakes},
		{"step values", testStepValues},
		{"step limits", testStepLimits},
		{"events", testEvents},
		{"runners", testRunners},
		{"runner keys", testRunnerKeys},
		{"contexts", testContexts},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) { g.run(t, open(t)) })
	}
}

// now has microseconds that are no whole milliseconds, and nanoseconds that no
// store keeps.
var now = time.Date(2026, 3, 14, 15, 9, 26, 535897932, time.UTC)

// kept is a time as stores keep it.
func kept(t time.Time) time.Time { return t.Truncate(time.Microsecond) }

func keptp(t time.Time) *time.Time { t = kept(t); return &t }

// equal compares records; nil and empty lists are the same, NaN equals NaN.
func equal(t *testing.T, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateNaNs()); d != "" {
		t.Errorf("what was stored differs (-want +got):\n%s", d)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		must(t, err)
		return v
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v, want %v", err, want)
	}
}

// collect reads a stream to its end.
func collect[T any](t *testing.T, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var list []T
	for v, err := range seq {
		must(t, err)
		list = append(list, v)
	}
	return list
}

// concurrently calls do n times at once and returns the errors.
func concurrently(n int, do func(i int) error) []error {
	errs := make([]error, n)
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range n {
		done.Go(func() {
			start.Wait()
			errs[i] = do(i)
		})
	}
	start.Done()
	done.Wait()
	return errs
}

func succeeded(errs []error) (n int) {
	for _, err := range errs {
		if err == nil {
			n++
		}
	}
	return n
}

func testStore(t *testing.T, s persistence.Store) {
	t.Run("has a name", func(t *testing.T) {
		if n := s.Name(); n != "embedded" && n != "mongodb" {
			t.Errorf("name is %q", n)
		}
	})
	t.Run("ping works, and again", func(t *testing.T) {
		for range 2 {
			must(t, s.Ping(t.Context()))
		}
	})
	t.Run("concurrent first pings", func(t *testing.T) {
		for _, err := range concurrently(10, func(int) error { return s.Ping(t.Context()) }) {
			must(t, err)
		}
	})
	t.Run("a document over MaxDocument is ErrInvalid", func(t *testing.T) {
		text := strings.Repeat("x", persistence.MaxDocument)
		wantErr(t, s.InsertConsent(t.Context(), &persistence.Consent{ID: "huge", UserID: "u", TextHash: "h", Text: text, GivenAt: now}), persistence.ErrInvalid)
		_, err := s.ConsentFor(t.Context(), "u", "", "h")
		wantErr(t, err, persistence.ErrNotFound)
	})
	t.Run("nested deeper than MaxDepth is ErrInvalid", func(t *testing.T) {
		var deep any = "bottom"
		for range persistence.MaxDepth + 1 {
			deep = []any{deep}
		}
		err := s.InsertEvents(t.Context(), []*persistence.Event{{ID: "deep", Kind: "k", Detail: persistence.Document{"d": deep}}})
		wantErr(t, err, persistence.ErrInvalid)
	})
	t.Run("a key with a zero byte is ErrInvalid", func(t *testing.T) {
		err := s.InsertEvents(t.Context(), []*persistence.Event{{ID: "zero", Kind: "k", Detail: persistence.Document{"a\x00b": 1.0}}})
		wantErr(t, err, persistence.ErrInvalid)
	})
	t.Run("calls after Close are ErrUnavailable", func(t *testing.T) {
		must(t, s.Close())
		wantErr(t, s.Ping(t.Context()), persistence.ErrUnavailable)
		wantErr(t, s.InsertUser(t.Context(), user("late")), persistence.ErrUnavailable)
		_, err := s.User(t.Context(), "late")
		wantErr(t, err, persistence.ErrUnavailable)
		for _, err := range s.StepChunks(t.Context(), "late") {
			wantErr(t, err, persistence.ErrUnavailable)
		}
	})
}

func testTimes(t *testing.T, s persistence.Store) {
	times := map[string]time.Time{
		"microseconds":         now,
		"just before a second": time.Date(2026, 1, 1, 0, 0, 0, 999_999_999, time.UTC),
		"before 1970":          time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
		"the zero time":        {},
		"another zone":         now.In(time.FixedZone("east", 5*3600)),
		"far":                  time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
	}
	for name, at := range times {
		t.Run(name, func(t *testing.T) {
			u := user("time " + name)
			u.CreatedAt = at
			if !at.IsZero() { // a pointer to no time is no time
				u.LastLoginAt = &at
			}
			must(t, s.InsertUser(t.Context(), u))
			got := get[*persistence.User](t)(s.User(t.Context(), u.ID))
			want := at.Truncate(time.Microsecond)
			if !got.CreatedAt.Equal(want) || u.LastLoginAt != nil && !got.LastLoginAt.Equal(want) {
				t.Errorf("stored %v, read %v and %v", want, got.CreatedAt, got.LastLoginAt)
			}
			if got.CreatedAt.Location() != time.UTC {
				t.Errorf("read in zone %v, want UTC", got.CreatedAt.Location())
			}
		})
	}
}

func testContexts(t *testing.T, s persistence.Store) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for name, c := range map[string]struct {
		ctx context.Context
		err error
	}{
		"cancelled": {cancelled, context.Canceled},
		"late":      {late, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			check := func(what string, err error) {
				t.Helper()
				if !errors.Is(err, persistence.ErrUnavailable) || !errors.Is(err, c.err) {
					t.Errorf("%s: error is %v, want ErrUnavailable and %v", what, err, c.err)
				}
			}
			check("insert", s.InsertUser(c.ctx, user("ctx "+name)))
			_, err := s.User(c.ctx, "nobody")
			check("read", err)
			_, err = s.Users(c.ctx, persistence.Page{})
			check("list", err)
			check("chunks", s.InsertStepChunks(c.ctx, []*persistence.StepChunk{chunk("ep-ctx-"+name, 0, 3)}))
			_, _, err = s.ImportExperiment(c.ctx, experiment("ctx-"+name, "h"))
			check("import", err)
			n := 0
			for _, err := range s.StepChunks(c.ctx, "ep") {
				check("stream", err)
				n++
			}
			if n != 1 {
				t.Errorf("the stream ended with %d errors, want 1", n)
			}
		})
	}
	t.Run("a stream ends when its context does", func(t *testing.T) {
		for i := range 3 {
			must(t, s.InsertStepChunks(t.Context(), []*persistence.StepChunk{chunk("ep-mid", int64(i*3), 3)}))
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var read int
		var last error
		for _, err := range s.StepChunks(ctx, "ep-mid") {
			if err != nil {
				last = err
				continue
			}
			read++
			cancel()
		}
		if read != 1 || !errors.Is(last, context.Canceled) {
			t.Errorf("read %d chunks and error %v, want 1 and context.Canceled", read, last)
		}
	})
	t.Run("the store works on afterwards", func(t *testing.T) {
		must(t, s.InsertUser(t.Context(), user("after")))
		get[*persistence.User](t)(s.User(t.Context(), "after"))
	})
}

func user(id string) *persistence.User {
	return &persistence.User{ID: persistence.UserID(id), Name: id, NameKey: persistence.NameKey(id), CreatedAt: now}
}

func experiment(link, hash string) *persistence.Experiment {
	return &persistence.Experiment{
		Link: link, Name: "Name of " + link, Hash: hash, Source: "yaml: " + hash, ImportedAt: now, ImportedBy: "test",
		Definition: persistence.Document{"hash": hash, "list": []any{1.5, nil, true, "x"}, "nested": map[string]any{"n": int64(1) << 60}},
	}
}

func id(format string, args ...any) string { return fmt.Sprintf(format, args...) }
