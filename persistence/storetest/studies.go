package storetest

import (
	"testing"
	"time"

	"sharpie/persistence"
)

func testParticipants(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	t.Run("50 who ask at once get the same one", func(t *testing.T) {
		ids := make([]persistence.ParticipantID, 50)
		for _, err := range concurrently(50, func(i int) error {
			p, err := s.EnsureParticipant(ctx, "ann", "car", now)
			if err == nil {
				ids[i] = p.ID
			}
			return err
		}) {
			must(t, err)
		}
		for _, id := range ids {
			if id == "" || id != ids[0] {
				t.Fatalf("different participants: %v", ids)
			}
		}
		if all := collect(t, s.ParticipantsOfExperiment(ctx, "car")); len(all) != 1 {
			t.Errorf("%d participants are stored, want 1", len(all))
		}
	})
	t.Run("it is complete, and the first time stays", func(t *testing.T) {
		p := get[*persistence.Participant](t)(s.EnsureParticipant(ctx, "ann", "car", now.Add(time.Hour)))
		equal(t, p, &persistence.Participant{ID: p.ID, UserID: "ann", Experiment: "car", CreatedAt: kept(now)})
		equal(t, get[*persistence.Participant](t)(s.Participant(ctx, p.ID)), p)
	})
	t.Run("another experiment is another participant", func(t *testing.T) {
		get[*persistence.Participant](t)(s.EnsureParticipant(ctx, "ann", "tag", now.Add(time.Minute)))
		get[*persistence.Participant](t)(s.EnsureParticipant(ctx, "bob", "car", now.Add(time.Minute)))
		var links []string
		for _, p := range get[[]*persistence.Participant](t)(s.ParticipantsOf(ctx, "ann")) {
			links = append(links, p.Experiment)
		}
		equal(t, links, []string{"car", "tag"})
	})
	t.Run("an experiment's stream is oldest first", func(t *testing.T) {
		var users []persistence.UserID
		for _, p := range collect(t, s.ParticipantsOfExperiment(ctx, "car")) {
			users = append(users, p.UserID)
		}
		equal(t, users, []persistence.UserID{"ann", "bob"})
	})
	t.Run("update compares Rev", func(t *testing.T) {
		p := get[*persistence.Participant](t)(s.EnsureParticipant(ctx, "ann", "car", now))
		stale := *p
		p.CompletionCode, p.External = "ABC", map[string]string{"PROLIFIC_PID": "p1", "a": "b"}
		must(t, s.UpdateParticipant(ctx, p))
		equal(t, get[*persistence.Participant](t)(s.Participant(ctx, p.ID)), p)
		wantErr(t, s.UpdateParticipant(ctx, &stale), persistence.ErrConflict)
	})
	t.Run("unknown is ErrNotFound", func(t *testing.T) {
		_, err := s.Participant(ctx, "nobody")
		wantErr(t, err, persistence.ErrNotFound)
	})
	t.Run("no user is ErrInvalid", func(t *testing.T) {
		_, err := s.EnsureParticipant(ctx, "", "car", now)
		wantErr(t, err, persistence.ErrInvalid)
	})
	t.Run("responses may be repeated", func(t *testing.T) {
		r := &persistence.Response{ID: "r1", ParticipantID: "p", SessionID: "s", Form: "after",
			Answers: persistence.Document{"how": "well", "again": true, "score": 7.0}, ReceivedAt: now}
		must(t, s.InsertResponse(ctx, r))
		must(t, s.InsertResponse(ctx, r))
		other := *r
		other.Form = "before"
		wantErr(t, s.InsertResponse(ctx, &other), persistence.ErrConflict)
	})
}

func testConsents(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	consent := func(id, link string, at time.Time) *persistence.Consent {
		return &persistence.Consent{ID: id, UserID: "ann", Experiment: link, TextHash: "h", Text: "I agree.", GivenAt: kept(at)}
	}
	a := consent("a", "car", now)
	must(t, s.InsertConsent(ctx, a))
	must(t, s.InsertConsent(ctx, a))
	t.Run("in force", func(t *testing.T) {
		equal(t, get[*persistence.Consent](t)(s.ConsentFor(ctx, "ann", "car", "h")), a)
	})
	t.Run("for another text, experiment or user is ErrNotFound", func(t *testing.T) {
		for _, c := range [][3]string{{"ann", "car", "other"}, {"ann", "tag", "h"}, {"bob", "car", "h"}, {"ann", "", "h"}} {
			_, err := s.ConsentFor(ctx, persistence.UserID(c[0]), c[1], c[2])
			wantErr(t, err, persistence.ErrNotFound)
		}
	})
	t.Run("withdrawn is ErrNotFound, and stays on record", func(t *testing.T) {
		must(t, s.WithdrawConsent(ctx, "a", now.Add(time.Minute)))
		must(t, s.WithdrawConsent(ctx, "a", now.Add(time.Hour)))
		_, err := s.ConsentFor(ctx, "ann", "car", "h")
		wantErr(t, err, persistence.ErrNotFound)
		a.WithdrawnAt = keptp(now.Add(time.Minute))
		equal(t, get[[]*persistence.Consent](t)(s.ConsentsOf(ctx, "ann")), []*persistence.Consent{a})
	})
	t.Run("given again", func(t *testing.T) {
		must(t, s.InsertConsent(ctx, consent("b", "car", now.Add(time.Hour))))
		must(t, s.InsertConsent(ctx, consent("c", "", now.Add(2*time.Hour))))
		if c := get[*persistence.Consent](t)(s.ConsentFor(ctx, "ann", "car", "h")); c.ID != "b" {
			t.Errorf("consent %s is in force, want b", c.ID)
		}
		var ids []string
		for _, c := range get[[]*persistence.Consent](t)(s.ConsentsOf(ctx, "ann")) {
			ids = append(ids, c.ID)
		}
		equal(t, ids, []string{"c", "b", "a"})
	})
	t.Run("withdrawing an unknown one is ErrNotFound", func(t *testing.T) {
		wantErr(t, s.WithdrawConsent(ctx, "nothing", now), persistence.ErrNotFound)
	})
}
