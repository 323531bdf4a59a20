package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"sharpie/persistence"
)

// Bounds of what is sent to runner nodes at a time.
const (
	archivesKept  = 4                // different ones in memory, up to persistence.MaxBundle each
	archivesLent  = 64               // answers
	archiveWait   = time.Minute      // for one to be read, and for room before that
	archiveChunk  = 64 << 10         // bytes that are written at once
	archiveIdle   = 30 * time.Second // without the node taking anything
	archiveLonger = time.Hour        // for all of it
	bundleHashLen = 64
)

var errArchivesBusy = errors.New("http: too many bundles are sent at the moment")

// archives lends packed bundles to answers. Each is read once for all that send it at a
// time, and forgotten with the last of them.
type archives struct {
	base  context.Context
	store persistence.Experiments
	room  chan struct{} // one token for each archive in memory

	mu    sync.Mutex
	users int
	known map[string]*archive
}

// archive is a bundle in memory, or on its way there.
type archive struct {
	read  chan struct{} // closed once data and err are set
	data  []byte
	err   error
	users int // the one who reads it is one of them
}

func newArchives(base context.Context, store persistence.Experiments) *archives {
	return &archives{base: base, store: store, room: make(chan struct{}, archivesKept), known: map[string]*archive{}}
}

// borrow returns a bundle, which stays until release is called, once or more often.
func (a *archives) borrow(ctx context.Context, hash string) (data []byte, release func(), err error) {
	if len(hash) != bundleHashLen {
		return nil, nil, persistence.ErrNotFound
	}
	a.mu.Lock()
	if a.users >= archivesLent {
		a.mu.Unlock()
		return nil, nil, errArchivesBusy
	}
	a.users++
	x := a.known[hash]
	if x == nil {
		x = &archive{read: make(chan struct{}), users: 1}
		a.known[hash] = x
		go a.load(hash, x)
	}
	x.users++
	a.mu.Unlock()
	release = sync.OnceFunc(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.users--
		a.drop(hash, x)
	})
	select {
	case <-x.read:
		err = x.err
	case <-ctx.Done():
		err = fmt.Errorf("%w: %w", errArchivesBusy, ctx.Err())
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	return x.data, release, nil
}

// load reads a bundle once there is room.
func (a *archives) load(hash string, x *archive) {
	ctx, cancel := context.WithTimeout(a.base, archiveWait)
	defer cancel()
	roomy := false
	select {
	case a.room <- struct{}{}:
		roomy = true
	case <-ctx.Done():
		x.err = fmt.Errorf("%w: %w", errArchivesBusy, ctx.Err())
	}
	if roomy {
		var b *persistence.Bundle
		if b, x.err = a.store.Bundle(ctx, hash); x.err == nil {
			x.data = b.Data
		}
	}
	if roomy && x.err != nil {
		<-a.room
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if x.err != nil { // whoever asks from now on has it read again
		a.forget(hash, x)
	}
	close(x.read)
	a.drop(hash, x)
}

// forget takes an archive out of those that are lent; the caller holds mu.
func (a *archives) forget(hash string, x *archive) {
	if a.known[hash] == x {
		delete(a.known, hash)
	}
}

// drop counts a user out; the caller holds mu.
func (a *archives) drop(hash string, x *archive) {
	if x.users--; x.users > 0 {
		return
	}
	a.forget(hash, x)
	if x.err == nil {
		<-a.room
	}
}

// slowStream is the body of an answer that may take longer than others: whoever takes
// some of it now and then gets all of it. Closing gives the archive back.
type slowStream struct {
	conn     net.Conn
	data     []byte
	end      time.Time
	release  func()
	stopping func() bool
}

func newSlowStream(conn net.Conn, data []byte, release func(), stopping func() bool) *slowStream {
	return &slowStream{conn: conn, data: data, end: time.Now().Add(archiveLonger), release: release, stopping: stopping}
}

// Read implements io.Reader, and gives the connection time for what it hands out.
func (s *slowStream) Read(p []byte) (int, error) {
	if len(s.data) == 0 {
		return 0, io.EOF
	}
	if s.stopping() {
		return 0, net.ErrClosed
	}
	until := time.Now().Add(archiveIdle)
	if until.After(s.end) {
		until = s.end
	}
	if err := s.conn.SetWriteDeadline(until); err != nil {
		return 0, fmt.Errorf("send a bundle: %w", err)
	}
	n := copy(p[:min(len(p), archiveChunk)], s.data)
	s.data = s.data[n:]
	return n, nil
}

// Close implements io.Closer.
func (s *slowStream) Close() error {
	s.release()
	return nil
}
