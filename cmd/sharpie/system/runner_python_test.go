package system

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sharpie/envs/python/pythontest"
)

// pythonNode is a runner node as an operator starts it, with a folder that outlives it.
type pythonNode struct {
	t    testing.TB
	args []string
	env  []string // beside that of the test
	// through is a program and its arguments that run the node in a place of its own.
	through []string
	data    string
	cmd     *exec.Cmd
	log     *lines // of all its processes
	done    chan struct{}
}

// runnerKey makes a key for nodes of the server.
func (s *server) runnerKey() string {
	s.t.Helper()
	said, err := exec.CommandContext(s.t.Context(), binary, append([]string{"runner-key", "add", "lab"}, s.storeFlags()...)...).CombinedOutput()
	key := regexp.MustCompile(`--key (shk_\S+)`).FindSubmatch(said)
	if err != nil || key == nil {
		s.t.Fatalf("runner-key add: %v\n%s", err, said)
	}
	return string(key[1])
}

// pythonNode prepares a node of the server; start starts it.
func (s *server) pythonNode(key string, flags ...string) *pythonNode {
	s.t.Helper()
	n := &pythonNode{t: s.t, data: filepath.Join(s.t.TempDir(), "runner-data"), log: &lines{}}
	n.args = append([]string{"runner", "--join", s.base, "--key", key, "--data", n.data, "--name", "far", "--slots", "2", "--log-level", "debug"}, flags...)
	s.t.Cleanup(func() {
		n.stop(syscall.SIGKILL)
		_ = exec.Command("chmod", "-R", "u+w", n.data).Run() // what was unpacked is read-only
		if s.t.Failed() {
			s.t.Logf("the node's log ends with:\n%s", n.log.tail(40))
		}
	})
	return n
}

func (n *pythonNode) start() {
	n.t.Helper()
	line := append(append(slices.Clone(n.through), binary), n.args...)
	n.cmd, n.done = exec.Command(line[0], line[1:]...), make(chan struct{})
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	n.cmd.Env = append(os.Environ(), n.env...)
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait() // ProcessState says how it ended
		close(done)
	}(n.cmd, n.done)
}

// stop ends the node and returns its exit code.
func (n *pythonNode) stop(sig syscall.Signal) int {
	if n.cmd == nil {
		return 0
	}
	_ = n.cmd.Process.Signal(sig) // fails where it has ended
	<-n.done
	return n.cmd.ProcessState.ExitCode()
}

// says waits for a line of the node's log, after a mark, with all of the parts.
func (n *pythonNode) says(mark int, parts ...string) {
	n.t.Helper()
	eventually(n.t, "the node's log has a line with "+strings.Join(parts, ", "), func() bool { return n.log.has(mark, parts...) })
}

// fetched counts the bundles that came to the node.
func (n *pythonNode) fetched() int { return strings.Count(n.log.text(), "bundle fetched") }

// playOnce plays a session to its end; during is called in the midst of it.
func (p *person) playOnce(link string, during ...func()) {
	p.t.Helper()
	pl := p.play(p.join(link))
	pl.frames(3)
	for _, f := range during {
		f()
	}
	v := pl.until("the end", func(v view) bool { return v.end != nil })
	if v.end.GetCode() != "completed" || v.frames < 5 {
		p.t.Errorf("%s ended after %d frames with %v", link, v.frames, v.end)
	}
	pl.closed()
}

// pythonsBelow lists the Python processes that a process started, or one that it started.
func pythonsBelow(t testing.TB, pid int) []int {
	t.Helper()
	parents := map[int]int{}
	var pythons []int
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		own, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		var state string
		var parent int
		if _, err := fmt.Sscan(string(text[strings.LastIndexByte(string(text), ')')+1:]), &state, &parent); err != nil {
			continue
		}
		parents[own] = parent
		if line, err := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline")); err == nil && strings.Contains(string(line), "python") {
			pythons = append(pythons, own)
		}
	}
	var below []int
	for _, p := range pythons {
		for at := parents[p]; at > 1; at = parents[at] {
			if at == pid {
				below = append(below, p)
				break
			}
		}
	}
	return below
}

func TestANodeRunsPythonThatItGotFromTheServer(t *testing.T) {
	t.Parallel()
	python := pythontest.Interpreter(t)
	s := serve(t, "", nil, "--python", python, "--slots", "0")
	s.imports(filepath.Join("..", "..", "..", "envs", "python", "testdata", "gallery", "siblings"), gallery(t, "counter", "pass", "participant"))
	n := s.pythonNode(s.runnerKey(), "--python", python)
	n.start()
	n.says(0, "can be played here", "experiment=counter")
	n.says(0, "can be played here", "experiment=siblings")
	if got := n.fetched(); got != 2 {
		t.Errorf("the node fetched %d bundles ahead, want both", got)
	}

	ada := s.register("ada")
	ada.playOnce("counter", func() {
		if len(pythonsBelow(t, n.cmd.Process.Pid)) == 0 {
			t.Error("no Python process is a child of the node while it plays")
		}
		if plays := s.metric("sharpie_python_workers"); plays != 0 {
			t.Errorf("%v Python processes of the server play", plays)
		}
	})
	ada.playOnce("counter")
	if got := n.fetched(); got != 2 {
		t.Errorf("the node fetched %d bundles for two sessions, want the 2 that it had", got)
	}
	s.verify("counter")

	// What is damaged on the disk is seen by the next process, and fetched again; the
	// other one is not.
	if code := n.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("the node ended with %d on SIGTERM:\n%s", code, n.log.tail(20))
	}
	damage(t, n.data, "Counter")
	mark := n.log.mark()
	n.start()
	n.says(mark, "can be played here", "experiment=counter")
	n.says(mark, "can be played here", "experiment=siblings")
	if got := n.fetched(); got != 3 {
		t.Errorf("the node fetched %d bundles in all, want one more for what was damaged", got)
	}
	ada.playOnce("counter")
	s.verify("counter")
	n.stop(syscall.SIGTERM)
	s.kill()

	all := episodes(t, s.store(), "counter")
	if len(all) != 3 {
		t.Fatalf("%d episodes are stored, want 3", len(all))
	}
	for _, e := range all {
		if !strings.HasPrefix(string(e.Runner), "far.") {
			t.Errorf("the episode was run by %q, want the node far", e.Runner)
		}
		if e.Status != "terminated" || e.Steps != 25 || e.Interpreter == "" || e.Confinement == "" || !strings.Contains(e.Log, "a new episode") {
			t.Errorf("%s after %d steps, with %q, confined by %q, and the log %q", e.Status, e.Steps, e.Interpreter, e.Confinement, e.Log)
		}
	}
}

// damage changes the file of an unpacked bundle that has a text in it.
func damage(t *testing.T, data, text string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "bundles", "*", "environment.py"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		code, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(code), "class "+text) {
			continue
		}
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		writeFile(t, path, "raise ValueError('damaged')\n")
		if err := os.Chmod(path, 0o444); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("no unpacked environment.py has %q; there are %q", text, files)
}

func TestAnExperimentThatComesLaterIsPlayedOnANode(t *testing.T) {
	t.Parallel()
	python := pythontest.Interpreter(t)
	s := serve(t, "", nil, "--python", python, "--slots", "0")
	n := s.pythonNode(s.runnerKey(), "--python", python)
	n.start()
	s.loggedSince(0, "runner node joined")
	s.imports(gallery(t, "late", "pass", "session"))
	s.register("ada").playOnce("late") // the files come when they are asked for
	if got := n.fetched(); got != 1 {
		t.Errorf("the node fetched %d bundles, want 1", got)
	}
}

func TestANodeWithoutAKeyGetsNothing(t *testing.T) {
	t.Parallel()
	python := pythontest.Interpreter(t)
	s := serve(t, "", nil, "--python", python, "--slots", "0")
	s.imports(gallery(t, "counter", "pass", "session"))
	key := s.runnerKey()
	n := s.pythonNode(key[:len(key)-4]+"AAAA", "--python", python)
	began := time.Now()
	n.start()
	<-n.done
	if code := n.cmd.ProcessState.ExitCode(); code != 3 || !strings.Contains(n.log.text(), "does not know the key") {
		t.Errorf("the node ended with %d after %s:\n%s", code, time.Since(began), n.log.tail(20))
	}
	if found, err := filepath.Glob(filepath.Join(n.data, "bundles", "*")); err != nil || len(found) > 0 || n.fetched() > 0 {
		t.Errorf("the node has %q, %v", found, err)
	}
}
