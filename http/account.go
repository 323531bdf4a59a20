package http

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"

	"sharpie/persistence"
	"sharpie/web"
)

// mayRegister says whether anybody can make an account.
func (s *Server) mayRegister() bool { return s.cfg.OpenRegistration || s.cfg.RegistrationKey != "" }

func (s *Server) registerPage(c *fiber.Ctx) error {
	if v, err := s.visitorOf(c); err == nil && v != nil {
		return s.seeOther(c, onward(c.Query("next")))
	}
	v := web.RegisterPage{Layout: s.layout(c), Key: cleanText(c.Query("key"), keyMax), Next: safeNext(c.Query("next"))}
	if !s.mayRegister() {
		v.Errors = web.FieldErrors{"": "New accounts are closed. Ask the people who run this study."}
	}
	return s.showRegister(c, v)
}

func (s *Server) showRegister(c *fiber.Ctx, v web.RegisterPage) error {
	v.NeedsKey = !s.cfg.OpenRegistration
	v.MinPassword = passwordMin
	refused(c, v.Errors)
	return s.show(c, func() error { return s.cfg.Pages.Register(c, v) })
}

// register makes an account and logs it in.
func (s *Server) register(c *fiber.Ctx) error {
	if wait, ok := s.registrations.take(requestOf(c).client.bucket()); !ok {
		return &tooMany{wait}
	}
	v := web.RegisterPage{
		Layout: s.layout(c), Name: cleanName(c.FormValue("name")), Key: strings.TrimSpace(c.FormValue("key")), Next: safeNext(c.FormValue("next")),
	}
	password := c.FormValue("password")
	if v.Errors = s.checkRegistration(c, v, password); len(v.Errors) > 0 {
		v.Name, v.Key = cleanText(v.Name, nameMax), cleanText(v.Key, keyMax)
		return s.showRegister(c, v)
	}
	u, err := s.addUser(c, v.Name, password)
	if errors.Is(err, persistence.ErrConflict) {
		v.Errors = web.FieldErrors{"name": "This name is taken. Choose another, or log in if it is yours."}
		return s.showRegister(c, v)
	}
	if err != nil {
		return err
	}
	if err := s.logIn(c, u); err != nil {
		return err
	}
	s.log.Info("registered", "user", u.Name)
	return s.seeOther(c, onward(v.Next))
}

// checkRegistration returns what is wrong with the form, field by field.
func (s *Server) checkRegistration(c *fiber.Ctx, v web.RegisterPage, password string) web.FieldErrors {
	errs := web.FieldErrors{}
	if !s.mayRegister() {
		errs[""] = "New accounts are closed. Ask the people who run this study."
		return errs
	}
	if !s.cfg.OpenRegistration && !equalSecrets(s.cfg.RegistrationKey, v.Key) {
		errs["key"] = "This is not the registration key. Whoever invited you can tell you what it is."
	}
	if problem := CheckName(v.Name); problem != "" {
		errs["name"] = problem
	}
	if problem := checkTyped(c, v.Name, password); problem != "" {
		errs["password"] = problem
	}
	return errs
}

// checkTyped checks a new password, and compares the two times that it was typed
// where the form asks twice.
func checkTyped(c *fiber.Ctx, name, password string) string {
	if problem := checkNewPassword(name, password); problem != "" {
		return problem
	}
	form := c.Context().PostArgs()
	if form.Has("again") && string(form.Peek("again")) != password {
		return "The two passwords differ."
	}
	return ""
}

func (s *Server) addUser(c *fiber.Ctx, name, password string) (*persistence.User, error) {
	// The name is looked up first: to hash a password is costly.
	_, err := s.cfg.Store.UserByName(c.UserContext(), name)
	if err == nil {
		return nil, fmt.Errorf("register %s: %w", name, persistence.ErrConflict)
	}
	if !errors.Is(err, persistence.ErrNotFound) {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	hash, err := s.passwords.hash(c.UserContext(), password)
	if err != nil {
		return nil, err
	}
	u := &persistence.User{
		ID: persistence.UserID(persistence.NewID("user")), Name: name, NameKey: strings.ToLower(name),
		PasswordHash: hash, CreatedAt: s.cfg.Clock(),
	}
	if err := s.cfg.Store.InsertUser(c.UserContext(), u); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	return u, nil
}

func (s *Server) loginPage(c *fiber.Ctx) error {
	if v, err := s.visitorOf(c); err == nil && v != nil {
		return s.seeOther(c, onward(c.Query("next")))
	}
	return s.showLogin(c, web.LoginPage{Layout: s.layout(c), Next: safeNext(c.Query("next"))})
}

func (s *Server) showLogin(c *fiber.Ctx, v web.LoginPage) error {
	refused(c, v.Errors)
	return s.show(c, func() error { return s.cfg.Pages.Login(c, v) })
}

// login checks name and password. Unknown names, wrong passwords and disabled
// users get the same answer in the same time.
func (s *Server) login(c *fiber.Ctx) error {
	name, password, next := cleanName(c.FormValue("name")), c.FormValue("password"), c.FormValue("next")
	if wait, ok := s.perIP.take(requestOf(c).client.bucket()); !ok {
		return &tooMany{wait}
	}
	key := HashToken(strings.ToLower(name)) // of one size, whatever was typed
	if wait, ok := s.perName.take(key); !ok {
		return &tooMany{wait}
	}
	u, err := s.authenticate(c, name, password)
	if err != nil {
		s.perName.refund(key)
		return err
	}
	if u == nil {
		s.log.Warn("login refused", "name", cleanText(name, nameMax), "ip", requestOf(c).client.ip.String(), "request", requestOf(c).id)
		return s.showLogin(c, web.LoginPage{
			Layout: s.layout(c), Name: cleanText(name, nameMax), Next: safeNext(next),
			Errors: web.FieldErrors{"": "Name and password do not match."},
		})
	}
	s.perName.refund(key)
	if err := s.logIn(c, u); err != nil {
		return err
	}
	return s.seeOther(c, onward(next))
}

// authenticate returns the user of name and password, nil where there is none.
func (s *Server) authenticate(c *fiber.Ctx, name, password string) (*persistence.User, error) {
	var u *persistence.User
	var err error
	hash := ""
	if CheckName(name) == "" && checkPassword(password) == "" {
		u, err = s.cfg.Store.UserByName(c.UserContext(), name)
		if err != nil && !errors.Is(err, persistence.ErrNotFound) {
			return nil, fmt.Errorf("log in: %w", err)
		}
		if err == nil {
			hash = u.PasswordHash
		}
	}
	if len(password) > 4*passwordMax {
		password = ""
	}
	ok, err := s.passwords.verify(c.UserContext(), hash, password)
	if err != nil {
		return nil, fmt.Errorf("log in: %w", err)
	}
	if !ok || u.Disabled {
		return nil, nil
	}
	return u, nil
}

func (s *Server) logout(c *fiber.Ctx) error {
	v, err := s.visitorOf(c)
	if err != nil {
		return err
	}
	s.setCookie(c, "login", "", -1)
	if v != nil {
		if err := s.logins.end(c.UserContext(), v.login.TokenHash); err != nil {
			return err
		}
	}
	s.flash(c, web.FlashInfo, "You are logged out.")
	return s.seeOther(c, "/")
}
