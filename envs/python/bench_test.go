package python

import (
	"context"
	"fmt"
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

// bareLoop prints the median time of a step and a render in nanoseconds, without a bridge.
const bareLoop = `import sys, time
sys.path.insert(0, sys.argv[1])
from environment import Environment
env = Environment(int(sys.argv[2])); env.reset(); times = []
for _ in range(int(sys.argv[3])):
    t = time.perf_counter_ns(); env.step({"agent_0": 0}); env.render(); times.append(time.perf_counter_ns() - t)
print(sorted(times)[len(times) // 2])
`

// BenchmarkTurn measures a whole turn against the bare environment of the same run: what
// the bridge costs is "overhead-µs/op", the difference of the medians.
func BenchmarkTurn(b *testing.B) {
	path := pythontest.Interpreter(b)
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "environment.py"), []byte(benchEnvironment), 0o600); err != nil {
		b.Fatal(err)
	}
	for _, size := range []int{0, 64, 256, 512, 1024} {
		b.Run(fmt.Sprintf("%dx%d", size, size), func(b *testing.B) {
			ctx := context.Background()
			pool := newTestPool(b, Config{})
			e, err := pool.Open(ctx, Load{
				Interpreter: Interpreter{Path: path}, Bundle: dir, File: "environment.py",
				Metadata: map[string]any{"size": size}, Roles: []LoadRole{{Role: "agent_0"}},
			})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			if _, err := e.Reset(ctx, 1); err != nil {
				b.Fatal(err)
			}
			turn := []envs.RoleTurn{{Role: "agent_0", Acts: true, Final: true, Action: envs.Int(0)}}
			times := make([]time.Duration, 0, b.N)
			b.ResetTimer()
			for range b.N {
				began := time.Now()
				if _, err := e.Turn(ctx, turn); err != nil {
					b.Fatal(err)
				}
				times = append(times, time.Since(began))
			}
			b.StopTimer()
			slices.Sort(times)
			out, err := exec.Command(path, "-c", bareLoop, dir, strconv.Itoa(size), "2000").Output()
			if err != nil {
				b.Fatal(err)
			}
			bare, err := strconv.Atoi(strings.TrimSpace(string(out)))
			if err != nil {
				b.Fatal(err)
			}
			median := times[len(times)/2]
			b.ReportMetric(float64(median.Nanoseconds())/1e3, "p50-µs/op")
			b.ReportMetric(float64(median.Nanoseconds()-int64(bare))/1e3, "overhead-µs/op")
		})
	}
}

// BenchmarkOpen measures how long an episode of files takes to begin, with a spare that
// is ready: copy, load, reset, picture.
func BenchmarkOpen(b *testing.B) {
	path := pythontest.Interpreter(b)
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "environment.py"), []byte(benchEnvironment), 0o600); err != nil {
		b.Fatal(err)
	}
	pool := newTestPool(b, Config{Spares: 1})
	load := Load{
		Interpreter: Interpreter{Path: path}, Modules: []string{"numpy"}, Bundle: dir, File: "environment.py",
		Metadata: map[string]any{"size": 64}, Roles: []LoadRole{{Role: "agent_0"}},
	}
	pool.Warm(load.Interpreter, load.Modules)
	b.StopTimer()
	for range b.N {
		for end := time.Now().Add(time.Minute); spareOf(pool) == nil && time.Now().Before(end); {
			time.Sleep(5 * time.Millisecond)
		}
		b.StartTimer()
		e, err := pool.Open(context.Background(), load)
		if err == nil {
			_, err = e.Reset(context.Background(), 1)
		}
		b.StopTimer()
		if err != nil {
			b.Fatal(err)
		}
		e.Close()
	}
}
