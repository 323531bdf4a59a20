package http

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"sharpie/actors"
	"sharpie/persistence"
	"sharpie/web"
)

// Bounds of what the form of a key gives back as it was typed, bytes.
const (
	keyNameTyped   = 300
	keyLabelsTyped = 4000
)

// newKeyForm is the empty form. The id of the key is in it: a form that is sent twice,
// by a reload or by two clicks, makes one key.
func newKeyForm() web.RunnerKeyForm {
	return web.RunnerKeyForm{ID: persistence.NewID("rk")}
}

// makeRunnerKey makes a key, and shows it in this one answer: it is in no address, no
// cookie, no log and no cache.
func (s *Server) makeRunnerKey(c *fiber.Ctx, v *visitor) error {
	if s.cfg.Nodes == nil {
		return errNoPage
	}
	id := c.FormValue("id")
	if !wellFormedID.MatchString(id) || !strings.HasPrefix(id, "rk_") {
		return fmt.Errorf("%w: id is %q, not of a key", errFields, id)
	}
	typed := web.RunnerKeyForm{ID: id, Name: cut(c.FormValue("name"), keyNameTyped), Labels: cut(c.FormValue("labels"), keyLabelsTyped), Errors: web.FieldErrors{}}
	name, labels := strings.TrimSpace(typed.Name), labelsIn(typed.Labels)
	if p := actors.CheckNodeKeyName(name); p != "" {
		typed.Errors["name"] = p + "."
	}
	if p := actors.CheckNodeKeyLabels(labels); p != "" {
		typed.Errors["labels"] = p + "."
	}
	if len(typed.Errors) > 0 {
		typed.Name, typed.Labels = strings.ToValidUTF8(typed.Name, ""), strings.ToValidUTF8(typed.Labels, "")
		return s.showRunners(c, nil, typed)
	}
	key, record := actors.MakeNodeKey(id, name, labels, v.user.Name, s.cfg.Clock())
	err := s.cfg.Store.InsertRunnerKey(c.UserContext(), record)
	if errors.Is(err, persistence.ErrConflict) {
		if _, findErr := s.runnerKeyOf(c.UserContext(), id); findErr == nil {
			s.flash(c, web.FlashInfo, "That key was made already, and is not shown again. If nobody copied it, revoke it and make another.")
			return s.seeOther(c, "/admin/runners")
		}
	}
	if err != nil {
		return fmt.Errorf("make runner key %s: %w", name, err)
	}
	s.noteKey(c.UserContext(), v, "admin.runner_key.made", record)
	return s.showRunners(c, &web.FreshKey{Name: name, Key: key}, newKeyForm())
}

// labelsIn reads labels that commas or spaces separate.
func labelsIn(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
}

// noteKey stores who did what with a key.
func (s *Server) noteKey(ctx context.Context, v *visitor, kind string, k *persistence.RunnerKey) {
	s.note(ctx, &persistence.Event{Kind: kind, Actor: v.user.Name, Detail: persistence.Document{"key": k.ID, "name": k.Name, "prefix": k.Prefix}})
}

// runnerKeyRows lists the keys: those that are good first, then the newest first.
func (s *Server) runnerKeyRows(ctx context.Context) ([]web.RunnerKeyRow, error) {
	keys, err := s.cfg.Store.RunnerKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("list runner keys: %w", err)
	}
	slices.Reverse(keys)
	var good, revoked []web.RunnerKeyRow
	for _, k := range keys {
		if k.RevokedAt == nil {
			good = append(good, runnerKeyRow(k))
		} else {
			revoked = append(revoked, runnerKeyRow(k))
		}
	}
	return append(good, revoked...), nil
}

func runnerKeyRow(k *persistence.RunnerKey) web.RunnerKeyRow {
	return web.RunnerKeyRow{
		ID: k.ID, Name: k.Name, Prefix: k.Prefix, Labels: k.Labels, MadeAt: k.CreatedAt, MadeBy: k.CreatedBy,
		LastUsedAt: k.LastUsedAt, LastNode: k.LastNode, RevokedAt: k.RevokedAt,
	}
}

// runnerKeyOf finds a key by its id.
func (s *Server) runnerKeyOf(ctx context.Context, id string) (*persistence.RunnerKey, error) {
	keys, err := s.cfg.Store.RunnerKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("find the runner key %s: %w", id, err)
	}
	for _, k := range keys {
		if k.ID == id {
			return k, nil
		}
	}
	return nil, errNoPage
}

// adminRunnerKey shows a key with the nodes that use it, and asks whether to revoke it.
func (s *Server) adminRunnerKey(c *fiber.Ctx, _ *visitor) error {
	if s.cfg.Nodes == nil {
		return errNoPage
	}
	ctx := c.UserContext()
	k, err := s.runnerKeyOf(ctx, c.Params("id"))
	if err != nil {
		return err
	}
	rows, err := s.runnerRows(ctx)
	if err != nil {
		return err
	}
	uses := map[string]bool{}
	for _, n := range s.cfg.Nodes.Nodes() {
		uses[n.ID] = n.Key == k.ID
	}
	v := web.AdminRunnerKeyPage{Layout: s.layout(c), RunnerKeyRow: runnerKeyRow(k), Version: s.cfg.Version}
	for _, r := range rows {
		if !r.Own && uses[r.ID] {
			v.Runners = append(v.Runners, r)
			v.Playing += len(r.Busy())
		}
	}
	return s.show(c, func() error { return s.cfg.Pages.AdminRunnerKey(c, v) })
}

// revokeRunnerKey ends a key. Its nodes are cut by whoever holds their connections.
func (s *Server) revokeRunnerKey(c *fiber.Ctx, v *visitor) error {
	if s.cfg.Nodes == nil {
		return errNoPage
	}
	ctx := c.UserContext()
	k, err := s.runnerKeyOf(ctx, c.Params("id"))
	if err != nil {
		return err
	}
	if k.RevokedAt != nil {
		s.flash(c, web.FlashInfo, fmt.Sprintf("The key %s was revoked before.", k.Name))
		return s.seeOther(c, "/admin/runners")
	}
	if err := s.cfg.Store.RevokeRunnerKey(ctx, k.ID, s.cfg.Clock().UTC()); err != nil {
		return fmt.Errorf("revoke the runner key %s: %w", k.Prefix, err)
	}
	s.noteKey(ctx, v, "admin.runner_key.revoked", k)
	s.flash(c, web.FlashSuccess, fmt.Sprintf("The key %s is revoked. Its nodes are cut within a second.", k.Name))
	return s.seeOther(c, "/admin/runners")
}
