package supply

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sharpie/envs"
	"sharpie/envs/python/interpreter"
	"sharpie/experiments"
)

// shop is a Workshop and a cache that remembers what it was asked.
type shop struct {
	mu       sync.Mutex
	missing  map[string]bool // links whose interpreter is not there
	hopeless map[string]bool // of these, what cannot be built
	did      []string
	gate     chan struct{} // nil: building takes no time
}

func (s *shop) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.did = append(s.did, fmt.Sprintf(format, args...))
}

func (s *shop) done() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.did, ", ")
}

func (s *shop) Ready(_ context.Context, d *experiments.Definition) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.missing[string(d.Experiment.Link)] {
		return fmt.Errorf("%w; run: sharpie python build", interpreter.ErrNotBuilt)
	}
	return nil
}

func (s *shop) Prepare(ctx context.Context, d *experiments.Definition, progress func(string)) error {
	link := string(d.Experiment.Link)
	progress("downloading")
	s.note("build %s", link)
	if s.gate != nil {
		select {
		case <-s.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hopeless[link] {
		return errors.New("no such package")
	}
	delete(s.missing, link)
	return nil
}

func (s *shop) Warm(_ context.Context, o experiments.Order) error {
	s.note("warm %s", o.Label)
	return nil
}

func (s *shop) Folder(_ context.Context, hash string) (string, error) {
	s.note("fetch %s", hash)
	return "", nil
}

// log is written and read at a time.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *log) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

// bench is a Preparer at work, with a server whose listing can change.
type bench struct {
	*Preparer
	log *log
	mu  sync.Mutex
	// what the server says
	links  []string
	status int
	asked  int
}

func (b *bench) listed(links ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.links = links
}

func newBench(t *testing.T, s *shop, cfg PreparerConfig, links ...string) *bench {
	t.Helper()
	b := &bench{log: &log{}, links: links}
	_, client := served(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.asked++
		if r.URL.Path != "/lab"+ExperimentsPath || r.URL.Query().Get(LabelParameter) != "gpu" {
			t.Errorf("asked for %s", r.URL)
		}
		if b.status != 0 {
			w.WriteHeader(b.status)
			return
		}
		tag := fmt.Sprintf("%q", strings.Join(b.links, "+"))
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", tag)
		_ = json.NewEncoder(w).Encode(listing(t, b.links))
	})
	cfg.Client, cfg.Workshop, cfg.Bundles, cfg.Labels = client, s, s, []string{"gpu"}
	cfg.Logger = slog.New(slog.NewTextHandler(b.log, nil))
	b.Preparer = NewPreparer(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return b
}

func listing(t *testing.T, links []string) Listing {
	var l Listing
	for _, link := range links {
		d := &experiments.Definition{}
		d.Experiment.Link = link
		text, err := d.Canonical()
		if err != nil {
			t.Error(err)
		}
		l.Experiments = append(l.Experiments, Item{Link: link, Version: 1, Bundle: "b" + link, Definition: text})
	}
	return l
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

func TestSlotsWaitForTheFirstPreparation(t *testing.T) {
	s := &shop{missing: map[string]bool{"slow": true}, gate: make(chan struct{})}
	b := newBench(t, s, PreparerConfig{Every: time.Hour}, "slow", "quick")
	eventually(t, "the build begins", func() bool { return strings.Contains(s.done(), "build slow") })
	select {
	case <-b.Ready():
		t.Error("the slots are offered before the interpreter is built")
	default:
	}
	close(s.gate)
	<-b.Ready()
	// what needs no building does not wait for what does
	if got := s.done(); got != "fetch bquick, warm quick, build slow, fetch bslow, warm slow" {
		t.Errorf("it did: %s", got)
	}
	if b.log.count("downloading") != 1 {
		t.Error("the progress of the build is not in the log")
	}
}

func TestSlotsDoNotWaitForEver(t *testing.T) {
	s := &shop{missing: map[string]bool{"slow": true}, gate: make(chan struct{})}
	b := newBench(t, s, PreparerConfig{Every: time.Hour, Patience: 50 * time.Millisecond}, "slow")
	<-b.Ready()
	eventually(t, "the log says so", func() bool { return b.log.count("though not all is prepared") == 1 })
}

func TestWhatFailsIsToldOnceWithTheCommand(t *testing.T) {
	s := &shop{missing: map[string]bool{"bad": true}, hopeless: map[string]bool{"bad": true}}
	b := newBench(t, s, PreparerConfig{Every: time.Millisecond, Retry: time.Millisecond}, "bad")
	<-b.Ready()
	eventually(t, "it is tried again", func() bool { return strings.Count(s.done(), "build bad") > 3 })
	if n := b.log.count("cannot be played here yet"); n != 1 {
		t.Errorf("the failure is in the log %d times, want once", n)
	}
	if b.log.count("no such package") == 0 || b.log.count("sharpie python build") == 0 {
		t.Error("the log has neither the reason nor the command")
	}
}

func TestWhatComesLaterIsPreparedOnce(t *testing.T) {
	s := &shop{}
	b := newBench(t, s, PreparerConfig{Every: time.Millisecond}, "one")
	<-b.Ready()
	b.listed("one", "two")
	eventually(t, "the second is prepared", func() bool { return strings.HasSuffix(s.done(), "warm two") })
	b.mu.Lock()
	before := b.asked
	b.mu.Unlock()
	eventually(t, "it asks again", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.asked > before+3 })
	if got := s.done(); got != "fetch bone, warm one, fetch btwo, warm two" {
		t.Errorf("it did: %s", got)
	}
}

func TestAServerThatCannotBeAskedIsAskedAgain(t *testing.T) {
	s := &shop{}
	b := newBench(t, s, PreparerConfig{Every: time.Millisecond}, "one")
	b.mu.Lock()
	b.status = 503
	b.mu.Unlock()
	b.listed("one", "late")
	eventually(t, "it says so", func() bool { return b.log.count("what to prepare is not known") > 0 })
	b.mu.Lock()
	b.status = 0
	b.mu.Unlock()
	eventually(t, "it is prepared", func() bool { return strings.Contains(s.done(), "warm late") })
	if n := b.log.count("what to prepare is not known"); n != 1 {
		t.Errorf("the trouble is told %d times, want once", n)
	}
}

// failing is a Maker without the interpreter.
type failing struct{ experiments.Maker }

func (failing) Environment(context.Context, experiments.Order) (envs.Environment, error) {
	return nil, fmt.Errorf("%w: %w", envs.ErrInvalidArgument, interpreter.ErrNotBuilt)
}

func TestAMissingInterpreterHasTheNodeAskAtOnce(t *testing.T) {
	s := &shop{}
	b := newBench(t, s, PreparerConfig{Every: time.Hour}, "one")
	<-b.Ready()
	b.listed("one", "new")
	_, err := Maker{Maker: failing{}, Missed: b.Poke}.Environment(t.Context(), experiments.Order{})
	if !errors.Is(err, envs.ErrInvalidArgument) || !strings.Contains(err.Error(), "not built on this runner node yet") {
		t.Errorf("the researcher reads %v", err)
	}
	eventually(t, "the new one is prepared", func() bool { return strings.Contains(s.done(), "warm new") })
}
