package http

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"runtime"

	"github.com/gofiber/fiber/v2"

	"sharpie/actors"
	"sharpie/web"
)

// adminRunners lists the runners, and the keys of runner nodes.
func (s *Server) adminRunners(c *fiber.Ctx, _ *visitor) error {
	return s.showRunners(c, nil, newKeyForm())
}

// showRunners shows the page: with a key that was just made, or with what is wrong
// with one that was asked for.
func (s *Server) showRunners(c *fiber.Ctx, fresh *web.FreshKey, form web.RunnerKeyForm) error {
	ctx := c.UserContext()
	rows, err := s.runnerRows(ctx)
	if err != nil {
		return err
	}
	live, err := s.liveSessions(ctx)
	if err != nil {
		return err
	}
	v := web.AdminRunnersPage{
		Layout: s.layout(c), Health: s.health(ctx), Runners: rows, NoJoining: s.cfg.Nodes == nil, Fresh: fresh, Form: form,
	}
	v.Server, v.LocalOnly = s.joinURL(c)
	for _, r := range rows {
		if !r.Own {
			v.Nodes++
		}
	}
	for _, x := range live {
		if x.Problem != "" {
			v.Stuck = append(v.Stuck, x)
		}
	}
	if !v.NoJoining {
		if v.Keys, err = s.runnerKeyRows(ctx); err != nil {
			v.Health.StoreError = err.Error() // the runners are shown all the same
		}
	}
	refused(c, form.Errors)
	return s.show(c, func() error { return s.cfg.Pages.AdminRunners(c, v) })
}

// runnerRows lists the slots of this server, and the nodes with theirs.
func (s *Server) runnerRows(ctx context.Context) ([]web.RunnerRow, error) {
	slots, err := s.cfg.Platform.Runners(ctx)
	if err != nil {
		return nil, fmt.Errorf("list runners: %w", err)
	}
	var rows []web.RunnerRow
	if own := s.ownRow(ctx, slots); own.Total > 0 {
		rows = append(rows, own)
	}
	if s.cfg.Nodes == nil {
		return rows, nil
	}
	type life struct{ node, incarnation string }
	offered := map[life][]web.SlotRow{}
	for _, r := range slots {
		if r.Node {
			k := life{r.Runner, r.Incarnation}
			offered[k] = append(offered[k], slotRow(r))
		}
	}
	for _, n := range s.cfg.Nodes.Nodes() {
		row := s.nodeRow(n)
		row.Slots = offered[life{n.ID, n.Incarnation}]
		rows = append(rows, row)
	}
	return rows, nil
}

// ownRow is this server as a runner.
func (s *Server) ownRow(ctx context.Context, slots []actors.RunnerView) web.RunnerRow {
	row := web.RunnerRow{
		Own: true, State: web.RunnerConnected, Since: s.started, Version: s.cfg.Version, Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	if s.cfg.Platform.Health(ctx).Draining || s.stopping() {
		row.State = web.RunnerDraining
	}
	row.Load, row.LoadKnown = actors.MachineLoad()
	for _, r := range slots {
		if !r.Node {
			row.ID, row.Labels, row.Slots = r.Runner, r.Labels, append(row.Slots, slotRow(r))
		}
	}
	row.Total = len(row.Slots)
	return row
}

func slotRow(r actors.RunnerView) web.SlotRow {
	return web.SlotRow{Slot: r.Slot, Session: string(r.Session), Since: r.Since}
}

func (s *Server) nodeRow(n actors.Node) web.RunnerRow {
	row := web.RunnerRow{
		ID: n.ID, State: web.RunnerConnected, Since: n.JoinedAt, Total: n.Slots, Load: n.Load, LoadKnown: n.LoadKnown, RoundTrip: n.Latency,
		Version: n.Version, OtherVersion: n.Version != s.cfg.Version, Platform: n.Platform, From: n.Remote, SeenAt: n.SeenAt, Labels: n.Labels,
	}
	switch {
	case !n.Connected:
		row.State, row.Since, row.Why = web.RunnerAway, n.SeenAt, n.Why
	case n.Draining:
		row.State = web.RunnerDraining
	}
	return row
}

// copiedHost is a host with nothing that a shell would read.
var copiedHost = regexp.MustCompile(`^[A-Za-z0-9._:\[\]-]+$`)

// joinURL is the address that nodes join, and whether it leads to this machine alone.
// It stands in a command that people copy.
func (s *Server) joinURL(c *fiber.Ctx) (address string, local bool) {
	base := s.baseURL(c)
	u, err := url.Parse(base)
	if err != nil || !copiedHost.MatchString(u.Host) {
		return "https://ADDRESS-OF-THIS-SERVER", false
	}
	host := u.Hostname()
	ip, err := netip.ParseAddr(host)
	return base, host == "localhost" || err == nil && ip.IsLoopback()
}
