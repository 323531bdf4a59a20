package http

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"sharpie/actors"
	"sharpie/persistence"
	"sharpie/web"
)

// adminSessions lists live and ended sessions.
func (s *Server) adminSessions(c *fiber.Ctx, _ *visitor) error {
	ctx := c.UserContext()
	live, err := s.liveSessions(ctx)
	if err != nil {
		return err
	}
	v := web.AdminSessionsPage{Layout: s.layout(c), Live: live, Health: s.health(ctx)}
	page := pageOf(c)
	stored, err := s.cfg.Store.Sessions(ctx, persistence.SessionFilter{}, persistence.Page{Offset: page.Offset, Limit: page.Limit + 1})
	switch {
	case errors.Is(err, persistence.ErrUnavailable):
		v.Health.StoreError = err.Error() // the live ones are shown all the same
	case err != nil:
		return fmt.Errorf("list sessions: %w", err)
	}
	if len(stored) > page.Limit {
		stored = stored[:page.Limit]
		v.Older = olderURL("/admin/sessions", url.Values{}, page)
	}
	names := s.namesIfThere(ctx)
	for _, x := range stored {
		if !slices.ContainsFunc(live, func(r web.SessionRow) bool { return r.ID == string(x.ID) }) {
			v.Ended = append(v.Ended, s.endedRow(ctx, x, names))
		}
	}
	return s.show(c, func() error { return s.cfg.Pages.AdminSessions(c, v) })
}

// liveSessions returns the sessions that the actors know, newest first.
func (s *Server) liveSessions(ctx context.Context) ([]web.SessionRow, error) {
	views, err := s.cfg.Platform.Sessions(ctx)
	if err != nil {
		return nil, fmt.Errorf("list live sessions: %w", err)
	}
	names := s.namesIfThere(ctx)
	rows := make([]web.SessionRow, 0, len(views))
	for _, v := range views {
		rows = append(rows, liveRow(v, names))
	}
	slices.SortFunc(rows, func(a, b web.SessionRow) int { return b.OpenedAt.Compare(a.OpenedAt) })
	return rows, nil
}

// namesIfThere returns the names of experiments; none while the store is away,
// and the pages show links instead.
func (s *Server) namesIfThere(ctx context.Context) map[string]string {
	names, err := s.experimentNames(ctx)
	if err != nil {
		return nil
	}
	return names
}

func liveRow(v actors.SessionView, names map[string]string) web.SessionRow {
	row := web.SessionRow{
		ID: string(v.ID), Link: v.Experiment, Name: nameOr(names, v.Experiment), Version: v.Version, Room: v.Room,
		Phase: v.Phase, Since: v.Since, Deadline: v.Deadline, Round: v.Episode, Rounds: v.Episodes, Step: v.Step,
		Runner: v.Runner, Unstored: v.Unstored, Problem: v.Problem, OpenedAt: v.OpenedAt, Live: !ended(v.Phase),
	}
	for _, seat := range v.Seats {
		row.Seats = append(row.Seats, web.SeatRow{
			Role: seat.Role, Name: seat.Name, User: seat.UserName, Participant: string(seat.Participant), State: seat.State, RTT: seat.RTT,
		})
	}
	return row
}

// firstLine is what a table shows of a reason; the episode's page has all of it.
func firstLine(detail string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(detail), "\n")
	return cleanText(line, 300)
}

func storedRow(x *persistence.Session, names map[string]string) web.SessionRow {
	row := web.SessionRow{
		ID: string(x.ID), Link: x.Experiment, Name: nameOr(names, x.Experiment), Version: x.ExperimentVersion, Room: x.Room,
		Phase: x.Phase, Round: x.Episodes, OpenedAt: x.OpenedAt, EndedAt: x.EndedAt, Reason: x.Reason.Code, Detail: firstLine(x.Reason.Detail),
	}
	for _, seat := range x.Seats {
		row.Seats = append(row.Seats, web.SeatRow{Role: seat.Role, Participant: string(seat.Participant)})
	}
	return row
}

// adminSession shows one session with its episodes and events.
func (s *Server) adminSession(c *fiber.Ctx, _ *visitor) error {
	id, err := sessionID(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	live, err := s.liveSessions(ctx)
	if err != nil {
		return err
	}
	v := web.AdminSessionPage{Layout: s.layout(c)}
	i := slices.IndexFunc(live, func(r web.SessionRow) bool { return r.ID == string(id) })
	stored, err := s.cfg.Store.Session(ctx, id)
	switch {
	case i >= 0:
		v.SessionRow = live[i]
		if err == nil && stored.Reason.Code != "" {
			v.Reason, v.Detail, v.EndedAt = stored.Reason.Code, firstLine(stored.Reason.Detail), stored.EndedAt
		}
	case err != nil:
		return fmt.Errorf("session %s: %w", id, err)
	default:
		v.SessionRow = s.endedRow(ctx, stored, s.namesIfThere(ctx))
	}
	if v.Episodes, err = s.episodes(ctx, id); err != nil {
		return err
	}
	if v.Events, _, err = s.events(ctx, persistence.EventFilter{SessionID: id}, persistence.Page{Limit: 200}); err != nil {
		return err
	}
	return s.show(c, func() error { return s.cfg.Pages.AdminSession(c, v) })
}

// endedRow is an ended session with the people who sat there, the codes that they
// were given, and the steps of all its episodes. What the store does not have, or
// does not tell now, is left out.
func (s *Server) endedRow(ctx context.Context, x *persistence.Session, names map[string]string) web.SessionRow {
	row := storedRow(x, names)
	titles := map[string]string{}
	if e, err := s.cfg.Store.ExperimentVersion(ctx, x.Experiment, x.ExperimentVersion); err == nil {
		if def, err := s.definitions.of(e); err == nil {
			for _, a := range def.Agents {
				titles[string(a.Role)] = a.Name
			}
		}
	}
	for i, seat := range x.Seats {
		row.Seats[i].Name = titles[seat.Role]
		if u, err := s.cfg.Store.User(ctx, seat.User); seat.User != "" && err == nil {
			row.Seats[i].User = u.Name
		}
		if p, err := s.cfg.Store.Participant(ctx, seat.Participant); seat.Participant != "" && err == nil {
			row.Seats[i].Code = p.CompletionCode
		}
	}
	if list, err := s.cfg.Store.EpisodesOf(ctx, x.ID); err == nil {
		for _, e := range list {
			row.Step += e.Steps
			row.Failed = row.Failed || failed(e)
		}
	}
	return row
}

func (s *Server) episodes(ctx context.Context, id persistence.SessionID) ([]web.EpisodeRow, error) {
	list, err := s.cfg.Store.EpisodesOf(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("episodes of %s: %w", id, err)
	}
	var rows []web.EpisodeRow
	for _, e := range list {
		rows = append(rows, episodeRow(e))
	}
	return rows, nil
}

// abort ends a session for everyone in it. The session itself notes the event.
func (s *Server) abort(c *fiber.Ctx, v *visitor) error {
	id, err := sessionID(c)
	if err != nil {
		return err
	}
	reason := cleanText(c.FormValue("reason"), reasonMax)
	if reason == "" {
		reason = "ended by an administrator"
	}
	err = s.cfg.Platform.Abort(c.UserContext(), id, v.user.Name, reason)
	if errors.Is(err, actors.ErrGone) {
		s.flash(c, web.FlashInfo, "The session had ended already.")
		return s.seeOther(c, "/admin/sessions")
	}
	if err != nil {
		return fmt.Errorf("abort session %s: %w", id, err)
	}
	s.flash(c, web.FlashSuccess, "The session is ended.")
	return s.seeOther(c, "/admin/sessions")
}
