package http

import (
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"sharpie/persistence"
	"sharpie/web"
)

// oncePage shows the button of a one-time link. It does not look the link up: a
// program that previews links learns nothing and uses nothing up.
func (s *Server) oncePage(c *fiber.Ctx) error {
	token := c.Params("token")
	if !wellFormedToken(token) {
		return errUsedLink
	}
	return s.show(c, func() error {
		return s.cfg.Pages.Once(c, web.OncePage{Layout: s.layout(c), Token: token})
	})
}

// once uses a one-time link and logs its user in.
func (s *Server) once(c *fiber.Ctx) error {
	if wait, ok := s.perIP.take(requestOf(c).client.bucket()); !ok {
		return &tooMany{wait}
	}
	token := c.Params("token")
	if !wellFormedToken(token) {
		return errUsedLink
	}
	link, err := s.cfg.Store.UseOneTimeLink(c.UserContext(), HashToken(token), s.cfg.Clock())
	if errors.Is(err, persistence.ErrNotFound) {
		return errUsedLink
	}
	if err != nil {
		return fmt.Errorf("use one-time link: %w", err)
	}
	u, err := s.cfg.Store.User(c.UserContext(), link.UserID)
	if err != nil {
		return fmt.Errorf("user of one-time link: %w", err)
	}
	if u.Disabled {
		return errUsedLink
	}
	if err := s.logIn(c, u); err != nil {
		return err
	}
	s.log.Info("one-time link used", "user", u.Name)
	return s.seeOther(c, "/")
}
