package bench

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Result is one run, with its baseline.
type Result struct {
	Run
	Connected      int       `json:"connected"` // players that saw a picture
	Failed         int       `json:"failed"`    // players whose socket failed
	FailedWhy      string    `json:"failed_why,omitempty"`
	Seconds        float64   `json:"seconds"`           // of the window
	Steps          int64     `json:"steps"`             // in the window, all sessions
	StepsPerSecond float64   `json:"steps_per_second"`  // all sessions
	FPS            float64   `json:"frames_per_second"` // mean over players
	FPSLowest      float64   `json:"frames_per_second_lowest"`
	FramesSent     int       `json:"frames_received"`
	TicksOnTime    float64   `json:"ticks_on_time"` // share ≤ 5 ms late; -1 where there are no ticks
	RoundTrip      Quantiles `json:"round_trip"`
	BytesPerFrame  float64   `json:"bytes_per_frame"`  // of messages with a picture; 0: none came
	BytesPerSecond float64   `json:"bytes_per_second"` // of all messages, to one participant
	CPUSeconds     float64   `json:"server_cpu_seconds"`
	Memory         int64     `json:"server_memory_bytes"`
	MemoryBefore   int64     `json:"server_memory_bytes_before"`
	NodesCPU       float64   `json:"nodes_cpu_seconds,omitempty"` // of all runner nodes
	Stored         *Stored   `json:"stored,omitempty"`
	Echo           *Echo     `json:"echo,omitempty"`
}

// Stored is what the store holds of a run after the server has ended.
type Stored struct {
	Episodes int   `json:"episodes"`
	Records  int64 `json:"step_records"`
	Expected int64 `json:"step_records_expected"`
}

// measure plays one run. Accounts are reused from run to run.
func (b *bencher) measure(ctx context.Context, r Run, link string) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Length+5*time.Minute)
	defer cancel()
	out := Result{Run: r, TicksOnTime: -1}
	before, err := b.server.usage()
	if err != nil {
		return out, err
	}
	out.MemoryBefore = before.RSS
	win := &window{}
	players, err := b.seat(ctx, r, link, win)
	if err != nil {
		return out, err
	}
	playCtx, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	for _, p := range players {
		wg.Go(func() { p.play(playCtx) })
	}
	if r.Steps > 0 { // the session ends by itself: everything counts
		openWindow(win, time.Now(), r.Length)
	}
	if err := waitStarted(ctx, players); err != nil {
		return out, err
	}
	if err := b.observe(ctx, r, win, &wg, &out); err != nil {
		return out, err
	}
	stop()
	wg.Wait()
	out.summarise(players)
	return out, nil
}

// observe reads the server's own figures before and after the window.
func (b *bencher) observe(ctx context.Context, r Run, win *window, wg *sync.WaitGroup, out *Result) error {
	var over <-chan struct{}
	if r.Steps > 0 {
		ch := make(chan struct{})
		go func() { wg.Wait(); close(ch) }()
		over = ch
	} else {
		select { // warm up: connections, caches, the garbage collector
		case <-time.After(2 * time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
		openWindow(win, time.Now(), r.Length)
	}
	from := time.Now()
	u0, err := b.server.usage()
	if err != nil {
		return err
	}
	n0, err := b.nodesCPU()
	if err != nil {
		return err
	}
	t0, err := b.ticks(ctx)
	if err != nil {
		return err
	}
	select {
	case <-over:
	case <-time.After(r.Length):
	case <-b.server.done:
		return fmt.Errorf("bench: the server ended: %s", b.server.lastLines())
	case <-ctx.Done():
		return ctx.Err()
	}
	u1, err := b.server.usage()
	if err != nil {
		return err
	}
	n1, err := b.nodesCPU()
	if err != nil {
		return err
	}
	t1, err := b.ticks(ctx)
	if err != nil {
		return err
	}
	out.Seconds = time.Since(from).Seconds()
	out.CPUSeconds, out.Memory, out.NodesCPU = (u1.CPU - u0.CPU).Seconds(), u1.RSS, (n1 - n0).Seconds()
	if n := t1.all - t0.all; r.Mode == RealTime && n > 0 {
		out.TicksOnTime = (t1.onTime - t0.onTime) / n
	}
	return nil
}

func openWindow(w *window, from time.Time, length time.Duration) {
	w.to.Store(from.Add(length).UnixNano())
	w.from.Store(from.UnixNano())
}

func waitStarted(ctx context.Context, players []*player) error {
	deadline := time.After(60 * time.Second)
	for i, p := range players {
		select {
		case <-p.started:
		case <-deadline:
			return fmt.Errorf("bench: player %d of %d saw no picture within 60 s: %w", i+1, len(players), errNotStarted)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (r *Result) summarise(players []*player) {
	all := make([]*samples, len(players))
	var bytes, frameBytes int64
	r.FPSLowest = -1 // none yet
	bySession := map[int]int64{}
	for i, p := range players {
		t := &p.tally
		all[i] = &t.rtt
		bytes, frameBytes = bytes+t.bytes, frameBytes+t.frameBytes
		r.FramesSent += t.frames
		if t.err != nil {
			r.Failed++
			r.FailedWhy = t.err.Error()
		}
		if t.messages > 0 && (t.frames > 1 || r.Frames == "still") {
			r.Connected++
		}
		if t.frames < 2 {
			continue
		}
		span := t.last.Sub(t.first).Seconds()
		fps := float64(t.frames-1) / span
		r.FPS += fps
		if r.FPSLowest < 0 || fps < r.FPSLowest {
			r.FPSLowest = fps
		}
		s := i / r.Participants
		bySession[s] = max(bySession[s], int64(t.lastStep-t.firstStep))
		if i%r.Participants == 0 {
			r.StepsPerSecond += float64(t.lastStep-t.firstStep) / span
		}
	}
	r.FPSLowest = max(r.FPSLowest, 0)
	for _, n := range bySession {
		r.Steps += n
	}
	if r.Connected > 0 {
		r.FPS /= float64(r.Connected)
		r.BytesPerSecond = float64(bytes) / r.Seconds / float64(r.Connected)
	}
	if r.FramesSent > 0 {
		r.BytesPerFrame = float64(frameBytes) / float64(r.FramesSent)
	}
	r.RoundTrip = merge(all...).quantiles()
}
