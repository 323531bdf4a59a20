package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is the whole benchmark, as --json writes it.
type Report struct {
	Version string    `json:"version"`
	At      time.Time `json:"at"`
	Machine Machine   `json:"machine"`
	Store   string    `json:"store"`
	// RunnerNodes is how many nodes played every run; 0: the server did.
	RunnerNodes int      `json:"runner_nodes,omitempty"`
	Runs        []Result `json:"runs"`
	Nodes       *Nodes   `json:"nodes,omitempty"`
}

// Machine is where it ran. Server, load and echo share it.
type Machine struct {
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	Cores int    `json:"cores"`
	CPU   string `json:"cpu"`
	Go    string `json:"go"`
}

func thisMachine() Machine {
	m := Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, ok := strings.CutPrefix(line, "model name"); ok {
				m.CPU = strings.TrimSpace(strings.TrimLeft(name, "\t :"))
				break
			}
		}
	}
	return m
}

func (r Report) writeJSON(path string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	if path == "-" {
		_, err = fmt.Printf("%s\n", b)
	} else {
		err = os.WriteFile(path, append(b, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("bench: write the report: %w", err)
	}
	return nil
}

func (r Report) print(w io.Writer) error {
	fmt.Fprintf(w, "SHARPIE %s on %d cores (%s), store: %s; server, load and echo share the machine\n\n", r.Version, r.Machine.Cores, r.Machine.CPU, r.Store)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "run\tplayers\tFPS\tlowest\tsteps/s\ton time\trtt p50\tp95\tp99 ms\techo p99\tΔp99\techo msg/s\tratio\tbytes/frame\tserver CPU\techo CPU\tmemory\tstored\t")
	for _, x := range r.Runs {
		onTime := "–"
		if x.TicksOnTime >= 0 {
			onTime = fmt.Sprintf("%.2f %%", 100*x.TicksOnTime)
		}
		echoP99, delta, echoRate, ratio, echoCPU := "–", "–", "–", "–", "–"
		if e := x.Echo; e != nil {
			echoP99, delta = fmt.Sprintf("%.2f", e.RoundTrip.P99), fmt.Sprintf("%+.2f", x.RoundTrip.P99-e.RoundTrip.P99)
			echoRate = fmt.Sprintf("%.0f", e.MessagesPerSecond)
			if e.MessagesPerSecond > 0 {
				ratio = fmt.Sprintf("%.2f", float64(x.FramesSent)/x.Seconds/e.MessagesPerSecond)
			}
			echoCPU = fmt.Sprintf("%.1f s", e.CPUSeconds)
		}
		stored := "–"
		if s := x.Stored; s != nil {
			stored = fmt.Sprintf("%d/%d", s.Records, s.Expected)
		}
		fmt.Fprintf(t, "%s\t%d/%d\t%.1f\t%.1f\t%.0f\t%s\t%.2f\t%.2f\t%.2f\t%s\t%s\t%s\t%s\t%.0f\t%.0f %%\t%s\t%.0f MB\t%s\t\n",
			x.Name, x.Connected, x.Players(), x.FPS, x.FPSLowest, x.StepsPerSecond, onTime,
			x.RoundTrip.P50, x.RoundTrip.P95, x.RoundTrip.P99, echoP99, delta, echoRate, ratio, x.BytesPerFrame,
			100*x.CPUSeconds/max(x.Seconds, 0.001), echoCPU, float64(x.Memory)/1e6, stored)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("bench: print the report: %w", err)
	}
	for _, x := range r.Runs {
		if x.Failed > 0 {
			fmt.Fprintf(w, "%s: %d sockets failed, the last with: %s\n", x.Name, x.Failed, x.FailedWhy)
		}
	}
	fmt.Fprintln(w, "\nratio: frames received a second against the bare echo's messages a second, same sockets, same bytes.")
	if r.Nodes == nil {
		return nil
	}
	return r.Nodes.print(w)
}
