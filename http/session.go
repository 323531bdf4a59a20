package http

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"sharpie/actors"
	"sharpie/persistence"
	"sharpie/web"
)

// playPage shows a session that goes on to someone who sits in it.
func (s *Server) playPage(c *fiber.Ctx, v *visitor) error {
	id, err := sessionID(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	t, err := s.ticketOf(ctx, id, v.user.ID)
	if err != nil {
		return err
	}
	view, seat, err := s.cfg.Platform.Seat(ctx, id, t.participant)
	over := errors.Is(err, actors.ErrGone) || err == nil && ended(view.Phase)
	if errors.Is(err, actors.ErrNotYours) { // or not any more
		_, nerr := s.outcomeOf(ctx, id, t)
		over = nerr == nil
	}
	if over {
		return s.seeOther(c, "/s/"+string(id)+"/thanks")
	}
	if err != nil {
		return fmt.Errorf("session %s: %w", id, err)
	}
	x, err := s.version(ctx, view.Experiment, view.Version)
	if err != nil {
		return err
	}
	page := web.PlayPage{
		Layout: s.layout(c), Session: string(id), Link: view.Experiment, Name: x.def.Experiment.Name, Role: seat.Name,
		Instructions: x.def.Experiment.Instructions, ShareURL: s.shareURL(c, x, view.Room), Rounds: view.Episodes,
	}
	for _, a := range x.def.Agents {
		page.Roles = append(page.Roles, nameOf(a))
	}
	if a, ok := x.seat(seat.Role); ok {
		page.Keys = keysOf(a)
		if page.Role == "" {
			page.Role = a.Name
		}
	}
	return s.show(c, func() error { return s.cfg.Pages.Play(c, page) })
}

// version returns a version of an experiment that a session runs.
func (s *Server) version(ctx context.Context, link string, version int) (study, error) {
	e, ok := s.definitions.version(link, version)
	if !ok {
		var err error
		if e, err = s.cfg.Store.ExperimentVersion(ctx, link, version); err != nil {
			return study{}, fmt.Errorf("experiment %s, version %d: %w", link, version, err)
		}
	}
	def, err := s.definitions.of(e)
	if err != nil {
		return study{}, err
	}
	return study{e, def}, nil
}

// leave gives the seat up.
func (s *Server) leave(c *fiber.Ctx, v *visitor) error {
	id, err := sessionID(c)
	if err != nil {
		return err
	}
	t, err := s.ticketOf(c.UserContext(), id, v.user.ID)
	if err != nil {
		return err
	}
	err = s.cfg.Platform.Leave(c.UserContext(), id, t.participant)
	if err != nil && !errors.Is(err, actors.ErrGone) {
		return fmt.Errorf("leave session %s: %w", id, err)
	}
	if err == nil { // they left by themselves: the page need not guess
		return s.seeOther(c, "/s/"+string(id)+"/thanks?left=1")
	}
	return s.seeOther(c, "/s/"+string(id)+"/thanks")
}

// outcome is how a session ended for one participant.
type outcome struct {
	link    string
	version int
	role    string
	room    string
	// going: the session goes on and the participant sits in it.
	going     bool
	completed bool
	reason    string // for the participant, a sentence
	code      string // of the reason
}

// thanksPage ends a session, whichever way it ended.
func (s *Server) thanksPage(c *fiber.Ctx, v *visitor) error {
	id, err := sessionID(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	t, err := s.ticketOf(ctx, id, v.user.ID)
	if err != nil {
		return err
	}
	o, err := s.outcomeOf(ctx, id, t)
	if err != nil {
		return err
	}
	if o.going {
		return s.seeOther(c, "/s/"+string(id))
	}
	x, err := s.version(ctx, o.link, o.version)
	if err != nil {
		return err
	}
	if !o.completed && c.Query("left") == "1" {
		o.reason, o.code = "You left the game.", ""
	}
	e, open := x.def.Experiment, s.stillOpen(ctx, o.link, v)
	page := web.ThanksPage{
		Layout: s.layout(c), Link: o.link, Name: e.Name, Completed: o.completed, Reason: o.reason,
		Role: o.role, Room: o.room, CanRetry: !o.completed && open, CanPlayAgain: o.completed && open,
	}
	if page.Advice = adviceFor(o.code, page.CanRetry); page.Advice != "" && !o.completed {
		page.Reference = string(id)
	}
	if o.completed {
		page.Text, page.RedirectURL = e.Thanks, e.RedirectURL
		if page.Code, err = s.completionCode(ctx, t.participant, e.CompletionCode); err != nil {
			return err
		}
	}
	return s.show(c, func() error { return s.cfg.Pages.Thanks(c, page) })
}

func (s *Server) stillOpen(ctx context.Context, link string, v *visitor) bool {
	x, err := s.study(ctx, link)
	return err == nil && x.open(v) && !s.stopping()
}

// outcomeOf asks the actors while they know the session, then the store.
func (s *Server) outcomeOf(ctx context.Context, id persistence.SessionID, t ticket) (outcome, error) {
	view, seat, err := s.cfg.Platform.Seat(ctx, id, t.participant)
	switch {
	case err == nil && !ended(view.Phase):
		return outcome{going: true}, nil
	case err == nil:
		o := outcome{link: view.Experiment, version: view.Version, role: seat.Role, room: view.Room, completed: view.Phase == phaseCompleted}
		if stored, err := s.cfg.Store.Session(ctx, id); err == nil {
			o.reason, o.code = publicReason(stored.Reason), stored.Reason.Code
		}
		return o, nil
	case !errors.Is(err, actors.ErrGone) && !errors.Is(err, actors.ErrNotYours):
		return outcome{}, fmt.Errorf("session %s: %w", id, err)
	}
	// The actors know no seat of theirs: the session is over, or they left it.
	stored, serr := s.cfg.Store.Session(ctx, id)
	if serr != nil {
		return outcome{}, fmt.Errorf("session %s: %w", id, serr)
	}
	for _, seat := range stored.Seats {
		if seat.Participant == t.participant {
			o := storedOutcome(stored, seat)
			if errors.Is(err, actors.ErrNotYours) && stored.EndedAt == nil {
				o.reason = leftReason // the store may not know it yet
			}
			return o, nil
		}
	}
	if t.joined { // and gave the seat up again before the start
		return storedOutcome(stored, persistence.Seat{LeftAt: &stored.OpenedAt}), nil
	}
	return outcome{}, fmt.Errorf("session %s: %w", id, actors.ErrNotYours)
}

// What someone reads who gave the seat up, or lost it; and after a restart, until the
// session is closed in the store.
const (
	leftReason      = "You left this session, or were away from it for too long."
	restartedReason = "The server was restarted. Please start again."
)

func storedOutcome(stored *persistence.Session, seat persistence.Seat) outcome {
	o := outcome{
		link: stored.Experiment, version: stored.ExperimentVersion, role: seat.Role, room: stored.Room,
		completed: stored.Phase == phaseCompleted, reason: publicReason(stored.Reason), code: stored.Reason.Code,
	}
	// Only who gave the seat up has a time of leaving.
	if seat.LeftAt != nil && (stored.EndedAt == nil || seat.LeftAt.Before(*stored.EndedAt)) {
		o.completed, o.reason, o.code = false, leftReason, ""
	}
	switch {
	case o.completed || o.reason != "":
	case stored.EndedAt == nil: // nobody here knows it
		o.reason = restartedReason
	default:
		o.reason = "The session is over."
	}
	return o
}

// completionCode returns the participant's code, and makes it where the
// experiment asks for one each and there is none.
func (s *Server) completionCode(ctx context.Context, id persistence.ParticipantID, rule string) (string, error) {
	if rule == "" {
		return "", nil
	}
	for try := 0; ; try++ {
		p, err := s.cfg.Store.Participant(ctx, id)
		if err != nil {
			return "", fmt.Errorf("participant %s: %w", id, err)
		}
		if p.CompletionCode != "" {
			return p.CompletionCode, nil
		}
		p.CompletionCode = rule
		if rule == "random" {
			p.CompletionCode = rand.Text()[:10]
		}
		err = s.cfg.Store.UpdateParticipant(ctx, p)
		if err == nil {
			return p.CompletionCode, nil
		}
		if !errors.Is(err, persistence.ErrConflict) || try == 3 {
			return "", fmt.Errorf("completion code of participant %s: %w", id, err)
		}
	}
}
