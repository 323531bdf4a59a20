package http_test

import (
	"net/url"
	"testing"
	"time"

	"sharpie/http"
)

func TestLoginIsLimitedByName(t *testing.T) {
	s := newSite(t, func(c *http.Config) { c.Limits.LoginPerName = http.Rate{Burst: 3, Every: time.Minute} })
	s.browser().register("Ada")
	s.browser().register("Eve")
	for range 10 {
		s.browser().login("Ada", password).leadsTo(t, "/") // what succeeds does not count
	}
	for range 3 {
		s.browser().login("ada", "wrong password").wants(t, 422)
	}
	p := s.browser().login("ADA", password)
	p.wants(t, 429, "Try again in 60 seconds")
	if p.header.Get("Retry-After") != "60" {
		t.Errorf("Retry-After %q, want 60", p.header.Get("Retry-After"))
	}
	s.browser().login("Eve", password).leadsTo(t, "/") // others are not locked out
	s.clock.advance(time.Minute)
	s.browser().login("Ada", password).leadsTo(t, "/")
}

func TestLoginIsLimitedByAddress(t *testing.T) {
	s := newSite(t, func(c *http.Config) {
		c.Limits.LoginPerIP = http.Rate{Burst: 2, Every: time.Second}
		c.TrustedProxies = []string{"127.0.0.1"}
	})
	try := func(headers ...string) int {
		b := s.browser()
		b.get("/login")
		return b.post("/login", url.Values{"name": {"Nobody"}, "password": {"wrong password"}}, headers...).status
	}
	for i, want := range []int{422, 422, 429} {
		if got := try("X-Forwarded-For", "203.0.113.7"); got != want {
			t.Errorf("attempt %d answered %d, want %d", i+1, got, want)
		}
	}
	// What the client itself wrote into the header does not help it.
	if got := try("X-Forwarded-For", "198.51.100.1, 203.0.113.7"); got != 429 {
		t.Errorf("with a made-up first hop: %d, want 429", got)
	}
	if got := try("X-Forwarded-For", "203.0.113.8"); got != 422 {
		t.Errorf("another address answered %d, want 422", got)
	}
	// One household of IPv6 addresses is one client.
	for i, ip := range []string{"2001:db8::1", "2001:db8::2", "2001:db8::3"} {
		if got, want := try("X-Forwarded-For", ip), []int{422, 422, 429}[i]; got != want {
			t.Errorf("%s answered %d, want %d", ip, got, want)
		}
	}
	s.clock.advance(time.Second)
	if got := try("X-Forwarded-For", "203.0.113.7"); got != 422 {
		t.Errorf("a second later: %d, want 422", got)
	}
}

func TestForwardedAddressesCountOnlyFromTrustedProxies(t *testing.T) {
	s := newSite(t, func(c *http.Config) { c.Limits.LoginPerIP = http.Rate{Burst: 1, Every: time.Minute} })
	b := s.browser()
	for i, want := range []int{422, 429} {
		b.get("/login")
		p := b.post("/login", url.Values{"name": {"Nobody"}, "password": {"wrong password"}}, "X-Forwarded-For", []string{"203.0.113.7", "203.0.113.8"}[i])
		if p.status != want {
			t.Errorf("attempt %d answered %d, want %d: nobody is trusted", i+1, p.status, want)
		}
	}
}

func TestRegistrationIsLimited(t *testing.T) {
	s := newSite(t, func(c *http.Config) { c.Limits.RegisterPerIP = http.Rate{Burst: 2, Every: 10 * time.Second} })
	b := s.browser()
	b.get("/register")
	for i, want := range []int{422, 422, 429} {
		if p := b.post("/register", url.Values{"name": {"Ada"}, "password": {password}, "key": {"a guess"}}); p.status != want {
			t.Errorf("guess %d answered %d, want %d", i+1, p.status, want)
		}
	}
}

func noRates(c *http.Config) { c.Limits = c.Limits.NoRates() }

func TestNoRates(t *testing.T) {
	s := newSite(t, noRates)
	b := s.browser()
	b.get("/register")
	for range 70 {
		if p := b.post("/register", url.Values{"name": {"Ada"}, "password": {password}, "key": {"a guess"}}); p.status != 422 {
			t.Fatalf("answered %d, want 422", p.status)
		}
	}
	for range 11 {
		if p := s.browser().login("Nobody", "wrong password"); p.status != 422 {
			t.Fatalf("answered %d, want 422", p.status)
		}
	}
}
