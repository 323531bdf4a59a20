package http

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// sameOrigin says whether the Origin header names this site: the host that the
// request was sent to, or the public one.
func (s *Server) sameOrigin(c *fiber.Ctx) bool {
	return s.ownURL(c, c.Get(fiber.HeaderOrigin))
}

func (s *Server) ownURL(c *fiber.Ctx, address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	if strings.EqualFold(u.Host, string(c.Context().Host())) {
		return true
	}
	return s.publicHost != "" && strings.EqualFold(u.Host, s.publicHost)
}

// checkOrigin refuses unsafe requests that another site's page sent. Browsers
// name the origin of every one of them; where it was taken out on the way, the
// referring page counts. The form token is checked besides.
func (s *Server) checkOrigin(c *fiber.Ctx) error {
	if safeMethod(c.Method()) {
		return c.Next()
	}
	switch {
	case c.Get(fiber.HeaderOrigin) != "":
		if !s.sameOrigin(c) {
			return errOrigin
		}
	case c.Get(fiber.HeaderReferer) != "":
		if !s.ownURL(c, c.Get(fiber.HeaderReferer)) {
			return errOrigin
		}
	case c.Get("Sec-Fetch-Site") != "same-origin":
		return errOrigin
	}
	return c.Next()
}

func safeMethod(m string) bool {
	return m == fiber.MethodGet || m == fiber.MethodHead || m == fiber.MethodOptions
}

// baseURL is the site's address as people share it, without a slash at the end.
func (s *Server) baseURL(c *fiber.Ctx) string {
	if s.cfg.PublicURL != "" {
		return s.cfg.PublicURL
	}
	scheme := "http"
	if requestOf(c).client.https {
		scheme = "https"
	}
	return scheme + "://" + string(c.Context().Host())
}
