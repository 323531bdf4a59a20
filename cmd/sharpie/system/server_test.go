package system

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"sharpie/cmd/sharpie/internal/client"
)

// patience is how long anything may take that should take a moment.
const patience = 20 * time.Second

// registrationKey is what people of these tests type to register.
const registrationKey = "spring-study-key"

// ownKey among the flags lets the server generate the registration key.
const ownKey = "--registration-key="

// server is a sharpie process with a data folder that outlives it.
type server struct {
	t     testing.TB
	data  string
	mongo string   // URI; "" is the embedded store
	flags []string // further ones
	addr  string
	base  string
	trust *tls.Config // what browsers trust beside the system's; nil: no more
	admin string      // the printed one-time link's path, "" where none was printed

	mu     sync.Mutex
	deaths []time.Time // when its processes ended, in order

	cmd  *exec.Cmd
	out  *lines // standard output of the newest process
	log  *lines // standard error of all processes
	done chan struct{}
}

// serve starts a server with these experiments, and these flags besides.
func serve(t testing.TB, mongo string, studies []study, flags ...string) *server {
	t.Helper()
	s := prepare(t, mongo, studies, flags...)
	s.start()
	return s
}

// prepare makes a server that start starts.
func prepare(t testing.TB, mongo string, studies []study, flags ...string) *server {
	t.Helper()
	s := &server{t: t, data: filepath.Join(t.TempDir(), "data"), mongo: mongo, addr: "127.0.0.1:0", flags: flags, log: &lines{}}
	if len(studies) > 0 {
		folder := t.TempDir()
		for _, x := range studies {
			writeFile(t, filepath.Join(folder, x.link+".yaml"), x.yaml())
		}
		if code, said := s.command("import", folder); code != 0 {
			t.Fatalf("import of the test's experiments ended with %d:\n%s", code, said)
		}
	}
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the server's log ends with:\n%s", s.log.tail(40))
		}
	})
	return s
}

func (s *server) storeFlags() []string {
	flags := []string{"--data", s.data}
	if s.mongo != "" {
		flags = append(flags, "--mongo", s.mongo)
	}
	return flags
}

// start runs the server, again on the same port, and returns when it is ready.
func (s *server) start() {
	s.t.Helper()
	args := append([]string{"serve", "--addr", s.addr, "--no-demos", "--login-rate", "0", "--log-level", "debug"}, s.storeFlags()...)
	if !slices.Contains(s.flags, ownKey) {
		args = append(args, "--registration-key", registrationKey)
	}
	s.cmd = exec.Command(binary, append(args, s.flags...)...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.out, s.done = &lines{}, make(chan struct{})
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait() // ProcessState says how it ended
		s.mu.Lock()
		s.deaths = append(s.deaths, time.Now())
		s.mu.Unlock()
		close(done)
	}(s.cmd, s.done)
	eventually(s.t, "the server says that it is ready", func() bool {
		s.mustRun()
		return strings.Contains(s.out.text(), "Ctrl-C stops it")
	})
	base := strings.TrimSpace(regexp.MustCompile(`Open it +(\S+)`).FindStringSubmatch(s.out.text())[1])
	if base != s.base { // people who are there read it
		s.base = base
	}
	if strings.HasSuffix(s.addr, ":0") {
		s.addr = strings.TrimPrefix(base, "http://")
	}
	s.admin = ""
	if m := regexp.MustCompile(`(/once/\S+)`).FindStringSubmatch(s.out.text()); m != nil {
		s.admin = m[1]
	}
}

// life is the number of the process, from 0.
func (s *server) life() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.deaths)
}

func (s *server) mustRun() {
	s.t.Helper()
	select {
	case <-s.done:
		s.t.Fatalf("the server ended by itself with %v:\n%s", s.cmd.ProcessState, s.log.tail(20))
	default:
	}
}

// kill ends the server as a crash or a power cut would.
func (s *server) kill() {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	_ = s.cmd.Process.Kill() // fails where it has ended
	<-s.done
}

func (s *server) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// ended waits for the end of the process and returns its exit code, -1 for a signal.
func (s *server) ended(within time.Duration) int {
	s.t.Helper()
	select {
	case <-s.done:
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(within):
		s.t.Fatalf("the server still runs %s after it was asked to end; it said:\n%s", within, s.out.text())
		return 0
	}
}

// command runs another command of the program on the same store.
func (s *server) command(name string, args ...string) (code int, said string) {
	s.t.Helper()
	return s.commandWithin(patience, name, args...)
}

func (s *server) commandWithin(limit time.Duration, name string, args ...string) (code int, said string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append(append([]string{name}, s.storeFlags()...), args...)...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatalf("sharpie %s: %v", name, err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// ready is what /readyz says.
type ready struct {
	Status   string `json:"status"`
	Draining bool   `json:"draining"`
	Unstored int    `json:"unstored_steps"`
	Sessions int    `json:"sessions"`
	Store    struct {
		OK bool `json:"ok"`
	} `json:"store"`
	code int
}

func (s *server) ready() ready {
	s.t.Helper()
	page := s.visitor().get("/readyz")
	r := ready{code: page.Status}
	if err := json.Unmarshal([]byte(page.Body), &r); err != nil {
		s.t.Fatalf("/readyz answered %q: %v", page.Body, err)
	}
	return r
}

// metric is the sum of a metric over its labels.
func (s *server) metric(name string) float64 {
	s.t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(s.visitor().get("/metrics").Body))
	if err != nil {
		s.t.Fatal(err)
	}
	family, ok := families[name]
	if !ok {
		s.t.Fatalf("/metrics has no %s", name)
	}
	sum := 0.0
	for _, m := range family.GetMetric() {
		sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return sum
}

// loggedSince waits for a line of the log, after a mark, with all of the parts.
func (s *server) loggedSince(mark int, parts ...string) {
	s.t.Helper()
	within(s.t, 5*time.Second, "the log has a line with "+strings.Join(parts, ", "), func() bool {
		return s.log.has(mark, parts...)
	})
}

// code is a close code as the log has it.
func code(n int) string { return fmt.Sprintf("code=%d", n) }

// lines is what a process wrote.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// mark is how much was written until now.
func (l *lines) mark() int { return len(l.text()) }

func (l *lines) has(mark int, parts ...string) bool {
	for line := range strings.Lines(l.text()[mark:]) {
		found := true
		for _, p := range parts {
			found = found && strings.Contains(line, p)
		}
		if found {
			return true
		}
	}
	return false
}

func (l *lines) tail(n int) string {
	all := strings.Split(strings.TrimSpace(l.text()), "\n")
	return strings.Join(all[max(0, len(all)-n):], "\n")
}

// eventually polls until something is so, and fails where it does not become so.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	within(t, patience, what, is)
}

func within(t testing.TB, limit time.Duration, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", limit, what)
		}
		<-tick.C
	}
}

// pass lets time pass while something goes on that is looked at afterwards.
func pass(d time.Duration) {
	<-time.After(d)
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// transport makes the connections of browsers.
func (s *server) transport() *http.Transport {
	if s.trust == nil {
		return client.Transport
	}
	t := client.Transport.Clone()
	t.TLSClientConfig = s.trust
	return t
}

// visitor is someone who has not logged in.
func (s *server) visitor() *person {
	s.t.Helper()
	account, err := client.NewOver(s.base, s.transport())
	if err != nil {
		s.t.Fatal(err)
	}
	return &person{t: s.t, server: s, browser: account}
}
