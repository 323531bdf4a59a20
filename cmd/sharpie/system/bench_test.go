package system

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"sharpie/envs/python/pythontest"
)

// measured is how long processor time is counted, within one episode of 200 steps, and
// pace the rate of the steps.
const (
	measured = 6 * time.Second
	pace     = 24
)

// mountainCar is played by somebody who changes the direction every second.
const mountainCar = `environment: {source: "gymnasium:MountainCar-v0"}
experiment: {link: car, name: Car, number_of_episodes: 50, target_fps: 24, wait_for_inputs: false, reconnect_grace: 1s}
`

// bareCar steps and draws at the same rate without SHARPIE, and prints its processor time
// per second.
const bareCar = `import resource, sys, time
import gymnasium
seconds, pace = float(sys.argv[1]), int(sys.argv[2])
env = gymnasium.make("MountainCar-v0", render_mode="rgb_array", disable_env_checker=True)
def used():
    r = resource.getrusage(resource.RUSAGE_SELF)
    return r.ru_utime + r.ru_stime
env.reset(seed=1); env.render()
began, before, steps = time.perf_counter(), used(), 0
while steps < seconds * pace:
    _, _, terminated, truncated, _ = env.step(steps // pace % 2 * 2)
    env.render()
    if terminated or truncated:
        env.reset(); env.render()
    steps += 1
    time.sleep(max(0, began + steps / pace - time.perf_counter()))
print((used() - before) / (time.perf_counter() - began))
`

// BenchmarkMountainCar plays Mountain Car of Gymnasium at 24 steps a second through the
// whole program: worker, runner, picture, record, socket, store. What that costs above
// the environment itself, which steps and draws in a Python of its own before and after,
// is "above-%core". It says nothing of the browser, or of the reader of the socket, which
// is this process.
func BenchmarkMountainCar(b *testing.B) {
	python := pythontest.Interpreter(b)
	s := serve(b, "", nil, "--python", python)
	file := filepath.Join(b.TempDir(), "car.yaml")
	writeFile(b, file, mountainCar)
	if code, said := s.command("import", file, "--python", python); code != 0 {
		b.Fatalf("import ended with %d:\n%s", code, said)
	}
	ada := s.register("ada")
	var alone, server, worker, steps float64
	for range b.N {
		first := bareCores(b, python)
		pl := ada.play(ada.join("car"))
		pl.until("a second of pictures", func(v view) bool { return v.frames > pace })
		eventually(b, "the next spare is ready", func() bool { return s.metric("sharpie_python_spares") == 1 })
		began, seen := time.Now(), pl.now().frame.GetStep()
		own, others := used(b, s.cmd.Process.Pid)
		for i := 0; time.Since(began) < measured; i++ {
			if err := pl.press([]string{"ArrowRight", "ArrowLeft"}[i%2]); err != nil {
				b.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		own2, others2 := used(b, s.cmd.Process.Pid)
		seconds := time.Since(began).Seconds()
		server += (own2 - own).Seconds() / seconds
		worker += (others2 - others).Seconds() / seconds
		steps += float64(pl.now().frame.GetStep()-seen) / seconds // wrong by 1 at most
		pl.drop()
		alone += (first + bareCores(b, python)) / 2
	}
	n := float64(b.N)
	b.ReportMetric(100*alone/n, "bare-%core")
	b.ReportMetric(100*worker/n, "worker-%core")
	b.ReportMetric(100*server/n, "server-%core")
	b.ReportMetric(100*(server+worker-alone)/n, "above-%core")
	b.ReportMetric(steps/n, "steps/s")
}

// bareCores is how much of a core the environment takes alone.
func bareCores(b *testing.B, python string) float64 {
	b.Helper()
	cmd := exec.Command(python, "-c", bareCar, fmt.Sprint(measured.Seconds()), fmt.Sprint(pace))
	cmd.Env = append(os.Environ(), "SDL_VIDEODRIVER=dummy", "PYGAME_HIDE_SUPPORT_PROMPT=1")
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	cores, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	if err != nil {
		b.Fatal(err)
	}
	return cores
}

// used is the processor time of a process, and of all that it started and that lives.
func used(b *testing.B, pid int) (own, others time.Duration) {
	b.Helper()
	parents := map[int]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well-formed
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		id, _, _ := strings.Cut(string(data), " ")
		_, rest, _ := strings.Cut(string(data), ") ")
		child, err := strconv.Atoi(id)
		fields := strings.Fields(rest)
		if err != nil || len(fields) < 2 {
			continue
		}
		parents[child], _ = strconv.Atoi(fields[1])
	}
	for p := range parents {
		for at := p; at > 1; at = parents[at] {
			if at != pid {
				continue
			}
			if p == pid {
				own += scheduled(p)
			} else {
				others += scheduled(p)
			}
			break
		}
	}
	return own, others
}

// scheduled is the time that the threads of a process were on a processor.
func scheduled(pid int) (sum time.Duration) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid)) // well-formed, too
	for _, path := range threads {
		data, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		first, _, _ := strings.Cut(string(data), " ")
		ns, _ := strconv.ParseInt(first, 10, 64)
		sum += time.Duration(ns)
	}
	return sum
}
