package embedded

import (
	"context"
	"fmt"
	"time"

	"sharpie/persistence"
)

var users = newCollection("users", []string{"rev", "name_key", "admin", "created_us"},
	func(u *persistence.User) []any {
		return []any{string(u.ID), u.Rev, u.NameKey, u.Admin, u.CreatedAt.UnixMicro()}
	}, func(u *persistence.User) *int64 { return &u.Rev })

var logins = newCollection("logins", []string{"user_id", "expires_us"},
	func(l *persistence.Login) []any {
		return []any{l.TokenHash, string(l.UserID), l.ExpiresAt.UnixMicro()}
	}, nil)

var oneTimeLinks = newCollection("one_time_links", []string{"used", "expires_us"},
	func(l *persistence.OneTimeLink) []any {
		return []any{l.TokenHash, l.UsedAt != nil, l.ExpiresAt.UnixMicro()}
	}, nil)

// InsertUser implements persistence.Store.
func (s *Store) InsertUser(ctx context.Context, u *persistence.User) error {
	return insert(ctx, s, users, u)
}

// UpdateUser implements persistence.Store.
func (s *Store) UpdateUser(ctx context.Context, u *persistence.User) error {
	return update(ctx, s, users, u)
}

// User implements persistence.Store.
func (s *Store) User(ctx context.Context, id persistence.UserID) (*persistence.User, error) {
	return one[persistence.User](ctx, s, fmt.Sprintf("user %s", id), `SELECT doc FROM users WHERE id = ?`, string(id))
}

// UserByName implements persistence.Store.
func (s *Store) UserByName(ctx context.Context, name string) (*persistence.User, error) {
	return one[persistence.User](ctx, s, fmt.Sprintf("user %q", name), `SELECT doc FROM users WHERE name_key = ?`, persistence.NameKey(name))
}

// Users implements persistence.Store.
func (s *Store) Users(ctx context.Context, page persistence.Page) ([]*persistence.User, error) {
	offset, limit := page.Bounds()
	return many[persistence.User](ctx, s, "users", `SELECT doc FROM users ORDER BY created_us DESC, id DESC LIMIT ? OFFSET ?`, limit, offset)
}

// CountAdmins implements persistence.Store.
func (s *Store) CountAdmins(ctx context.Context) (int, error) {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	var n int
	if err := s.reads.QueryRowContext(ctx, `SELECT count(*) FROM users WHERE admin`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count admins: %w", explain(err))
	}
	return n, nil
}

// InsertLogin implements persistence.Store. It also forgets the expired ones.
func (s *Store) InsertLogin(ctx context.Context, l *persistence.Login) error {
	if err := insert(ctx, s, logins, l); err != nil {
		return err
	}
	return s.delete(ctx, "forget expired logins", `DELETE FROM logins WHERE expires_us <= ?`, time.Now().UnixMicro())
}

// Login implements persistence.Store.
func (s *Store) Login(ctx context.Context, tokenHash string) (*persistence.Login, error) {
	return one[persistence.Login](ctx, s, "login", `SELECT doc FROM logins WHERE id = ? AND expires_us > ?`, tokenHash, time.Now().UnixMicro())
}

// DeleteLogin implements persistence.Store.
func (s *Store) DeleteLogin(ctx context.Context, tokenHash string) error {
	return s.delete(ctx, "delete login", `DELETE FROM logins WHERE id = ?`, tokenHash)
}

// DeleteLoginsOf implements persistence.Store.
func (s *Store) DeleteLoginsOf(ctx context.Context, id persistence.UserID) error {
	return s.delete(ctx, fmt.Sprintf("delete logins of %s", id), `DELETE FROM logins WHERE user_id = ?`, string(id))
}

func (s *Store) delete(ctx context.Context, what, query string, args ...any) error {
	_, err := write(ctx, s, what, 0, false, func(tx *tx) (int64, error) { return tx.exec(query, args...) })
	return err
}

// InsertOneTimeLink implements persistence.Store.
func (s *Store) InsertOneTimeLink(ctx context.Context, l *persistence.OneTimeLink) error {
	return insert(ctx, s, oneTimeLinks, l)
}

// UseOneTimeLink implements persistence.Store.
func (s *Store) UseOneTimeLink(ctx context.Context, tokenHash string, now time.Time) (*persistence.OneTimeLink, error) {
	return modify(ctx, s, oneTimeLinks, "id = ? AND NOT used AND expires_us > ?", []any{tokenHash, now.UnixMicro()},
		func(l *persistence.OneTimeLink) (bool, error) {
			at := micro(now)
			l.UsedAt = &at
			return true, nil
		})
}

// micro is a time as it comes back from the store.
func micro(t time.Time) time.Time { return time.UnixMicro(t.UnixMicro()).UTC() }
