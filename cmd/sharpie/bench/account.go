package bench

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

// account is one person's browser: cookies, and the pages on the way to a seat.
type account struct {
	base   string
	client *http.Client
}

// The hidden fields that a form sends back as they came.
var (
	csrfField    = regexp.MustCompile(`name="_csrf" value="([^"]*)"`)
	consentField = regexp.MustCompile(`name="consent_hash" value="([^"]*)"`)
)

func newAccount(base string) (*account, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("bench: cookie jar: %w", err)
	}
	return &account{base: base, client: &http.Client{
		Jar:       jar,
		Timeout:   60 * time.Second,
		Transport: sharedTransport,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}, nil
}

var sharedTransport = &http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second}

// register makes the login and logs in with it.
func (a *account) register(ctx context.Context, name, key string) error {
	page, err := a.get(ctx, "/register")
	if err != nil {
		return err
	}
	where, err := a.post(ctx, "/register", page, url.Values{"name": {name}, "password": {"benchmark of " + name}, "again": {"benchmark of " + name}, "key": {key}})
	if err != nil {
		return fmt.Errorf("register %s: %w", name, err)
	}
	if where == "" {
		return fmt.Errorf("register %s: the form was refused", name)
	}
	return nil
}

// join takes a seat and returns the session's path, "/s/ID".
func (a *account) join(ctx context.Context, link string) (string, error) {
	page, err := a.get(ctx, "/x/"+link)
	if err != nil {
		return "", err
	}
	form := url.Values{"role": {""}, "room": {""}}
	if m := consentField.FindStringSubmatch(page); m != nil {
		form.Set("consent", "agree")
		form.Set("consent_hash", m[1])
	}
	where, err := a.post(ctx, "/x/"+link+"/join", page, form)
	if err != nil {
		return "", fmt.Errorf("join %s: %w", link, err)
	}
	if !strings.HasPrefix(where, "/s/") {
		return "", fmt.Errorf("join %s: sent to %q instead of a session", link, where)
	}
	return where, nil
}

// cookies is the Cookie header for the socket.
func (a *account) cookies() string {
	u, err := url.Parse(a.base)
	if err != nil {
		return ""
	}
	var parts []string
	for _, c := range a.client.Jar.Cookies(u) {
		parts = append(parts, c.Name+"="+c.Value)
	}
	return strings.Join(parts, "; ")
}

func (a *account) get(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+path, nil)
	if err != nil {
		return "", fmt.Errorf("bench: %w", err)
	}
	body, res, err := a.do(req)
	if err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("bench: GET %s answered %s", path, res.Status)
	}
	return body, nil
}

// post sends the form with the page's token and returns where it redirects to.
func (a *account) post(ctx context.Context, path, page string, form url.Values) (string, error) {
	m := csrfField.FindStringSubmatch(page)
	if m == nil {
		return "", errors.New("bench: the page has no form token")
	}
	form.Set("_csrf", m[1])
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "", fmt.Errorf("bench: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", a.base)
	_, res, err := a.do(req)
	if err != nil {
		return "", err
	}
	if res.StatusCode >= 400 {
		return "", fmt.Errorf("bench: POST %s answered %s", path, res.Status)
	}
	return res.Header.Get("Location"), nil
}

func (a *account) do(req *http.Request) (string, *http.Response, error) {
	res, err := a.client.Do(req)
	if err != nil {
		return "", nil, fmt.Errorf("bench: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		return "", nil, fmt.Errorf("bench: %s: %w", req.URL.Path, err)
	}
	return string(body), res, nil
}
