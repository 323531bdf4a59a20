package http

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"sharpie/persistence"
)

// How long a looked-up login is trusted without asking the store, and while the
// store does not answer; how many are kept.
const (
	loginFresh = 3 * time.Second
	loginStale = 10 * time.Minute
	loginsKept = 8192
)

// logins looks logins up and remembers them for a moment. Every change that
// takes a login away goes through it, so that it counts at once.
type logins struct {
	store persistence.Users
	clock func() time.Time
	// away says that the store is known not to answer: asking it only takes time.
	away func() bool

	// writing orders what ends logins and what makes them last: a login that was
	// ended never comes back.
	writing sync.Mutex

	mu      sync.Mutex
	entries map[string]*list.Element
	order   *list.List // of *loginEntry, last used first
	// changes counts what was forgotten: a look-up that began before is not kept.
	changes int
}

type loginEntry struct {
	login *persistence.Login
	user  *persistence.User
	at    time.Time
}

func newLogins(store persistence.Users, clock func() time.Time, away func() bool) *logins {
	return &logins{store: store, clock: clock, away: away, entries: map[string]*list.Element{}, order: list.New()}
}

// get returns a login that is in force and its user. ErrNotFound: unknown,
// expired, or the user is disabled.
func (l *logins) get(ctx context.Context, hash string) (*persistence.Login, *persistence.User, error) {
	now := l.clock()
	e, changes := l.known(hash)
	if e != nil && (now.Sub(e.at) < loginFresh || now.Sub(e.at) < loginStale && l.away()) {
		return inForce(e, now)
	}
	found, err := l.load(ctx, hash)
	if errors.Is(err, persistence.ErrUnavailable) && e != nil && now.Sub(e.at) < loginStale {
		return inForce(e, now)
	}
	if err != nil {
		return nil, nil, err
	}
	found.at = now
	l.keep(hash, found, changes)
	return inForce(found, now)
}

func inForce(e *loginEntry, now time.Time) (*persistence.Login, *persistence.User, error) {
	if e.user.Disabled || !e.login.ExpiresAt.After(now) {
		return nil, nil, fmt.Errorf("login of %s: %w", e.user.Name, persistence.ErrNotFound)
	}
	return e.login, e.user, nil
}

func (l *logins) load(ctx context.Context, hash string) (*loginEntry, error) {
	login, err := l.store.Login(ctx, hash)
	if err != nil {
		return nil, err
	}
	user, err := l.store.User(ctx, login.UserID)
	if err != nil {
		return nil, err
	}
	return &loginEntry{login: login, user: user}, nil
}

func (l *logins) known(hash string) (*loginEntry, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.entries[hash]; ok {
		l.order.MoveToFront(e)
		return e.Value.(*loginEntry), l.changes
	}
	return nil, l.changes
}

func (l *logins) keep(hash string, found *loginEntry, changes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if changes != l.changes {
		return
	}
	if e, ok := l.entries[hash]; ok {
		e.Value = found
		return
	}
	if l.order.Len() >= loginsKept {
		l.drop(l.order.Back())
	}
	l.entries[hash] = l.order.PushFront(found)
}

func (l *logins) drop(e *list.Element) {
	delete(l.entries, l.order.Remove(e).(*loginEntry).login.TokenHash)
}

func (l *logins) forget(hash string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes++
	if e, ok := l.entries[hash]; ok {
		l.drop(e)
	}
}

// forgetUser makes the next look-up of the user's logins ask the store.
func (l *logins) forgetUser(id persistence.UserID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes++
	var next *list.Element
	for e := l.order.Front(); e != nil; e = next {
		next = e.Next()
		if e.Value.(*loginEntry).user.ID == id {
			l.drop(e)
		}
	}
}

// end logs one browser out.
func (l *logins) end(ctx context.Context, hash string) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	defer l.forget(hash) // afterwards: also what was looked up meanwhile
	if err := l.store.DeleteLogin(ctx, hash); err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	return nil
}

// endAll logs all browsers of a user out.
func (l *logins) endAll(ctx context.Context, id persistence.UserID) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	defer l.forgetUser(id)
	if err := l.store.DeleteLoginsOf(ctx, id); err != nil {
		return fmt.Errorf("log user %s out: %w", id, err)
	}
	return nil
}

// extend makes a login last anew. Stores have no update for logins: it is taken
// out and put back, in one piece as far as this server is concerned.
func (l *logins) extend(ctx context.Context, login *persistence.Login) (*persistence.Login, error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	stored, err := l.store.Login(ctx, login.TokenHash)
	if err != nil {
		return nil, fmt.Errorf("extend login: %w", err)
	}
	if stored.ExpiresAt.After(login.ExpiresAt) {
		return stored, nil // another request did it
	}
	next := *stored
	next.ExpiresAt = l.clock().Add(loginLife)
	if err := l.store.DeleteLogin(ctx, login.TokenHash); err != nil {
		return nil, fmt.Errorf("extend login: %w", err)
	}
	// From here on the browser would be logged out: go on even if it hangs up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	for try := 0; ; try++ {
		err := l.store.InsertLogin(ctx, &next)
		if err == nil {
			break
		}
		if try == 2 {
			return nil, fmt.Errorf("extend login: %w", err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.entries[login.TokenHash]; ok {
		old := e.Value.(*loginEntry)
		e.Value = &loginEntry{login: &next, user: old.user, at: old.at}
	}
	return &next, nil
}
