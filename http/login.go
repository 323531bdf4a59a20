package http

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"sharpie/persistence"
)

// loginLife is how long a login lasts after its last use; extendAfter how old it
// is when a use makes it last anew, so that the store is written once a day.
const (
	loginLife   = 30 * 24 * time.Hour
	extendAfter = 24 * time.Hour
)

// visitor is someone logged in.
type visitor struct {
	user  *persistence.User // shared with the cache: never changed
	login *persistence.Login
	token string // the cookie's
}

// cookieName is the name of one of our cookies. Under HTTPS its prefix makes
// browsers refuse one that another host of the domain planted.
func (s *Server) cookieName(c *fiber.Ctx, name string) string {
	if s.secure(c) {
		return "__Host-sharpie-" + name
	}
	return "sharpie-" + name
}

func (s *Server) secure(c *fiber.Ctx) bool {
	return s.cfg.SecureCookies || requestOf(c).client.https
}

// setCookie sets a cookie of ours for life; 0 is until the browser closes, below
// 0 removes it.
func (s *Server) setCookie(c *fiber.Ctx, name, value string, life time.Duration) {
	cookie := &fiber.Cookie{
		Name: s.cookieName(c, name), Value: value, Path: "/",
		HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode, Secure: s.secure(c),
		SessionOnly: life == 0,
	}
	if life != 0 {
		cookie.Expires = s.cfg.Clock().Add(life)
		cookie.MaxAge = int(life / time.Second)
	}
	c.Cookie(cookie)
}

// visitorOf returns who is logged in, nil where nobody is. It fails only where
// the store does.
func (s *Server) visitorOf(c *fiber.Ctx) (*visitor, error) {
	r := requestOf(c)
	if !r.looked {
		r.looked = true
		r.visitor, r.visitorErr = s.lookUpVisitor(c)
	}
	return r.visitor, r.visitorErr
}

func (s *Server) lookUpVisitor(c *fiber.Ctx) (*visitor, error) {
	token := c.Cookies(s.cookieName(c, "login"))
	if !wellFormedToken(token) {
		return nil, nil
	}
	login, user, err := s.logins.get(c.UserContext(), HashToken(token))
	switch {
	case errors.Is(err, persistence.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("look up login: %w", err)
	}
	if login.ExpiresAt.Sub(s.cfg.Clock()) < loginLife-extendAfter {
		longer, err := s.logins.extend(c.UserContext(), login)
		switch {
		case errors.Is(err, persistence.ErrNotFound):
			return nil, nil
		case err != nil:
			s.log.Warn("login not extended", "user", user.Name, "error", err)
		default:
			login = longer
			s.setCookie(c, "login", token, loginLife)
		}
	}
	return &visitor{user: user, login: login, token: token}, nil
}

// logIn makes a login for the user and gives the browser its cookie. A former
// login of the browser ends.
func (s *Server) logIn(c *fiber.Ctx, user *persistence.User) error {
	ctx, now := c.UserContext(), s.cfg.Clock()
	if old, err := s.visitorOf(c); err == nil && old != nil {
		if err := s.logins.end(ctx, old.login.TokenHash); err != nil {
			return err
		}
	}
	token := newToken()
	l := &persistence.Login{TokenHash: HashToken(token), UserID: user.ID, CreatedAt: now, ExpiresAt: now.Add(loginLife)}
	if err := s.cfg.Store.InsertLogin(ctx, l); err != nil {
		return fmt.Errorf("log %s in: %w", user.Name, err)
	}
	s.setCookie(c, "login", token, loginLife)
	s.noteLogin(ctx, user.ID, now)
	return nil
}

// noteLogin stores when the user last logged in. That another request changed
// the user at the same time costs a second try, and at worst the note.
func (s *Server) noteLogin(ctx context.Context, id persistence.UserID, at time.Time) {
	if _, err := s.changeUser(ctx, id, func(u *persistence.User) error { u.LastLoginAt = &at; return nil }); err != nil {
		s.log.Warn("last login not stored", "user", id, "error", err)
	}
}

// changeUser reads a user, changes it and stores it, again where someone else
// was faster.
func (s *Server) changeUser(ctx context.Context, id persistence.UserID, change func(*persistence.User) error) (*persistence.User, error) {
	for try := 0; ; try++ {
		u, err := s.cfg.Store.User(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("read user %s: %w", id, err)
		}
		if err := change(u); err != nil {
			return nil, err
		}
		err = s.cfg.Store.UpdateUser(ctx, u)
		if errors.Is(err, persistence.ErrConflict) && try < 3 {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("change user %s: %w", u.Name, err)
		}
		s.logins.forgetUser(id)
		return u, nil
	}
}

// member answers with h for those who are logged in; others are sent to the
// login page and come back.
func (s *Server) member(h func(*fiber.Ctx, *visitor) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		v, err := s.visitorOf(c)
		if err != nil {
			return err
		}
		if v == nil {
			return s.askToLogIn(c)
		}
		return h(c, v)
	}
}

// admin answers with h for administrators; for others there is no such page.
func (s *Server) admin(h func(*fiber.Ctx, *visitor) error) fiber.Handler {
	return s.member(func(c *fiber.Ctx, v *visitor) error {
		if !v.user.Admin {
			return errNotAdmin
		}
		return h(c, v)
	})
}
