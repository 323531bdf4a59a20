package http

import (
	"fmt"

	"github.com/gofiber/fiber/v2"

	"sharpie/web"
)

// home lists the experiments that are open.
func (s *Server) home(c *fiber.Ctx) error {
	all, err := s.cfg.Store.LatestExperiments(c.UserContext())
	if err != nil {
		return fmt.Errorf("list experiments: %w", err)
	}
	v := web.HomePage{Layout: s.layout(c)}
	visitor, err := s.visitorOf(c)
	if err != nil {
		return err
	}
	for _, e := range all {
		if visitor != nil {
			// The page is worth showing without it, where the actors do not answer.
			if seat, err := s.seatIn(c.UserContext(), visitor.user.ID, e.Link); err == nil && seat.session != "" {
				v.Running = append(v.Running, web.RunningGame{Name: e.Name, URL: "/s/" + string(seat.session)})
			}
		}
		if !e.Enabled {
			continue
		}
		def, err := s.definitions.of(e)
		if err != nil {
			// One version that this program cannot read must not take the page away.
			s.log.Error("experiment left out of the home page", "experiment", e.Link, "error", err)
			continue
		}
		x := def.Experiment
		card := web.ExperimentCard{
			Link: e.Link, Name: x.Name, Summary: x.ShortDescription, Environment: def.Environment.Source,
			Players: len(def.Seats()), Rounds: x.NumberOfEpisodes, TurnBased: x.WaitForInputs,
		}
		if card.Players > 1 {
			if lobby, err := s.cfg.Platform.Lobby(c.UserContext(), e.Link, ""); err == nil {
				card.Waiting = lobby.Waiting
			}
		}
		v.Experiments = append(v.Experiments, card)
	}
	return s.show(c, func() error { return s.cfg.Pages.Home(c, v) })
}
