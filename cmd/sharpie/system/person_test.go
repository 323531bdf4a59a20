package system

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"

	"sharpie/cmd/sharpie/internal/client"
)

// person is someone at a browser.
type person struct {
	t       testing.TB
	server  *server
	browser *client.Account
	name    string
}

// password is what everybody's is in these tests.
const password = "quite a long password"

// register makes an account and logs in with it.
func (s *server) register(name string) *person {
	s.t.Helper()
	p := s.visitor()
	p.name = name
	if err := p.browser.Register(s.t.Context(), name, password, registrationKey); err != nil {
		s.t.Fatal(err)
	}
	return p
}

// registerAll makes accounts, a few at a time: hashing a password is costly.
func (s *server) registerAll(names ...string) []*person {
	s.t.Helper()
	people := make([]*person, len(names))
	room := make(chan struct{}, 4)
	var all sync.WaitGroup
	for i, name := range names {
		p := s.visitor()
		p.name = name
		people[i] = p
		all.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			if err := p.browser.Register(s.t.Context(), name, password, registrationKey); err != nil {
				s.t.Error(err)
			}
		})
	}
	all.Wait()
	if s.t.Failed() {
		s.t.FailNow()
	}
	return people
}

// administrator logs in with the link that the server printed.
func (s *server) administrator() *person {
	s.t.Helper()
	p := s.visitor()
	p.name = "admin"
	answer := p.submit(s.admin, p.get(s.admin), nil)
	if answer.Status != 303 {
		s.t.Fatalf("the administrator's link answered %d instead of logging in", answer.Status)
	}
	return p
}

func (p *person) get(path string) client.Page {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	page, err := p.browser.Get(ctx, path)
	if err != nil {
		p.t.Fatal(err)
	}
	return page
}

// visit follows redirects as a browser does.
func (p *person) visit(path string) (page client.Page, at string) {
	p.t.Helper()
	for range 5 {
		page = p.get(path)
		if page.Location == "" {
			return page, path
		}
		path = page.Location
	}
	p.t.Fatalf("%s is sent in circles", p.name)
	return page, path
}

func (p *person) submit(path string, from client.Page, form url.Values) client.Page {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	if form == nil {
		form = url.Values{}
	}
	page, err := p.browser.Submit(ctx, path, from, form)
	if err != nil {
		p.t.Fatalf("%s sends the form to %s: %v", p.name, path, err)
	}
	return page
}

// join takes a seat and returns the session's path, "/s/ID".
func (p *person) join(link string) string {
	p.t.Helper()
	at, err := p.browser.Join(p.t.Context(), link)
	if err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	return at
}

// retry presses "Try again" on the page that ends a session.
func (p *person) retry(link string, page client.Page) string {
	p.t.Helper()
	if !strings.Contains(page.Body, "Try again") {
		p.t.Fatalf("%s is not offered to try again; the page says:\n%s", p.name, words(page.Body))
	}
	answer, err := p.browser.JoinFrom(p.t.Context(), link, page, "", "")
	if err != nil {
		p.t.Fatal(err)
	}
	if !strings.HasPrefix(answer.Location, "/s/") {
		p.t.Fatalf("%s tries again and is answered %d, %q:\n%s", p.name, answer.Status, answer.Location, words(answer.Body))
	}
	return answer.Location
}

// says checks what a page tells its reader.
func says(t testing.TB, page client.Page, status int, texts ...string) {
	t.Helper()
	if page.Status != status {
		t.Errorf("the page has status %d, want %d:\n%s", page.Status, status, words(page.Body))
	}
	for _, text := range texts {
		if !strings.Contains(words(page.Body), text) {
			t.Errorf("the page does not say %q:\n%s", text, words(page.Body))
		}
	}
}

// words is what a page shows, without its tags.
func words(html string) string {
	if _, main, ok := strings.Cut(html, "<main"); ok {
		html = "<main" + main
	}
	var b strings.Builder
	inside := false
	for _, r := range html {
		switch {
		case r == '<':
			inside = true
		case r == '>':
			inside = false
			b.WriteByte(' ')
		case !inside:
			b.WriteRune(r)
		}
	}
	text := strings.Join(strings.Fields(b.String()), " ")
	return strings.NewReplacer("&#39;", "'", "&#34;", `"`, "&quot;", `"`, "&amp;", "&", "&lt;", "<", "&gt;", ">").Replace(text)
}
