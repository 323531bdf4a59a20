package http

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"sharpie/web"
)

// layout fills what every page has.
func (s *Server) layout(c *fiber.Ctx) web.Layout {
	l := web.Layout{
		CSRF: s.formToken(c), Path: safeNext(c.OriginalURL()), Flash: s.takeFlash(c), Now: s.cfg.Clock(),
	}
	if v, err := s.visitorOf(c); err == nil && v != nil {
		l.User = &web.UserView{Name: v.user.Name, Admin: v.user.Admin}
	}
	return l
}

// show answers with a page that render writes.
func (s *Server) show(c *fiber.Ctx, render func() error) error {
	c.Type("html", "utf-8")
	if err := render(); err != nil {
		c.Response().ResetBody()
		return err
	}
	return nil
}

// seeOther sends the browser on after a form, with a GET.
func (s *Server) seeOther(c *fiber.Ctx, path string) error {
	return c.Redirect(path, fiber.StatusSeeOther)
}

// askToLogIn leads to the login page and back: pages by redirect, scripts by 401.
func (s *Server) askToLogIn(c *fiber.Ctx) error {
	if c.Accepts(fiber.MIMETextHTML, fiber.MIMEApplicationJSON) == fiber.MIMEApplicationJSON {
		return errNotLoggedIn
	}
	next := ""
	if c.Method() == fiber.MethodGet {
		next = safeNext(c.OriginalURL())
	} else if link := c.Params("link"); link != "" {
		next = "/x/" + url.PathEscape(link)
	}
	if next == "" || next == "/" {
		return s.seeOther(c, "/login")
	}
	return s.seeOther(c, "/login?next="+url.QueryEscape(next))
}

// onward is where a login or registration leads.
func onward(next string) string {
	if p := safeNext(next); p != "" {
		return p
	}
	return "/"
}

// noPage answers what no route matched.
func (s *Server) noPage(*fiber.Ctx) error { return errNoPage }

// noIcon: pages name their icon; browsers that ask here get a quick no.
func (s *Server) noIcon(c *fiber.Ctx) error { return c.SendStatus(fiber.StatusNoContent) }
