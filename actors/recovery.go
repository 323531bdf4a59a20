package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sharpie/persistence"
)

// closeUnfinished closes what a crash of this node left open: its sessions were aborted,
// and so were their episodes, with the steps that are stored. It returns how many
// sessions that were. Sessions opened after before are not touched.
func closeUnfinished(ctx context.Context, s persistence.Store, node string, before time.Time) (int, error) {
	left, err := s.UnfinishedSessions(ctx, node)
	if err != nil {
		return 0, fmt.Errorf("read unfinished sessions: %w", err)
	}
	n := 0
	for _, doc := range left {
		if !doc.OpenedAt.Before(before) {
			continue
		}
		reason := with(reasonRestarted, "the server ended without closing the session, in phase "+doc.Phase)
		if err := closeSession(ctx, s, doc, reason); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// closeSession ends a session and its running episode for a reason; one that had
// ended keeps its own.
func closeSession(ctx context.Context, s persistence.Store, doc *persistence.Session, reason persistence.Reason) error {
	episodes, err := s.EpisodesOf(ctx, doc.ID)
	if err != nil {
		return fmt.Errorf("read episodes of %s: %w", doc.ID, err)
	}
	now := time.Now().UTC()
	for _, e := range episodes {
		if e.Status != "running" {
			continue
		}
		if err := closeLostEpisode(ctx, s, e, reason, now); err != nil {
			return err
		}
	}
	if doc.EndedAt == nil { // else it had ended, and only the last word was missing
		doc.Phase, doc.Reason, doc.EndedAt = string(phaseAborted), reason, &now
	}
	doc.Finished = true
	if err := s.UpdateSession(ctx, doc); err != nil {
		return fmt.Errorf("close session %s: %w", doc.ID, err)
	}
	event := &persistence.Event{ID: persistence.NewID("ev"), At: now, Kind: "recovered", Actor: "system", SessionID: doc.ID,
		Detail: persistence.Document{"phase": doc.Phase, "reason": doc.Reason.Code}}
	if err := s.InsertEvents(ctx, []*persistence.Event{event}); err != nil {
		return fmt.Errorf("record recovery of %s: %w", doc.ID, err)
	}
	return nil
}

// closeLostEpisode ends an episode with what is stored of it.
func closeLostEpisode(ctx context.Context, s persistence.Store, e *persistence.Episode, r persistence.Reason, now time.Time) error {
	sums := make([]persistence.EpisodeRole, len(e.Roles))
	var records int64
	for c, err := range s.StepChunks(ctx, e.ID) {
		if err != nil {
			return fmt.Errorf("read steps of %s: %w", e.ID, err)
		}
		records += int64(c.Count)
		for i := range min(len(sums), len(c.Roles)) {
			for j, v := range c.Roles[i].Rewards {
				sums[i].Return += v
				if j < len(c.Roles[i].HumanRewards) && c.Roles[i].HumanRewards[j] != nil {
					sums[i].HumanReturn += *c.Roles[i].HumanRewards[j]
				}
			}
		}
	}
	for i := range e.Roles {
		e.Roles[i].Return, e.Roles[i].HumanReturn = sums[i].Return, sums[i].HumanReturn
	}
	e.Status, e.Reason, e.EndedAt, e.StoredSteps, e.Steps = "aborted", r, &now, records, max(0, records-1)
	if err := s.UpdateEpisode(ctx, e); err != nil {
		return fmt.Errorf("close episode %s: %w", e.ID, err)
	}
	return nil
}

// recoverSessions closes what was left, trying again while the store is away.
func recoverSessions(ctx context.Context, s persistence.Store, node string, before time.Time, log *slog.Logger) {
	for tries := 1; ; tries++ {
		n, err := closeUnfinished(ctx, s, node, before)
		if err == nil {
			if n > 0 {
				log.Warn("closed sessions that a former run left open", "sessions", n)
			}
			return
		}
		if ctx.Err() != nil {
			return
		}
		if !errors.Is(err, persistence.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) {
			log.Error("sessions of a former run could not be closed", "error", err)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(backoff(tries)):
		}
	}
}
