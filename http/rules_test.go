package http

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSafeNext(t *testing.T) {
	for next, want := range map[string]string{
		"/": "/", "/profile": "/profile", "/x/a?room=b&role=c": "/x/a?room=b&role=c", "/a/../b": "/b", "/x/ä": "/x/ä",
		"": "", "profile": "", "//evil.example": "", "///evil.example": "", `/\evil.example`: "", `\/evil.example`: "",
		"https://evil.example": "", "javascript:alert(1)": "", "/\tevil": "", "/a b": "", "/a\r\nSet-Cookie: x": "", "/a\x00": "", "/\xff": "",
		"/" + strings.Repeat("a", 500): "",
	} {
		if got := safeNext(next); got != want {
			t.Errorf("safeNext(%q) = %q, want %q", next, got, want)
		}
	}
}

func FuzzSafeNext(f *testing.F) {
	for _, s := range []string{"/", "//x", `/\x`, "/..//x", "/./\\x", "/a?b#c", "/%2f/x", "http:/x"} {
		f.Add(s)
	}
	base, _ := url.Parse("http://site.example/login")
	f.Fuzz(func(t *testing.T, next string) {
		got := safeNext(next)
		if got == "" {
			return
		}
		u, err := base.Parse(got)
		if err != nil {
			return // a browser would resolve it within the site: it begins with one slash
		}
		if u.Host != "site.example" || u.Scheme != "http" || u.User != nil {
			t.Errorf("safeNext(%q) = %q leads to %s", next, got, u)
		}
		if !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n\t ") {
			t.Errorf("safeNext(%q) = %q", next, got)
		}
	})
}

func FuzzTypedText(f *testing.F) {
	for _, s := range []string{"Ada", " a  b ", "<b>", "\x00", "\u202e", "é", "e\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if name := cleanName(s); CheckName(name) == "" {
			if n := utf8.RuneCountInString(name); n < nameMin || n > nameMax || strings.ContainsAny(name, "<>&\"' \n\x00") {
				t.Errorf("the name %q is allowed", name)
			}
		}
		if room, problem := cleanRoom(s); problem == "" && (utf8.RuneCountInString(room) > roomMax || strings.ContainsAny(room, "\n\x00")) {
			t.Errorf("the room %q is allowed", room)
		}
		if text := cleanText(s, 20); utf8.RuneCountInString(text) > 20 || !utf8.ValidString(text) || strings.ContainsAny(text, "\r\n\x00") {
			t.Errorf("cleanText(%q) = %q", s, text)
		}
		if text := closeText(s); len(text) > maxCloseText || !utf8.ValidString(text) {
			t.Errorf("closeText(%q) = %q", s, text)
		}
	})
}

func TestPasswordHash(t *testing.T) {
	p := newPasswords()
	hash, err := p.hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		hash, password string
		want           bool
	}{{hash, "correct horse", true}, {hash, "correct horsE", false}, {hash, "", false}, {"", "", false}, {"", "correct horse", false}} {
		if ok, err := p.verify(t.Context(), tc.hash, tc.password); err != nil || ok != tc.want {
			t.Errorf("verify(%.12q, %q) = %v, %v; want %v", tc.hash, tc.password, ok, err, tc.want)
		}
	}
	if again, _ := p.hash(t.Context(), "correct horse"); again == hash {
		t.Error("the same password twice gives the same hash: no salt")
	}
	if _, err := HashPassword(t.Context(), "short"); err == nil {
		t.Error("HashPassword takes a password that the register page refuses")
	}
	// Where all slots are taken, a waiter gives up with its context.
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.hash(ctx, "correct horse"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
	if _, err := p.verify(ctx, "", "correct horse"); !errors.Is(err, context.Canceled) {
		t.Error("an unknown user is refused without the work that a known one takes")
	}
}

func FuzzDecodeHash(f *testing.F) {
	for _, s := range []string{
		"", "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2i$v=19$m=1,t=1,p=1$$", "$argon2id$v=19$m=4294967295,t=1,p=1$AAAA$AAAA", "$$$$$",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := decodeHash(s)
		if err == nil && (c.memory > 1<<20 || c.time > 16 || c.threads == 0 || len(c.key) < 16) {
			t.Errorf("decodeHash(%q) allows a cost of %+v", s, c)
		}
	})
}

func TestTokens(t *testing.T) {
	if a, b := newToken(), newToken(); a == b || !wellFormedToken(a) {
		t.Errorf("tokens %q and %q", a, b)
	}
	for _, s := range []string{"", "x", strings.Repeat("A", 42), strings.Repeat("A", 44), strings.Repeat("=", 43), strings.Repeat("A", 42) + "B"} {
		if wellFormedToken(s) {
			t.Errorf("%q passes for a token", s)
		}
	}
	a, b := newSigner([]byte("secret"), "one"), newSigner([]byte("secret"), "two")
	if b.valid("text", a.sign("text")) {
		t.Error("a signature for one purpose is good for another")
	}
}
