package mongo

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sharpie/persistence"
)

// InsertUser implements persistence.Store.
func (s *Store) InsertUser(ctx context.Context, u *persistence.User) error {
	return insert(ctx, s, users, u)
}

// UpdateUser implements persistence.Store.
func (s *Store) UpdateUser(ctx context.Context, u *persistence.User) error {
	return update(ctx, s, users, u, func(u *persistence.User) *int64 { return &u.Rev })
}

// User implements persistence.Store.
func (s *Store) User(ctx context.Context, id persistence.UserID) (*persistence.User, error) {
	return one[persistence.User](ctx, s, fmt.Sprintf("user %s", id), users, byID(string(id)))
}

// UserByName implements persistence.Store.
func (s *Store) UserByName(ctx context.Context, name string) (*persistence.User, error) {
	return one[persistence.User](ctx, s, fmt.Sprintf("user %q", name), users, bson.D{{Key: "name_key", Value: persistence.NameKey(name)}})
}

// Users implements persistence.Store.
func (s *Store) Users(ctx context.Context, page persistence.Page) ([]*persistence.User, error) {
	return many[persistence.User](ctx, s, "users", users, bson.D{}, paged(page, newest("server_created_at_us")))
}

// CountAdmins implements persistence.Store.
func (s *Store) CountAdmins(ctx context.Context) (int, error) {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	n, err := s.db.Collection(users).CountDocuments(ctx, bson.D{{Key: "admin", Value: true}})
	return int(n), wrap("count admins", err)
}

// InsertLogin implements persistence.Store. The server itself forgets expired ones.
func (s *Store) InsertLogin(ctx context.Context, l *persistence.Login) error {
	return insert(ctx, s, logins, l)
}

// Login implements persistence.Store.
func (s *Store) Login(ctx context.Context, tokenHash string) (*persistence.Login, error) {
	return one[persistence.Login](ctx, s, "login", logins, append(byID(tokenHash), unexpired(time.Now())))
}

func unexpired(now time.Time) bson.E {
	return bson.E{Key: "server_expires_at_us", Value: bson.D{{Key: "$gt", Value: now.UnixMicro()}}}
}

// DeleteLogin implements persistence.Store.
func (s *Store) DeleteLogin(ctx context.Context, tokenHash string) error {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	_, err := s.db.Collection(logins).DeleteOne(ctx, byID(tokenHash))
	return wrap("delete login", err)
}

// DeleteLoginsOf implements persistence.Store.
func (s *Store) DeleteLoginsOf(ctx context.Context, id persistence.UserID) error {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	_, err := s.db.Collection(logins).DeleteMany(ctx, bson.D{{Key: "user_id", Value: string(id)}})
	return wrap(fmt.Sprintf("delete logins of %s", id), err)
}

// InsertOneTimeLink implements persistence.Store.
func (s *Store) InsertOneTimeLink(ctx context.Context, l *persistence.OneTimeLink) error {
	return insert(ctx, s, oneTimeLinks, l)
}

// UseOneTimeLink implements persistence.Store.
func (s *Store) UseOneTimeLink(ctx context.Context, tokenHash string, now time.Time) (*persistence.OneTimeLink, error) {
	ctx, cancel := persistence.Bounded(ctx)
	defer cancel()
	const used = "server_used_at"
	raw, err := s.db.Collection(oneTimeLinks).FindOneAndUpdate(ctx,
		append(byID(tokenHash), unexpired(now), bson.E{Key: used, Value: nil}), setTime(used, now),
		options.FindOneAndUpdate().SetReturnDocument(options.After)).Raw()
	if err != nil {
		return nil, wrap("use one-time link", err)
	}
	l := new(persistence.OneTimeLink)
	if err := s.codec.Unmarshal(raw, l); err != nil {
		return nil, fmt.Errorf("use one-time link: %w", err)
	}
	return l, nil
}

// setTime sets a time as package document writes it.
func setTime(field string, t time.Time) bson.D {
	return bson.D{{Key: "$set", Value: bson.D{
		{Key: field, Value: bson.DateTime(t.UnixMilli())},
		{Key: field + "_us", Value: t.UnixMicro()},
	}}}
}
