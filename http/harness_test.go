package http_test

import (
	"bytes"
	"context"
	"html"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	nethttp "net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sharpie/experiments"
	"sharpie/http"
	"sharpie/persistence"
	"sharpie/persistence/embedded"
	"sharpie/web"
)

const registrationKey = "the key of the tests"

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// site is a server on a free port with a fake platform and a real store.
type site struct {
	t        *testing.T
	url      string
	host     string
	server   *http.Server
	platform *fakePlatform
	store    *awayStore
	clock    *clock
	log      *syncBuffer
}

// awayStore is a store that can go away.
type awayStore struct {
	persistence.Store
	mu   sync.Mutex
	away bool
}

// syncBuffer is a log that can be read while it is written.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// testImporter checks the form of a file only.
type testImporter struct{ store persistence.Store }

func (i testImporter) Check(file string, yaml []byte) error {
	_, err := experiments.Parse(file, yaml)
	return err
}

func (i testImporter) Import(ctx context.Context, file string, yaml []byte, by string) (*persistence.Experiment, bool, error) {
	return experiments.Import(ctx, i.store, experiments.Source{Name: file, YAML: yaml}, by, time.Now())
}

func newSite(t *testing.T, change ...func(*http.Config)) *site {
	t.Helper()
	inner, err := embedded.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = inner.Close() })
	pages, err := web.New()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{
		t: t, platform: newFakePlatform(), store: &awayStore{Store: inner}, log: &syncBuffer{},
		clock: &clock{t: time.Now().UTC().Truncate(time.Microsecond)},
	}
	for _, d := range experiments.Demos() {
		if _, _, err := experiments.Import(t.Context(), inner, d, "command line", s.clock.now()); err != nil {
			t.Fatal(err)
		}
	}
	cfg := http.Config{
		Platform: s.platform, Store: s.store, Pages: pages, Static: web.Static(), Importer: testImporter{inner},
		Logger:   slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Registry: prometheus.NewRegistry(), RegistrationKey: registrationKey,
		Secret: []byte("0123456789abcdef0123456789abcdef"), Clock: s.clock.now, Version: "test",
	}
	for _, f := range change {
		f(&cfg)
	}
	if s.server, err = http.New(cfg); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.host = l.Addr().String()
	s.url = "http://" + s.host
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.server.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return s
}

// browser is one person's browser.
type browser struct {
	s      *site
	client *nethttp.Client
	token  string // the form token of the page that was opened last
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{s: s, client: &nethttp.Client{
		Jar: jar, Timeout: 20 * time.Second,
		CheckRedirect: func(*nethttp.Request, []*nethttp.Request) error { return nethttp.ErrUseLastResponse },
	}}
}

// page is an answer, read.
type page struct {
	status   int
	location string
	header   nethttp.Header
	body     string
	cookies  []*nethttp.Cookie
}

var csrfMeta = regexp.MustCompile(`<meta name="csrf" content="([^"]*)">`)

func (b *browser) do(r *nethttp.Request) page {
	b.s.t.Helper()
	res, err := b.client.Do(r)
	if err != nil {
		b.s.t.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.s.t.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	if m := csrfMeta.FindSubmatch(body); m != nil {
		b.token = html.UnescapeString(string(m[1]))
	}
	return page{res.StatusCode, res.Header.Get("Location"), res.Header, string(body), res.Cookies()}
}

func (b *browser) request(method, path string, body io.Reader, headers ...string) *nethttp.Request {
	b.s.t.Helper()
	r, err := nethttp.NewRequest(method, b.s.url+path, body)
	if err != nil {
		b.s.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	if method != nethttp.MethodGet {
		r.Header.Set("Origin", b.s.url)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	return r
}

func (b *browser) get(path string, headers ...string) page {
	b.s.t.Helper()
	return b.do(b.request("GET", path, nil, headers...))
}

// post sends a form with the token of the last page.
func (b *browser) post(path string, form url.Values, headers ...string) page {
	b.s.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	if !form.Has("_csrf") {
		form.Set("_csrf", b.token)
	}
	headers = append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)
	return b.do(b.request("POST", path, strings.NewReader(form.Encode()), headers...))
}

// upload sends files by name to Admin's import form.
func (b *browser) upload(files ...string) page {
	b.s.t.Helper()
	return b.uploadTo("/admin/experiments", "file", files...)
}

// uploadTo sends files by name in a field of a form.
func (b *browser) uploadTo(path, field string, files ...string) page {
	b.s.t.Helper()
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	if err := w.WriteField("_csrf", b.token); err != nil {
		b.s.t.Fatal(err)
	}
	for i := 0; i < len(files); i += 2 {
		f, err := w.CreateFormFile(field, files[i])
		if err != nil {
			b.s.t.Fatal(err)
		}
		if _, err := io.WriteString(f, files[i+1]); err != nil {
			b.s.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.s.t.Fatal(err)
	}
	return b.do(b.request("POST", path, &buf, "Content-Type", w.FormDataContentType()))
}

const password = "correct horse"

// register makes an account and stays logged in.
func (b *browser) register(name string) *browser {
	b.s.t.Helper()
	b.get("/register")
	p := b.post("/register", url.Values{"name": {name}, "password": {password}, "again": {password}, "key": {registrationKey}})
	if p.status != 303 {
		b.s.t.Fatalf("registering %s answered %d: %s", name, p.status, p.text())
	}
	b.get("/")
	return b
}

// login logs an existing account in.
func (b *browser) login(name, password string) page {
	b.s.t.Helper()
	b.get("/login")
	p := b.post("/login", url.Values{"name": {name}, "password": {password}})
	b.get("/")
	return p
}

// admin registers an administrator.
func (s *site) admin(name string) *browser {
	s.t.Helper()
	b := s.browser().register(name)
	u := s.user(name)
	u.Admin = true
	if err := s.store.UpdateUser(s.t.Context(), u); err != nil {
		s.t.Fatal(err)
	}
	s.clock.advance(5 * time.Second) // past what the server remembers of a login
	b.get("/admin")
	return b
}

func (s *site) user(name string) *persistence.User {
	s.t.Helper()
	u, err := s.store.UserByName(s.t.Context(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

// loginCookie is the cookie that keeps the browser logged in.
func (b *browser) loginCookie() *nethttp.Cookie {
	u, _ := url.Parse(b.s.url)
	for _, c := range b.client.Jar.Cookies(u) {
		if strings.HasSuffix(c.Name, "sharpie-login") {
			return c
		}
	}
	return nil
}

var tags = regexp.MustCompile(`(?s)<(script|style).*?</(script|style)>|<[^>]*>`)

// text is the page without its markup, for messages and searches.
func (p page) text() string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(p.body, " "))), " ")
}

func (p page) wants(t *testing.T, status int, texts ...string) {
	t.Helper()
	if p.status != status {
		t.Errorf("status %d, want %d; page says: %s", p.status, status, p.text())
	}
	for _, text := range texts {
		if !strings.Contains(p.text(), text) {
			t.Errorf("page does not say %q; it says: %s", text, p.text())
		}
	}
}

func (p page) leadsTo(t *testing.T, location string) {
	t.Helper()
	if p.status != 303 || p.location != location {
		t.Errorf("status %d to %q, want 303 to %q; page says: %s", p.status, p.location, location, p.text())
	}
}
