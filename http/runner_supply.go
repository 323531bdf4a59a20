package http

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"sharpie/actors"
	"sharpie/experiments"
	"sharpie/experiments/supply"
	"sharpie/persistence"
)

// runnerBundle streams the packed files of an experiment to a runner node.
func (s *Server) runnerBundle() fiber.Handler {
	lent := newArchives(s.base, s.cfg.Store)
	return func(c *fiber.Ctx) error {
		ctx, cancel := context.WithTimeout(s.base, archiveWait)
		defer cancel()
		data, release, err := lent.borrow(ctx, c.Params("hash"))
		switch {
		case errors.Is(err, persistence.ErrNotFound):
			return refuseNode(c, fiber.StatusNotFound, "The server has no such bundle.")
		case err != nil:
			s.log.Warn("a bundle was not lent to a runner node", "bundle", c.Params("hash"), "error", err)
			c.Set(fiber.HeaderRetryAfter, "3")
			return refuseNode(c, fiber.StatusServiceUnavailable, "The server cannot read the bundle at the moment.")
		}
		c.Set(fiber.HeaderContentType, fiber.MIMEOctetStream)
		return c.SendStream(newSlowStream(c.Context().Conn(), data, release, s.stopping), len(data))
	}
}

// runnerExperiments lists the open experiments in Python that a node may be given, so
// that it prepares them ahead.
func (s *Server) runnerExperiments() fiber.Handler {
	return func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		labels, err := s.nodeLabels(ctx, c)
		if err != nil {
			return s.nodeWaits(c, err)
		}
		latest, err := s.cfg.Store.LatestExperiments(ctx)
		if err != nil {
			return s.nodeWaits(c, err)
		}
		body, err := json.Marshal(s.listing(latest, labels))
		if err != nil {
			return fmt.Errorf("list experiments for runner nodes: %w", err)
		}
		sum := sha256.Sum256(body)
		tag := `"` + hex.EncodeToString(sum[:16]) + `"`
		c.Set(fiber.HeaderETag, tag)
		if c.Get(fiber.HeaderIfNoneMatch) == tag {
			return c.SendStatus(fiber.StatusNotModified)
		}
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Send(body)
	}
}

// nodeWaits is the answer while the store is away.
func (s *Server) nodeWaits(c *fiber.Ctx, err error) error {
	s.log.Warn("a runner node was not told what to prepare", "error", err)
	c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int((10 * time.Second).Seconds())))
	return refuseNode(c, fiber.StatusServiceUnavailable, "The server cannot list experiments at the moment.")
}

// nodeLabels are the labels that the node names, and those of its key.
func (s *Server) nodeLabels(ctx context.Context, c *fiber.Ctx) ([]string, error) {
	var labels []string
	for _, l := range c.Context().QueryArgs().PeekMulti(supply.LabelParameter) {
		if len(labels) == supply.MaxLabels {
			break
		}
		labels = append(labels, string(l))
	}
	id, _ := c.Locals(nodeKeyLocal).(string)
	keys, err := s.cfg.Store.RunnerKeys(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if k.ID == id {
			labels = append(labels, k.Labels...)
		}
	}
	return labels, nil
}

// listing is what nodes with these labels prepare: the newest first, within the bounds.
func (s *Server) listing(latest []*persistence.Experiment, labels []string) supply.Listing {
	list := supply.Listing{Experiments: []supply.Item{}}
	latest = slices.Clone(latest)
	slices.SortStableFunc(latest, func(a, b *persistence.Experiment) int { return b.ImportedAt.Compare(a.ImportedAt) })
	size := 0
	for _, e := range latest {
		if !e.Enabled {
			continue
		}
		def, err := s.definitions.of(e)
		if err != nil || !usesPython(def) || !satisfied(def, labels) {
			continue // Admin says what cannot be read
		}
		text, err := def.Canonical()
		if err != nil {
			s.log.Warn("an experiment is not told to runner nodes", "experiment", e.Link, "error", err)
			continue
		}
		if len(list.Experiments) == supply.MaxListed || size+len(text) > supply.MaxListing {
			list.LeftOut++
			continue
		}
		size += len(text)
		list.Experiments = append(list.Experiments, supply.Item{Link: e.Link, Version: e.Version, Bundle: e.BundleHash, Definition: bytes.TrimSpace(text)})
	}
	return list
}

func satisfied(def *experiments.Definition, labels []string) bool {
	return !slices.ContainsFunc(def.Experiment.Needs, func(n string) bool { return !slices.Contains(labels, n) })
}

// refuseNode answers in plain text, which a node shows to its operator.
func refuseNode(c *fiber.Ctx, status int, text string) error {
	c.Set(actors.NodeRefusedHeader, "1")
	return c.Status(status).SendString(text)
}
