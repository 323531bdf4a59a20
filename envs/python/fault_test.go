package python

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sharpie/envs"
	"sharpie/envs/python/pythontest"
)

// filesOf is the load of a folder of testdata/gallery.
func filesOf(t testing.TB, name string, metadata map[string]any) Load {
	t.Helper()
	bundle, err := filepath.Abs(filepath.Join("testdata", "gallery", name))
	if err != nil {
		t.Fatal(err)
	}
	return Load{
		Interpreter: Interpreter{Path: pythontest.Interpreter(t)}, Modules: []string{"numpy"}, Bundle: bundle,
		File: "environment.py", Metadata: metadata, Roles: []LoadRole{{Role: "agent_0"}}, Seed: 1, Label: name,
		Limits: Limits{Load: 20 * time.Second, Reset: time.Second, Step: time.Second, Update: time.Second},
	}
}

// bothWays runs a test with confinement and without.
func bothWays(t *testing.T, test func(t *testing.T, c Confine)) {
	t.Run("confined", func(t *testing.T) {
		if s := newSandbox(Auto, nil); s.bwrap == "" {
			t.Skipf("confinement was not checked: %s", s.reason)
		}
		test(t, Auto)
	})
	t.Run("unconfined", func(t *testing.T) { test(t, Never) })
}

// provoke opens, resets and steps until something fails. since is when the call began
// that failed, the process is that of the environment once there is one.
func provoke(t *testing.T, pool *Pool, load Load) (f *envs.Fault, since time.Time, e *Environment) {
	t.Helper()
	ctx := context.Background()
	since = time.Now()
	e, err := pool.Open(ctx, load)
	if err == nil {
		t.Cleanup(func() { e.Close() })
		since = time.Now()
		_, err = e.Reset(ctx, 1)
	}
	for i := 0; i < 3 && err == nil; i++ {
		since = time.Now()
		_, err = e.Turn(ctx, []envs.RoleTurn{{Role: "agent_0", Acts: true, Final: true, Action: envs.Int(0)}})
	}
	if !errors.As(err, &f) {
		t.Fatalf("no fault, but %v", err)
	}
	return f, since, e
}

// limitOf is the deadline of a phase in filesOf.
func limitOf(l Limits, phase string) time.Duration {
	if phase == "load" {
		return l.Load
	}
	return l.Step
}

func TestFaults(t *testing.T) {
	type expect struct {
		phase, way string
		state      envs.State
		// in is part of the message, trace of the traceback.
		in, trace string
	}
	cases := []expect{
		{"load", "raise", envs.EnvError, "deliberate", "raise_error"},
		{"reset", "raise", envs.EnvError, "deliberate", "raise_error"},
		{"step", "raise", envs.EnvError, "deliberate", "raise_error"},
		{"render", "raise", envs.EnvError, "deliberate", "raise_error"},
		{"step", "recursion", envs.EnvError, "", "recursion"},
		{"step", "missing", envs.EnvError, "package_that_is_not_there", "missing"},
		{"step", "unprintable", envs.EnvError, "", "unprintable"},
		{"step", "interrupt", envs.EnvError, "", ""},
		{"load", "exit", envs.Exited, "exit code 7", ""},
		{"step", "exit", envs.Exited, "exit code 7", ""},
		{"step", "segfault", envs.Killed, "SIGSEGV", "segfault"},
		{"reset", "segfault", envs.Killed, "SIGSEGV", "segfault"},
		{"step", "abort", envs.Killed, "SIGABRT", ""},
		{"step", "endless", envs.Hung, "1s", "endless"},
		{"reset", "endless", envs.Hung, "1s", "endless"},
		{"render", "endless", envs.Hung, "1s", "endless"},
		{"step", "endless_c", envs.Hung, "1s", "endless_c"},
		{"step", "power", envs.Hung, "1s", "power"},
		{"step", "flood_endless", envs.Hung, "1s", "flood_endless"},
		{"step", "memory", envs.OutOfMemory, "", ""},
	}
	bothWays(t, func(t *testing.T, confine Confine) {
		t.Parallel() // they wait for deadlines
		pool := newTestPool(t, Config{Confine: confine, Spares: 1})
		for _, c := range cases {
			t.Run(c.phase+" "+c.way, func(t *testing.T) {
				load := filesOf(t, "fault", map[string]any{"phase": c.phase, "way": c.way})
				if c.way == "memory" {
					load.Limits.Memory = 600 << 20
					load.Limits.Step = 20 * time.Second
				}
				f, since, e := provoke(t, pool, load)
				took := time.Since(since)
				if f.State != c.state || f.Phase != c.phase {
					t.Errorf("state %q in phase %q instead of %q in %q: %v", f.State, f.Phase, c.state, c.phase, f)
				}
				if !strings.Contains(f.Message, c.in) || f.Message == "" {
					t.Errorf("the message %q does not say %q", f.Message, c.in)
				}
				if c.trace != "" && !strings.Contains(f.Traceback, c.trace) {
					t.Errorf("the traceback does not name %q:\n%s", c.trace, f.Traceback)
				}
				if most := limitOf(load.Limits, c.phase) + 2*time.Second; took > most {
					t.Errorf("it took %v: at most %v until the slot is free", took, most)
				}
				if e != nil {
					if err := e.Close(); err != nil {
						t.Errorf("Close: %v", err)
					}
					mustBeGone(t, e.worker.process)
				}
			})
		}
		// the next one works
		e, err := pool.Open(context.Background(), filesOf(t, "fault", nil))
		if err != nil {
			t.Fatalf("after all faults, Open failed: %v", err)
		}
		if _, err := e.Reset(context.Background(), 1); err != nil {
			t.Errorf("after all faults, Reset failed: %v", err)
		}
		e.Close()
	})
}

// mustBeGone checks that neither a process nor a folder is left.
func mustBeGone(t *testing.T, p *process) {
	t.Helper()
	if left := marked(processes(), mark(p.id)); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
	if _, err := os.Stat(p.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder %s is left (%v)", p.dir, err)
	}
}

func TestPolicyFaultsNameTheRole(t *testing.T) {
	pool := newTestPool(t, Config{})
	for _, c := range []struct {
		phase, way string
		state      envs.State
	}{{"act", "raise", envs.PolicyError}, {"act", "endless", envs.Hung}, {"act", "segfault", envs.Killed}, {"act", "exit", envs.Exited}, {"update", "endless", envs.Hung}} {
		t.Run(c.phase+" "+c.way, func(t *testing.T) {
			ctx := context.Background()
			load := filesOf(t, "fault", nil)
			load.Roles[0].Policy = true
			e, err := pool.Open(ctx, load)
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			_, err = e.Worker().LoadPolicy(ctx, PolicyLoad{
				Role: "agent_0", File: "policy.py", Kwargs: map[string]any{"phase": c.phase, "way": c.way}, Learns: true, Every: 1, Action: envs.Opaque{},
			})
			if err == nil {
				_, err = e.Reset(ctx, 1)
			}
			turn := []envs.RoleTurn{{Role: "agent_0", Acts: true, Ask: true, Action: envs.Int(0)}}
			for i := 0; i < 3 && err == nil; i++ {
				_, err = e.Turn(ctx, turn)
				turn[0].Learn = &envs.Lesson{}
			}
			var f *envs.Fault
			if !errors.As(err, &f) || f.State != c.state || f.Phase != c.phase || f.Role != "agent_0" {
				t.Errorf("%v is not %q in %q of agent_0", err, c.state, c.phase)
			}
		})
	}
}

func TestChildrenDoNotOutlive(t *testing.T) {
	bothWays(t, func(t *testing.T, confine Confine) {
		pool := newTestPool(t, Config{Confine: confine})
		ctx := context.Background()
		e, err := pool.Open(ctx, filesOf(t, "fault", map[string]any{"phase": "step", "way": "child"}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Reset(ctx, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Step(ctx, []envs.RoleAction{{Role: "agent_0", Action: envs.Int(0)}}); err != nil {
			t.Fatal(err)
		}
		p := e.worker.process
		if n := len(marked(processes(), mark(p.id))); n < 2 {
			t.Fatalf("%d processes carry the worker's mark: the child is not seen", n)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		mustBeGone(t, p)
	})
}

func TestFloodsAreBounded(t *testing.T) {
	pool := newTestPool(t, Config{})
	ctx := context.Background()
	load := filesOf(t, "fault", map[string]any{"phase": "step", "way": "flood"})
	load.Limits.Step = 30 * time.Second
	e, err := pool.Open(ctx, load)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if _, err := e.Reset(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Step(ctx, []envs.RoleAction{{Role: "agent_0", Action: envs.Int(0)}}); err != nil {
		t.Fatal(err)
	}
	e.Close()
	out := e.Output()
	if len(out) > 64<<10 {
		t.Errorf("the output has %d bytes", len(out))
	}
	for _, part := range []string{"flood 0 ", "flood 199999 ", " lines left out …"} {
		if !strings.Contains(out, part) {
			t.Errorf("the output lacks %q", part)
		}
	}
}

func TestCancelledCallsEndTheProcess(t *testing.T) {
	pool := newTestPool(t, Config{})
	load := filesOf(t, "fault", map[string]any{"phase": "step", "way": "endless"})
	load.Limits.Step = time.Minute
	e, err := pool.Open(context.Background(), load)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if _, err := e.Reset(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err = e.Step(ctx, []envs.RoleAction{{Role: "agent_0", Action: envs.Int(0)}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a step whose context ended returned %v", err)
	}
	e.Close()
	mustBeGone(t, e.worker.process)
}

func TestResetAfterAnException(t *testing.T) {
	pool := newTestPool(t, Config{})
	ctx := context.Background()
	e, err := pool.Open(ctx, filesOf(t, "fault", map[string]any{"phase": "step", "way": "raise"}))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for range 2 {
		if _, err := e.Reset(ctx, 1); err != nil {
			t.Fatalf("Reset: %v", err)
		}
		action := []envs.RoleAction{{Role: "agent_0", Action: envs.Int(0)}}
		var f *envs.Fault
		if _, err := e.Step(ctx, action); !errors.As(err, &f) || f.Type != "ValueError" {
			t.Fatalf("Step returned %v", err)
		}
		if _, err := e.Step(ctx, action); !errors.Is(err, envs.ErrNotReset) {
			t.Errorf("Step after an exception returned %v", err)
		}
	}
}
