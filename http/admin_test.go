package http_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"sharpie/persistence"
)

var adminPages = []string{
	"/admin", "/admin/experiments", "/admin/experiments/mountain-car", "/admin/sessions", "/admin/runners", "/admin/users", "/admin/events",
}

func TestAdminIsNotThereForParticipants(t *testing.T) {
	s := newSite(t)
	at := s.browser().register("Eve").join("mountain-car")
	b := s.browser().register("Ada")
	for _, path := range append(adminPages, "/admin/sessions/"+string(sessionOf(at)), "/admin/runners/keys/rk_none") {
		b.get(path).wants(t, 403, "administrators")
	}
	ada := "/admin/users/" + string(s.user("Ada").ID)
	for _, path := range []string{
		"/admin/experiments", "/admin/experiments/mountain-car/disable", "/admin/sessions/" + string(sessionOf(at)) + "/abort",
		ada + "/admin", ada + "/disabled", "/admin/runners", "/admin/runners/keys/rk_none/revoke",
	} {
		b.post(path, url.Values{"value": {"on"}}).wants(t, 403, "administrators")
	}
	if s.user("Ada").Admin || len(s.platform.aborts) > 0 {
		t.Error("a participant changed something")
	}
	if e, err := s.store.LatestExperiment(t.Context(), "mountain-car"); err != nil || !e.Enabled {
		t.Error("a participant closed an experiment")
	}
}

func TestAdminPagesShowWhatIsThere(t *testing.T) {
	s := newSite(t)
	at := s.browser().register("Eve").join("mountain-car")
	root := s.admin("root")
	for path, text := range map[string]string{
		"/admin":                                    "Mountain Car",
		"/admin/experiments":                        "/x/mountain-car",
		"/admin/experiments/mountain-car":           "go:MountainCar-v0",
		"/admin/experiments/mountain-car?version=1": "go:MountainCar-v0",
		"/admin/sessions":                           string(sessionOf(at)),
		"/admin/runners":                            "This server",
		"/admin/users":                              "Eve",
		"/admin/users?q=eV":                         "Eve",
		"/admin/events":                             "consent.given",
		"/admin/events?kind=consent.given&from=0":   "Eve",
	} {
		t.Run(path, func(t *testing.T) { root.get(path).wants(t, 200, text) })
	}
	if p := root.get("/admin/users?q=eV"); strings.Contains(p.text(), "root you") {
		t.Error("the search shows users of other names")
	}
	root.get("/admin/experiments/none").wants(t, 404)
	root.get("/admin/sessions/none").wants(t, 404)
	root.get("/admin/sessions/"+string(sessionOf(at))).wants(t, 200, "Eve", "waiting")
	s.storeSession(at, "mountain-car")
	if err := s.store.InsertEpisode(t.Context(), &persistence.Episode{
		ID: "episode_1", SessionID: sessionOf(at), Experiment: "mountain-car", ExperimentVersion: 1, Environment: "go:MountainCar-v0",
		Seed: -1, Status: "truncated", Steps: 200, StoredSteps: 201, StartedAt: s.clock.now(), ReceivedAt: s.clock.now(),
		Roles: []persistence.EpisodeRole{{Role: "agent_0", Return: -200}},
	}); err != nil {
		t.Fatal(err)
	}
	root.get("/admin/sessions/"+string(sessionOf(at))).wants(t, 200, "18446744073709551615", "-200", "truncated")
}

func TestAdminOpensAndClosesExperiments(t *testing.T) {
	s := newSite(t)
	root := s.admin("root")
	root.post("/admin/experiments/mountain-car/disable", nil).leadsTo(t, "/admin/experiments")
	root.get("/admin/experiments").wants(t, 200, "mountain-car is closed")
	b := s.browser().register("Ada")
	if p := b.get("/"); strings.Contains(p.text(), "Mountain Car") {
		t.Error("a closed experiment is on the home page")
	}
	b.post("/x/mountain-car/join", url.Values{"consent": {"agree"}}).wants(t, 403, "not open")
	root.post("/x/mountain-car/join", url.Values{"consent": {"agree"}}).wants(t, 303) // to try it
	root.post("/admin/experiments/mountain-car/enable", nil).leadsTo(t, "/admin/experiments")
	b.post("/x/mountain-car/join", url.Values{"consent": {"agree"}}).wants(t, 303)
	root.post("/admin/experiments/none/enable", nil).wants(t, 404)
	s.wantsEvent("admin.experiment.disabled", "root")
	s.wantsEvent("admin.experiment.enabled", "root")
}

// wantsEvent looks for an event of that kind by that user.
func (s *site) wantsEvent(kind, actor string) persistence.Document {
	s.t.Helper()
	events, err := s.store.Events(s.t.Context(), persistence.EventFilter{Kind: kind}, persistence.Page{})
	if err != nil || len(events) == 0 || events[0].Actor != actor {
		s.t.Errorf("events of kind %s: %v, error %v; want one by %s", kind, events, err, actor)
		return nil
	}
	return events[0].Detail
}

func TestAdminImports(t *testing.T) {
	s := newSite(t)
	root := s.admin("root")
	root.upload("new.yaml", definition("brand-new", "")).leadsTo(t, "/admin/experiments")
	root.get("/admin/experiments").wants(t, 200, "imported as version 1", "/x/brand-new")
	root.upload("new.yaml", definition("brand-new", "  max_steps: 50\n")).leadsTo(t, "/admin/experiments")
	root.upload("new.yaml", definition("brand-new", "  max_steps: 50\n")).leadsTo(t, "/admin/experiments")
	root.get("/admin/experiments").wants(t, 200, "unchanged (version 2)")
	root.get("/admin/experiments/brand-new").wants(t, 200, "v2", "root")
	if d := s.wantsEvent("admin.experiment.imported", "root"); d["experiment"] != "brand-new" {
		t.Errorf("event names %v, want brand-new", d["experiment"])
	}
}

func TestAdminImportShowsEveryProblemAndStoresNothing(t *testing.T) {
	s := newSite(t)
	root := s.admin("root")
	bad := strings.Replace(definition("half", "  target_speed: 3\n"), "number_of_episodes: 1", "number_of_episodes: many", 1)
	p := root.upload("good.yaml", definition("whole", ""), "bad.yaml", bad)
	p.wants(t, 422, "bad.yaml:12:", "number_of_episodes", "bad.yaml:15:", "target_speed", "Nothing was imported")
	for _, link := range []string{"half", "whole"} {
		if e, err := s.store.LatestExperiment(t.Context(), link); err == nil {
			t.Errorf("%s was stored: %+v", link, e)
		}
	}
	root.upload().wants(t, 422, "Choose a YAML file")
	root.upload("x.yaml", "<script>alert(1)</script>: [").wants(t, 422, "x.yaml")
	root.upload("huge.yaml", "# "+strings.Repeat("x", 2<<20+1<<10)).wants(t, 413, "larger")
	root.post("/admin/experiments", nil).wants(t, 422, "Choose a YAML file")
}

func TestAdminEndsSessions(t *testing.T) {
	s := newSite(t)
	at := s.browser().register("Eve").join("mountain-car")
	root := s.admin("root")
	path := "/admin/sessions/" + string(sessionOf(at)) + "/abort"
	root.post(path, url.Values{"reason": {"  robot\nis broken "}}).leadsTo(t, "/admin/sessions")
	if got := s.platform.aborts; len(got) != 1 || got[0] != "root: robot is broken" {
		t.Errorf("aborted %q, want one by root with the reason", got)
	}
	root.post("/admin/sessions/session_none/abort", nil).leadsTo(t, "/admin/sessions")
	root.get("/admin/sessions").wants(t, 200, "had ended already")
}

func TestAdminMakesAndUnmakesAdministrators(t *testing.T) {
	s := newSite(t)
	root := s.admin("root")
	eve := s.browser().register("Eve")
	id := func(name string) string { return "/admin/users/" + string(s.user(name).ID) }

	root.post(id("root")+"/admin", url.Values{"value": {"off"}}).wants(t, 409, "last administrator")
	root.post(id("root")+"/disabled", url.Values{"value": {"on"}}).wants(t, 409, "last administrator")
	root.get("/admin").wants(t, 200)

	eve.get("/admin").wants(t, 403, "administrators")
	root.post(id("Eve")+"/admin", url.Values{"value": {"on"}}).leadsTo(t, "/admin/users")
	eve.get("/admin").wants(t, 200) // at once
	s.wantsEvent("admin.user.promoted", "root")

	// A disabled administrator does not count as another one.
	root.post(id("Eve")+"/disabled", url.Values{"value": {"on"}}).leadsTo(t, "/admin/users")
	root.post(id("root")+"/admin", url.Values{"value": {"off"}}).wants(t, 409, "last administrator")
	root.post(id("Eve")+"/disabled", url.Values{"value": {"off"}}).leadsTo(t, "/admin/users")
	root.post(id("root")+"/admin", url.Values{"value": {"off"}}).leadsTo(t, "/admin/users")
	root.get("/admin").leadsTo(t, "/login?next=%2Fadmin")
	root.login("root", password)
	root.get("/admin").wants(t, 403, "administrators")

	eve.login("Eve", password)
	eve.post("/admin/users/user_none/admin", url.Values{"value": {"on"}}).wants(t, 404)
	eve.post(id("root")+"/admin", url.Values{"value": {"maybe"}}).wants(t, 422)
}

func TestDisablingLogsOutAtOnce(t *testing.T) {
	s := newSite(t)
	root := s.admin("root")
	eve, _, w, seat := s.seated("Eve")
	eve.get("/profile").wants(t, 200)
	root.post("/admin/users/"+string(s.user("Eve").ID)+"/disabled", url.Values{"value": {"on"}}).leadsTo(t, "/admin/users")
	eve.get("/profile").leadsTo(t, "/login?next=%2Fprofile")
	w.closed(4002, "logged out")
	within(t, "detaching", seat.detached)
	s.wantsEvent("admin.user.disabled", "root")
}

func TestDashboardWorksWhileTheStoreIsAway(t *testing.T) {
	s := newSite(t)
	at := s.browser().register("Eve").join("mountain-car")
	root := s.admin("root")
	s.store.goAway(true)
	s.platform.mu.Lock()
	s.platform.health.Store, s.platform.health.StoreSince, s.platform.health.UnstoredSteps = s.store.err(), time.Now(), 77
	s.platform.mu.Unlock()
	root.get("/admin").wants(t, 200, "store can't be reached", "77 steps are", string(sessionOf(at)))
}

// A researcher finds who played, how far, and the code that the person will show.
func TestAdminShowsWhoPlayedAndTheirCodes(t *testing.T) {
	s := newSite(t)
	at := s.browser().register("Eve").join("mountain-car")
	eve, err := s.store.UserByName(t.Context(), "Eve")
	if err != nil {
		t.Fatal(err)
	}
	s.storeSession(at, "mountain-car", func(x *persistence.Session) {
		x.Phase = "completed"
		for i := range x.Seats {
			x.Seats[i].User = eve.ID
		}
	})
	people, err := s.store.ParticipantsOf(t.Context(), eve.ID)
	if err != nil || len(people) != 1 {
		t.Fatalf("Eve is %d participants, %v", len(people), err)
	}
	people[0].CompletionCode = "PWJHLFADFX"
	if err := s.store.UpdateParticipant(t.Context(), people[0]); err != nil {
		t.Fatal(err)
	}
	for i, steps := range []int64{120, 77} {
		e := &persistence.Episode{
			ID: persistence.EpisodeID(persistence.NewID("ep_")), SessionID: sessionOf(at), Index: i, Experiment: "mountain-car", ExperimentVersion: 1,
			Environment: "go:MountainCar-v0", Status: "terminated", Steps: steps, StartedAt: s.clock.now(), ReceivedAt: s.clock.now(),
		}
		if err := s.store.InsertEpisode(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	s.admin("root").get("/admin/experiments/mountain-car").wants(t, 200, "197 Driver: Eve code PWJHLFADFX")
}
