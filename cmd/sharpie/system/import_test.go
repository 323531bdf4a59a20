package system

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"sharpie/cmd/sharpie/internal/client"
)

// bad are experiment files that nobody should have to debug later, and what is to be
// said of each.
var bad = []struct {
	name, yaml string
	want       []string
}{
	{"unknown key", edit("name: Study good", "nmae: Study good"), []string{"bad.yaml:", "nmae", `"name"`}},
	{"wrong type", edit("target_fps: 20", "target_fps: fast"), []string{"bad.yaml:", "target_fps", "want a number"}},
	{"out of range", edit("target_fps: 20", "target_fps: 9000"), []string{"bad.yaml:", "target_fps", "0 to 240"}},
	{"unknown environment", edit("go:Bench-v0", "go:Bensh-v0"), []string{"bad.yaml:", "go:Bensh-v0", "Bench-v0"}},
	{"a role that is not there", edit("role: agent_0", "role: agent_7"), []string{"bad.yaml:", "agent_7", "agent_0"}},
	{"an action that is none", edit("ArrowLeft: 1", "ArrowLeft: 12"), []string{"bad.yaml:", "ArrowLeft", "0 to 4"}},
	{"link that is no slug", edit("link: good", "link: ../good"), []string{"bad.yaml:", "link"}},
	{"key given twice", edit("countdown: 0s", "countdown: 0s\n  countdown: 1s"), []string{"bad.yaml:", "countdown", "twice"}},
	{"no YAML", "{[", []string{"bad.yaml"}},
	{"empty", "", []string{"bad.yaml"}},
	{"binary", "\x00\x01\x02\xff\xfe", []string{"bad.yaml"}},
	{"aliases that explode", explosion(), []string{"bad.yaml"}},
}

// good is an experiment that can be imported.
var good = study{link: "good", seats: 1}.yaml()

// edit spoils the good one. Its link changes, so that it cannot hide behind it.
func edit(old, text string) string {
	if !strings.Contains(good, old) {
		panic("the good file has no " + old)
	}
	return strings.Replace(strings.Replace(good, old, text, 1), "link: good\n", "link: bad\n", 1)
}

func explosion() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 9 {
		n := string(rune('1' + i))
		m := string(rune('0' + i))
		b.WriteString("a" + n + ": &a" + n + " [" + strings.Repeat("*a"+m+", ", 9) + "*a" + m + "]\n")
	}
	return b.String()
}

func TestABadFileIsNotImportedFromTheCommandLine(t *testing.T) {
	t.Parallel()
	s := serve(t, "", nil)
	admin := s.administrator()
	for _, test := range bad {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			writeFile(t, filepath.Join(folder, "bad.yaml"), test.yaml)
			code, said := s.command("import", folder)
			if code != 1 {
				t.Errorf("exit code %d, want 1:\n%s", code, said)
			}
			for _, want := range append(test.want, "1 of 1 experiments were not imported") {
				if !strings.Contains(said, want) {
					t.Errorf("import does not say %q:\n%s", want, said)
				}
			}
		})
	}
	t.Run("beside a good one", func(t *testing.T) {
		folder := t.TempDir()
		writeFile(t, filepath.Join(folder, "bad.yaml"), bad[0].yaml)
		writeFile(t, filepath.Join(folder, "good.yaml"), good)
		if code, said := s.command("import", folder); code != 1 || !strings.Contains(said, "1 of 2 experiments were not imported") {
			t.Errorf("exit code %d, want 1:\n%s", code, said)
		}
		says(t, admin.get("/x/good"), http.StatusOK, "Study good")
		if code, said := s.command("import", filepath.Join(folder, "good.yaml")); code != 0 || !strings.Contains(said, "unchanged") {
			t.Errorf("importing the good one again: exit code %d, want 0 and \"unchanged\":\n%s", code, said)
		}
	})
	t.Run("a file that is not there", func(t *testing.T) {
		if code, said := s.command("import", filepath.Join(t.TempDir(), "none.yaml")); code == 0 || !strings.Contains(said, "none.yaml") {
			t.Errorf("exit code %d, want a failure that names the file:\n%s", code, said)
		}
	})
	t.Run("an empty folder", func(t *testing.T) {
		if code, said := s.command("import", t.TempDir()); code == 0 || !strings.Contains(said, "no experiment") {
			t.Errorf("exit code %d, want a failure:\n%s", code, said)
		}
	})
	says(t, admin.get("/x/bad"), http.StatusNotFound)
	s.kill()
	holdsOnly(t, s, "good")
}

func TestABadFileIsNotImportedByUpload(t *testing.T) {
	t.Parallel()
	s := serve(t, "", nil)
	admin := s.administrator()
	for _, test := range bad {
		t.Run(test.name, func(t *testing.T) {
			page := admin.upload(map[string]string{"bad.yaml": test.yaml})
			says(t, page, http.StatusUnprocessableEntity, test.want...)
		})
	}
	t.Run("beside a good one", func(t *testing.T) {
		page := admin.upload(map[string]string{"good.yaml": good, "bad.yaml": bad[0].yaml})
		says(t, page, http.StatusUnprocessableEntity, bad[0].want...)
		says(t, admin.get("/x/good"), http.StatusNotFound)
	})
	t.Run("too large", func(t *testing.T) {
		page := admin.upload(map[string]string{"bad.yaml": good + strings.Repeat("# comment\n", 2_000_000)})
		if page.Status != http.StatusRequestEntityTooLarge {
			t.Errorf("answered with %d, want 413", page.Status)
		}
	})
	t.Run("by someone who is no administrator", func(t *testing.T) {
		ada := s.register("Ada")
		if page := ada.upload(map[string]string{"good.yaml": good}); page.Status != http.StatusForbidden {
			t.Errorf("answered with %d, want 403", page.Status)
		}
	})
	s.kill()
	holdsOnly(t, s)
}

// upload sends files with the form of the Admin page.
func (p *person) upload(files map[string]string) client.Page {
	p.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, text := range files {
		part, err := form.CreateFormFile("file", name)
		if err != nil {
			p.t.Fatal(err)
		}
		if _, err := part.Write([]byte(text)); err != nil {
			p.t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		p.t.Fatal(err)
	}
	page, err := p.browser.Send(p.t.Context(), "/admin/experiments", form.FormDataContentType(), &body, p.get("/profile").FormToken())
	if err != nil {
		p.t.Fatal(err)
	}
	return page
}

// holdsOnly checks that nothing but these experiments is stored, in one version each.
func holdsOnly(t *testing.T, s *server, links ...string) {
	t.Helper()
	all, err := s.store().LatestExperiments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range all {
		got = append(got, e.Link)
		if e.Version != 1 {
			t.Errorf("%s has %d versions, want 1", e.Link, e.Version)
		}
	}
	if strings.Join(got, " ") != strings.Join(links, " ") {
		t.Errorf("stored are %q, want %q", got, links)
	}
	if parts, err := filepath.Glob(filepath.Join(s.data, "*.part")); err != nil || len(parts) > 0 {
		t.Errorf("half-written files are left: %q, %v", parts, err)
	}
}
