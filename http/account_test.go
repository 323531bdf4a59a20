package http_test

import (
	nethttp "net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sharpie/http"
)

func TestRegisterLogsIn(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.get("/register?next=/x/mountain-car")
	p := b.post("/register", url.Values{
		"name": {"Ada"}, "password": {password}, "again": {password}, "key": {registrationKey}, "next": {"/x/mountain-car"},
	})
	p.leadsTo(t, "/x/mountain-car")
	b.get("/profile").wants(t, 200, "Ada")
	if hash := s.user("ada").PasswordHash; !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("password stored as %q, want argon2id with OWASP's minimum", hash)
	}
}

func TestRegisterRefuses(t *testing.T) {
	s := newSite(t)
	s.browser().register("Taken")
	b := s.browser()
	b.get("/register")
	for name, tc := range map[string]struct {
		name, password, again, key, want string
	}{
		"wrong key":        {"Grace", password, password, "guess", "not the registration key"},
		"no key":           {"Grace", password, password, "", "not the registration key"},
		"short name":       {"Al", password, password, registrationKey, "3 to 40 characters"},
		"long name":        {strings.Repeat("a", 41), password, password, registrationKey, "3 to 40 characters"},
		"markup":           {"Ada<script>alert(1)</script>", password, password, registrationKey, "letters, digits"},
		"leading dash":     {"-rf", password, password, registrationKey, "begins with a letter"},
		"short password":   {"Grace", "seven77", "seven77", registrationKey, "at least 8 characters"},
		"long password":    {"Grace", strings.Repeat("x", 201), strings.Repeat("x", 201), registrationKey, "at most 200 characters"},
		"passwords differ": {"Grace", password, password + "!", registrationKey, "differ"},
		"name as password": {"GraceHopper", "gracehopper", "gracehopper", registrationKey, "differ from the name"},
		"taken":            {"taken", password, password, registrationKey, "taken"},
	} {
		t.Run(name, func(t *testing.T) {
			p := b.post("/register", url.Values{"name": {tc.name}, "password": {tc.password}, "again": {tc.again}, "key": {tc.key}})
			p.wants(t, 422, tc.want)
			if strings.Contains(p.body, "<script>alert") {
				t.Error("the typed name came back as markup")
			}
			if tc.password != "" && strings.Contains(p.body, `value="`+tc.password+`"`) {
				t.Error("the page repeats the password")
			}
		})
	}
}

func TestRegistrationWithoutKeyIsClosed(t *testing.T) {
	closed := newSite(t, func(c *http.Config) { c.RegistrationKey = "" })
	b := closed.browser()
	b.get("/register").wants(t, 422, "closed")
	b.post("/register", url.Values{"name": {"Grace"}, "password": {password}, "key": {""}}).wants(t, 422, "closed")

	open := newSite(t, func(c *http.Config) { c.RegistrationKey, c.OpenRegistration = "", true })
	b = open.browser()
	b.get("/register").wants(t, 200)
	b.post("/register", url.Values{"name": {"Grace"}, "password": {password}}).leadsTo(t, "/")
}

func TestLoginAnswersUnknownNameAndWrongPasswordAlike(t *testing.T) {
	s := newSite(t)
	s.browser().register("Ada")
	wrong := s.browser().login("Ada", "wrong password")
	unknown := s.browser().login("Nobody", "wrong password")
	wrong.wants(t, 422, "do not match")
	unknown.wants(t, 422, "do not match")

	u := s.user("Ada")
	u.Disabled = true
	if err := s.store.UpdateUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	s.browser().login("Ada", password).wants(t, 422, "do not match")
	s.browser().login("", "").wants(t, 422, "do not match")
	s.browser().login(strings.Repeat("x", 5000), strings.Repeat("y", 50_000)).wants(t, 422, "do not match")
}

func TestLoginIgnoresCaseAndComesBack(t *testing.T) {
	s := newSite(t)
	s.browser().register("Ada")
	b := s.browser()
	b.get("/profile").leadsTo(t, "/login?next=%2Fprofile")
	b.get("/login?next=%2Fprofile")
	b.post("/login", url.Values{"name": {"aDA"}, "password": {password}, "next": {"/profile"}}).leadsTo(t, "/profile")
	b.get("/profile").wants(t, 200, "Ada")
}

func TestLogoutEndsTheLoginOnTheServer(t *testing.T) {
	s := newSite(t)
	b := s.browser().register("Ada")
	stolen := b.loginCookie()
	b.get("/profile").wants(t, 200)
	b.post("/logout", nil).leadsTo(t, "/")
	if c := b.loginCookie(); c != nil {
		t.Errorf("the browser still has the cookie %s", c.Name)
	}
	thief := s.browser()
	thief.get("/profile", "Cookie", stolen.Name+"="+stolen.Value).leadsTo(t, "/login?next=%2Fprofile")
}

func TestLoginCookie(t *testing.T) {
	cookieOf := func(p page, suffix string) *nethttp.Cookie {
		for _, c := range p.cookies {
			if strings.HasSuffix(c.Name, suffix) {
				return c
			}
		}
		return &nethttp.Cookie{}
	}
	s := newSite(t, func(c *http.Config) { c.TrustedProxies = []string{"127.0.0.1"} })
	s.browser().register("Ada")

	b := s.browser()
	b.get("/login")
	c := cookieOf(b.post("/login", url.Values{"name": {"Ada"}, "password": {password}}), "sharpie-login")
	if c.Name != "sharpie-login" || !c.HttpOnly || c.SameSite != nethttp.SameSiteLaxMode || c.Secure || c.Path != "/" || c.MaxAge != 30*24*3600 {
		t.Errorf("over HTTP: %+v; want HttpOnly, SameSite=Lax, 30 days", c)
	}
	if len(c.Value) != 43 {
		t.Errorf("cookie of %d characters, want 43 (256 bits)", len(c.Value))
	}

	// Behind a proxy that speaks HTTPS.
	b = s.browser()
	visit := cookieOf(b.get("/login", "X-Forwarded-Proto", "https"), "sharpie-visit")
	c = cookieOf(b.post("/login", url.Values{"name": {"Ada"}, "password": {password}},
		"X-Forwarded-Proto", "https", "Cookie", visit.Name+"="+visit.Value), "sharpie-login")
	if c.Name != "__Host-sharpie-login" || !c.Secure {
		t.Errorf("over HTTPS: %+v; want Secure and the __Host- prefix", c)
	}
}

func TestLoginLastsWhileItIsUsed(t *testing.T) {
	s := newSite(t)
	b := s.browser().register("Ada")
	first := b.loginCookie().Value
	s.clock.advance(25 * time.Hour)
	p := b.get("/profile")
	p.wants(t, 200)
	if len(p.cookies) == 0 || p.cookies[0].MaxAge != 30*24*3600 || p.cookies[0].Value != first {
		t.Errorf("cookies %v, want the login's for another 30 days", p.cookies)
	}
	s.clock.advance(20 * 24 * time.Hour)
	b.get("/profile").wants(t, 200)
	s.clock.advance(20 * 24 * time.Hour)
	b.get("/profile").wants(t, 200)
	s.clock.advance(31 * 24 * time.Hour)
	b.get("/profile").leadsTo(t, "/login?next=%2Fprofile")
}

func TestChangePasswordLogsOtherBrowsersOut(t *testing.T) {
	s := newSite(t)
	b := s.browser().register("Ada")
	other := s.browser()
	other.login("Ada", password).leadsTo(t, "/")
	other.get("/profile").wants(t, 200)

	b.get("/profile")
	b.post("/profile/password", url.Values{"current": {"guess it"}, "password": {"new password"}}).wants(t, 422, "not your current password")
	b.post("/profile/password", url.Values{"current": {password}, "password": {"short"}}).wants(t, 422, "at least 8")
	b.post("/profile/password", url.Values{"current": {password}, "password": {"new password"}, "again": {"new password"}}).leadsTo(t, "/profile")
	b.get("/profile").wants(t, 200, "Your password is changed")
	other.get("/profile").leadsTo(t, "/login?next=%2Fprofile")
	s.browser().login("Ada", password).wants(t, 422)
	s.browser().login("Ada", "new password").leadsTo(t, "/")
}

func TestPlayGoesOnWhileTheStoreIsAway(t *testing.T) {
	s := newSite(t)
	b := s.browser().register("Ada")
	b.get("/profile").wants(t, 200)
	at := b.join("mountain-car")
	s.store.goAway(true)
	s.clock.advance(time.Minute)
	// Who was seen a moment ago is still known: reloading keeps the seat.
	b.get("/admin").wants(t, 403, "administrators")
	b.get(at).wants(t, 200, "Mountain Car")
	b.mustDial(at + "/socket")
	s.attached()
	s.clock.advance(time.Hour)
	b.get("/profile").wants(t, 503, "data store does not answer", "Try again")
	s.store.goAway(false)
	b.get("/profile").wants(t, 200)
}
