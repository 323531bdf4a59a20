package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"sharpie/experiments"
	"sharpie/http"
	"sharpie/persistence"
)

// demoAuthor is who imported the demonstrations: what someone else imported
// under the same link is theirs, and stays.
const demoAuthor = "SHARPIE"

// adminLinkLife is how long the administrator's one-time link works.
const adminLinkLife = 24 * time.Hour

// installDemos stores the demonstration experiments that are missing, and newer
// versions of those that nobody has changed.
func installDemos(ctx context.Context, store persistence.Experiments, now time.Time) error {
	for _, source := range experiments.Demos() {
		definition, err := experiments.Parse(source.Name, source.YAML)
		if err != nil {
			return fmt.Errorf("demonstration %s: %w", source.Name, err)
		}
		latest, err := store.LatestExperiment(ctx, definition.Experiment.Link)
		switch {
		case errors.Is(err, persistence.ErrNotFound):
		case err != nil:
			return fmt.Errorf("demonstration %s: %w", source.Name, err)
		case latest.ImportedBy != demoAuthor:
			continue
		}
		if _, _, err := experiments.Import(ctx, store, source, demoAuthor, now); err != nil {
			return fmt.Errorf("demonstration %s: %w", source.Name, err)
		}
	}
	return nil
}

// adminLink makes a one-time link for the administrator, and the administrator
// where there is none. It returns "" once an administrator has logged in.
func adminLink(ctx context.Context, store persistence.Users, base string, now time.Time) (string, error) {
	admin, err := newAdmin(ctx, store)
	if err != nil {
		return "", fmt.Errorf("look for an administrator: %w", err)
	}
	if admin == nil {
		return "", nil
	}
	if admin.ID == "" {
		if err := insertAdmin(ctx, store, admin, now); err != nil {
			return "", fmt.Errorf("add the administrator: %w", err)
		}
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	token := base64.RawURLEncoding.EncodeToString(secret)
	link := &persistence.OneTimeLink{TokenHash: http.HashToken(token), UserID: admin.ID, ExpiresAt: now.Add(adminLinkLife)}
	if err := store.InsertOneTimeLink(ctx, link); err != nil {
		return "", fmt.Errorf("make the administrator's link: %w", err)
	}
	return base + "/once/" + token, nil
}

// newAdmin returns an administrator who never logged in, one without id where
// there is no administrator, and nil where one has logged in.
func newAdmin(ctx context.Context, store persistence.Users) (*persistence.User, error) {
	count, err := store.CountAdmins(ctx)
	if err != nil {
		return nil, err
	}
	admin := &persistence.User{}
	for offset, found := 0, 0; found < count; {
		users, err := store.Users(ctx, persistence.Page{Offset: offset, Limit: 1000})
		if err != nil {
			return nil, err
		}
		if len(users) == 0 {
			break
		}
		for _, u := range users {
			if !u.Admin || u.Disabled {
				continue
			}
			found++
			if u.LastLoginAt != nil {
				return nil, nil
			}
			admin = u
		}
		offset += len(users)
	}
	return admin, nil
}

// insertAdmin gives the administrator the first of some names that is free.
func insertAdmin(ctx context.Context, store persistence.Users, admin *persistence.User, now time.Time) error {
	for _, name := range []string{"admin", "administrator", "admin-" + persistence.NewID("u")[2:10]} {
		*admin = persistence.User{
			ID: persistence.UserID(persistence.NewID("u")), Name: name, NameKey: name, Admin: true, CreatedAt: now,
		}
		err := store.InsertUser(ctx, admin)
		if err == nil || !errors.Is(err, persistence.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("%w: the administrator's name is taken", persistence.ErrConflict)
}
