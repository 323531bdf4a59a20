package runner

import (
	"fmt"
	"sync"

	"google.golang.org/protobuf/proto"

	"sharpie/actors/messages"
)

// maxFeedBytes bounds the recorded steps that wait to be taken again.
const maxFeedBytes = 64 << 20

// feed is the recorded steps that a resumed episode begins with. The actor puts, the
// loop takes.
type feed struct {
	through uint64

	mu    sync.Mutex
	queue []fed
	head  int
	bytes int
	next  uint64 // the step that comes next from the session
	whole bool   // the last one has come
	err   error  // why there will be no more
}

type fed struct {
	step  *messages.ReplayStep
	bytes int // of its message, of the first step of each
}

func newFeed(through uint64) *feed { return &feed{through: through} }

// put takes a message; what came before is left out. It returns false for a message
// that is of no use any more.
func (f *feed) put(m *messages.Replay) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	first, count := m.GetFirst(), uint64(len(m.GetSteps()))
	switch {
	case f.err != nil || f.whole:
		return false
	case first > f.next:
		f.err = incomplete("step %d came where step %d was expected", first, f.next)
		return true
	case first > f.through || count > f.through-first+1:
		f.err = incomplete("steps %d to %d came, and the last one is to be %d", first, first+count-1, f.through)
		return true
	case f.next-first >= count && !m.GetLast():
		return false
	}
	size := proto.Size(m)
	if f.bytes+size > maxFeedBytes {
		f.err = incomplete("more than %d MiB wait to be taken again", maxFeedBytes>>20)
		return true
	}
	for _, s := range m.GetSteps()[min(f.next-first, count):] {
		f.queue = append(f.queue, fed{s, size})
		f.bytes, size = f.bytes+size, 0
		f.next++
	}
	if m.GetLast() {
		f.whole = true
		if f.next != f.through+1 {
			f.err = incomplete("the last of the steps that came is %d, and not %d", int64(f.next)-1, f.through)
		}
	}
	return true
}

// take returns the next step; nil where it has not come yet.
func (f *feed) take() (*messages.ReplayStep, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.head == len(f.queue) {
		return nil, f.err
	}
	s := f.queue[f.head]
	f.queue[f.head] = fed{}
	f.bytes -= s.bytes
	if f.head++; f.head == len(f.queue) {
		f.queue, f.head = f.queue[:0], 0
	}
	return s.step, nil
}

// expects is the step that comes next from the session.
func (f *feed) expects() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.next
}

// sever: what has not come yet may be lost.
func (f *feed) sever() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil && !f.whole {
		f.err = &fault{code: CodeUnknownEpisode, phase: phaseLoad, message: "the link was cut before all recorded steps had come"}
	}
}

func incomplete(format string, args ...any) error {
	return &fault{code: CodeReplayIncomplete, phase: phaseLoad, message: fmt.Sprintf(format, args...)}
}
