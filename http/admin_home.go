package http

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"sharpie/persistence"
	"sharpie/web"
)

// homeEvents is how many events the dashboard shows.
const homeEvents = 10

// adminHome is the dashboard. It works while the store is away: what comes from
// the store is left out then.
func (s *Server) adminHome(c *fiber.Ctx, _ *visitor) error {
	ctx := c.UserContext()
	live, err := s.liveSessions(ctx)
	if err != nil {
		return err
	}
	v := web.AdminHomePage{Layout: s.layout(c), Health: s.health(ctx), Sessions: live}
	if v.Health.StoreError == "" {
		if v.Events, _, err = s.events(ctx, persistence.EventFilter{}, persistence.Page{Limit: homeEvents}); err != nil {
			v.Health.StoreError = err.Error()
		}
	}
	return s.show(c, func() error { return s.cfg.Pages.AdminHome(c, v) })
}

// health is the state of the server for Admin.
func (s *Server) health(ctx context.Context) web.HealthView {
	h := s.cfg.Platform.Health(ctx)
	v := web.HealthView{
		Store: s.cfg.Store.Name(), StoreSince: h.StoreSince, UnstoredSteps: h.UnstoredSteps,
		Sessions: h.Sessions, Waiting: h.Waiting, FreeSlots: h.FreeSlots, Slots: h.Slots,
		Draining: h.Draining || s.stopping(), Version: s.cfg.Version, StartedAt: s.started,
	}
	if h.Store != nil {
		v.StoreError = h.Store.Error()
	}
	return v
}
