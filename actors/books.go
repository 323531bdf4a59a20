package actors

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"

	"sharpie/actors/messages"
	"sharpie/persistence"
)

// books is what a recorder knows of the documents that it writes: their revisions
// and the sums over their steps. Writes use it one after the other.
type books struct {
	store      persistence.Store
	id         persistence.SessionID
	sessionRev int64
	opened     bool

	episode persistence.EpisodeID
	rev     int64
	stored  int64 // step records
	returns []float64
	human   []float64
}

func newBooks(s persistence.Store, id persistence.SessionID) *books { return &books{store: s, id: id} }

// reopenBooks goes on where a former run of this node ended.
func reopenBooks(s persistence.Store, from *restored) *books {
	b := newBooks(s, from.doc.ID)
	b.opened, b.sessionRev = true, from.doc.Rev
	if e := from.episode; e != nil {
		b.episode, b.rev, b.stored = e.ID, e.Rev, from.tally.records
		b.returns, b.human = from.tally.returns, from.tally.human
	}
	return b
}

// panicError is a panic of a store, as an error.
type panicError struct{ value any }

func (p panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// putSession inserts the session, or replaces it. This node owns it, so where
// another revision is stored, it is one that this node wrote without hearing so.
func (b *books) putSession(ctx context.Context, doc persistence.Session) error {
	if !b.opened {
		if err := b.store.InsertSession(ctx, &doc); err != nil {
			return fmt.Errorf("insert session %s: %w", doc.ID, err)
		}
		b.opened, b.sessionRev = true, doc.Rev
		return nil
	}
	doc.Rev = b.sessionRev
	err := b.store.UpdateSession(ctx, &doc)
	if errors.Is(err, persistence.ErrConflict) {
		now, readErr := b.store.Session(ctx, doc.ID)
		if readErr != nil {
			return fmt.Errorf("read session %s after a conflict: %w", doc.ID, readErr)
		}
		doc.Rev = now.Rev
		err = b.store.UpdateSession(ctx, &doc)
	}
	if err != nil {
		return fmt.Errorf("update session %s: %w", doc.ID, err)
	}
	b.sessionRev = doc.Rev
	return nil
}

// putEpisode inserts the episode, or writes its end, with what its steps add up to.
func (b *books) putEpisode(ctx context.Context, doc persistence.Episode) error {
	doc.Roles = append([]persistence.EpisodeRole(nil), doc.Roles...)
	if b.episode != doc.ID {
		if err := b.store.InsertEpisode(ctx, &doc); err != nil {
			return fmt.Errorf("insert episode %s: %w", doc.ID, err)
		}
		b.episode, b.rev, b.stored = doc.ID, doc.Rev, 0
		b.returns, b.human = make([]float64, len(doc.Roles)), make([]float64, len(doc.Roles))
		return nil
	}
	for i := range doc.Roles {
		doc.Roles[i].Return, doc.Roles[i].HumanReturn = b.returns[i], b.human[i]
	}
	doc.StoredSteps, doc.Rev = b.stored, b.rev
	err := b.store.UpdateEpisode(ctx, &doc)
	if errors.Is(err, persistence.ErrConflict) {
		now, readErr := b.store.Episode(ctx, doc.ID)
		if readErr != nil {
			return fmt.Errorf("read episode %s after a conflict: %w", doc.ID, readErr)
		}
		doc.Rev = now.Rev
		err = b.store.UpdateEpisode(ctx, &doc)
	}
	if err != nil {
		return fmt.Errorf("update episode %s: %w", doc.ID, err)
	}
	b.rev = doc.Rev
	return nil
}

// putSteps stores a chunk and adds it to the sums.
func (b *books) putSteps(ctx context.Context, chunk *persistence.StepChunk, records []*messages.StepRecord) error {
	if err := b.store.InsertStepChunks(ctx, []*persistence.StepChunk{chunk}); err != nil {
		return fmt.Errorf("insert steps %d to %d of %s: %w", chunk.First, chunk.First+int64(chunk.Count)-1, chunk.EpisodeID, err)
	}
	if chunk.EpisodeID != b.episode {
		return nil
	}
	b.stored += int64(chunk.Count)
	for _, rec := range records {
		for i, r := range rec.GetRoles() {
			if i < len(b.returns) {
				b.returns[i] += r.GetReward()
				b.human[i] += r.GetHumanReward()
			}
		}
	}
	return nil
}

// salvage closes the session with what is stored of it.
func (b *books) salvage(ctx context.Context, doc persistence.Session) error {
	now, err := b.store.Session(ctx, doc.ID)
	if errors.Is(err, persistence.ErrNotFound) {
		return b.putSession(ctx, doc)
	}
	if err != nil {
		return fmt.Errorf("read session %s: %w", doc.ID, err)
	}
	doc.Rev = now.Rev
	return closeSession(ctx, b.store, &doc, doc.Reason)
}

// feedback adds a reward that came after the last step.
func (b *books) feedback(f *feedback) {
	if f.role < len(b.human) {
		b.human[f.role] += f.reward
	}
}

// complete gives participants their completion codes. Somebody who has one from an
// earlier session keeps it.
func (b *books) complete(ctx context.Context, m *complete) error {
	for _, id := range m.participants {
		if m.code == "" {
			return nil
		}
		p, err := b.store.Participant(ctx, id)
		if errors.Is(err, persistence.ErrNotFound) {
			continue // withdrawn in the meantime
		}
		if err != nil {
			return fmt.Errorf("read participant %s: %w", id, err)
		}
		if p.CompletionCode != "" {
			continue
		}
		p.CompletionCode = m.code
		if m.code == "random" {
			p.CompletionCode = randomCode()
		}
		if err := b.store.UpdateParticipant(ctx, p); err != nil {
			if errors.Is(err, persistence.ErrConflict) { // somebody wrote in between: read again
				return fmt.Errorf("store completion code of %s: %w", id, persistence.ErrUnavailable)
			}
			return fmt.Errorf("store completion code of %s: %w", id, err)
		}
	}
	return nil
}

// randomCode is 10 characters that nobody can guess: 50 random bits.
func randomCode() string {
	var b [7]byte
	_, _ = rand.Read(b[:]) // never fails
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:])[:10]
}
