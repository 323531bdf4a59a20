package python

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sharpie/envs"
	"sharpie/envs/python/pythontest"
)

// memory is what was ever taken of the heap.
func memory() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// benchEnvironment does next to nothing, with a new picture in every step.
const benchEnvironment = `import numpy as np
class Environment:
    def __init__(self, size=0):
        self.frame = np.zeros((size, size, 3), np.uint8) if size else None
        self.count = 0
    def reset(self):
        return np.zeros(4, np.float32), {}
    def step(self, actions):
        self.count += 1
        return np.full(4, self.count, np.float32), 1.0, False, False, {}
    def render(self):
        if self.frame is not None:
            self.frame[0, 0, 0] = self.count & 255
        return self.frame
environment = Environment
`

// benchPolicy answers at once.
const benchPolicy = `class Policy:
    def predict(self, state):
        return 0
    def update(self, state, action, reward, done, next_state):
        pass
policy = Policy()
`

// bareLoop steps and draws without a bridge: for each line it takes that many steps, and
// prints their times in nanoseconds.
const bareLoop = `import sys, time
sys.path.insert(0, sys.argv[1])
from environment import Environment
from policy import policy
env = Environment(int(sys.argv[2])); env.reset(); asks = sys.argv[3] == "asks"
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        t = time.perf_counter_ns()
        action = policy.predict(None) if asks else 0
        env.step({"agent_0": action}); env.render()
        times.append(time.perf_counter_ns() - t)
    print(*times, flush=True)
`

// bare is a process with bareLoop.
type bare struct {
	in  io.Writer
	out *bufio.Reader
}

func newBare(b *testing.B, dir string, size int, asks string) *bare {
	b.Helper()
	cmd := exec.Command(pythontest.Interpreter(b), "-c", bareLoop, dir, strconv.Itoa(size), asks)
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		b.Fatal(err1, err2)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		_ = cmd.Wait() // its input has ended
	})
	return &bare{in, bufio.NewReaderSize(out, 1<<20)}
}

// steps takes some steps, and adds their times.
func (p *bare) steps(b *testing.B, n int, times []time.Duration) []time.Duration {
	b.Helper()
	fmt.Fprintln(p.in, n)
	line, err := p.out.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	for _, word := range strings.Fields(line) {
		ns, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Duration(ns))
	}
	return times
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// benchFolder holds the environment and the policy.
func benchFolder(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	for name, text := range map[string]string{"environment.py": benchEnvironment, "policy.py": benchPolicy} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// BenchmarkTurn measures a whole turn: action, step, picture, answer. The environment
// alone, without a bridge, takes its steps between, some hundred at a time. What the
// bridge costs is "overhead-µs", the difference of the medians.
func BenchmarkTurn(b *testing.B) {
	for _, size := range []int{0, 64, 256, 512, 1024} {
		b.Run(fmt.Sprintf("%dx%d", size, size), func(b *testing.B) { benchmarkTurn(b, size, false) })
	}
	// The policy in the environment's process is asked and taught in the same exchange.
	b.Run("0x0 with a policy", func(b *testing.B) { benchmarkTurn(b, 0, true) })
}

func benchmarkTurn(b *testing.B, size int, policy bool) {
	ctx := context.Background()
	dir := benchFolder(b)
	load := Load{
		Interpreter: Interpreter{Path: pythontest.Interpreter(b)}, Bundle: dir, File: "environment.py",
		Metadata: map[string]any{"size": size}, Roles: []LoadRole{{Role: "agent_0", Policy: policy}},
	}
	e, err := newTestPool(b, Config{}).Open(ctx, load)
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	turn := []envs.RoleTurn{{Role: "agent_0", Acts: true, Final: true, Action: envs.Int(0)}}
	if policy {
		_, err := e.Worker().LoadPolicy(ctx, PolicyLoad{Role: "agent_0", File: "policy.py", Learns: true, Every: -1, Action: envs.Opaque{}})
		if err != nil {
			b.Fatal(err)
		}
		turn[0].Ask, turn[0].Final, turn[0].Learn = true, false, &envs.Lesson{}
	}
	if _, err := e.Reset(ctx, 1); err != nil {
		b.Fatal(err)
	}
	alone := newBare(b, dir, size, map[bool]string{true: "asks", false: "acts"}[policy])
	const some = 100
	var times, others []time.Duration
	b.ResetTimer()
	for i := range b.N {
		if i%some == 0 {
			b.StopTimer()
			others = alone.steps(b, some, others)
			b.StartTimer()
		}
		began := time.Now()
		out, err := e.Turn(ctx, turn)
		if err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(began))
		if policy && out.Decisions[0].Policy == nil {
			b.Fatal("the policy was not asked")
		}
	}
	b.StopTimer()
	whole, bare := median(times), median(others)
	b.ReportMetric(float64(bare.Nanoseconds())/1e3, "bare-p50-µs")
	b.ReportMetric(float64(whole.Nanoseconds())/1e3, "p50-µs")
	b.ReportMetric(float64(times[len(times)*99/100].Nanoseconds())/1e3, "p99-µs")
	b.ReportMetric(float64((whole-bare).Nanoseconds())/1e3, "overhead-µs")
}

// BenchmarkOpen measures how long an episode takes to begin: worker, files, reset,
// picture, with a spare that is ready and without. In the same run a bare interpreter
// does the same; how long its imports alone take is "import-ms".
func BenchmarkOpen(b *testing.B) {
	for _, c := range []struct {
		name   string
		spares int
		source string
		bare   string
	}{
		{"files, spare", 1, "", "from environment import Environment; made = lambda: Environment(64)"},
		{"files, none", -1, "", "from environment import Environment; made = lambda: Environment(64)"},
		{"CartPole, spare", 1, "gymnasium:CartPole-v1", "import gymnasium; made = lambda: gymnasium.make('CartPole-v1', render_mode='rgb_array')"},
		{"CartPole, none", -1, "gymnasium:CartPole-v1", "import gymnasium; made = lambda: gymnasium.make('CartPole-v1', render_mode='rgb_array')"},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkOpen(b, c.spares, c.source, c.bare) })
	}
}

func benchmarkOpen(b *testing.B, spares int, source, bare string) {
	load := loadOf(b, source, nil)
	dir := benchFolder(b)
	if source == "" {
		load.Bundle, load.File, load.Metadata, load.Modules = dir, "environment.py", map[string]any{"size": 64}, []string{"numpy"}
	} else {
		load.Modules = []string{"numpy", "gymnasium", "pygame"}
	}
	load.Roles = []LoadRole{{Role: "agent_0"}}
	program := "import sys, time; b = time.perf_counter(); sys.path.insert(0, '.')\n" + bare +
		"\ni = time.perf_counter(); e = made(); e.reset(); e.render(); print((i - b) * 1000, (time.perf_counter() - i) * 1000)"
	pool := newTestPool(b, Config{Spares: spares})
	if spares > 0 {
		pool.Warm(load.Interpreter, load.Modules)
	}
	var opened, imported, reset []time.Duration
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		imports, begins := bareStart(b, dir, program)
		imported, reset = append(imported, imports), append(reset, begins)
		if spares > 0 {
			look := time.NewTicker(5 * time.Millisecond)
			for end := time.Now().Add(time.Minute); pool.Spares() == 0 && time.Now().Before(end); {
				<-look.C
			}
			look.Stop()
		}
		b.StartTimer()
		began := time.Now()
		e, err := pool.Open(context.Background(), load)
		if err == nil {
			_, err = e.Reset(context.Background(), 1)
		}
		opened = append(opened, time.Since(began))
		b.StopTimer()
		if err != nil {
			b.Fatal(err)
		}
		e.Close()
	}
	b.ReportMetric(float64(median(opened).Microseconds())/1e3, "open-p50-ms")
	b.ReportMetric(float64(median(imported).Microseconds())/1e3, "import-ms")
	b.ReportMetric(float64(median(reset).Microseconds())/1e3, "bare-begin-ms")
}

// bareStart is how long an interpreter of its own takes to import, and to make, reset
// and draw.
func bareStart(b *testing.B, dir, program string) (imports, begins time.Duration) {
	b.Helper()
	cmd := exec.Command(pythontest.Interpreter(b), "-c", program)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SDL_VIDEODRIVER=dummy", "PYGAME_HIDE_SUPPORT_PROMPT=1")
	out, err := cmd.Output()
	var i, m float64
	if err == nil {
		_, err = fmt.Fscan(bytes.NewReader(out), &i, &m)
	}
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return time.Duration(i * 1e6), time.Duration(m * 1e6)
}
