package http_test

import (
	"net/url"
	"testing"
)

func TestFormsNeedTheVisitorsToken(t *testing.T) {
	s := newSite(t)
	b := s.browser().register("Ada")
	other := s.browser().register("Eve")
	stranger := s.browser()
	stranger.get("/")
	own := b.token
	for name, token := range map[string]string{
		"none": "", "nonsense": "abc", "another user's": other.token, "a stranger's": stranger.token,
	} {
		t.Run(name, func(t *testing.T) {
			b.post("/logout", url.Values{"_csrf": {token}}).wants(t, 403, "reload the page")
		})
	}
	b.get("/profile").wants(t, 200, "Ada") // still logged in
	b.post("/logout", url.Values{"_csrf": {""}}, "X-CSRF-Token", own).leadsTo(t, "/")
}

func TestStrangersFormsNeedTheirTokenToo(t *testing.T) {
	s := newSite(t)
	s.browser().register("Ada")
	form := func(token string) url.Values {
		return url.Values{"name": {"Ada"}, "password": {password}, "_csrf": {token}}
	}
	noCookie := s.browser()
	noCookie.post("/login", form("abc")).wants(t, 403)
	victim, attacker := s.browser(), s.browser()
	victim.get("/login")
	attacker.get("/login")
	victim.post("/login", form(attacker.token)).wants(t, 403)
	victim.post("/login", form(victim.token)).leadsTo(t, "/")
}

func TestTokenOfBeforeTheLoginIsWorthless(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.get("/register")
	before := b.token
	b.register("Ada")
	b.post("/logout", url.Values{"_csrf": {before}}).wants(t, 403)
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	s := newSite(t)
	b := s.browser().register("Ada")
	for name, headers := range map[string][]string{
		"foreign origin":         {"Origin", "https://evil.example"},
		"opaque origin":          {"Origin", "null"},
		"other port":             {"Origin", "http://127.0.0.1:1"},
		"our name in theirs":     {"Origin", s.url + ".evil.example"},
		"foreign referer":        {"Origin", "", "Referer", "https://evil.example/" + s.host},
		"neither":                {"Origin", ""},
		"cross-site by metadata": {"Origin", "", "Sec-Fetch-Site", "cross-site"},
	} {
		t.Run(name, func(t *testing.T) {
			b.post("/logout", nil, headers...).wants(t, 403, "another web site")
		})
	}
	b.get("/profile").wants(t, 200)
	b.post("/logout", nil, "Origin", "", "Referer", s.url+"/profile").leadsTo(t, "/")
}
