package http

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"sharpie/persistence"
	"sharpie/web"
)

// Sizes of Admin's lists; how far back their pages go.
const (
	listPage  = 50
	listDepth = 100_000
)

// adminEvents lists events, all or of one kind.
func (s *Server) adminEvents(c *fiber.Ctx, _ *visitor) error {
	kind := cleanText(c.Query("kind"), 60)
	page := pageOf(c)
	rows, more, err := s.events(c.UserContext(), persistence.EventFilter{Kind: kind}, page)
	if err != nil {
		return err
	}
	v := web.AdminEventsPage{Layout: s.layout(c), Kind: kind, Events: rows}
	if more {
		v.Older = olderURL("/admin/events", url.Values{"kind": {kind}}, page)
	}
	return s.show(c, func() error { return s.cfg.Pages.AdminEvents(c, v) })
}

// events reads one page of events, and says whether there are more.
func (s *Server) events(ctx context.Context, f persistence.EventFilter, page persistence.Page) ([]web.EventRow, bool, error) {
	list, err := s.cfg.Store.Events(ctx, f, persistence.Page{Offset: page.Offset, Limit: page.Limit + 1})
	if err != nil {
		return nil, false, fmt.Errorf("list events: %w", err)
	}
	more := len(list) > page.Limit
	if more {
		list = list[:page.Limit]
	}
	var rows []web.EventRow
	for _, e := range list {
		row := web.EventRow{At: e.At, Kind: e.Kind, Actor: e.Actor, Session: string(e.SessionID), Role: e.Role}
		if len(e.Detail) > 0 {
			// Keys of a JSON object come out sorted; what cannot be JSON is shown as Go.
			if b, err := json.Marshal(e.Detail); err == nil {
				row.Detail = cleanText(string(b), 8000) // the page shows less, and whole fields
			} else {
				row.Detail = cleanText(fmt.Sprint(e.Detail), 400)
			}
		}
		rows = append(rows, row)
	}
	return rows, more, nil
}

// pageOf reads which page of a list is asked for.
func pageOf(c *fiber.Ctx) persistence.Page {
	from, err := strconv.Atoi(c.Query("from"))
	if err != nil || from < 0 {
		from = 0
	}
	return persistence.Page{Offset: min(from, listDepth), Limit: listPage}
}

// olderURL is the address of the page after this one.
func olderURL(path string, query url.Values, page persistence.Page) string {
	for k, v := range query {
		if len(v) == 1 && v[0] == "" {
			delete(query, k)
		}
	}
	query.Set("from", strconv.Itoa(page.Offset+page.Limit))
	return path + "?" + query.Encode()
}
