package http

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"sharpie/experiments"
	"sharpie/persistence"
	"sharpie/web"
)

// consentText is what a participant agrees to, Markdown: the experiment's own
// text, or the platform's.
func consentText(d *experiments.Definition) string {
	if d.Experiment.Consent != "" {
		return d.Experiment.Consent
	}
	return web.DefaultConsent
}

// textHash names a consent's text.
func textHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// hasConsent says whether the visitor agreed to the text that is in force, and
// did not withdraw.
func (s *Server) hasConsent(ctx context.Context, v *visitor, x study) (bool, error) {
	_, err := s.cfg.Store.ConsentFor(ctx, v.user.ID, x.stored.Link, textHash(consentText(x.def)))
	if errors.Is(err, persistence.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("consent of %s: %w", v.user.Name, err)
	}
	return true, nil
}

// giveConsent records what the visitor agreed to, as it was shown.
func (s *Server) giveConsent(ctx context.Context, v *visitor, x study) error {
	if given, err := s.hasConsent(ctx, v, x); err != nil || given {
		return err
	}
	text := consentText(x.def)
	k := &persistence.Consent{
		ID: persistence.NewID("consent"), UserID: v.user.ID, Experiment: x.stored.Link,
		TextHash: textHash(text), Text: text, GivenAt: s.cfg.Clock(),
	}
	if err := s.cfg.Store.InsertConsent(ctx, k); err != nil {
		return fmt.Errorf("consent of %s: %w", v.user.Name, err)
	}
	s.note(ctx, &persistence.Event{Kind: "consent.given", Actor: v.user.Name, Detail: persistence.Document{
		"consent": k.ID, "experiment": k.Experiment, "experiment_version": int64(x.stored.Version),
	}})
	return nil
}

// consentPage asks for consent by itself.
func (s *Server) consentPage(c *fiber.Ctx, _ *visitor) error {
	x, err := s.studyOf(c)
	if err != nil {
		return err
	}
	return s.show(c, func() error {
		return s.cfg.Pages.Consent(c, web.ConsentPage{
			Layout: s.layout(c), Link: x.stored.Link, Experiment: x.def.Experiment.Name,
			Text: consentText(x.def), TextHash: textHash(consentText(x.def)), Next: safeNext(c.Query("next")),
		})
	})
}

// consent takes the answer of the consent page.
func (s *Server) consent(c *fiber.Ctx, v *visitor) error {
	x, err := s.studyOf(c)
	if err != nil {
		return err
	}
	page := "/x/" + x.stored.Link
	if c.FormValue("consent") != "agree" {
		s.flash(c, web.FlashInfo, "You did not agree, so nothing was started and nothing recorded. You can change your mind at any time.")
		return s.seeOther(c, "/")
	}
	if shownOther(c, x) {
		s.flash(c, web.FlashWarning, "The text has changed since you opened the page. Please read it again.")
		return s.seeOther(c, page+"/consent?next="+url.QueryEscape(safeNext(c.FormValue("next"))))
	}
	if !x.open(v) {
		return errClosed
	}
	if err := s.giveConsent(c.UserContext(), v, x); err != nil {
		return err
	}
	if next := safeNext(c.FormValue("next")); next != "" {
		page = next
	}
	return s.seeOther(c, page)
}

// shownOther says that the form names the text that was on the page, and that it
// is not the one in force any more.
func shownOther(c *fiber.Ctx, x study) bool {
	shown := c.FormValue("consent_hash")
	return shown != "" && shown != textHash(consentText(x.def))
}
