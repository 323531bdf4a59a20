package main

import (
	"bufio"
	"context"
	"io"
	nethttp "net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// server is `sharpie serve` at work in this process.
type server struct {
	t       *testing.T
	stop    context.CancelFunc
	exit    chan int
	printed strings.Builder // until the server was ready
	url     string
}

// startServer runs the real main on a free port and waits until it is ready.
func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &server{t: t, stop: cancel, exit: make(chan int, 1)}
	out, w := io.Pipe()
	go func() {
		code := run(ctx, append([]string{"serve", "--addr", "127.0.0.1:0", "--log-level", "error"}, args...), strings.NewReader(""), w, w)
		_ = w.Close()
		s.exit <- code
	}()
	ready := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			s.printed.WriteString(lines.Text() + "\n")
			if strings.HasPrefix(lines.Text(), "Ctrl-C") {
				ready <- true
				_, _ = io.Copy(io.Discard, out)
				return
			}
		}
		ready <- false
	}()
	select {
	case ok := <-ready:
		if !ok {
			cancel()
			t.Fatalf("the server did not start:\n%s", s.printed.String())
		}
	case <-time.After(30 * time.Second):
		cancel()
		t.Fatal("the server is not ready after 30 s")
	}
	s.url = s.find(`Open it\s+(\S+)`)
	t.Cleanup(func() { s.end() })
	return s
}

// end stops the server as a signal does and returns its exit code.
func (s *server) end() int {
	s.stop()
	select {
	case code := <-s.exit:
		s.exit <- code // for the next call
		return code
	case <-time.After(30 * time.Second):
		s.t.Error("the server does not end")
		return -1
	}
}

// find returns the group of a pattern in what the server printed, "" without.
func (s *server) find(pattern string) string {
	if m := regexp.MustCompile(pattern).FindStringSubmatch(s.printed.String()); m != nil {
		return m[1]
	}
	return ""
}

func (s *server) get(path string) (int, string) {
	s.t.Helper()
	response, err := nethttp.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestServeFromFirstStartToLastByte(t *testing.T) {
	data := t.TempDir()
	first := startServer(t, "--data", data, "--drain-grace", "1s")
	key := first.find(`Registration key\s+(\S+)`)
	if key == "" || first.find(`Administrator\s+(\S+/once/\S+)`) == "" {
		t.Errorf("the first start prints no key or no link:\n%s", first.printed.String())
	}
	for path, want := range map[string]string{
		"/": "Mountain Car", "/x/simple-tag": "Simple Tag", "/register": "Registration key",
		"/readyz": `"ready"`, "/healthz": `"ok"`, "/metrics": "go_goroutines",
	} {
		if status, body := first.get(path); status != 200 || !strings.Contains(body, want) {
			t.Errorf("GET %s is %d and does not show %q", path, status, want)
		}
	}
	code, _, errs := sharpie(t, "serve", "--addr", "127.0.0.1:0", "--data", data)
	if code != 1 || !strings.Contains(errs, "in use by another process") {
		t.Errorf("a second server with the same data: exit code %d, %q", code, errs)
	}
	code, _, errs = sharpie(t, "serve", "--addr", strings.TrimPrefix(first.url, "http://"), "--data", t.TempDir())
	if code != 1 || !strings.Contains(errs, "is in use: choose another with --addr") {
		t.Errorf("a second server at the same address: exit code %d, %q", code, errs)
	}
	if code := first.end(); code != 0 {
		t.Errorf("the server ends with exit code %d", code)
	}

	second := startServer(t, "--data", data, "--drain-grace", "1s", "--public-url", "https://lab.example")
	if again := second.find(`Registration key\s+(\S+)`); again == key {
		t.Errorf("the second start prints the key again")
	}
	if link := second.find(`Administrator\s+(\S+)`); !strings.HasPrefix(link, "https://lab.example/once/") {
		t.Errorf("nobody has logged in, and the second start prints the link %q", link)
	}
}

func TestServeStartsWhereNoSocketCanBe(t *testing.T) {
	deep := filepath.Join(t.TempDir(), strings.Repeat("a-long-name/", 12))
	s := startServer(t, "--data", deep, "--drain-grace", "1s")
	if status, _ := s.get("/"); status != 200 {
		t.Errorf("the first page is %d", status)
	}
	code, _, errs := sharpie(t, "verify", "--experiment", "mountain-car", "--data", deep)
	if code != 1 || !strings.Contains(errs, "takes no commands") {
		t.Errorf("a command meanwhile: exit code %d, %q", code, errs)
	}
}

func TestServeSaysWhenTheDatabaseIsAway(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // Ctrl-C after a while
	defer cancel()
	var out strings.Builder
	code := run(ctx, []string{"serve", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--mongo", "mongodb://user:secret@127.0.0.1:1/x?serverSelectionTimeoutMS=200"},
		strings.NewReader(""), &out, &out)
	if code != 1 || !strings.Contains(out.String(), "does not answer yet") || !strings.Contains(out.String(), "is it running") || strings.Contains(out.String(), "secret") {
		t.Errorf("exit code %d, printed\n%s\nwant that it waits, then that the store did not answer, without its password", code, out.String())
	}
}
