package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"sharpie/persistence"
)

// explain gives an error of SQLite or of a context the contract's meaning.
func explain(err error) error {
	var e *sqlite.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return persistence.ErrNotFound
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", persistence.ErrUnavailable, err)
	case errors.As(err, &e):
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_CONSTRAINT:
			return fmt.Errorf("%w: %w", persistence.ErrConflict, err)
		case sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH:
			return fmt.Errorf("%w: %w", persistence.ErrInvalid, err)
		}
	}
	// a full disk, a lost volume, a closed store: none is the caller's fault, and
	// each may pass.
	return fmt.Errorf("%w: %w", persistence.ErrUnavailable, err)
}

func isNoTransaction(err error) bool {
	return strings.Contains(err.Error(), "no transaction is active")
}

func isNotDatabase(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_NOTADB
}
