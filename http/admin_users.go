package http

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"sharpie/persistence"
	"sharpie/web"
)

// searched bounds how many users a search by name looks at.
const searched = 10_000

// adminUsers lists users, all or those with a text in their name.
func (s *Server) adminUsers(c *fiber.Ctx, v *visitor) error {
	page := pageOf(c)
	query := cleanText(c.Query("q"), nameMax)
	users, more, err := s.findUsers(c.UserContext(), query, page)
	if err != nil {
		return err
	}
	view := web.AdminUsersPage{Layout: s.layout(c), Query: query}
	if more {
		view.Older = olderURL("/admin/users", url.Values{"q": {query}}, page)
	}
	for _, u := range users {
		view.Users = append(view.Users, web.UserRow{
			ID: string(u.ID), Name: u.Name, Admin: u.Admin, Disabled: u.Disabled, Self: u.ID == v.user.ID,
			CreatedAt: u.CreatedAt, LastLoginAt: u.LastLoginAt,
		})
	}
	return s.show(c, func() error { return s.cfg.Pages.AdminUsers(c, view) })
}

// findUsers returns one page of the users whose name contains the query.
func (s *Server) findUsers(ctx context.Context, query string, page persistence.Page) ([]*persistence.User, bool, error) {
	var found []*persistence.User
	want := page.Offset + page.Limit + 1
	query = strings.ToLower(query)
	for from := 0; from < searched && len(found) < want; from += persistence.MaxPage {
		users, err := s.cfg.Store.Users(ctx, persistence.Page{Offset: from, Limit: persistence.MaxPage})
		if err != nil {
			return nil, false, fmt.Errorf("list users: %w", err)
		}
		for _, u := range users {
			if strings.Contains(strings.ToLower(u.Name), query) {
				found = append(found, u)
			}
		}
		if len(users) < persistence.MaxPage {
			break
		}
	}
	end := min(page.Offset+page.Limit, len(found))
	return found[min(page.Offset, end):end], len(found) > end, nil
}

// setAdmin makes someone an administrator or takes the role away.
func (s *Server) setAdmin(c *fiber.Ctx, v *visitor) error {
	on := c.FormValue("value") == "on"
	return s.changeRights(c, v, !on, map[bool]string{true: "admin.user.promoted", false: "admin.user.demoted"}[on], func(u *persistence.User) { u.Admin = on })
}

// setDisabled locks someone out, at once, or lets them in again.
func (s *Server) setDisabled(c *fiber.Ctx, v *visitor) error {
	on := c.FormValue("value") == "on"
	if err := s.changeRights(c, v, on, map[bool]string{true: "admin.user.disabled", false: "admin.user.enabled"}[on], func(u *persistence.User) { u.Disabled = on }); err != nil {
		return err
	}
	if on {
		s.sockets.endUser(persistence.UserID(c.Params("id")))
	}
	return nil
}

// changeRights changes a user. Where the change takes something away it refuses
// to leave the platform without an administrator, and logs the user out.
func (s *Server) changeRights(c *fiber.Ctx, v *visitor, takes bool, kind string, change func(*persistence.User)) error {
	if value := c.FormValue("value"); value != "on" && value != "off" {
		return fmt.Errorf("%w: value is %q, not on or off", errFields, value)
	}
	id := c.Params("id")
	if !wellFormedID.MatchString(id) {
		return errNoPage
	}
	ctx := c.UserContext()
	// One at a time: two administrators must not demote each other.
	s.rights.Lock()
	defer s.rights.Unlock()
	u, err := s.changeUser(ctx, persistence.UserID(id), func(u *persistence.User) error {
		if takes && u.Admin && !u.Disabled {
			if err := s.needOtherAdmin(ctx, u.ID); err != nil {
				return err
			}
		}
		change(u)
		return nil
	})
	if err != nil {
		return err
	}
	if takes {
		if err := s.logins.endAll(ctx, u.ID); err != nil {
			return err
		}
	}
	s.note(ctx, &persistence.Event{Kind: kind, Actor: v.user.Name, Detail: persistence.Document{"user": u.Name, "user_id": string(u.ID)}})
	s.flash(c, web.FlashSuccess, u.Name+" is changed.")
	return s.seeOther(c, "/admin/users")
}

// needOtherAdmin returns errLastAdmin where nobody else is an administrator who
// can log in. The store counts the disabled ones too.
func (s *Server) needOtherAdmin(ctx context.Context, but persistence.UserID) error {
	for from := 0; ; from += persistence.MaxPage {
		users, err := s.cfg.Store.Users(ctx, persistence.Page{Offset: from, Limit: persistence.MaxPage})
		if err != nil {
			return fmt.Errorf("look for administrators: %w", err)
		}
		for _, u := range users {
			if u.Admin && !u.Disabled && u.ID != but {
				return nil
			}
		}
		if len(users) < persistence.MaxPage {
			return errLastAdmin
		}
	}
}
