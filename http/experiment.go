package http

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"

	"github.com/gofiber/fiber/v2"

	"sharpie/actors"
	"sharpie/experiments"
	"sharpie/persistence"
	"sharpie/web"
)

// wellFormedLink and wellFormedID are what links and ids can look like.
var (
	wellFormedLink = regexp.MustCompile(`^[a-z0-9_-]{1,100}$`)
	wellFormedID   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
)

// study is an experiment's version in force with its definition.
type study struct {
	stored *persistence.Experiment
	def    *experiments.Definition
}

// studyOf returns the experiment of the route's link.
func (s *Server) studyOf(c *fiber.Ctx) (study, error) {
	link := c.Params("link")
	if !wellFormedLink.MatchString(link) {
		return study{}, errNoPage
	}
	return s.study(c.UserContext(), link)
}

func (s *Server) study(ctx context.Context, link string) (study, error) {
	e, err := s.cfg.Store.LatestExperiment(ctx, link)
	if err != nil {
		return study{}, fmt.Errorf("experiment %s: %w", link, err)
	}
	def, err := s.definitions.of(e)
	if err != nil {
		return study{}, err
	}
	return study{e, def}, nil
}

// open says whether the visitor may join: administrators can try what is not
// open to participants yet.
func (x study) open(v *visitor) bool {
	return x.stored.Enabled || v != nil && v.user.Admin
}

// seat returns the seat of that role.
func (x study) seat(role string) (experiments.Agent, bool) {
	for _, a := range x.def.Seats() {
		if string(a.Role) == role {
			return a, true
		}
	}
	return experiments.Agent{}, false
}

// shareURL is the absolute address that brings partners into the same room;
// empty where there is nobody to meet.
func (s *Server) shareURL(c *fiber.Ctx, x study, room string) string {
	if len(x.def.Seats()) < 2 {
		return ""
	}
	u := s.baseURL(c) + "/x/" + x.stored.Link
	if room != "" {
		u += "?room=" + url.QueryEscape(room)
	}
	return u
}

// experimentPage shows an experiment and the form that joins it.
func (s *Server) experimentPage(c *fiber.Ctx) error {
	x, err := s.studyOf(c)
	if err != nil {
		return err
	}
	room, _ := cleanRoom(c.Query("room"))
	role := c.Query("role")
	if _, ok := x.seat(role); !ok {
		role = ""
	}
	return s.showExperiment(c, x, role, room, nil)
}

func (s *Server) showExperiment(c *fiber.Ctx, x study, role, room string, errs web.FieldErrors) error {
	visitor, err := s.visitorOf(c)
	if err != nil {
		return err
	}
	e := x.def.Experiment
	v := web.ExperimentPage{
		Layout: s.layout(c), Link: x.stored.Link, Name: e.Name, Summary: e.ShortDescription,
		Description: e.LongDescription, Instructions: e.Instructions, Environment: x.def.Environment.Source,
		Open: x.open(visitor), TurnBased: e.WaitForInputs, Rounds: e.NumberOfEpisodes,
		Role: role, Room: room, ShareURL: s.shareURL(c, x, room), Consent: consentText(x.def), ConsentHash: textHash(consentText(x.def)),
		NeedsConsent: true, Errors: errs,
	}
	for _, a := range x.def.Seats() {
		v.Seats = append(v.Seats, web.SeatChoice{Role: string(a.Role), Name: nameOf(a), Description: a.Description, Keys: keysOf(a)})
	}
	for _, a := range x.def.Agents {
		if !a.Participant {
			v.Programs = append(v.Programs, nameOf(a))
		}
	}
	if visitor != nil {
		given, err := s.hasConsent(c.UserContext(), visitor, x)
		if err != nil {
			return err
		}
		v.NeedsConsent = !given
		seat, err := s.seatIn(c.UserContext(), visitor.user.ID, x.stored.Link)
		if err != nil {
			return err
		}
		if seat.session != "" {
			v.Resume = "/s/" + string(seat.session)
		}
	}
	if s.stopping() || s.cfg.Platform.Health(c.UserContext()).Draining {
		v.Open, v.Closed = false, "The server is about to restart. Come back in a minute."
	}
	v.Lobby = s.lobbyLine(c.UserContext(), x, room)
	refused(c, errs)
	return s.show(c, func() error { return s.cfg.Pages.Experiment(c, v) })
}

// lobbyLine says who is there; nobody, where the actors do not answer.
func (s *Server) lobbyLine(ctx context.Context, x study, room string) web.LobbyLine {
	line := web.LobbyLine{Seats: len(x.def.Seats())}
	if l, err := s.cfg.Platform.Lobby(ctx, x.stored.Link, room); err == nil {
		line.Waiting, line.Playing = l.Waiting, l.Playing
	}
	return line
}

// lobby is the line about who is there, alone.
func (s *Server) lobby(c *fiber.Ctx) error {
	x, err := s.studyOf(c)
	if err != nil {
		return err
	}
	room, _ := cleanRoom(c.Query("room"))
	line := s.lobbyLine(c.UserContext(), x, room)
	return s.show(c, func() error { return s.cfg.Pages.Lobby(c, line) })
}

// seatIn returns the seat that the user has in a session of the experiment that
// goes on; the zero ticket where there is none.
func (s *Server) seatIn(ctx context.Context, user persistence.UserID, link string) (ticket, error) {
	t, ok := s.tickets.latest(user, link)
	if !ok {
		return ticket{}, nil
	}
	view, _, err := s.cfg.Platform.Seat(ctx, t.session, t.participant)
	switch {
	case errors.Is(err, actors.ErrGone), errors.Is(err, actors.ErrNotYours):
		return ticket{}, nil
	case err != nil:
		return ticket{}, fmt.Errorf("seat in session %s: %w", t.session, err)
	case ended(view.Phase):
		return ticket{}, nil
	}
	return t, nil
}

// ended says whether a phase is a session's last.
func ended(phase string) bool { return phase == phaseCompleted || phase == phaseAborted }

// The names of phases, as sessions are stored with them.
const (
	phaseCompleted = "completed"
	phaseWaiting   = "waiting"
	phaseAborted   = "aborted"
)
