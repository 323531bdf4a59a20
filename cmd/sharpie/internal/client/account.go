package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Account is one person's browser: cookies, and the pages on the way to a seat.
type Account struct {
	// Base is the server, "http://127.0.0.1:8080".
	Base   string
	client *http.Client
}

// Page is an answer as the browser got it; redirects are not followed.
type Page struct {
	Status   int
	Location string // where a redirect leads, a path; "" where it is none
	Body     string // the first 4 MiB
	Header   http.Header
}

// The hidden fields that a form sends back as they came.
var (
	csrfField    = regexp.MustCompile(`name="_csrf" value="([^"]*)"`)
	consentField = regexp.MustCompile(`name="consent_hash" value="([^"]*)"`)
)

// ErrNoForm is returned where a form is to be sent from a page without one.
var ErrNoForm = errors.New("client: the page has no form token")

// Transport is shared by all accounts, so that connections are used again.
var Transport = &http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second}

// New makes a browser without cookies.
func New(base string) (*Account, error) { return NewOver(base, Transport) }

// NewOver makes one whose connections are made by transport.
func NewOver(base string, transport *http.Transport) (*Account, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("client: cookie jar: %w", err)
	}
	return &Account{Base: base, client: &http.Client{
		Jar:       jar,
		Timeout:   60 * time.Second,
		Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}, nil
}

// Register makes the login and logs in with it.
func (a *Account) Register(ctx context.Context, name, password, key string) error {
	page, err := a.Get(ctx, "/register")
	if err != nil {
		return err
	}
	answer, err := a.Submit(ctx, "/register", page, url.Values{"name": {name}, "password": {password}, "again": {password}, "key": {key}})
	if err != nil {
		return fmt.Errorf("register %s: %w", name, err)
	}
	if answer.Location == "" {
		return fmt.Errorf("register %s: refused with status %d", name, answer.Status)
	}
	return nil
}

// Join takes a seat, and agrees to what is asked. It returns the session's path, "/s/ID".
func (a *Account) Join(ctx context.Context, link string) (string, error) {
	page, err := a.Get(ctx, "/x/"+link)
	if err != nil {
		return "", err
	}
	answer, err := a.JoinFrom(ctx, link, page, "", "")
	if err != nil {
		return "", fmt.Errorf("join %s: %w", link, err)
	}
	if !strings.HasPrefix(answer.Location, "/s/") {
		return "", fmt.Errorf("join %s: answered %d and sent to %q instead of a session", link, answer.Status, answer.Location)
	}
	return answer.Location, nil
}

// JoinFrom presses the button of an experiment's page, or of a page that offers to
// try again. Empty role and room leave the choice to the server.
func (a *Account) JoinFrom(ctx context.Context, link string, page Page, role, room string) (Page, error) {
	form := url.Values{"role": {role}, "room": {room}}
	if m := consentField.FindStringSubmatch(page.Body); m != nil {
		form.Set("consent", "agree")
		form.Set("consent_hash", m[1])
	}
	return a.Submit(ctx, "/x/"+link+"/join", page, form)
}

// Get opens a page.
func (a *Account) Get(ctx context.Context, path string) (Page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.Base+path, nil)
	if err != nil {
		return Page{}, fmt.Errorf("client: %w", err)
	}
	return a.do(req)
}

// Submit sends a form of the page.
func (a *Account) Submit(ctx context.Context, path string, page Page, form url.Values) (Page, error) {
	m := csrfField.FindStringSubmatch(page.Body)
	if m == nil {
		return Page{}, fmt.Errorf("%w (status %d)", ErrNoForm, page.Status)
	}
	form.Set("_csrf", m[1])
	return a.Send(ctx, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()), "")
}

// Send posts a body as scripts of a page do, with the page's token in the header
// where it is not in the body.
func (a *Account) Send(ctx context.Context, path, contentType string, body io.Reader, token string) (Page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Base+path, body)
	if err != nil {
		return Page{}, fmt.Errorf("client: %w", err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Origin", a.Base)
	if token != "" {
		req.Header.Set("X-CSRF-Token", token)
	}
	return a.do(req)
}

// FormToken is the token of the page's forms, "" where it has none.
func (p Page) FormToken() string {
	if m := csrfField.FindStringSubmatch(p.Body); m != nil {
		return m[1]
	}
	return ""
}

// Cookies is the Cookie header that the browser would send.
func (a *Account) Cookies() string {
	u, err := url.Parse(a.Base)
	if err != nil {
		return ""
	}
	var parts []string
	for _, c := range a.client.Jar.Cookies(u) {
		parts = append(parts, c.Name+"="+c.Value)
	}
	return strings.Join(parts, "; ")
}

func (a *Account) do(req *http.Request) (Page, error) {
	req.Header.Set("Accept", "text/html")
	res, err := a.client.Do(req)
	if err != nil {
		return Page{}, fmt.Errorf("client: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		return Page{}, fmt.Errorf("client: %s: %w", req.URL.Path, err)
	}
	return Page{Status: res.StatusCode, Location: res.Header.Get("Location"), Body: string(body), Header: res.Header}, nil
}
