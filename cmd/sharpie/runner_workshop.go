package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"sharpie/experiments/bundle"
	"sharpie/experiments/supply"
)

// slowFetch bounds one bundle on its way to a node, whatever the link; a link on which
// nothing comes is given up much earlier.
const slowFetch = time.Hour

// nodeWorkshop is what a runner node makes environments and policies with.
type nodeWorkshop struct {
	workshop *workshop
	maker    supply.Maker
	client   *supply.Client
	preparer *supply.Preparer
	lock     *flock.Flock
	stop     context.CancelFunc
	stopped  chan struct{}
}

// prepare makes the workshop of the node, in its own folder, and begins to prepare what
// the server plays.
func (c *runnerCommand) prepare(a *app, key string, roots *x509.CertPool) (*nodeWorkshop, error) {
	client, err := supply.NewClient(supply.ClientConfig{URL: c.Join, Key: key, Roots: roots, Version: a.version, Logger: a.log})
	if err != nil {
		return nil, err
	}
	lock, err := lockNodeData(c.Data)
	if err != nil {
		return nil, err
	}
	cache := &bundle.Cache{Dir: filepath.Join(c.Data, "bundles"), Fetch: client.Bundle, MaxBytes: int64(c.CacheSize), FetchTimeout: slowFetch}
	w, err := a.python.equip(a, c.Data, nil, cache)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	ctx, stop := context.WithCancel(a.ctx)
	n := &nodeWorkshop{workshop: w, client: client, lock: lock, stop: stop, stopped: make(chan struct{})}
	n.preparer = supply.NewPreparer(supply.PreparerConfig{Client: client, Workshop: w.maker, Bundles: cache, Labels: c.Label, Logger: a.log})
	n.maker = supply.Maker{Maker: w.maker, Missed: n.preparer.Poke}
	a.log.Info("researchers' Python runs here", "confinement", w.maker.Confinement(), "data", c.Data)
	go func() {
		defer close(n.stopped)
		n.preparer.Run(ctx)
	}()
	return n, nil
}

// lockNodeData makes the node's folder, for its owner and for one process.
func lockNodeData(dir string) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	l := flock.New(filepath.Join(dir, "runner.lock"), flock.SetPermissions(0o600))
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("--data: lock %s: %w", dir, err)
	}
	if !ok {
		return nil, fmt.Errorf("--data: another runner node works in %s: give each its own folder", dir)
	}
	return l, nil
}

// close ends all that the node still does.
func (n *nodeWorkshop) close(a *app) {
	n.stop()
	<-n.stopped
	n.client.Close()
	if err := errors.Join(n.workshop.close(), n.lock.Close()); err != nil {
		a.log.Warn("the node did not end cleanly", "error", err)
	}
}
