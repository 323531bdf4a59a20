package supply

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"sharpie/experiments"
)

// Defaults of PreparerConfig.
const (
	defaultEvery    = time.Minute
	defaultPatience = 10 * time.Minute
	defaultRetry    = 10 * time.Minute
	firstAgain      = 250 * time.Millisecond // between attempts to ask for the first time,
	slowestAgain    = 5 * time.Second        // growing
	pokePause       = time.Second            // at least, between what is asked at once
)

// Workshop makes ready what a definition needs. *making.Maker is one.
type Workshop interface {
	// Ready says whether the interpreter is there; its error names the command that
	// makes it.
	Ready(ctx context.Context, d *experiments.Definition) error
	// Prepare makes it, which may take minutes; progress is told each line of what
	// happens.
	Prepare(ctx context.Context, d *experiments.Definition, progress func(line string)) error
	// Warm has a spare process started.
	Warm(ctx context.Context, o experiments.Order) error
}

// Bundles fetches what it does not have. *bundle.Cache is one.
type Bundles interface {
	Folder(ctx context.Context, hash string) (dir string, err error)
}

// PreparerConfig is what a Preparer works with. Client, Workshop and Bundles are required.
type PreparerConfig struct {
	Client   *Client
	Workshop Workshop
	Bundles  Bundles
	// Labels are the node's own, besides those of its key.
	Labels []string
	// Logger defaults to one that discards.
	Logger *slog.Logger
	// Every is the time between two questions, give or take a fifth; 1 min.
	Every time.Duration
	// Patience is how long the first preparation may keep the slots back, counted from
	// the server's first answer; 10 min.
	Patience time.Duration
	// Retry is the time until what failed is tried again; 10 min.
	Retry time.Duration
}

// Preparer makes experiments ready on a node before anybody plays them there.
type Preparer struct {
	cfg   PreparerConfig
	log   *slog.Logger
	ready chan struct{}
	open  sync.Once
	poked chan struct{} // has room for one
	// renewed has room for one, and tells of what was made ready; readiness counts it.
	renewed   chan struct{}
	readiness atomic.Uint64

	// The rest belongs to Run's goroutine.
	tag     string
	jobs    []*job
	told    string // the newest trouble with asking
	timer   *time.Timer
	leftOut int
}

// NewPreparer makes a Preparer; Run has it work.
func NewPreparer(cfg PreparerConfig) *Preparer {
	def := func(d *time.Duration, otherwise time.Duration) {
		if *d <= 0 {
			*d = otherwise
		}
	}
	def(&cfg.Every, defaultEvery)
	def(&cfg.Patience, defaultPatience)
	def(&cfg.Retry, defaultRetry)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Preparer{cfg: cfg, log: cfg.Logger, ready: make(chan struct{}), poked: make(chan struct{}, 1), renewed: make(chan struct{}, 1)}
}

// Ready is closed once the first preparation ended, well or not, or took too long.
func (p *Preparer) Ready() <-chan struct{} { return p.ready }

// Renewed tells when an experiment was made ready, once for several.
func (p *Preparer) Renewed() <-chan struct{} { return p.renewed }

// Readiness is how many were made ready until now.
func (p *Preparer) Readiness() uint64 { return p.readiness.Load() }

// Poke has the Preparer ask soon. It does not block.
func (p *Preparer) Poke() {
	select {
	case p.poked <- struct{}{}:
	default: // it will
	}
}

// Run asks and prepares until the context ends.
func (p *Preparer) Run(ctx context.Context) {
	defer func() {
		if p.timer != nil {
			p.timer.Stop()
		}
	}()
	again := firstAgain
	for {
		err := p.ask(ctx)
		if ctx.Err() != nil {
			return
		}
		p.answered(err)
		if err == nil {
			p.prepare(ctx)
			p.offer()
		}
		wait := p.cfg.Every*4/5 + rand.N(p.cfg.Every*2/5+1)
		if err != nil && !p.offered() {
			wait = min(again, wait)
			again = min(2*again, slowestAgain)
		}
		if !p.pause(ctx, wait) {
			return
		}
	}
}

// pause waits until it is time to ask again; false: the context ended.
func (p *Preparer) pause(ctx context.Context, wait time.Duration) bool {
	least := min(pokePause, wait)
	select {
	case <-time.After(least):
	case <-ctx.Done():
		return false
	}
	select {
	case <-time.After(wait - least):
	case <-p.poked:
		p.look(ctx)
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// offer lets the slots be offered.
func (p *Preparer) offer() { p.open.Do(func() { close(p.ready) }) }

func (p *Preparer) offered() bool {
	select {
	case <-p.ready:
		return true
	default:
		return false
	}
}

// answered looks at how asking went. Refusals of the key are for the connection to
// tell, which meets the same.
func (p *Preparer) answered(err error) {
	var r *Refusal
	refused := errors.As(err, &r)
	if p.timer == nil && (err == nil || refused) {
		p.timer = time.AfterFunc(p.cfg.Patience, func() {
			if !p.offered() {
				p.log.Warn("the slots are offered though not all is prepared", "after", p.cfg.Patience)
				p.offer()
			}
		})
	}
	switch {
	case err == nil:
		p.told = ""
		return
	case refused && r.Own && !r.passing():
		p.offer()
		return
	case refused && (r.Status == http.StatusNotFound || r.Status == http.StatusMethodNotAllowed):
		err = errors.New("the server does not say what it plays; build the Python of experiments here with: sharpie python build")
		p.offer()
	}
	if text := err.Error(); text != p.told {
		p.told = text
		p.log.Warn("what to prepare is not known", "why", text)
	}
}

// ask gets the listing, where it changed.
func (p *Preparer) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*answerWait)
	defer cancel()
	listing, tag, err := p.cfg.Client.Listing(ctx, p.cfg.Labels, p.tag)
	if err != nil || listing == nil {
		return err
	}
	p.tag = tag
	former := make(map[string]*job, len(p.jobs))
	for _, j := range p.jobs {
		former[j.name()] = j
	}
	p.jobs = nil
	for _, item := range listing.Experiments {
		j := &job{item: item}
		if known := former[j.name()]; known != nil {
			j = known
		} else if j.definition, err = experiments.FromCanonical(item.Definition); err != nil {
			p.log.Warn("an experiment cannot be read; is the server of another version?", "experiment", item.Link, "error", err)
			j.done = true
		}
		p.jobs = append(p.jobs, j)
	}
	if listing.LeftOut > 0 && listing.LeftOut != p.leftOut {
		p.log.Warn("there are more experiments than are prepared ahead", "left_out", listing.LeftOut)
	}
	p.leftOut = listing.LeftOut
	return nil
}
