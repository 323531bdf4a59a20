package python

import (
	"fmt"
	"sync"
	"time"
)

// How often memory and processes are looked at, also where one comes near its limit.
const (
	watchEvery   = 200 * time.Millisecond
	watchClosely = 25 * time.Millisecond
)

// watcher ends processes that take more than they may. It sleeps while there are none.
type watcher struct {
	mu      sync.Mutex
	watched map[*process]allowance
	running bool
	// census is of run alone.
	census census
}

// surveyEvery is after how long all processes of the machine are listed again, even if
// none seems to be new.
const surveyEvery = time.Second

// census lists the processes of workers. To list all of a machine takes longer than a
// step; but as long as none was started anywhere, workers have no new ones either.
type census struct {
	newest  string
	at      time.Time
	members []proc
}

// take returns the processes of these leaders as they are now.
func (c *census) take(leaders []int) []proc {
	newest := newestProcess()
	if newest != "" && newest == c.newest && time.Since(c.at) < surveyEvery {
		c.members = again(c.members)
		return c.members
	}
	all := processes()
	c.newest, c.at, c.members = newest, time.Now(), c.members[:0]
	for _, leader := range leaders {
		c.members = append(c.members, family(all, leader)...)
	}
	return c.members
}

// allowance are the bounds of one process.
type allowance struct {
	memory int64
	count  int
}

// watch looks after a process until it ends, from now on with these limits.
func (w *watcher) watch(p *process, l Limits) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watched == nil {
		w.watched = map[*process]allowance{}
	}
	w.watched[p] = allowance{l.Memory, l.Processes}
	p.mu.Lock()
	p.limit = l.Memory
	p.mu.Unlock()
	if !w.running {
		w.running = true
		go w.run()
	}
}

func (w *watcher) run() {
	pause := watchEvery
	for {
		time.Sleep(pause)
		w.mu.Lock()
		now := make(map[*process]allowance, len(w.watched))
		for p, b := range w.watched {
			select {
			case <-p.exited:
				delete(w.watched, p)
			default:
				now[p] = b
			}
		}
		if len(now) == 0 {
			w.running = false
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		pause = w.look(now)
	}
}

// look checks all processes once, and says when to look again.
func (w *watcher) look(now map[*process]allowance) time.Duration {
	leaders := make([]int, 0, len(now))
	for p := range now {
		leaders = append(leaders, p.cmd.Process.Pid)
	}
	all := w.census.take(leaders)
	pause := watchEvery
	for p, b := range now {
		of := family(all, p.cmd.Process.Pid)
		if len(of) > b.count {
			p.kill(killedProcesses, fmt.Sprintf("%d processes at the same time: %d are allowed", len(of), b.count))
			continue
		}
		if b.memory <= 0 {
			continue
		}
		var memory int64
		for _, q := range of {
			memory += q.memory
		}
		if memory > b.memory && len(of) > 1 {
			memory = ownMemory(of)
		}
		p.saw(memory)
		switch {
		case memory > b.memory:
			p.kill(killedMemory, fmt.Sprintf("it took %s of memory: %s are allowed", mebibytes(memory), mebibytes(b.memory)))
		case memory > b.memory/2:
			pause = watchClosely
		}
	}
	return pause
}

// saw notes how much memory a process was seen with.
func (p *process) saw(memory int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.peak = max(p.peak, memory)
}

func mebibytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }
