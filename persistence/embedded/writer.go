package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sharpie/persistence"
)

// A group commit takes at most so many writes, and bytes of documents.
const (
	groupOps   = 512
	groupBytes = 32 << 20
	// patience is how long after a commit steps wait for company: sessions send them
	// one by one, and a commit costs as much for one as for many.
	patience = 8 * time.Millisecond
)

// op is one caller's write.
type op struct {
	ctx   context.Context
	bytes int
	multi bool // several statements, to be undone together
	steps bool // nobody waits for it: it may wait for company
	do    func(*tx) error
	done  chan error
}

// write hands do to the writer and waits until it is durable. What do returns
// reaches the caller only then; a caller that gave up gets ErrUnavailable.
func write[T any](ctx context.Context, s *Store, what string, bytes int, multi bool, do func(*tx) (T, error)) (T, error) {
	var none, result T
	err := s.submit(ctx, what, &op{bytes: bytes, multi: multi, do: func(tx *tx) (err error) {
		result, err = do(tx)
		return err
	}})
	if err != nil {
		return none, err
	}
	return result, nil
}

// submit hands o to the writer and waits until it is durable.
func (s *Store) submit(ctx context.Context, what string, o *op) error {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	o.ctx, o.done = ctx, make(chan error, 1)
	closed := fmt.Errorf("%s: store is closed: %w", what, persistence.ErrUnavailable)
	select {
	case <-s.quit:
		return closed
	default:
	}
	select {
	case s.ops <- o:
	case <-s.quit:
		return closed
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", what, explain(ctx.Err()))
	}
	var err error
	select {
	case err = <-o.done:
	case <-ctx.Done():
		err = explain(ctx.Err())
	case <-s.stopped:
		select { // the writer may have answered just before it ended
		case err = <-o.done:
		default:
			return closed
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// writer owns the one connection that writes. Only its goroutine uses it.
type writer struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

// run commits groups of ops until quit is closed and nothing waits.
func (w *writer) run(ops <-chan *op, quit <-chan struct{}) {
	defer func() { _ = w.conn.Close() }() // nothing is left that could be lost
	var last time.Time
	for {
		select {
		case o := <-ops:
			w.commit(gather(o, ops, quit, patience-time.Since(last)))
			last = time.Now()
		case <-quit:
			for {
				select {
				case o := <-ops:
					w.commit(gather(o, ops, quit, 0))
				default:
					return
				}
			}
		}
	}
}

// gather takes what waits already; as long as that is steps alone, it takes what
// comes within wait, too.
func gather(first *op, ops <-chan *op, quit <-chan struct{}, wait time.Duration) []*op {
	group, bytes, steps := []*op{first}, first.bytes, first.steps
	var late <-chan time.Time
	if steps && wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		late = t.C
	}
	add := func(o *op) { group, bytes, steps = append(group, o), bytes+o.bytes, steps && o.steps }
	for len(group) < groupOps && bytes < groupBytes {
		select {
		case o := <-ops:
			add(o)
			continue
		default:
		}
		if !steps || late == nil {
			return group
		}
		select {
		case o := <-ops:
			add(o)
		case <-late:
			late = nil
		case <-quit:
			late = nil
		}
	}
	return group
}

// commit runs a group in one transaction and tells each caller how it went. An op
// that breaks a rule fails alone; where the file fails, all do, and none is stored.
func (w *writer) commit(group []*op) {
	errs, err := w.transact(group)
	for i, o := range group {
		if err != nil {
			o.done <- err
			continue
		}
		o.done <- errs[i]
	}
}

func (w *writer) transact(group []*op) ([]error, error) {
	tx := &tx{w}
	if _, err := tx.exec("BEGIN IMMEDIATE"); err != nil {
		return nil, err
	}
	errs := make([]error, len(group))
	for i, o := range group {
		if errs[i] = tx.do(o); errs[i] != nil && !isRule(errs[i]) {
			return nil, errors.Join(errs[i], tx.rollback())
		}
	}
	if _, err := tx.exec("COMMIT"); err != nil {
		return nil, errors.Join(err, tx.rollback())
	}
	return errs, nil
}

// isRule: the caller's fault, not the file's.
func isRule(err error) bool {
	return errors.Is(err, persistence.ErrConflict) || errors.Is(err, persistence.ErrNotFound) ||
		errors.Is(err, persistence.ErrInvalid) || errors.Is(err, errGaveUp)
}

// errGaveUp: the caller's context ended before its turn came.
var errGaveUp = fmt.Errorf("gave up before it was written: %w", persistence.ErrUnavailable)

// tx is the transaction that is open. Errors are the contract's.
type tx struct{ w *writer }

func (t *tx) do(o *op) error {
	if o.ctx.Err() != nil {
		return fmt.Errorf("%w: %w", errGaveUp, o.ctx.Err())
	}
	if !o.multi {
		return o.do(t)
	}
	if _, err := t.exec("SAVEPOINT op"); err != nil {
		return err
	}
	if err := o.do(t); err != nil {
		if !isRule(err) {
			return err
		}
		if _, undo := t.exec("ROLLBACK TO op"); undo != nil {
			return undo
		}
		_, release := t.exec("RELEASE op")
		return errors.Join(err, release)
	}
	_, err := t.exec("RELEASE op")
	return err
}

func (t *tx) rollback() error {
	_, err := t.exec("ROLLBACK")
	if err != nil && isNoTransaction(err) {
		return nil // SQLite has done it
	}
	return err
}

func (t *tx) stmt(query string) (*sql.Stmt, error) {
	if st, ok := t.w.prepared[query]; ok {
		return st, nil
	}
	st, err := t.w.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, explain(err)
	}
	t.w.prepared[query] = st
	return st, nil
}

// exec returns the number of rows that changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	st, err := t.stmt(query)
	if err != nil {
		return 0, err
	}
	r, err := st.Exec(args...)
	if err != nil {
		return 0, explain(err)
	}
	n, err := r.RowsAffected()
	return n, explain(err)
}

// row scans the one row of a query; no row is ErrNotFound.
func (t *tx) row(query string, args []any, dest ...any) error {
	st, err := t.stmt(query)
	if err != nil {
		return err
	}
	return explain(st.QueryRow(args...).Scan(dest...))
}
