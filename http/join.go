package http

import (
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"sharpie/actors"
	"sharpie/persistence"
	"sharpie/web"
)

// join takes a seat and leads to the play page. Consent comes first: given with
// this form, or before.
func (s *Server) join(c *fiber.Ctx, v *visitor) error {
	x, err := s.studyOf(c)
	if err != nil {
		return err
	}
	if !x.open(v) {
		return errClosed
	}
	role := c.FormValue("role")
	room, problem := cleanRoom(c.FormValue("room"))
	errs := web.FieldErrors{}
	if problem != "" {
		errs["room"] = problem
	}
	if _, ok := x.seat(role); role != "" && !ok {
		errs["role"] = "That role is not offered here. Choose one of those below."
		role = ""
	}
	if len(errs) > 0 {
		return s.showExperiment(c, x, role, room, errs)
	}
	switch c.FormValue("consent") {
	case "agree":
		if shownOther(c, x) {
			return s.showExperiment(c, x, role, room, web.FieldErrors{"consent": "The text has changed since you opened the page. Please read it again."})
		}
		if err := s.giveConsent(c.UserContext(), v, x); err != nil {
			return err
		}
	case "decline":
		s.flash(c, web.FlashInfo, "You did not agree, so nothing was started and nothing recorded. You can change your mind at any time.")
		return s.seeOther(c, "/")
	default:
		given, err := s.hasConsent(c.UserContext(), v, x)
		if err != nil {
			return err
		}
		if !given {
			return s.showExperiment(c, x, role, room, web.FieldErrors{"consent": "Please read this and agree before you start."})
		}
	}
	return s.takeSeat(c, v, x, role, room)
}

func (s *Server) takeSeat(c *fiber.Ctx, v *visitor, x study, role, room string) error {
	ctx := c.UserContext()
	p, err := s.cfg.Store.EnsureParticipant(ctx, v.user.ID, x.stored.Link, s.cfg.Clock())
	if err != nil {
		return fmt.Errorf("participant %s in %s: %w", v.user.Name, x.stored.Link, err)
	}
	t, err := s.cfg.Platform.Join(ctx, actors.JoinRequest{
		Experiment: x.stored.Link, Version: x.stored.Version, Definition: x.def, BundleHash: x.stored.BundleHash,
		Participant: p.ID, User: v.user.ID, UserName: v.user.Name, Role: role, Room: room,
	})
	if errors.Is(err, actors.ErrNoSeat) {
		return s.showExperiment(c, x, "", room, web.FieldErrors{"role": "That role is taken or not offered here. Choose another, or any."})
	}
	if err != nil {
		return fmt.Errorf("join %s: %w", x.stored.Link, err)
	}
	s.tickets.put(ticket{session: t.Session, user: v.user.ID, link: x.stored.Link, participant: p.ID, joined: true})
	if t.Rejoined {
		s.log.Debug("rejoined", "session", t.Session, "role", t.Role, "user", v.user.Name)
	}
	return s.seeOther(c, "/s/"+string(t.Session))
}

// sessionID is the route's session; errNoPage where it cannot be one.
func sessionID(c *fiber.Ctx) (persistence.SessionID, error) {
	id := c.Params("session")
	if !wellFormedID.MatchString(id) {
		return "", errNoPage
	}
	return persistence.SessionID(id), nil
}
