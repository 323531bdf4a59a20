package python

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sharpie/envs"
	"sharpie/envs/python/pythontest"
)

// eventually waits for something, with a deadline.
func eventually(t *testing.T, what string, most time.Duration, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(most); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("after %v: not %s", most, what)
		}
	}
}

// spareOf is the spare that is ready now.
func spareOf(p *Pool) *Worker {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.spares {
		select {
		case <-s.ready:
			return s.worker
		default:
		}
	}
	return nil
}

func TestSparesAreTakenAndReplaced(t *testing.T) {
	pool := newTestPool(t, Config{Spares: 1})
	load := loadOf(t, "gymnasium:CartPole-v1", nil)
	ctx := context.Background()
	pool.Warm(load.Interpreter, load.Modules)
	eventually(t, "a spare is ready", 60*time.Second, func() bool { return pool.Spares() == 1 })
	first := spareOf(pool)
	e, err := pool.Open(ctx, load)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if e.worker != first {
		t.Error("the spare was not taken")
	}
	eventually(t, "the next spare is ready", 60*time.Second, func() bool { return spareOf(pool) != nil })
	// a spare that died is not given out
	dead := spareOf(pool)
	if err := syscall.Kill(-dead.process.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the spare is dead", 10*time.Second, func() bool { return !dead.alive() })
	if n := pool.Spares(); n != 0 {
		t.Errorf("a dead spare is told as one of %d", n)
	}
	again, err := pool.Open(ctx, load)
	if err != nil {
		t.Fatalf("with a dead spare, Open failed: %v", err)
	}
	defer again.Close()
	if again.worker == dead {
		t.Error("a dead spare was taken")
	}
}

func TestIdleSparesEnd(t *testing.T) {
	pool := newTestPool(t, Config{Spares: 1, SpareIdle: 50 * time.Millisecond})
	pool.Warm(Interpreter{Path: pythontest.Interpreter(t)}, nil)
	eventually(t, "no worker is left", 30*time.Second, func() bool {
		pool.mu.Lock()
		defer pool.mu.Unlock()
		return len(pool.spares) == 0 && pool.started.Load() == 1 && len(pool.live) == 0
	})
}

// Commands end with a spare on its way: that is nothing to warn of.
func TestClosingASpareOnItsWayIsNoWarning(t *testing.T) {
	var log bytes.Buffer
	pool := newTestPool(t, Config{Spares: 1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	pool.Warm(Interpreter{Path: pythontest.Interpreter(t)}, nil)
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
	if log.Len() > 0 {
		t.Errorf("it logs\n%s", &log)
	}
}

func TestMissingInterpretersAreSaid(t *testing.T) {
	pool := newTestPool(t, Config{})
	for _, path := range []string{"", "/nowhere/python", "/bin/true"} {
		load := Load{Interpreter: Interpreter{Path: path}, Source: "gymnasium:CartPole-v1", Limits: Limits{Load: 10 * time.Second}}
		_, err := pool.Open(context.Background(), load)
		var f *envs.Fault
		if !errors.As(err, &f) || f.State != envs.BadLoad || !strings.Contains(f.Message, "interpreter") {
			t.Errorf("with the interpreter %q, Open returned %v", path, err)
		}
	}
}

func TestClosedPoolsRefuse(t *testing.T) {
	pool := newTestPool(t, Config{})
	load := loadOf(t, "gymnasium:CartPole-v1", nil)
	e, err := pool.Open(context.Background(), load)
	if err != nil {
		t.Fatal(err)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	mustBeGone(t, e.worker.process)
	if _, err := e.Reset(context.Background(), 1); err == nil {
		t.Error("Reset works after the pool is closed")
	}
	if _, err := pool.Open(context.Background(), load); !errors.Is(err, envs.ErrClosed) {
		t.Errorf("Open of a closed pool returned %v", err)
	}
}

func TestNothingLeaks(t *testing.T) {
	pool := newTestPool(t, Config{})
	path := pythontest.Interpreter(t)
	open := func() {
		w, err := pool.Policies(context.Background(), Load{Interpreter: Interpreter{Path: path}, Roles: []LoadRole{{Role: "a"}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	open()
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	for range 50 {
		open()
	}
	eventually(t, "as few goroutines and files as before", 10*time.Second, func() bool {
		return runtime.NumGoroutine() <= goroutines+2 && openFiles(t) <= files+2
	})
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// childVariable makes the test binary a program that opens an environment and hangs.
const childVariable = "SHARPIE_TEST_CHILD"

func TestAKilledProgramLeavesNoWorker(t *testing.T) {
	if dir := os.Getenv(childVariable); dir != "" {
		hangForEver(t, dir)
		return
	}
	bothWays(t, func(t *testing.T, confine Confine) {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0], "-test.run=^TestAKilledProgramLeavesNoWorker$")
		cmd.Env = append(os.Environ(), childVariable+"="+dir, "SHARPIE_TEST_CONFINE="+strconv.Itoa(int(confine)), pythontest.Env+"="+pythontest.Interpreter(t))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		id, ok := strings.CutPrefix(strings.TrimSpace(line), "worker ")
		if err != nil || !ok {
			_ = cmd.Process.Kill()
			t.Fatalf("the program said %q (%v)", line, err)
		}
		if len(marked(processes(), mark(id))) == 0 {
			t.Error("the worker is not seen while it runs")
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		eventually(t, "the worker has ended", 5*time.Second, func() bool { return len(marked(processes(), mark(id))) == 0 })
		// the next pool finds the folders of the last
		newTestPool(t, Config{Dir: dir, Confine: confine})
		list, err := os.ReadDir(dir)
		if err != nil || len(list) != 1 {
			t.Errorf("%d folders are left (%v)", len(list), err)
		}
	})
}

// hangForEver is what the program does that is killed.
func hangForEver(t *testing.T, dir string) {
	confine, _ := strconv.Atoi(os.Getenv("SHARPIE_TEST_CONFINE"))
	pool := newTestPool(t, Config{Dir: dir, Confine: Confine(confine)})
	load := filesOf(t, "fault", map[string]any{"phase": "step", "way": "endless"})
	load.Limits.Step = time.Minute
	e, err := pool.Open(context.Background(), load)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Reset(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("worker " + e.worker.process.id + "\n")
	_, err = e.Step(context.Background(), []envs.RoleAction{{Role: "agent_0", Action: envs.Int(0)}})
	t.Fatal(err)
}
