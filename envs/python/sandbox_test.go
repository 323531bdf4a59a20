package python

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sharpie/envs"
	"sharpie/envs/python/pythontest"
)

// bundleOf writes an environment of one file, whose step runs code and returns what it
// leaves in said as the info.
func bundleOf(t testing.TB, code string) string {
	t.Helper()
	dir := t.TempDir()
	text := `import os, socket, sys
class Environment:
    def reset(self):
        return 0, {}
    def step(self, actions):
        said = []
        ` + strings.ReplaceAll(strings.TrimSpace(code), "\n", "\n        ") + `
        return 0, 0.0, False, False, {"said": [str(s) for s in said]}
    def render(self):
        return [[[0, 0, 0]] * 4] * 4
environment = Environment
`
	if err := os.WriteFile(filepath.Join(dir, "environment.py"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// said runs code in a step and returns what it said.
func said(t *testing.T, pool *Pool, code string, change func(*Load)) string {
	t.Helper()
	ctx := context.Background()
	load := Load{Interpreter: Interpreter{Path: pythontest.Interpreter(t)}, Bundle: bundleOf(t, code), File: "environment.py", Roles: []LoadRole{{Role: "agent_0"}}}
	if change != nil {
		change(&load)
	}
	e, err := pool.Open(ctx, load)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if _, err := e.Reset(ctx, 1); err != nil {
		t.Fatal(err)
	}
	tr, err := e.Step(ctx, []envs.RoleAction{{Role: "agent_0", Action: envs.Int(0)}})
	if err != nil {
		t.Fatal(err)
	}
	list, _ := tr.Roles[0].Info["said"].([]any)
	var out []string
	for _, s := range list {
		text, _ := s.(string)
		out = append(out, text)
	}
	return strings.Join(out, "\n")
}

func TestTheEnvironmentHasNoKeys(t *testing.T) {
	t.Setenv("SHARPIE_RUNNER_KEY", "a-key-that-nobody-may-see")
	bothWays(t, func(t *testing.T, confine Confine) {
		got := said(t, newTestPool(t, Config{Confine: confine}), `said = ["%s=%s" % kv for kv in sorted(os.environ.items())]`, nil)
		if strings.Contains(got, "a-key-that-nobody-may-see") {
			t.Errorf("the worker sees keys:\n%s", got)
		}
		for _, want := range []string{"LANG=C.UTF-8", "PYTHONHASHSEED=0", "MPLBACKEND=Agg"} {
			if !strings.Contains(got, want) {
				t.Errorf("the worker's environment lacks %s:\n%s", want, got)
			}
		}
	})
}

func TestTheBundleIsACopy(t *testing.T) {
	bothWays(t, func(t *testing.T, confine Confine) {
		var original string
		got := said(t, newTestPool(t, Config{Confine: confine}), `
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "written"), "w") as f:
    f.write("x")
said = [os.path.dirname(os.path.abspath(__file__))]`, func(l *Load) { original = l.Bundle })
		if got == "" || got == original {
			t.Errorf("the code runs in %q", got)
		}
		if _, err := os.Stat(filepath.Join(original, "written")); err == nil {
			t.Error("the code wrote into the bundle itself")
		}
	})
}

func TestConfinedCodeReachesNothing(t *testing.T) {
	if s := newSandbox(Auto, nil); s.bwrap == "" {
		t.Skipf("confinement was not checked: %s", s.reason)
	}
	data := t.TempDir()
	secret := filepath.Join(data, "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	pool := newTestPool(t, Config{Hide: []string{data}})
	if pool.Confinement() != "bubblewrap" {
		t.Errorf("confinement is %q", pool.Confinement())
	}
	here, err := filepath.Abs("sandbox_test.go")
	if err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "outside")
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	try := `
def attempt(what, f):
    try:
        f()
        said.append(what + " worked")
    except OSError as e:
        said.append(what + " failed")
attempt("write", lambda: open("` + outside + `", "w").write("x"))
attempt("system", lambda: open("/usr/written", "w").write("x"))
attempt("read", lambda: open("` + secret + `").read())
attempt("home", lambda: open("` + here + `").read())
attempt("network", lambda: socket.create_connection(("127.0.0.1", ` + port + `), timeout=1))
attempt("tmp", lambda: open("/tmp/mine", "w").write("x"))
said.append(str(len([p for p in os.listdir("/proc") if p.isdigit()])) + " processes")`
	got := said(t, pool, try, nil)
	for _, want := range []string{"write failed", "system failed", "read failed", "home failed", "network failed", "tmp worked"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in:\n%s", want, got)
		}
	}
	if _, err := os.Stat("/tmp/mine"); err == nil {
		t.Error("/tmp is not private")
	}
	if _, err := os.Stat(outside); err == nil {
		t.Error("the code wrote outside its folder")
	}
	open := said(t, pool, try, func(l *Load) { l.Limits.Network = true })
	if !strings.Contains(open, "network worked") {
		t.Errorf("with network: true there is none:\n%s", open)
	}
}

func TestUnconfinedSaysWhy(t *testing.T) {
	if got := newTestPool(t, Config{Confine: Never}).Confinement(); !strings.HasPrefix(got, "unconfined: ") {
		t.Errorf("confinement is %q", got)
	}
	t.Setenv("PATH", t.TempDir())
	if got := newTestPool(t, Config{}).Confinement(); got != "unconfined: bwrap is not installed" {
		t.Errorf("without bwrap, confinement is %q", got)
	}
}
