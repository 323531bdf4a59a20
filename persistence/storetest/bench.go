package storetest

import (
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sharpie/persistence"
)

// benchChunk is a second of one participant at 30 steps per second: a Box of
// float32×8, an action, a source, a key now and then.
func benchChunk(episode string, n int64) *persistence.StepChunk {
	c := chunk(episode, n*30, 30)
	c.Roles[0].Observations = &persistence.Array{DType: "float32", Shape: []int{30, 8}, Data: make([]byte, 30*8*4)}
	for i := range int64(3) {
		c.Roles[0].Inputs = append(c.Roles[0].Inputs, persistence.HumanInput{
			Step: c.First + i*10, Seq: n*3 + i, StepSeen: c.First + i*10 - 1, Keys: []string{"ArrowLeft"}, Value: int64(0), ClientAt: now, ReceivedAt: now,
		})
	}
	return c
}

// Benchmark measures InsertStepChunks, one chunk a call: by one caller, by 64
// callers as fast as they can, and at 500 chunks a second, where the figure to
// look at is the processor time of this process, in cores.
func Benchmark(b *testing.B, open func(b *testing.B) persistence.Store) {
	b.Run("one caller", func(b *testing.B) {
		s := open(b)
		for i := int64(0); b.Loop(); i++ {
			insertChunk(b, s, benchChunk("e", i))
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "chunks/s")
	})
	b.Run("64 callers", func(b *testing.B) {
		s := open(b)
		var callers atomic.Int64
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			episode := id("e%d", callers.Add(1))
			for i := int64(0); pb.Next(); i++ {
				insertChunk(b, s, benchChunk(episode, i))
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "chunks/s")
	})
	b.Run("500 chunks a second", func(b *testing.B) {
		s := open(b)
		before, start := processorTime(b), time.Now()
		done := make(chan struct{}, 1<<16)
		chunks := 0
		tick := time.NewTicker(2 * time.Millisecond) // as sessions do, each at its own time
		defer tick.Stop()
		for ; b.Loop(); chunks++ {
			<-tick.C
			go func(episode string, i int64) {
				insertChunk(b, s, benchChunk(episode, i))
				done <- struct{}{}
			}(id("e%d", chunks%500), int64(chunks/500))
		}
		for range chunks {
			<-done
		}
		wall := time.Since(start)
		b.ReportMetric((processorTime(b)-before).Seconds()/wall.Seconds(), "cores")
		b.ReportMetric(float64(chunks)/wall.Seconds(), "chunks/s")
	})
}

func insertChunk(b *testing.B, s persistence.Store, c *persistence.StepChunk) {
	if err := s.InsertStepChunks(b.Context(), []*persistence.StepChunk{c}); err != nil {
		b.Error(err)
	}
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
