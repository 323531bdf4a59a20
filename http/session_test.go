package http_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"sharpie/persistence"
)

// storeSession stores the session of a path as the actors would.
func (s *site) storeSession(path, link string, change ...func(*persistence.Session)) {
	s.t.Helper()
	s.platform.mu.Lock()
	x := &persistence.Session{
		ID: sessionOf(path), Experiment: link, ExperimentVersion: 1, Phase: "running", OpenedAt: s.clock.now(), Node: "web",
	}
	for _, f := range s.platform.sessions {
		if f.view.ID == x.ID {
			for _, seat := range f.view.Seats {
				x.Seats = append(x.Seats, persistence.Seat{Role: seat.Role, Participant: seat.Participant})
			}
		}
	}
	s.platform.mu.Unlock()
	for _, f := range change {
		f(x)
	}
	if err := s.store.InsertSession(s.t.Context(), x); err != nil {
		s.t.Fatal(err)
	}
}

func TestThanksAfterACompletedSession(t *testing.T) {
	s := newSite(t)
	s.install(definition("paid", "  thanks: Well **done**.\n  completion_code: random\n  redirect_url: https://pay.example/done\n"))
	b := s.browser().register("Ada")
	at := b.join("paid")
	b.get(at+"/thanks").leadsTo(t, at) // not before the end
	s.platform.setPhase(sessionOf(at), "completed")
	s.storeSession(at, "paid", func(x *persistence.Session) {
		now := s.clock.now()
		x.Phase, x.EndedAt, x.Finished, x.Reason = "completed", &now, true, persistence.Reason{Code: "completed"}
	})
	b.get(at).leadsTo(t, at+"/thanks")
	p := b.get(at + "/thanks")
	p.wants(t, 200, "Thank you", "Well done")
	if !strings.Contains(p.body, `href="https://pay.example/done"`) {
		t.Error("no link back to where the participant came from")
	}
	own, err := s.store.ParticipantsOf(t.Context(), s.user("Ada").ID)
	if err != nil || len(own) != 1 || len(own[0].CompletionCode) != 10 {
		t.Fatalf("participant %+v, error %v; want a completion code of 10 characters", own, err)
	}
	p.wants(t, 200, own[0].CompletionCode)
	b.get(at+"/thanks").wants(t, 200, own[0].CompletionCode) // the same again
	b.get("/profile").wants(t, 200, own[0].CompletionCode)
}

func TestThanksAfterAnAbortedSessionSaysWhyAndWhatNext(t *testing.T) {
	s := newSite(t)
	b := s.browser().register("Ada")
	at := b.join("simple-tag")
	s.platform.setPhase(sessionOf(at), "aborted")
	s.storeSession(at, "simple-tag", func(x *persistence.Session) {
		now := s.clock.now()
		x.Phase, x.EndedAt, x.Room = "aborted", &now, "blue"
		x.Reason = persistence.Reason{Code: "lobby_timeout", Detail: "1 of 2 seats after 5m0s", Public: "Nobody else came in time."}
	})
	p := b.get(at + "/thanks")
	p.wants(t, 200, "Nobody else came in time.", "Try again")
	if strings.Contains(p.body, "1 of 2 seats") {
		t.Error("the participant sees the researcher's detail")
	}
	if !strings.Contains(p.body, `name="room" value="blue"`) {
		t.Error("trying again loses the room")
	}
}

func TestLeave(t *testing.T) {
	s := newSite(t)
	b := s.browser().register("Ada")
	at := b.join("simple-tag")
	b.get(at).wants(t, 200)
	participant := s.platform.lastJoin().Participant
	b.post(at+"/leave", nil).leadsTo(t, at+"/thanks?left=1")
	s.storeSession(at, "simple-tag", func(x *persistence.Session) {
		left := s.clock.now()
		x.Seats = []persistence.Seat{{Role: "agent_0", Participant: participant, LeftAt: &left}}
	})
	b.get(at+"/thanks").wants(t, 200, "You left", "Try again")
	// In the lobby a seat that was given up is nobody's again.
	at = b.post("/x/simple-tag/join", url.Values{"room": {"green"}}).location
	b.post(at+"/leave", nil).leadsTo(t, at+"/thanks?left=1")
	s.storeSession(at, "simple-tag")
	b.get(at+"/thanks").wants(t, 200, "You left", "Try again")
	if p := b.get("/x/simple-tag"); strings.Contains(p.body, `href="`+at+`"`) {
		t.Error("the experiment page leads back to a seat that was given up")
	}
}

func TestPlayPageAfterTheServerForgot(t *testing.T) {
	s := newSite(t)
	b := s.browser().register("Ada")
	b.get("/s/session_unknown").wants(t, 404)
	b.get("/s/"+strings.Repeat("x", 100)).wants(t, 404)
	s.browser().get("/s/session_unknown").leadsTo(t, "/login?next=%2Fs%2Fsession_unknown")
	// A session that ended long ago: only the store knows it.
	p, err := s.store.EnsureParticipant(t.Context(), s.user("Ada").ID, "mountain-car", s.clock.now())
	if err != nil {
		t.Fatal(err)
	}
	ended := s.clock.now().Add(-time.Hour)
	if err := s.store.InsertSession(t.Context(), &persistence.Session{
		ID: "session_old", Experiment: "mountain-car", ExperimentVersion: 1, Phase: "completed", OpenedAt: ended, EndedAt: &ended, Finished: true, Node: "web",
		Seats: []persistence.Seat{{Role: "agent_0", Participant: p.ID, User: s.user("Ada").ID}},
	}); err != nil {
		t.Fatal(err)
	}
	b.get("/s/session_old").leadsTo(t, "/s/session_old/thanks")
	b.get("/s/session_old/thanks").wants(t, 200, "Thank you")
}

func TestSessionsPagesNeedALogin(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.get("/")
	for _, path := range []string{"/profile", "/s/session_x", "/s/session_x/thanks", "/x/mountain-car/consent", "/admin", "/admin/users"} {
		t.Run(path, func(t *testing.T) {
			b.get(path).leadsTo(t, "/login?next="+strings.ReplaceAll(path, "/", "%2F"))
			b.get(path, "Accept", "application/json").wants(t, 401, "log in")
		})
	}
	b.post("/s/session_x/leave", nil).leadsTo(t, "/login")
}

func TestWhoCompletedASessionMayPlayAgain(t *testing.T) {
	s := newSite(t)
	s.install(definition("again", ""))
	b := s.browser().register("Ada")
	at := b.join("again")
	s.platform.setPhase(sessionOf(at), "completed")
	s.storeSession(at, "again", func(x *persistence.Session) { x.Phase = "completed" })
	b.get(at+"/thanks").wants(t, 200, "Play again")
}

func TestWhoLeavesReadsThatTheyLeft(t *testing.T) {
	s := newSite(t)
	b := s.browser().register("Ada")
	at := b.join("simple-tag")
	s.platform.setPhase(sessionOf(at), "aborted")
	s.storeSession(at, "simple-tag", func(x *persistence.Session) { x.Phase = "aborted" })
	b.get(at+"/thanks?left=1").wants(t, 200, "You left the game.")
}
