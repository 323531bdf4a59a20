package python

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

// What a process starts is seen at the next look, and what ended is gone, however the
// list was made.
func TestTheCensusSeesWhatBeginsAndEnds(t *testing.T) {
	if processes() == nil {
		t.Skip("not checked: the list of processes, which this system does not have")
	}
	var c census
	leaders := []int{os.Getpid()}
	has := func(pid int) bool {
		return slices.ContainsFunc(c.take(leaders), func(p proc) bool { return p.pid == pid })
	}
	if !has(os.Getpid()) {
		t.Fatal("the leader itself is missing")
	}
	for range 20 {
		cmd := exec.Command("sleep", "60")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		pid := cmd.Process.Pid
		found := has(pid)
		if again := has(pid); !found || !again { // taken twice: the second look goes by what the first left
			t.Error("a process that began is missing")
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		if has(pid) {
			t.Error("a process that ended is still there")
		}
	}
}

func BenchmarkCensus(b *testing.B) {
	began := time.Now()
	for b.Loop() {
		processes()
	}
	whole := time.Since(began) / time.Duration(b.N)
	var c census
	c.take([]int{os.Getpid()})
	began = time.Now()
	for range b.N {
		c.take([]int{os.Getpid()})
	}
	again := time.Since(began) / time.Duration(b.N)
	b.ReportMetric(float64(whole)/1e3, "all-µs/op")
	b.ReportMetric(float64(again)/1e3, "again-µs/op")
}
