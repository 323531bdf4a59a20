package http

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"

	"sharpie/experiments"
	"sharpie/persistence"
	"sharpie/web"
)

// checkpointsListed bounds the checkpoints of Admin's list: each is read whole.
const checkpointsListed = 20

// bundleSizes remembers the sizes of bundles, which never change.
type bundleSizes struct {
	mu    sync.Mutex
	known map[string]int64
}

func newBundleSizes() *bundleSizes { return &bundleSizes{known: map[string]int64{}} }

// of returns the size of a bundle as stored, in bytes; 0 where it is not known.
func (b *bundleSizes) of(ctx context.Context, store persistence.Experiments, hash string) int64 {
	b.mu.Lock()
	size, ok := b.known[hash]
	b.mu.Unlock()
	if ok {
		return size
	}
	stored, err := store.Bundle(ctx, hash)
	if err != nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.known) >= definitionsKept {
		clear(b.known)
	}
	b.known[hash] = stored.Size
	return stored.Size
}

// describeCode fills what Admin shows of an experiment's code: its files, its
// interpreter, its walls, its policies and what they learned.
func (s *Server) describeCode(ctx context.Context, v *web.AdminExperimentPage, e *persistence.Experiment, def *experiments.Definition, sessions []*persistence.Session) error {
	last, err := s.lastEpisode(ctx, sessions)
	if err != nil {
		return err
	}
	if e.BundleHash != "" {
		v.BundleHash, v.BundleSize = e.BundleHash, s.bundles.of(ctx, s.cfg.Store, e.BundleHash)
	}
	if v.Python = usesPython(def); v.Python {
		v.Interpreter = interpreterText(def)
		if s.cfg.Readiness != nil {
			v.Readiness, v.Ready = s.cfg.Readiness(ctx, def)
		}
		switch {
		case s.cfg.Confinement != nil:
			v.Confinement = s.cfg.Confinement(def)
		case last != nil:
			v.Confinement = last.Confinement
		}
	}
	for _, a := range def.Agents {
		if p := policyOf(def, a.Policy); p != nil {
			v.Policies = append(v.Policies, policyRow(a, p, last))
		}
	}
	v.Checkpoints, v.CheckpointsWhole, err = s.checkpoints(ctx, def, sessions)
	return err
}

// lastEpisode is the newest episode of the newest sessions; nil where none began.
func (s *Server) lastEpisode(ctx context.Context, sessions []*persistence.Session) (*persistence.Episode, error) {
	for _, x := range sessions[:min(len(sessions), 5)] {
		list, err := s.cfg.Store.EpisodesOf(ctx, x.ID)
		if err != nil {
			return nil, fmt.Errorf("episodes of %s: %w", x.ID, err)
		}
		if len(list) > 0 {
			return list[len(list)-1], nil
		}
	}
	return nil, nil
}

// builtIn is before the name of what is compiled into this program.
const builtIn = "go:"

// usesPython says whether some code of an experiment is Python.
func usesPython(def *experiments.Definition) bool {
	return !strings.HasPrefix(def.Environment.Source, builtIn) ||
		slices.ContainsFunc(def.Policies, func(p experiments.Policy) bool { return !strings.HasPrefix(p.Source, builtIn) })
}

// interpreterText says in words what an experiment's Python code asks for.
func interpreterText(def *experiments.Definition) string {
	var parts []string
	switch {
	case def.Interpreter != "":
		parts = append(parts, def.Interpreter)
	case def.CondaEnvironment != "":
		parts = append(parts, "conda environment "+def.CondaEnvironment)
	case def.PythonVersion != "":
		parts = append(parts, "Python "+def.PythonVersion)
	default:
		parts = append(parts, "any Python")
	}
	if n := len(def.Dependencies); n > 0 {
		parts = append(parts, "with "+strings.Join(def.Dependencies[:min(n, 12)], ", "))
		if n > 12 {
			parts = append(parts, fmt.Sprintf("and %d more", n-12))
		}
	}
	return cleanText(strings.Join(parts, " "), 600)
}

func policyOf(def *experiments.Definition, name string) *experiments.Policy {
	i := slices.IndexFunc(def.Policies, func(p experiments.Policy) bool { return p.Name == name })
	if i < 0 || name == "" {
		return nil
	}
	return &def.Policies[i]
}

func policyRow(a experiments.Agent, p *experiments.Policy, last *persistence.Episode) web.PolicyRow {
	row := web.PolicyRow{Role: string(a.Role), Name: p.Name, Source: p.Source}
	if row.Source == "" {
		row.Source = p.Filepaths["policy"]
	}
	switch n := p.CheckpointInterval; {
	case n == -2:
		row.Learns = "after the last step"
	case n == 1:
		row.Learns = "after every step"
	case n > 1:
		row.Learns = fmt.Sprintf("every %d steps", n)
	}
	// Whether a policy can learn is known only where it runs.
	if row.Learns != "" && p.Source != "" {
		row.Learns += ", if it can"
	}
	if row.Learns != "" && p.CheckpointScope != "" {
		row.Learns += ", kept per " + p.CheckpointScope
	}
	if last != nil {
		for _, r := range last.Roles {
			if r.Role == row.Role {
				row.Version = r.PolicyVersion
			}
		}
	}
	return row
}

// scoped names one place where a policy's state is kept.
type scoped struct{ scope, role, policy string }

// scopesOf lists where the states of an experiment's policies can be, those of
// the newest sessions first.
func scopesOf(def *experiments.Definition, sessions []*persistence.Session) []scoped {
	var out []scoped
	add := func(x scoped) {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	for _, a := range def.Agents {
		p := policyOf(def, a.Policy)
		if p == nil {
			continue
		}
		role := string(a.Role)
		add(scoped{"experiment:" + def.Experiment.Link, role, p.Name})
		for _, x := range sessions {
			add(scoped{"session:" + string(x.ID), role, p.Name})
			for _, seat := range x.Seats {
				if seat.Participant != "" {
					add(scoped{"participant:" + string(seat.Participant), role, p.Name})
				}
			}
		}
	}
	return out
}

// checkpoints lists the newest state of each scope, at most checkpointsListed, and
// says whether that is all of them.
func (s *Server) checkpoints(ctx context.Context, def *experiments.Definition, sessions []*persistence.Session) (rows []web.CheckpointRow, whole bool, err error) {
	for _, x := range scopesOf(def, sessions) {
		if len(rows) == checkpointsListed {
			return rows, false, nil
		}
		c, err := s.cfg.Store.LatestCheckpoint(ctx, x.scope, x.role, x.policy)
		if errors.Is(err, persistence.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, false, fmt.Errorf("checkpoint of %s: %w", x.scope, err)
		}
		row := web.CheckpointRow{
			Policy: c.Policy, Role: c.Role, Scope: c.Scope, Version: c.Version, Hash: c.Hash, Episode: string(c.EpisodeID),
			Step: c.Step, Size: int64(len(c.Data)), At: c.ReceivedAt,
			Download: "/admin/experiments/" + def.Experiment.Link + "/checkpoint?" + url.Values{"scope": {x.scope}, "role": {x.role}, "policy": {x.policy}}.Encode(),
		}
		if e, err := s.cfg.Store.Episode(ctx, c.EpisodeID); err == nil {
			row.Session = string(e.SessionID)
		}
		rows = append(rows, row)
	}
	return rows, len(sessions) < listPage, nil
}

// downloadCheckpoint answers with a state as a file. It is what the policy wrote:
// nothing here looks into it.
func (s *Server) downloadCheckpoint(c *fiber.Ctx, v *visitor) error {
	link := c.Params("link")
	if !wellFormedLink.MatchString(link) {
		return errNoPage
	}
	state, err := s.cfg.Store.LatestCheckpoint(c.UserContext(), c.Query("scope"), c.Query("role"), c.Query("policy"))
	if err != nil {
		return fmt.Errorf("checkpoint of %s: %w", link, err)
	}
	s.note(c.UserContext(), &persistence.Event{Kind: "admin.checkpoint.downloaded", Actor: v.user.Name, Detail: persistence.Document{
		"experiment": link, "scope": state.Scope, "role": state.Role, "hash": state.Hash,
	}})
	c.Set(fiber.HeaderContentType, fiber.MIMEOctetStream)
	c.Set(fiber.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="%s-%s.checkpoint"`, link, fileName(state.Hash)))
	return c.Send(state.Data)
}

// fileName is the part of a hash that goes into a file's name.
func fileName(hash string) string {
	return cleanText(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, hash), 12)
}
