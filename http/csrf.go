package http

import (
	"github.com/gofiber/fiber/v2"
)

// formField and formHeader carry the form token; htmx and scripts use the header.
const (
	formField  = "_csrf"
	formHeader = "X-CSRF-Token"
)

// formToken is the token of this visitor's forms, bound to the login, or to a
// cookie that visitors get who are not logged in.
func (s *Server) formToken(c *fiber.Ctx) string {
	if v, err := s.visitorOf(c); err == nil && v != nil {
		return s.forms.sign("login:" + v.token)
	}
	return s.forms.sign("visit:" + s.visitToken(c))
}

// visitToken returns the token of the visit cookie and sets the cookie where the
// browser has none.
func (s *Server) visitToken(c *fiber.Ctx) string {
	r := requestOf(c)
	if r.anonymous == "" {
		r.anonymous = c.Cookies(s.cookieName(c, "visit"))
		if !wellFormedToken(r.anonymous) {
			r.anonymous = newToken()
			s.setCookie(c, "visit", r.anonymous, 0)
		}
	}
	return r.anonymous
}

// checkFormToken refuses unsafe requests without the visitor's form token.
func (s *Server) checkFormToken(c *fiber.Ctx) error {
	if safeMethod(c.Method()) {
		return c.Next()
	}
	token := c.Get(formHeader)
	if token == "" {
		token = c.FormValue(formField)
	}
	v, err := s.visitorOf(c)
	if err != nil {
		return err
	}
	what := "login:"
	if v != nil {
		what += v.token
	} else {
		cookie := c.Cookies(s.cookieName(c, "visit"))
		if !wellFormedToken(cookie) {
			return errFormToken
		}
		what = "visit:" + cookie
	}
	if !s.forms.valid(what, token) {
		return errFormToken
	}
	return c.Next()
}
