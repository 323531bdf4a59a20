package supply

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sharpie/experiments/bundle"
)

const key = "shk_test"

// served is a server that answers the n-th request, from 1, by the handler.
func served(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) (*httptest.Server, *Client) {
	t.Helper()
	var n atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+key {
			t.Errorf("the key came as %q", r.Header.Get("Authorization"))
		}
		answer(int(n.Add(1)), w, r)
	}))
	t.Cleanup(s.Close)
	return s, newTestClient(t, ClientConfig{URL: s.URL + "/lab/", Key: key})
}

func newTestClient(t *testing.T, cfg ClientConfig) *Client {
	t.Helper()
	c, err := NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.pause, c.idle = time.Millisecond, 200*time.Millisecond
	t.Cleanup(c.Close)
	return c
}

// packed is a bundle with some KB.
func packed(t *testing.T) bundle.Packed {
	t.Helper()
	p, err := bundle.Pack("testdata/study")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestABundleIsFetchedBelowThePrefix(t *testing.T) {
	p := packed(t)
	_, c := served(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/lab/runner/bundles/"+p.Hash {
			t.Errorf("asked for %s", r.URL.Path)
		}
		_, _ = w.Write(p.Data)
	})
	data, err := c.Bundle(t.Context(), p.Hash)
	if err != nil || !bytes.Equal(data, p.Data) {
		t.Errorf("%d bytes, %v; want %d", len(data), err, len(p.Data))
	}
}

// TestWhatDoesNotComeWholeIsFetchedAgain has the first answer fail in each way, and the
// files end up whole in a cache.
func TestWhatDoesNotComeWholeIsFetchedAgain(t *testing.T) {
	p := packed(t)
	for name, first := range map[string]func(w http.ResponseWriter, r *http.Request){
		"truncated": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(p.Data)))
			_, _ = w.Write(p.Data[:len(p.Data)/2])
		},
		"truncated without a length": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(p.Data[:len(p.Data)/2]) },
		"corrupt": func(w http.ResponseWriter, _ *http.Request) {
			data := bytes.Clone(p.Data)
			data[len(data)/2] ^= 0xff
			_, _ = w.Write(data)
		},
		"another one": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<html>Welcome to the hotel</html>")
		},
		"stuck": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(p.Data)))
			_, _ = w.Write(p.Data[:len(p.Data)/2])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		"busy":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"limited": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) },
	} {
		t.Run(name, func(t *testing.T) {
			_, c := served(t, func(n int, w http.ResponseWriter, r *http.Request) {
				if n == 1 {
					first(w, r)
					return
				}
				_, _ = w.Write(p.Data)
			})
			cache := &bundle.Cache{Dir: filepath.Join(t.TempDir(), "bundles"), Fetch: c.Bundle}
			dir, err := cache.Folder(t.Context(), p.Hash)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := bundle.Hash(dir); err != nil || got != p.Hash {
				t.Errorf("the folder's hash is %s, %v", got, err)
			}
		})
	}
}

func TestABundleThatCannotBeFetchedSaysFromWhereAndWhy(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter)
		tries  int32
		says   string
	}{
		"unknown": {func(w http.ResponseWriter) {
			w.Header().Set(RefusedHeader, "1")
			http.Error(w, "The server has no such bundle.", http.StatusNotFound)
		}, 1, "The server has no such bundle."},
		"revoked": {func(w http.ResponseWriter) {
			w.Header().Set(RefusedHeader, "1")
			http.Error(w, "The key was revoked.", http.StatusForbidden)
		}, 1, "The key was revoked."},
		"a proxy's page": {func(w http.ResponseWriter) { http.Error(w, "<h1>squid</h1>", http.StatusForbidden) }, 1, "403 Forbidden"},
		"always busy":    {func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }, bundleTry, "502 Bad Gateway"},
		"too large": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "999999999999")
			w.WriteHeader(200)
		}, 1, "too large"},
		"always broken": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "abc")
		}, bundleTry, "after 3 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			s, client := served(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				c.answer(w)
			})
			_, err := client.Bundle(t.Context(), strings.Repeat("ab", 32))
			if err == nil {
				t.Fatal("it was fetched")
			}
			for _, want := range []string{"bundle abababababab", "could not be fetched from " + s.URL + "/lab", c.says} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error is %q, want %q in it", err, want)
				}
			}
			if asked.Load() != c.tries {
				t.Errorf("it asked %d times, want %d", asked.Load(), c.tries)
			}
		})
	}
}

// TestASlowLinkIsGivenTime has an answer that takes longer than the wait for one byte.
func TestASlowLinkIsGivenTime(t *testing.T) {
	p := packed(t)
	_, c := served(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n > 1 {
			t.Error("it was asked for again")
		}
		part := len(p.Data)/8 + 1
		for rest := p.Data; len(rest) > 0; rest = rest[min(part, len(rest)):] {
			_, _ = w.Write(rest[:min(part, len(rest))])
			w.(http.Flusher).Flush()
			<-time.After(150 * time.Millisecond) // a slow link, not a wait for something
		}
	})
	c.idle = 600 * time.Millisecond
	if data, err := c.Bundle(t.Context(), p.Hash); err != nil || !bytes.Equal(data, p.Data) {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

func TestCertificatesOfAnAuthorityOfOnesOwn(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "it") }))
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	if _, err := newTestClient(t, ClientConfig{URL: s.URL, Key: key, Roots: roots}).Bundle(t.Context(), "a"); err != nil {
		t.Errorf("with the authority: %v", err)
	}
	if _, err := newTestClient(t, ClientConfig{URL: s.URL, Key: key}).Bundle(t.Context(), "a"); err == nil {
		t.Error("without the authority it was fetched")
	}
}

func TestAddressesOfServers(t *testing.T) {
	for text, want := range map[string]string{
		"https://lab.example": "https://lab.example", "wss://lab.example/x/": "https://lab.example/x",
		"ws://u:p@localhost:8080/?q#f": "http://localhost:8080",
	} {
		if c, err := NewClient(ClientConfig{URL: text}); err != nil || c.base != want {
			t.Errorf("%s: %v, %v; want %s", text, c, err, want)
		}
	}
	for _, text := range []string{"", "lab.example", "ftp://lab.example", "https://", "://"} {
		if _, err := NewClient(ClientConfig{URL: text}); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestAKeyIsForTheServerThatItWasGivenFor(t *testing.T) {
	asked := make(chan string, 1)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.Header.Get("Authorization") }))
	defer other.Close()
	_, c := served(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusFound)
	})
	if _, _, err := c.Listing(t.Context(), nil, ""); err == nil || !strings.Contains(err.Error(), "302 Found") {
		t.Errorf("a redirect ends with %v, want its status", err)
	}
	select {
	case key := <-asked:
		t.Errorf("another server was asked, with %q", key)
	default:
	}
}
