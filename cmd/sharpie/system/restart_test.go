package system

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestARestartKeepsLoginsAndSecrets(t *testing.T) {
	t.Parallel()
	s := serve(t, "", []study{{link: "solo", seats: 1}}, ownKey)
	key := printedKey(t, s)
	ada := s.visitor()
	ada.name = "Ada"
	if err := ada.browser.Register(t.Context(), "Ada", password, key); err != nil {
		t.Fatalf("the printed registration key does not work: %v", err)
	}
	together("solo", ada)
	form := ada.get("/profile")
	secrets := readFile(t, filepath.Join(s.data, "secrets.json"))
	if len(secrets) < 50 || !strings.Contains(secrets, key) {
		t.Errorf("secrets.json does not keep the registration key that was printed")
	}

	s.signal(syscall.SIGKILL)
	<-s.done
	s.start()
	says(t, ada.get("/profile"), http.StatusOK, "Ada")
	answer := ada.submit("/profile/password", form, map[string][]string{"current": {"wrong"}, "password": {"x"}, "again": {"x"}})
	if answer.Status == http.StatusForbidden {
		t.Errorf("a form that was open during the restart is refused:\n%s", words(answer.Body))
	}
	if strings.Contains(s.out.text(), key) {
		t.Error("a restarted server prints the registration key again")
	}
	if readFile(t, filepath.Join(s.data, "secrets.json")) != secrets {
		t.Error("the restarted server made other secrets")
	}
	second := s.visitor()
	second.name = "Ben"
	if err := second.browser.Register(t.Context(), "Ben", password, key); err != nil {
		t.Errorf("after a restart the registration key does not work any more: %v", err)
	}
}

// printedKey is the registration key as the server printed it.
func printedKey(t *testing.T, s *server) string {
	t.Helper()
	for line := range strings.Lines(s.out.text()) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "Registration key"); ok {
			return strings.Fields(rest)[0]
		}
	}
	t.Fatalf("no registration key was printed:\n%s", s.out.text())
	return ""
}

func TestNobodyElseOnTheMachineReadsTheData(t *testing.T) {
	t.Parallel()
	s := serve(t, "", nil)
	s.register("Ada")
	count := 0
	err := filepath.WalkDir(s.data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		count++
		if others := info.Mode().Perm() & 0o077; others != 0 {
			t.Errorf("%s has mode %v: others may use it", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sharpie.db", "secrets.json", "control.sock"} {
		if _, err := os.Stat(filepath.Join(s.data, name)); err != nil {
			t.Errorf("%v; looked at %d files", err, count)
		}
	}
}

func TestTheLogKeepsSecretsToItself(t *testing.T) {
	t.Parallel()
	s := serve(t, "", []study{{link: "solo", seats: 1}}, ownKey)
	key := printedKey(t, s)
	once := strings.TrimPrefix(s.admin, "/once/")
	admin := s.administrator()
	says(t, admin.get("/once/"+once), http.StatusOK) // shown again, but used up
	ada := s.visitor()
	ada.name = "Ada"
	if err := ada.browser.Register(t.Context(), "Ada", password, key); err != nil {
		t.Fatal(err)
	}
	page := ada.get("/profile")
	pl := together("solo", ada)[0]
	if err := pl.press("ArrowLeft"); err != nil {
		t.Fatal(err)
	}
	const mistyped = "a password typed wrongly"
	stranger := s.visitor()
	stranger.submit("/login", stranger.get("/login?next=/profile"), map[string][]string{"name": {"Ada"}, "password": {mistyped}})
	stranger.get("/register?key=" + key)
	s.signal(syscall.SIGKILL)
	<-s.done
	for what, secret := range map[string]string{
		"the registration key": key, "the administrator's one-time link": once, "a password": password, "a mistyped password": mistyped,
		"a form's token": page.FormToken(), "a login's cookie": cookieValue(t, ada, "sharpie-login"), "the administrator's cookie": cookieValue(t, admin, "sharpie-login"),
	} {
		if len(secret) < 8 {
			t.Errorf("%s was not found, so it was not looked for", what)
		} else if strings.Contains(s.log.text(), secret) {
			t.Errorf("the log tells %s", what)
		}
	}
}

func cookieValue(t *testing.T, p *person, name string) string {
	t.Helper()
	for _, c := range strings.Split(p.browser.Cookies(), "; ") {
		if value, ok := strings.CutPrefix(c, name+"="); ok {
			return value
		}
	}
	t.Fatalf("%s has no cookie %s", p.name, name)
	return ""
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
