package runner

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sharpie/actors/messages"
	"sharpie/envs/builtin"
	"sharpie/experiments"
)

// BenchmarkLoop is the whole of a step without pause and with nobody to wait
// for: policies, step, render, encode, record, report, acknowledge.
func BenchmarkLoop(b *testing.B) {
	for _, c := range []struct {
		name, frames string
		roles, size  int64
	}{
		{"game 64x64, 1 role", "game", 1, 64},
		{"still 64x64, 1 role", "still", 1, 64},
		{"game 64x64, 8 roles", "game", 8, 64},
		{"game 256x256, 1 role", "game", 1, 256},
		{"noise 64x64, 1 role", "noise", 1, 64},
		{"noise 1024x1024, 1 role", "noise", 1, 1024},
	} {
		b.Run(c.name, func(b *testing.B) {
			def := benchDefinition(c.roles, c.size, c.frames)
			def.Experiment.WaitForInputs, def.Experiment.TargetFPS = true, 0
			for i := range def.Agents {
				def.Agents[i].Participant = false
			}
			def.Experiment.MaxSteps = b.N
			cfg := Config{Maker: experiments.Registries{Environments: builtin.Registry()}}.withDefaults()
			start := &messages.Start{SessionId: "s", EpisodeId: "e", Seed: 1, Definition: []byte("{}")}
			var l *loop
			bytes := 0
			send := func(m any) {
				switch m := m.(type) {
				case *messages.Stepped:
					bytes += len(m.Picture.GetData())
					if m.Record.Step%128 == 0 {
						l.window.ack(m.Record.Step)
					}
				case *messages.Pictured:
					bytes += len(m.Picture.GetData())
				case *messages.Failed:
					b.Error(m)
				}
			}
			l = newLoop(&cfg, start, def, nil, send, func(*loop, *stage) {})
			b.ReportAllocs()
			b.ResetTimer()
			l.run()
			b.ReportMetric(float64(bytes)/float64(b.N), "picture-B/op")
		})
	}
}

// BenchmarkManyLoops is 200 loops in real time at 30 steps per second for a
// second each: it reports how late ticks begin.
func BenchmarkManyLoops(b *testing.B) {
	const loops = 200
	for b.Loop() {
		var wg sync.WaitGroup
		var late, ticks atomic.Int64
		for range loops {
			def := benchDefinition(1, 64, "game")
			def.Experiment.TargetFPS, def.Experiment.MaxSteps = 30, 90
			cfg := Config{Maker: experiments.Registries{Environments: builtin.Registry()}}.withDefaults()
			start := &messages.Start{SessionId: "s", EpisodeId: "e", Seed: 1, Definition: []byte("{}")}
			wg.Add(1)
			l := newLoop(&cfg, start, def, nil, func(m any) {
				if s, ok := m.(*messages.Stepped); ok {
					ticks.Add(1)
					if s.Record.TickLatenessUs > 5_000 {
						late.Add(1)
					}
				}
			}, func(*loop, *stage) { wg.Done() })
			go l.run()
			time.Sleep(time.Millisecond)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		wg.Wait()
		runtime.ReadMemStats(&after)
		b.ReportMetric(100-100*float64(late.Load())/float64(ticks.Load()), "%on-time")
		b.ReportMetric(float64(before.HeapInuse)/loops/1024, "KiB/loop")
	}
}

func benchDefinition(roles, size int64, frames string) *experiments.Definition {
	names := make([]string, roles)
	for i := range names {
		names[i] = "agent_" + string(rune('0'+i))
	}
	def := definition(names...)
	def.Environment = experiments.Environment{Name: "Bench", Source: "go:Bench-v0",
		Kwargs: map[string]any{"roles": roles, "size": size, "frames": frames}}
	return def
}
