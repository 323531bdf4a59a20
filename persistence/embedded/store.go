// Package embedded is a persistence.Store in one SQLite file, so that a newcomer
// needs no server. It owns the file: one table per collection, with the record as
// the BSON document that MongoDB would hold, and the few columns that the contract
// looks up by. All writes pass one goroutine, which commits what has gathered as
// one transaction and acknowledges it after the disk has it. It refuses a file that
// another process has open, that a newer version wrote, or that is not SHARPIE's.
package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the "sqlite" driver

	"sharpie/persistence"
	"sharpie/persistence/mongo/document"
)

// readers is the number of connections that read; queued is the number of writes
// that wait before callers wait outside.
const (
	readers = 4
	queued  = 1024
)

// Store keeps everything in one file.
type Store struct {
	codec  *document.Codec
	path   string
	lock   *fileLock
	reads  *sql.DB
	writes *sql.DB

	ops     chan *op
	quit    chan struct{} // closed: take no more writes
	stopped chan struct{} // closed: the writer has ended
	once    sync.Once
}

var _ persistence.Store = (*Store)(nil)

// Open opens the store in the file at path, and makes file and folder where there
// are none. It returns ErrLocked where another process has the file open, and an
// error that says what to do where the file cannot be used.
func Open(ctx context.Context, path string) (*Store, error) {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(abs), 0o700); err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	lock, err := lockFile(abs + ".lock")
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	s := &Store{
		codec: document.New(), path: abs, lock: lock,
		ops: make(chan *op, queued), quit: make(chan struct{}), stopped: make(chan struct{}),
	}
	if err := s.open(ctx); err != nil {
		close(s.stopped)
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), s.release())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	// SQLite would make it readable for everybody; where this fails, SQLite says why.
	if file, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600); err == nil {
		_ = file.Close()
	}
	// looked at first, because the settings of the writer would change the file
	var err error
	if s.reads, err = sql.Open("sqlite", dsn(s.path, true)); err != nil {
		return err
	}
	s.reads.SetMaxOpenConns(readers)
	s.reads.SetMaxIdleConns(readers)
	if err := inspect(ctx, s.reads); err != nil {
		return err
	}
	if s.writes, err = sql.Open("sqlite", dsn(s.path, false)); err != nil {
		return err
	}
	s.writes.SetMaxOpenConns(1)
	conn, err := s.writes.Conn(ctx)
	if err != nil {
		return explain(err)
	}
	if err := migrate(ctx, conn, migrations); err != nil {
		return errors.Join(err, conn.Close())
	}
	w := &writer{conn: conn, prepared: map[string]*sql.Stmt{}}
	go func() {
		defer close(s.stopped)
		w.run(s.ops, s.quit)
	}()
	return nil
}

// dsn names the file and the settings of one connection.
func dsn(path string, readOnly bool) string {
	q := url.Values{"_pragma": {
		"busy_timeout(5000)", "page_size(8192)", "journal_mode(WAL)", "synchronous(FULL)",
		"temp_store(MEMORY)", "cache_size(-8000)", "journal_size_limit(67108864)",
	}}
	if readOnly {
		q["_pragma"] = []string{"busy_timeout(5000)", "query_only(1)", "cache_size(-4000)"}
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// Name is "embedded".
func (s *Store) Name() string { return "embedded" }

// Ping writes and reads the file.
func (s *Store) Ping(ctx context.Context) error {
	now := time.Now().UnixMicro()
	_, err := write(ctx, s, "ping", 0, false, func(tx *tx) (struct{}, error) {
		_, err := tx.exec(`INSERT INTO probe (id, at_us) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at_us = excluded.at_us`, now)
		return struct{}{}, err
	})
	if err != nil {
		return err
	}
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	var at int64
	if err := s.reads.QueryRowContext(ctx, `SELECT at_us FROM probe WHERE id = 1`).Scan(&at); err != nil {
		return fmt.Errorf("ping: %w", explain(err))
	}
	return nil
}

// Close finishes the writes that were taken, and lets go of the file. Calls after
// it return ErrUnavailable.
func (s *Store) Close() error {
	s.once.Do(func() { close(s.quit) })
	<-s.stopped
	return s.release()
}

func (s *Store) release() error {
	var errs []error
	for _, db := range []*sql.DB{s.reads, s.writes} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(append(errs, s.lock.release())...)
}
