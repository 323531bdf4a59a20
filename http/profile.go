package http

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"sharpie/actors"
	"sharpie/persistence"
	"sharpie/web"
)

func (s *Server) profilePage(c *fiber.Ctx, v *visitor) error { return s.showProfile(c, v, nil) }

func (s *Server) showProfile(c *fiber.Ctx, v *visitor, errs web.FieldErrors) error {
	ctx := c.UserContext()
	parts, err := s.cfg.Store.ParticipantsOf(ctx, v.user.ID)
	if err != nil {
		return fmt.Errorf("profile of %s: %w", v.user.Name, err)
	}
	consents, err := s.cfg.Store.ConsentsOf(ctx, v.user.ID)
	if err != nil {
		return fmt.Errorf("profile of %s: %w", v.user.Name, err)
	}
	names, err := s.experimentNames(ctx)
	if err != nil {
		return err
	}
	page := web.ProfilePage{
		Layout: s.layout(c), Name: v.user.Name, Since: v.user.CreatedAt, Errors: errs,
		HasPassword: v.user.PasswordHash != "", MinPassword: passwordMin,
	}
	for _, p := range parts {
		page.Participations = append(page.Participations, web.Participation{
			Link: p.Experiment, Name: nameOr(names, p.Experiment), Since: p.CreatedAt, CompletionCode: p.CompletionCode,
		})
	}
	for _, k := range consents {
		view := web.ConsentView{ID: k.ID, Text: k.Text, GivenAt: k.GivenAt, WithdrawnAt: k.WithdrawnAt}
		if k.Experiment != "" {
			view.Experiment = nameOr(names, k.Experiment)
		}
		page.Consents = append(page.Consents, view)
	}
	refused(c, errs)
	return s.show(c, func() error { return s.cfg.Pages.Profile(c, page) })
}

// experimentNames maps links to names.
func (s *Server) experimentNames(ctx context.Context) (map[string]string, error) {
	all, err := s.cfg.Store.LatestExperiments(ctx)
	if err != nil {
		return nil, fmt.Errorf("list experiments: %w", err)
	}
	names := make(map[string]string, len(all))
	for _, e := range all {
		names[e.Link] = e.Name
	}
	return names, nil
}

func nameOr(names map[string]string, link string) string {
	if n := names[link]; n != "" {
		return n
	}
	return link
}

// changePassword stores a new password and logs the user's other browsers out.
func (s *Server) changePassword(c *fiber.Ctx, v *visitor) error {
	key := HashToken(strings.ToLower(v.user.Name))
	if wait, ok := s.perName.take(key); !ok {
		return &tooMany{wait}
	}
	errs := web.FieldErrors{}
	password := c.FormValue("password")
	if v.user.PasswordHash != "" {
		ok, err := s.passwords.verify(c.UserContext(), v.user.PasswordHash, cut(c.FormValue("current"), 4*passwordMax))
		if err != nil {
			return err
		}
		if !ok {
			errs["current"] = "This is not your current password."
		}
	}
	if len(errs) == 0 {
		s.perName.refund(key)
	}
	if problem := checkTyped(c, v.user.Name, password); problem != "" {
		errs["password"] = problem
	}
	if len(errs) > 0 {
		return s.showProfile(c, v, errs)
	}
	hash, err := s.passwords.hash(c.UserContext(), password)
	if err != nil {
		return err
	}
	u, err := s.changeUser(c.UserContext(), v.user.ID, func(u *persistence.User) error { u.PasswordHash = hash; return nil })
	if err != nil {
		return err
	}
	if err := s.logins.endAll(c.UserContext(), u.ID); err != nil {
		return err
	}
	if err := s.logIn(c, u); err != nil {
		return err
	}
	s.flash(c, web.FlashSuccess, "Your password is changed. Other browsers are logged out.")
	return s.seeOther(c, "/profile")
}

func cut(text string, max int) string { return text[:min(len(text), max)] }

// withdraw takes a consent back. Where the user is playing in that experiment,
// the seat is given up.
func (s *Server) withdraw(c *fiber.Ctx, v *visitor) error {
	ctx, now := c.UserContext(), s.cfg.Clock()
	own, err := s.cfg.Store.ConsentsOf(ctx, v.user.ID)
	if err != nil {
		return fmt.Errorf("consents of %s: %w", v.user.Name, err)
	}
	for _, k := range own {
		if k.ID != c.Params("id") {
			continue
		}
		if k.WithdrawnAt == nil {
			if err := s.endConsent(ctx, v, k, now); err != nil {
				return err
			}
		}
		s.flash(c, web.FlashSuccess, "Your consent is withdrawn.")
		return s.seeOther(c, "/profile")
	}
	return errNoPage
}

func (s *Server) endConsent(ctx context.Context, v *visitor, k *persistence.Consent, now time.Time) error {
	if err := s.cfg.Store.WithdrawConsent(ctx, k.ID, now); err != nil {
		return fmt.Errorf("withdraw consent %s: %w", k.ID, err)
	}
	s.note(ctx, &persistence.Event{Kind: "consent.withdrawn", Actor: v.user.Name, Detail: persistence.Document{"consent": k.ID, "experiment": k.Experiment}})
	seat, err := s.seatIn(ctx, v.user.ID, k.Experiment)
	if err != nil || seat.session == "" {
		return err
	}
	if err := s.cfg.Platform.Leave(ctx, seat.session, seat.participant); err != nil && !errors.Is(err, actors.ErrGone) {
		return fmt.Errorf("leave session %s: %w", seat.session, err)
	}
	return nil
}

// note stores an event. Events accompany what was done already: one that cannot
// be stored is logged, and does not undo it.
func (s *Server) note(ctx context.Context, e *persistence.Event) {
	e.ID, e.At = persistence.NewID("event"), s.cfg.Clock()
	if err := s.cfg.Store.InsertEvents(ctx, []*persistence.Event{e}); err != nil {
		s.log.Error("event not stored", "kind", e.Kind, "actor", e.Actor, "detail", e.Detail, "error", err)
	}
}
