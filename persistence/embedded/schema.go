package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sharpie/persistence"
)

// migrations brings a file from version i to i+1. An entry is never changed after
// a release; a change is a further entry.
var migrations = []string{`
CREATE TABLE probe (id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL);

CREATE TABLE users (id TEXT PRIMARY KEY, rev INTEGER NOT NULL, name_key TEXT NOT NULL UNIQUE,
	admin INTEGER NOT NULL, created_us INTEGER NOT NULL, doc BLOB NOT NULL);
CREATE INDEX users_created ON users (created_us, id);

CREATE TABLE logins (id TEXT PRIMARY KEY, user_id TEXT NOT NULL, expires_us INTEGER NOT NULL, doc BLOB NOT NULL);
CREATE INDEX logins_user ON logins (user_id);
CREATE INDEX logins_expires ON logins (expires_us);

CREATE TABLE one_time_links (id TEXT PRIMARY KEY, used INTEGER NOT NULL, expires_us INTEGER NOT NULL, doc BLOB NOT NULL);

CREATE TABLE participants (id TEXT PRIMARY KEY, rev INTEGER NOT NULL, user_id TEXT NOT NULL,
	experiment TEXT NOT NULL, created_us INTEGER NOT NULL, doc BLOB NOT NULL, UNIQUE (user_id, experiment));
CREATE INDEX participants_experiment ON participants (experiment, created_us, id);

CREATE TABLE consents (id TEXT PRIMARY KEY, user_id TEXT NOT NULL, experiment TEXT NOT NULL,
	text_hash TEXT NOT NULL, given_us INTEGER NOT NULL, withdrawn INTEGER NOT NULL, doc BLOB NOT NULL);
CREATE INDEX consents_user ON consents (user_id, experiment, text_hash, given_us);

CREATE TABLE responses (id TEXT PRIMARY KEY, participant_id TEXT NOT NULL, session_id TEXT NOT NULL, doc BLOB NOT NULL);
CREATE INDEX responses_participant ON responses (participant_id);

CREATE TABLE experiments (id TEXT PRIMARY KEY, rev INTEGER NOT NULL, link TEXT NOT NULL, version INTEGER NOT NULL,
	latest INTEGER NOT NULL, name TEXT NOT NULL, doc BLOB NOT NULL, UNIQUE (link, version));
CREATE UNIQUE INDEX experiments_latest ON experiments (link) WHERE latest;

CREATE TABLE bundles (id TEXT PRIMARY KEY, doc BLOB NOT NULL);

CREATE TABLE runners (id TEXT PRIMARY KEY, rev INTEGER NOT NULL, name TEXT NOT NULL, doc BLOB NOT NULL);

CREATE TABLE sessions (id TEXT PRIMARY KEY, rev INTEGER NOT NULL, experiment TEXT NOT NULL, node TEXT NOT NULL,
	finished INTEGER NOT NULL, opened_us INTEGER NOT NULL, doc BLOB NOT NULL);
CREATE INDEX sessions_opened ON sessions (opened_us, id);
CREATE INDEX sessions_experiment ON sessions (experiment, opened_us, id);
CREATE INDEX sessions_unfinished ON sessions (node, opened_us, id) WHERE NOT finished;

CREATE TABLE episodes (id TEXT PRIMARY KEY, rev INTEGER NOT NULL, session_id TEXT NOT NULL, idx INTEGER NOT NULL,
	attempt INTEGER NOT NULL, experiment TEXT NOT NULL, started_us INTEGER NOT NULL, doc BLOB NOT NULL,
	UNIQUE (session_id, idx, attempt));
CREATE INDEX episodes_experiment ON episodes (experiment, started_us, id);

CREATE TABLE checkpoints (id TEXT PRIMARY KEY, scope TEXT NOT NULL, role TEXT NOT NULL, policy TEXT NOT NULL,
	received_us INTEGER NOT NULL, doc BLOB NOT NULL);
CREATE INDEX checkpoints_latest ON checkpoints (scope, role, policy, received_us, id);

CREATE TABLE step_chunks (id TEXT PRIMARY KEY, episode_id TEXT NOT NULL, first_step INTEGER NOT NULL, doc BLOB NOT NULL);
CREATE UNIQUE INDEX step_chunks_episode ON step_chunks (episode_id, first_step);

CREATE TABLE events (id TEXT PRIMARY KEY, at_us INTEGER NOT NULL, session_id TEXT NOT NULL, kind TEXT NOT NULL, doc BLOB NOT NULL);
CREATE INDEX events_at ON events (at_us, id);
CREATE INDEX events_session ON events (session_id, at_us, id);
CREATE INDEX events_kind ON events (kind, at_us, id);
`, `
CREATE TABLE parts (id TEXT PRIMARY KEY, doc BLOB NOT NULL);
`, `
CREATE TABLE runner_keys (id TEXT PRIMARY KEY, prefix TEXT NOT NULL UNIQUE, created_us INTEGER NOT NULL, doc BLOB NOT NULL);
`}

// ErrForeign: the file is a database, but not SHARPIE's.
var ErrForeign = errors.New("embedded: the file is not a sharpie store")

// migrate brings the file up to the version of this program, step by step, each
// step in a transaction of its own.
func migrate(ctx context.Context, conn *sql.Conn, steps []string) error {
	version, err := schemaVersion(ctx, conn)
	if err != nil {
		return err
	}
	for ; version < len(steps); version++ {
		if err := migrateStep(ctx, conn, version+1, steps[version]); err != nil {
			return fmt.Errorf("migrate to schema %d: %w", version+1, err)
		}
	}
	return nil
}

// inspect refuses a file that this program must not write to.
func inspect(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if isNotDatabase(err) {
		return fmt.Errorf("%w: %w", ErrForeign, err)
	}
	if err != nil {
		return explain(err)
	}
	version, err := schemaVersion(ctx, conn)
	if err == nil && version > len(migrations) {
		err = fmt.Errorf("%w: its schema is version %d, this program knows %d: use the newer program",
			persistence.ErrNewer, version, len(migrations))
	}
	return errors.Join(err, conn.Close())
}

// schemaVersion is 0 for an empty file.
func schemaVersion(ctx context.Context, conn *sql.Conn) (int, error) {
	var tables, ours int
	err := conn.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE name = 'schema_version') FROM sqlite_schema WHERE type = 'table'`).Scan(&tables, &ours)
	if isNotDatabase(err) {
		return 0, fmt.Errorf("%w: %w", ErrForeign, err)
	}
	if err != nil {
		return 0, explain(err)
	}
	if tables > 0 && ours == 0 {
		return 0, fmt.Errorf("%w: it has %d tables, and no schema_version", ErrForeign, tables)
	}
	if ours == 0 {
		return 0, nil
	}
	var version int
	if err := conn.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM schema_version`).Scan(&version); err != nil {
		return 0, explain(err)
	}
	return version, nil
}

func migrateStep(ctx context.Context, conn *sql.Conn, to int, script string) error {
	txn, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return explain(err)
	}
	defer func() { _ = txn.Rollback() }() // after a commit it does nothing
	_, err = txn.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, migrated_at_us INTEGER NOT NULL)`)
	if err != nil {
		return explain(err)
	}
	if _, err := txn.ExecContext(ctx, script); err != nil {
		return explain(err)
	}
	_, err = txn.ExecContext(ctx, `INSERT INTO schema_version (version, migrated_at_us) VALUES (?, ?)`, to, time.Now().UnixMicro())
	if err != nil {
		return explain(err)
	}
	return explain(txn.Commit())
}
