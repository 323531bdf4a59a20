package http_test

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzForms sends anything to every form: a refusal is fine, a fault is not.
func FuzzForms(f *testing.F) {
	for _, seed := range [][2]string{
		{"name=Ada&password=correct+horse", "application/x-www-form-urlencoded"},
		{"role=%00&room=%ff%fe&consent=agree", "application/x-www-form-urlencoded"},
		{"value=on&value=off&reason=" + strings.Repeat("%F0%9F%92%A9", 100), "application/x-www-form-urlencoded"},
		{"%zz&&==;;", "application/x-www-form-urlencoded"},
		{"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../../x.yaml\"\r\n\r\n[\r\n--b--\r\n", "multipart/form-data; boundary=b"},
		{"--b\r\nContent-Disposition: form-data; name=\"file\"", "multipart/form-data; boundary=b"},
		{"x", "multipart/form-data"},
		{`{"name":1}`, "application/json"},
		{"", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, body, kind string) {
		if strings.ContainsAny(kind, "\r\n\x00") || len(body) > 1<<16 {
			t.Skip()
		}
		s := fuzzSite(t)
		for _, path := range []string{
			"/register", "/login", "/profile/password", "/consents/x/withdraw", "/x/mountain-car/join", "/x/mountain-car/consent",
			"/s/session_x/leave", "/admin/experiments", "/admin/users/user_x/admin", "/admin/sessions/session_x/abort",
			"/admin/runners", "/admin/runners/keys/rk_x/revoke", "/once/" + strings.Repeat("A", 43),
		} {
			r := s.root.request("POST", path, strings.NewReader(body), "X-CSRF-Token", s.root.token)
			r.Header.Set("Content-Type", kind)
			res, err := s.root.client.Do(r)
			if err != nil {
				continue // a header that Go itself does not send
			}
			_ = res.Body.Close()
			if res.StatusCode >= 500 {
				t.Errorf("POST %s of %q as %q answered %d", path, body, kind, res.StatusCode)
			}
		}
	})
}

type fuzzed struct {
	*site
	root *browser
}

// fuzzSite is a site with an administrator and no rate limits.
func fuzzSite(t *testing.T) fuzzed {
	t.Helper()
	s := newSite(t, noRates, takesNodes)
	return fuzzed{s, s.admin("root")}
}

func TestWhatPeopleTypeIsNeverMarkup(t *testing.T) {
	s := newSite(t)
	root := s.admin("root")
	const nasty = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	q := url.QueryEscape(nasty)
	for _, path := range []string{
		"/x/simple-tag?room=" + q + "&role=" + q, "/admin/users?q=" + q, "/admin/events?kind=" + q, "/admin/sessions?from=" + q,
		"/login?next=/" + q, "/register?key=" + q + "&next=/" + q, "/" + url.PathEscape(nasty),
	} {
		for _, b := range []*browser{root, s.browser()} {
			if p := b.get(path); strings.Contains(p.body, "<script>alert") || strings.Contains(p.body, "<img src=x") {
				t.Errorf("%s: what was typed came back as markup", path)
			}
		}
	}
	at := root.post("/x/simple-tag/join", url.Values{"consent": {"agree"}, "room": {nasty}}).location
	for _, path := range []string{at, "/admin", "/admin/sessions"} {
		if p := root.get(path); p.status != 200 || strings.Contains(p.body, "<script>alert") || strings.Contains(p.body, "<img src=x") {
			t.Errorf("%s answered %d with the room's name as markup", path, p.status)
		}
	}
}
