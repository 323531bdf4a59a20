package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sharpie/experiments"
	"sharpie/http"
	"sharpie/persistence"
	"sharpie/persistence/embedded"
)

func clock() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func openStore(t *testing.T) *embedded.Store {
	t.Helper()
	store, err := embedded.Open(t.Context(), filepath.Join(t.TempDir(), "sharpie.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func TestDemosAreInstalledAndNeverOverwriteAResearchersVersion(t *testing.T) {
	store := openStore(t)
	for range 2 { // the second start changes nothing
		if err := installDemos(t.Context(), store, clock()); err != nil {
			t.Fatal(err)
		}
	}
	all, err := store.LatestExperiments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(experiments.Demos()) {
		t.Errorf("%d experiments are installed, want %d", len(all), len(experiments.Demos()))
	}
	for _, e := range all {
		if e.Version != 1 || !e.Enabled {
			t.Errorf("%s has version %d, enabled %t; want 1, true", e.Link, e.Version, e.Enabled)
		}
	}

	demo := experiments.Demos()[0]
	own := bytes.Replace(demo.YAML, []byte("name: Mountain Car\n"), []byte("name: My own car\n"), -1)
	mine, fresh, err := newImporter(store, builtinMaker{registries()}, clock).Import(t.Context(), "own.yaml", own, "maria")
	if err != nil || !fresh || mine.Version != 2 {
		t.Fatalf("import: version %+v, fresh %t, %v", mine, fresh, err)
	}
	if err := installDemos(t.Context(), store, clock()); err != nil {
		t.Fatal(err)
	}
	latest, err := store.LatestExperiment(t.Context(), "mountain-car")
	if err != nil || latest.ImportedBy != "maria" {
		t.Errorf("after another start the latest version is %+v (%v), want maria's", latest, err)
	}
}

func TestTheAdministratorsLinkWorksOnceAndUntilSomeoneHasLoggedIn(t *testing.T) {
	store := openStore(t)
	first, err := adminLink(t.Context(), store, "http://localhost:8080", clock())
	if err != nil {
		t.Fatal(err)
	}
	token, ok := strings.CutPrefix(first, "http://localhost:8080/once/")
	if !ok || len(token) < 40 {
		t.Fatalf("the link is %q", first)
	}
	// a second start, before anybody logged in: another link to the same person
	if again, err := adminLink(t.Context(), store, "", clock()); err != nil || again == "" {
		t.Fatalf("the second link is %q, %v", again, err)
	}
	if n, err := store.CountAdmins(t.Context()); n != 1 || err != nil {
		t.Errorf("there are %d administrators, want 1 (%v)", n, err)
	}
	link, err := store.UseOneTimeLink(t.Context(), http.HashToken(token), clock().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	admin, err := store.User(t.Context(), link.UserID)
	if err != nil || !admin.Admin {
		t.Fatalf("the link leads to %+v (%v), want an administrator", admin, err)
	}
	now := clock()
	admin.LastLoginAt = &now
	if err := store.UpdateUser(t.Context(), admin); err != nil {
		t.Fatal(err)
	}
	if after, err := adminLink(t.Context(), store, "", clock()); after != "" || err != nil {
		t.Errorf("after the log-in there is a link %q (%v), want none", after, err)
	}
}

func TestAnAdministratorIsFoundBesideAParticipantOfThatName(t *testing.T) {
	store := openStore(t)
	taken := &persistence.User{ID: "u_1", Name: "Admin", NameKey: "admin", CreatedAt: clock()}
	if err := store.InsertUser(t.Context(), taken); err != nil {
		t.Fatal(err)
	}
	if link, err := adminLink(t.Context(), store, "", clock()); link == "" || err != nil {
		t.Fatalf("the link is %q, %v", link, err)
	}
	if u, err := store.UserByName(t.Context(), "administrator"); err != nil || !u.Admin {
		t.Errorf("the administrator is %+v (%v)", u, err)
	}
}

func TestSecretsAreMadeOnceAndForTheOwnerAlone(t *testing.T) {
	data := t.TempDir()
	first, fresh, err := loadSecrets(data)
	if err != nil || !fresh || len(first.Server) != 32 || len(first.RegistrationKey) < 15 {
		t.Fatalf("first start: %+v, fresh %t, %v", first, fresh, err)
	}
	second, fresh, err := loadSecrets(data)
	if err != nil || fresh || second.RegistrationKey != first.RegistrationKey || !bytes.Equal(second.Server, first.Server) {
		t.Errorf("second start: %+v, fresh %t, %v; want the same secrets", second, fresh, err)
	}
	path := filepath.Join(data, "secrets.json")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v (%v), want 0600", info.Mode(), err)
	}
	// a researcher who sets a key of their own in the file keeps the other secret
	raw, _ := json.Marshal(secrets{RegistrationKey: "ours", Server: first.Server})
	write(t, path, string(raw))
	if third, _, err := loadSecrets(data); err != nil || third.RegistrationKey != "ours" {
		t.Errorf("with a key of one's own: %+v, %v", third, err)
	}
	write(t, path, "{")
	if _, _, err := loadSecrets(data); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged file gives %v", err)
	}
}
