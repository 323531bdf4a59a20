package http_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	nethttp "net/http"
	"regexp"
	"strings"
	"testing"

	"sharpie/actors"
	"sharpie/http"
	"sharpie/persistence"
)

func TestErrorsAreCalmAndWithoutInsides(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	s.store.goAway(true)
	p := b.get("/")
	p.wants(t, 503, "data store does not answer", "Try again")
	if strings.Contains(p.body, "10.1.2.3") || strings.Contains(p.body, "persistence:") {
		t.Errorf("the page tells about the insides: %s", p.text())
	}
	if p.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	id := p.header.Get("X-Request-Id")
	if id == "" || !strings.Contains(p.text(), id) || !strings.Contains(s.log.String(), id) {
		t.Errorf("request id %q must be in the header, on the page and in the log", id)
	}
	p = b.get("/", "Accept", "application/json")
	var body struct {
		Status         int
		Error, Request string
	}
	if err := json.Unmarshal([]byte(p.body), &body); err != nil || body.Status != 503 || body.Request == "" || !strings.Contains(body.Error, "data store") {
		t.Errorf("JSON error %q, %v", p.body, err)
	}
	s.store.goAway(false)
	b.get("/").wants(t, 200)
	b.get("/nothing/here").wants(t, 404)
	b.post("/nothing/here", nil).wants(t, 404)
	b.do(b.request("PUT", "/", nil, "X-CSRF-Token", b.token)).wants(t, 404)
}

func TestBodiesOverTheirSizeAreRefused(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.get("/login")
	b.do(b.request("POST", "/login", strings.NewReader("name="+strings.Repeat("x", 1<<20)), "X-CSRF-Token", b.token)).wants(t, 413, "larger")
}

func TestHeaders(t *testing.T) {
	s := newSite(t, func(c *http.Config) { c.TrustedProxies = []string{"127.0.0.0/8"} })
	b := s.browser()
	for _, path := range []string{"/", "/login", "/nothing"} {
		h := b.get(path).header
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
			"Strict-Transport-Security": "",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'self'", "script-src 'self'", "style-src 'self'", "object-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "ws://" + s.host} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q misses %q", path, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
	if h := b.get("/", "X-Forwarded-Proto", "https").header; h.Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security over HTTPS")
	}
	if csp := b.get("/", "Host", "x.example;script-src *").header.Get("Content-Security-Policy"); strings.Contains(csp, "*") {
		t.Errorf("the Host header reached the policy: %q", csp)
	}
}

// inline is what the policy forbids and a page would silently not do.
var inline = regexp.MustCompile(`(?i)<script(?:>| [^>]*>)[^<\s]|<style|\sstyle="|\son[a-z]+="|javascript:`)

func TestPagesHaveNothingInline(t *testing.T) {
	s := newSite(t)
	root := s.admin("root")
	at := root.join("simple-tag")
	paths := append([]string{"/", "/profile", "/x/simple-tag", "/x/simple-tag/consent", at, "/nothing", "/admin/sessions/" + string(sessionOf(at))}, adminPages...)
	for _, path := range paths {
		if found := inline.FindString(root.get(path).body); found != "" {
			t.Errorf("%s: %q would be blocked by the content policy", path, found)
		}
	}
	stranger := s.browser()
	for _, path := range []string{"/", "/login", "/register", "/x/simple-tag", "/once/" + strings.Repeat("A", 43)} {
		if found := inline.FindString(stranger.get(path).body); found != "" {
			t.Errorf("%s: %q would be blocked by the content policy", path, found)
		}
	}
}

func TestResearchersMarkdownIsMadeSafe(t *testing.T) {
	s := newSite(t)
	text := "|\n    Hello <script>alert(1)</script> <img src=x onerror=alert(2)> [click](javascript:alert(3)) <a href=\"//evil.example\" onclick=\"alert(4)\">x</a>\n" +
		"    <iframe src=\"https://evil.example\"></iframe> <form action=\"/logout\"><input name=_csrf></form>\n"
	s.install(definition("nasty", "  long_description: "+text+"  instructions: "+text+"  consent: "+text+"  thanks: "+text+
		"  short_description: \"<script>alert(5)</script>\"\n"))
	b := s.browser().register("Ada")
	pages := map[string]page{"home": b.get("/"), "experiment": b.get("/x/nasty"), "consent": b.get("/x/nasty/consent")}
	at := b.join("nasty")
	pages["play"] = b.get(at)
	s.platform.setPhase(sessionOf(at), "completed")
	s.storeSession(at, "nasty", func(x *persistence.Session) { x.Phase = "completed" })
	pages["thanks"] = b.get(at + "/thanks")
	pages["profile"] = b.get("/profile")
	bad := regexp.MustCompile(`(?i)<script>|alert\([1-4]\)"|onerror=|onclick=|href="javascript:|<iframe|action="/logout"><input name=_csrf`)
	for name, p := range pages {
		if p.status != 200 {
			t.Errorf("%s answered %d", name, p.status)
		}
		if found := bad.FindString(p.body); found != "" {
			t.Errorf("%s page lets %q through", name, found)
		}
	}
	pages["experiment"].wants(t, 200, "Hello")
}

func TestNoRedirectLeavesTheSite(t *testing.T) {
	s := newSite(t)
	s.browser().register("Ada")
	for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "/\t/evil.example", "javascript:alert(1)", "/%0d%0aSet-Cookie:x=1\r\n", "x", "/..//evil.example"} {
		b := s.browser()
		p := b.get("/login", "Accept", "text/html")
		p = b.post("/login", map[string][]string{"name": {"Ada"}, "password": {password}, "next": {next}})
		u := p.location
		if p.status != 303 || !strings.HasPrefix(u, "/") || strings.HasPrefix(u, "//") || strings.ContainsAny(u, "\\\t\r\n") {
			t.Errorf("next %q led to %d %q, want a path of this site", next, p.status, u)
		}
	}
}

func TestStaticFiles(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	asset := regexp.MustCompile(`/static/app-[0-9A-Z]+\.css`).FindString(b.get("/").body)
	if asset == "" {
		t.Fatal("the home page names no stylesheet")
	}
	p := b.get(asset)
	p.wants(t, 200)
	if c := p.header.Get("Cache-Control"); c != "public, max-age=31536000, immutable" {
		t.Errorf("Cache-Control %q, want cached for ever", c)
	}
	if k := p.header.Get("Content-Type"); k != "text/css; charset=utf-8" {
		t.Errorf("Content-Type %q", k)
	}
	r := b.request("GET", asset, nil, "Accept-Encoding", "gzip")
	res, err := nethttp.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	z, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatalf("not gzip: %v", err)
	}
	if plain, err := io.ReadAll(z); err != nil || string(plain) != p.body {
		t.Errorf("unzipped %d bytes, want the %d of the file (%v)", len(plain), len(p.body), err)
	}
	for _, path := range []string{"/static/", "/static/nothing.js", "/static/.keep", "/static/../server.go", "/static/%2e%2e/pages.go", "/static//etc/passwd"} {
		if p := b.get(path); p.status != 404 {
			t.Errorf("%s answered %d, want 404", path, p.status)
		}
	}
}

func TestHealth(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.get("/healthz").wants(t, 200, `"status":"ok"`)
	b.get("/readyz").wants(t, 200, `"status":"ready"`, `"kind":"embedded"`)
	s.store.goAway(true)
	b.get("/healthz").wants(t, 200)
	b.get("/readyz").wants(t, 503, `"ok":false`, "the store does not answer")
	s.store.goAway(false)
	s.platform.mu.Lock()
	s.platform.health = actors.Health{Draining: true}
	s.platform.mu.Unlock()
	b.get("/readyz").wants(t, 503, `"draining":true`)
}

func TestMetricsCountByRoute(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.get("/x/mountain-car")
	b.get("/x/simple-tag")
	b.get("/nothing")
	_, _, w, seat := s.seated("Ada")
	p := b.get("/metrics")
	p.wants(t, 200, `sharpie_http_requests_total{method="GET",route="/x/:link",status="200"} 3`,
		`sharpie_http_requests_total{method="GET",route="none",status="404"} 1`, `sharpie_http_sockets{kind="play"} 1`)
	if strings.Contains(p.body, "mountain-car") {
		t.Error("metrics have a label per experiment")
	}
	_ = w.conn.Close()
	within(t, "detaching", seat.detached)
}
