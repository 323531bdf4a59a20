package embedded

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
)

func TestMigrationsRunOnceEachAndInOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	steps := []string{
		`CREATE TABLE a (n INTEGER); INSERT INTO a VALUES (1)`,
		`ALTER TABLE a ADD COLUMN doubled INTEGER; UPDATE a SET doubled = 2 * n`,
		`INSERT INTO a VALUES (3, 6)`,
	}
	for _, version := range []int{1, 3, 3} {
		withConn(t, path, func(conn *sql.Conn) {
			if err := migrate(t.Context(), conn, steps[:version]); err != nil {
				t.Fatal(err)
			}
			if got, err := schemaVersion(t.Context(), conn); err != nil || got != version {
				t.Errorf("schema is version %d (%v), want %d", got, err, version)
			}
		})
	}
	withConn(t, path, func(conn *sql.Conn) {
		var rows, sum int
		if err := conn.QueryRowContext(t.Context(), `SELECT count(*), sum(doubled) FROM a`).Scan(&rows, &sum); err != nil {
			t.Fatal(err)
		}
		if rows != 2 || sum != 8 {
			t.Errorf("%d rows with sum %d, want 2 and 8", rows, sum)
		}
	})
}

func TestAFailedMigrationLeavesTheFormerVersion(t *testing.T) {
	withConn(t, filepath.Join(t.TempDir(), "x.db"), func(conn *sql.Conn) {
		err := migrate(t.Context(), conn, []string{`CREATE TABLE a (n INTEGER)`, `INSERT INTO a VALUES (1); SELECT nonsense`})
		if err == nil {
			t.Fatal("a broken migration succeeded")
		}
		version, err := schemaVersion(t.Context(), conn)
		if err != nil || version != 1 {
			t.Errorf("schema is version %d (%v), want 1", version, err)
		}
		var rows int
		if err := conn.QueryRowContext(t.Context(), `SELECT count(*) FROM a`).Scan(&rows); err != nil || rows != 0 {
			t.Errorf("%d rows (%v) of the broken migration are there", rows, err)
		}
	})
}

func withConn(t *testing.T, path string, do func(*sql.Conn)) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, false))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	do(conn)
}
