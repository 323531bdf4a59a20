package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"sharpie/persistence"
)

// collection is one table: how a record becomes a row.
type collection[T any] struct {
	name string
	keys func(*T) []any // id, then the key columns in the order of the SQL
	rev  func(*T) *int64
	// SQL with the document as the last value; update has id and rev after it.
	insert, upsert, update string
}

// newCollection names the key columns after id; with rev, column rev is one of them.
func newCollection[T any](name string, columns []string, keys func(*T) []any, rev func(*T) *int64) *collection[T] {
	all := append([]string{"id"}, columns...)
	all = append(all, "doc")
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(all)), ", ")
	insert := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", name, strings.Join(all, ", "), marks)
	set := strings.Join(all, " = ?, ") + " = ?"
	return &collection[T]{
		name: name, keys: keys, rev: rev,
		insert: insert + " ON CONFLICT DO NOTHING",
		upsert: insert + " ON CONFLICT (id) DO UPDATE SET " + excluded(all[1:]),
		update: fmt.Sprintf("UPDATE %s SET %s WHERE id = ? AND rev = ?", name, set),
	}
}

func excluded(columns []string) string {
	set := make([]string, len(columns))
	for i, c := range columns {
		set[i] = c + " = excluded." + c
	}
	return strings.Join(set, ", ")
}

func (c *collection[T]) row(v *T, doc []byte) []any { return append(c.keys(v), doc) }

// put inserts a record, or finds the same one there.
func (c *collection[T]) put(tx *tx, row []any) error {
	n, err := tx.exec(c.insert, row...)
	if err != nil || n == 1 {
		return err
	}
	var stored []byte
	err = tx.row("SELECT doc FROM "+c.name+" WHERE id = ?", row[:1], &stored)
	switch {
	case errors.Is(err, persistence.ErrNotFound):
		return fmt.Errorf("another key is taken: %w", persistence.ErrConflict)
	case err != nil:
		return err
	case !bytes.Equal(stored, row[len(row)-1].([]byte)):
		return fmt.Errorf("another document has the id %q: %w", row[0], persistence.ErrConflict)
	}
	return nil
}

// replace updates a record that is stored with Rev rev; its row holds the next one.
func (c *collection[T]) replace(tx *tx, row []any, rev int64) error {
	n, err := tx.exec(c.update, append(row, row[0], rev)...)
	if err != nil || n == 1 {
		return err
	}
	var stored []byte
	if err := tx.row("SELECT doc FROM "+c.name+" WHERE id = ?", row[:1], &stored); err != nil {
		return err
	}
	if !bytes.Equal(stored, row[len(row)-1].([]byte)) {
		return fmt.Errorf("rev %d is not the stored one: %w", rev, persistence.ErrConflict)
	}
	return nil // the same update, repeated
}

// record is what the generic methods take.
type record[T any] interface {
	*T
	Validate() error
}

// insert stores one record.
func insert[T any, P record[T]](ctx context.Context, s *Store, c *collection[T], v *T) error {
	what := "insert into " + c.name
	if err := P(v).Validate(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	doc, err := s.codec.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	row := c.row(v, doc)
	_, err = write(ctx, s, what, len(doc), false, func(tx *tx) (struct{}, error) {
		return struct{}{}, c.put(tx, row)
	})
	return err
}

// update stores the next revision of a record, and sets its Rev.
func update[T any, P record[T]](ctx context.Context, s *Store, c *collection[T], v *T) error {
	what := "update " + c.name
	if err := P(v).Validate(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	next := *v
	rev := *c.rev(v)
	*c.rev(&next) = rev + 1
	doc, err := s.codec.Marshal(&next)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	row := c.row(&next, doc)
	_, err = write(ctx, s, what, len(doc), false, func(tx *tx) (struct{}, error) {
		return struct{}{}, c.replace(tx, row, rev)
	})
	if err == nil {
		*c.rev(v) = rev + 1
	}
	return err
}

// modify reads, changes and stores one record in one write. change returns false
// where nothing is to be stored.
func modify[T any](ctx context.Context, s *Store, c *collection[T], where string, args []any, change func(*T) (bool, error)) (*T, error) {
	return write(ctx, s, "change "+c.name, 0, true, func(tx *tx) (*T, error) {
		var stored []byte
		if err := tx.row("SELECT doc FROM "+c.name+" WHERE "+where, args, &stored); err != nil {
			return nil, err
		}
		v := new(T)
		if err := s.codec.Unmarshal(stored, v); err != nil {
			return nil, fmt.Errorf("%w: %w", persistence.ErrInvalid, err)
		}
		ok, err := change(v)
		if err != nil || !ok {
			return v, err
		}
		doc, err := s.codec.Marshal(v)
		if err != nil {
			return nil, err
		}
		_, err = tx.exec(c.upsert, c.row(v, doc)...)
		return v, err
	})
}

// one returns the first record of a query for documents.
func one[T any](ctx context.Context, s *Store, what, query string, args ...any) (*T, error) {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	var doc []byte
	if err := s.reads.QueryRowContext(ctx, query, args...).Scan(&doc); err != nil {
		return nil, fmt.Errorf("%s: %w", what, explain(err))
	}
	v := new(T)
	if err := s.codec.Unmarshal(doc, v); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return v, nil
}

// many returns all records of a query for documents.
func many[T any](ctx context.Context, s *Store, what, query string, args ...any) ([]*T, error) {
	list, _, err := some[T](ctx, s, what, 0, query, args...)
	return list, err
}

// some stops early, and says so, once it has read limit bytes; 0 is no limit.
func some[T any](ctx context.Context, s *Store, what string, limit int, query string, args ...any) (list []*T, more bool, err error) {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	rows, err := s.reads.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", what, explain(err))
	}
	defer func() { _ = rows.Close() }() // rows.Err says what went wrong
	read := 0
	for rows.Next() {
		var doc []byte
		if err := rows.Scan(&doc); err != nil {
			return nil, false, fmt.Errorf("%s: %w", what, explain(err))
		}
		v := new(T)
		if err := s.codec.Unmarshal(doc, v); err != nil {
			return nil, false, fmt.Errorf("%s: %w", what, err)
		}
		list = append(list, v)
		if read += len(doc); limit > 0 && read >= limit {
			return list, true, nil
		}
	}
	if err := rows.Err(); err != nil {
		return nil, false, fmt.Errorf("%s: %w", what, explain(err))
	}
	return list, false, nil
}

// A page of a stream ends after so many documents, or bytes of them. Between
// pages nothing is held open, however slow the reader is.
const (
	streamRows  = 128
	streamBytes = 4 << 20
)

// stream yields the records of a query, page by page. The query ends with "LIMIT ?";
// after gives its other arguments for what follows last, nil at the beginning.
func stream[T any](ctx context.Context, s *Store, what, query string, after func(last *T) []any) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		var last *T
		for {
			page, more, err := some[T](ctx, s, what, streamBytes, query, append(after(last), streamRows)...)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, v := range page {
				if err := ctx.Err(); err != nil {
					yield(nil, fmt.Errorf("%s: %w", what, explain(err)))
					return
				}
				if last = v; !yield(v, nil) {
					return
				}
			}
			if !more && len(page) < streamRows {
				return
			}
		}
	}
}
