package http

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// healthz says that the process answers.
func (s *Server) healthz(c *fiber.Ctx) error {
	return c.JSON(fiber.Map{"status": "ok", "version": s.cfg.Version})
}

// readyz says whether new visitors should be sent here: the store works and the
// server is not stopping.
func (s *Server) readyz(c *fiber.Ctx) error {
	h := s.cfg.Platform.Health(c.UserContext())
	store := h.Store
	if store == nil {
		store = s.cfg.Store.Ping(c.UserContext())
	}
	body := fiber.Map{
		"store": fiber.Map{"kind": s.cfg.Store.Name(), "ok": store == nil}, "draining": h.Draining,
		"unstored_steps": h.UnstoredSteps, "sessions": h.Sessions, "waiting": h.Waiting,
		"slots": h.Slots, "free_slots": h.FreeSlots, "status": "ready",
	}
	var reasons []string
	if store != nil {
		reasons = append(reasons, "the store does not answer")
	}
	if h.Draining || s.stopping() {
		reasons = append(reasons, "the server is stopping")
	}
	if len(reasons) > 0 {
		body["status"], body["reason"] = "not ready", strings.Join(reasons, "; ")
		c.Status(fiber.StatusServiceUnavailable)
	}
	return c.JSON(body)
}
