package http_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"sharpie/actors"
	"sharpie/experiments"
	"sharpie/http"
	"sharpie/persistence"
	"sharpie/web"
)

// definition is a small experiment; more is YAML under "experiment:".
func definition(link, more string) string {
	return fmt.Sprintf(`environment: {name: Mountain Car, source: "go:MountainCar-v0"}
agents:
  - role: agent_0
    name: The car
    participant: true
    inputs_type: actions
    keyboard_inputs: {ArrowLeft: 0, ArrowRight: 2, default: 1}
experiment:
  link: %s
  name: Test of %s
  enabled: true
  number_of_episodes: 1
  target_fps: 24
  wait_for_inputs: false
%s`, link, link, more)
}

func (s *site) install(yaml string) *persistence.Experiment {
	s.t.Helper()
	e, _, err := experiments.Import(s.t.Context(), s.store, experiments.Source{Name: "test.yaml", YAML: []byte(yaml)}, "test", time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

func TestThreeClicksFromTheLinkToPlaying(t *testing.T) {
	s := newSite(t)
	s.browser().register("root")
	b := s.browser()
	token := s.oneTimeLink("root", time.Hour)
	b.get("/once/"+token).wants(t, 200)
	b.post("/once/"+token, nil).leadsTo(t, "/") // 1: log in
	home := b.get("/")
	home.wants(t, 200, "Mountain Car")
	if !strings.Contains(home.body, `href="/x/mountain-car"`) {
		t.Fatal("the home page has no link to /x/mountain-car")
	}
	b.get("/x/mountain-car").wants(t, 200, "I agree and start")                                       // 2: the card
	p := b.post("/x/mountain-car/join", url.Values{"role": {""}, "room": {""}, "consent": {"agree"}}) // 3: start
	if p.status != 303 || !strings.HasPrefix(p.location, "/s/session_") {
		t.Fatalf("join answered %d to %q: %s", p.status, p.location, p.text())
	}
	play := b.get(p.location)
	play.wants(t, 200)
	if !strings.Contains(play.body, `data-socket="`+p.location+`/socket"`) {
		t.Error("the play page does not name its socket")
	}
}

func TestConsentIsAskedOnceAndRecordedAsShown(t *testing.T) {
	s := newSite(t)
	s.install(definition("own-text", "  consent: |\n    You will **drive**.\n"))
	b := s.browser().register("Ada")
	b.get("/x/own-text").wants(t, 200, "You will drive", "I agree and start")
	b.post("/x/own-text/join", nil).wants(t, 422, "agree before you start")
	if n := len(s.platform.joins); n > 0 {
		t.Fatalf("%d joins without consent", n)
	}
	b.post("/x/own-text/join", url.Values{"consent": {"agree"}}).wants(t, 303)
	given, err := s.store.ConsentsOf(t.Context(), s.user("Ada").ID)
	if err != nil || len(given) != 1 {
		t.Fatalf("%d consents stored, error %v; want one", len(given), err)
	}
	text := "You will **drive**.\n"
	sum := sha256.Sum256([]byte(text))
	if k := given[0]; k.Text != text || k.TextHash != hex.EncodeToString(sum[:]) || k.Experiment != "own-text" || !k.GivenAt.Equal(s.clock.now()) {
		t.Errorf("stored %+v, want the exact text, its hash, link and time", k)
	}
	b.post("/x/own-text/join", nil).wants(t, 303) // not asked again
	if given, _ = s.store.ConsentsOf(t.Context(), s.user("Ada").ID); len(given) != 1 {
		t.Errorf("%d consents stored after the second join, want one", len(given))
	}
}

func TestConsentIsAskedAgainWhenTheTextChanged(t *testing.T) {
	s := newSite(t)
	s.install(definition("changing", "  consent: First text.\n"))
	b := s.browser().register("Ada")
	b.get("/x/changing").wants(t, 200, "First text")
	s.platform.setPhase(sessionOf(b.join("changing")), "completed")
	s.install(definition("changing", "  consent: Second text.\n"))
	b.get("/x/changing").wants(t, 200, "Second text", "I agree and start")
	b.post("/x/changing/join", nil).wants(t, 422, "Second text")
	b.post("/x/changing/join", url.Values{"consent": {"agree"}}).wants(t, 303)
}

func TestConsentToATextThatWasNotShownDoesNotCount(t *testing.T) {
	s := newSite(t)
	s.install(definition("changing", "  consent: First text.\n"))
	b := s.browser().register("Ada")
	sum := sha256.Sum256([]byte("First text."))
	s.install(definition("changing", "  consent: Second text.\n"))
	old := url.Values{"consent": {"agree"}, "consent_hash": {hex.EncodeToString(sum[:])}}
	b.post("/x/changing/join", old).wants(t, 422, "The text has changed", "Second text")
	b.post("/x/changing/consent", old).wants(t, 303)
	if given, err := s.store.ConsentsOf(t.Context(), s.user("Ada").ID); err != nil || len(given) != 0 {
		t.Errorf("%d consents stored, error %v; want none", len(given), err)
	}
}

func TestConsentPage(t *testing.T) {
	s := newSite(t)
	b := s.browser().register("Ada")
	page := b.get("/x/mountain-car/consent?next=/x/mountain-car")
	page.wants(t, 200, "I agree", "No, thanks")
	b.post("/x/mountain-car/consent", url.Values{"consent": {"decline"}}).leadsTo(t, "/")
	b.get("/").wants(t, 200, "You did not agree")
	b.post("/x/mountain-car/consent", url.Values{"consent": {"agree"}, "next": {"//evil.example"}}).leadsTo(t, "/x/mountain-car")
	given, err := s.store.ConsentsOf(t.Context(), s.user("Ada").ID)
	if err != nil || len(given) != 1 {
		t.Fatalf("%d consents, error %v; want one", len(given), err)
	}
	if def := s.install(definition("plain", "")); def != nil && given[0].Text == "" {
		t.Error("the platform's own text was not stored with the consent")
	}
	_ = web.DefaultConsent
}

func TestWithdrawingConsentGivesTheSeatUp(t *testing.T) {
	s := newSite(t)
	b := s.browser().register("Ada")
	at := b.join("mountain-car")
	given, _ := s.store.ConsentsOf(t.Context(), s.user("Ada").ID)
	b.get("/profile").wants(t, 200, "Withdraw")

	eve := s.browser().register("Eve")
	eve.post("/consents/"+given[0].ID+"/withdraw", nil).wants(t, 404)

	b.post("/consents/"+given[0].ID+"/withdraw", nil).leadsTo(t, "/profile")
	b.get(at).wants(t, 403, "no seat")
	b.post("/x/mountain-car/join", nil).wants(t, 422, "agree before you start")
}

func TestJoinRefuses(t *testing.T) {
	s := newSite(t)
	s.install(definition("shut", ""))
	if err := s.store.SetExperimentEnabled(t.Context(), "shut", false); err != nil {
		t.Fatal(err)
	}
	s.browser().post("/x/mountain-car/join", nil).wants(t, 403)
	stranger := s.browser()
	stranger.get("/x/mountain-car").wants(t, 200)
	stranger.post("/x/mountain-car/join", nil).leadsTo(t, "/login?next=%2Fx%2Fmountain-car")

	b := s.browser().register("Ada")
	b.get("/x/nothing-here").wants(t, 404)
	b.get("/x/..%2f..%2fetc").wants(t, 404)
	b.post("/x/nothing-here/join", nil).wants(t, 404)
	b.post("/x/shut/join", url.Values{"consent": {"agree"}}).wants(t, 403, "not open")
	b.post("/x/mountain-car/join", url.Values{"consent": {"agree"}, "role": {"no_such_role"}}).wants(t, 422, "not offered")
	b.post("/x/mountain-car/join", url.Values{"consent": {"agree"}, "room": {strings.Repeat("r", 65)}}).wants(t, 422, "at most 64 characters")
	for err, want := range map[error]string{
		actors.ErrDraining: "about to restart", actors.ErrFull: "Very many people", actors.ErrTimeout: "Try again",
	} {
		s.platform.joinErr = fmt.Errorf("join: %w", err)
		b.post("/x/mountain-car/join", url.Values{"consent": {"agree"}}).wants(t, 503, want)
	}
	s.platform.joinErr = actors.ErrNoSeat
	b.post("/x/mountain-car/join", url.Values{"consent": {"agree"}}).wants(t, 422, "taken or not offered")
}

func TestJoinTellsTheActorsWhoAndWhere(t *testing.T) {
	s := newSite(t)
	b := s.browser().register("Ada")
	b.get("/x/simple-tag?room=blue+team&role=").wants(t, 200)
	b.post("/x/simple-tag/join", url.Values{"consent": {"agree"}, "room": {"  blue   team "}}).wants(t, 303)
	j := s.platform.lastJoin()
	if j.Experiment != "simple-tag" || j.Version != 1 || j.Room != "blue team" || j.UserName != "Ada" || j.User != s.user("Ada").ID || j.Definition == nil {
		t.Errorf("actors were asked for %+v", j)
	}
	own, err := s.store.ParticipantsOf(t.Context(), s.user("Ada").ID)
	if err != nil || len(own) != 1 || own[0].ID != j.Participant {
		t.Errorf("participants %v, error %v; want the one that joined, %s", own, err, j.Participant)
	}
	// Joining again is the same participant.
	b.post("/x/simple-tag/join", url.Values{"room": {"blue team"}}).wants(t, 303)
	if again := s.platform.lastJoin(); again.Participant != j.Participant {
		t.Errorf("participant %s at the second join, want %s", again.Participant, j.Participant)
	}
}

func TestShareLinkLeadsIntoTheRoom(t *testing.T) {
	s := newSite(t, func(c *http.Config) { c.PublicURL = "https://lab.example" })
	b := s.browser().register("Ada")
	p := b.get("/x/simple-tag?room=blue+team")
	p.wants(t, 200)
	if want := `https://lab.example/x/simple-tag?room=blue&#43;team`; !strings.Contains(p.body, want) {
		t.Errorf("the page has no link %s", want)
	}
	if p := b.get("/x/mountain-car"); strings.Contains(p.body, `id="share"`) {
		t.Error("an experiment for one person offers a link for partners")
	}
	b.get("/x/simple-tag/lobby").wants(t, 200, "3")
}

func TestExperimentPageOffersToGoOn(t *testing.T) {
	s := newSite(t)
	b := s.browser().register("Ada")
	at := b.join("mountain-car")
	if p := b.get("/x/mountain-car"); !strings.Contains(p.body, `href="`+at+`"`) {
		t.Errorf("the page does not lead back to %s: %s", at, p.text())
	}
	s.platform.setPhase(sessionOf(at), "completed")
	if p := b.get("/x/mountain-car"); strings.Contains(p.body, `href="`+at+`"`) {
		t.Error("the page leads to a session that is over")
	}
}

// join takes a seat and returns the session's path.
func (b *browser) join(link string) string {
	b.s.t.Helper()
	b.get("/x/" + link)
	p := b.post("/x/"+link+"/join", url.Values{"consent": {"agree"}})
	if p.status != 303 || !strings.HasPrefix(p.location, "/s/") {
		b.s.t.Fatalf("joining %s answered %d: %s", link, p.status, p.text())
	}
	return p.location
}

func sessionOf(path string) persistence.SessionID {
	return persistence.SessionID(strings.TrimPrefix(path, "/s/"))
}
