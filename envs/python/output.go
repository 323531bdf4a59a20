package python

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// What is kept of the output, in bytes: the beginning, where a program says what it is,
// and the end, where it says what went wrong.
const (
	outputHead = 16 << 10
	outputTail = 47 << 10
	// outputPieces bounds how many writes the end may consist of.
	outputPieces = 4 << 10
	// outputLine cuts longer lines.
	outputLine = 2 << 10
	// faultLog is how much of the end goes with a fault.
	faultLog = 15 << 10
	// stderrTail is how much of standard error is kept as it came, for the stacks in it.
	stderrTail = 32 << 10
	lineEnd    = "\n"
)

// output keeps the first and the last that a process printed. A flood costs bounded
// memory and little more than reading it: lines are made when somebody asks.
type output struct {
	mu    sync.Mutex
	since time.Time
	head  pieces
	tail  pieces
	// left is the number of lines left out between head and tail.
	left int
	// raw is the end of standard error, and rawTotal all that ever came of it.
	raw      []byte
	rawTotal int64
	touched  time.Time
}

// piece is what came in one go.
type piece struct {
	at     time.Duration
	stream uint8 // 0 standard output, 1 standard error
	data   []byte
}

type pieces struct {
	list  []piece
	bytes int
}

func newOutput() *output {
	now := time.Now()
	return &output{since: now, touched: now}
}

// restart forgets everything and begins to count the time.
func (o *output) restart() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.since = time.Now()
	o.head, o.tail, o.left = pieces{}, pieces{}, 0
}

// read takes everything from a pipe until it ends.
func (o *output) read(r io.Reader, stream uint8) {
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			o.add(stream, buf[:n])
		}
		if err != nil {
			return
		}
	}
}

// add takes what came of a stream, and copies what it keeps.
func (o *output) add(stream uint8, data []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.touched = time.Now()
	at := o.touched.Sub(o.since)
	if stream == 1 {
		o.rawTotal += int64(len(data))
		o.raw = lastBytes(append(o.raw, lastCut(data, stderrTail)...), stderrTail)
	}
	if room := outputHead - o.head.bytes; room > 0 {
		n := min(room, len(data))
		o.head.add(piece{at, stream, data[:n]})
		data = data[n:]
	}
	if len(data) == 0 {
		return
	}
	kept := lastCut(data, outputTail)
	o.left += bytes.Count(data[:len(data)-len(kept)], []byte(lineEnd))
	o.tail.add(piece{at, stream, kept})
	for o.tail.bytes > 2*outputTail || len(o.tail.list) > outputPieces {
		o.left += o.tail.dropFirst()
	}
}

// add appends a copy; what came of the same stream within a millisecond is one piece.
func (p *pieces) add(x piece) {
	p.bytes += len(x.data)
	if n := len(p.list); n > 0 {
		if last := &p.list[n-1]; last.stream == x.stream && x.at-last.at < time.Millisecond && len(last.data) < 4<<10 {
			last.data = append(last.data, x.data...)
			return
		}
	}
	x.data = bytes.Clone(x.data)
	p.list = append(p.list, x)
}

// dropFirst forgets the oldest piece and returns how many lines ended in it.
func (p *pieces) dropFirst() int {
	first := p.list[0]
	p.bytes -= len(first.data)
	p.list[0] = piece{}
	p.list = p.list[1:]
	return bytes.Count(first.data, []byte(lineEnd))
}

// lastCut is the end of b.
func lastCut(b []byte, most int) []byte { return b[max(0, len(b)-most):] }

// lastBytes is the end of b, moved to its front where it has grown twice too long.
func lastBytes(b []byte, most int) []byte {
	if len(b) <= 2*most {
		return b
	}
	return append(b[:0], b[len(b)-most:]...)
}

// lastLines is the end of s, of whole lines, at most so many bytes.
func lastLines(s string, most int) string {
	if len(s) <= most {
		return s
	}
	s = s[len(s)-most:]
	return s[strings.Index(s, lineEnd)+1:]
}

// String is everything that is kept, each line with its time in seconds and its
// stream, at most 64 KiB.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var w lineWriter
	w.all(o.head.list)
	if o.left == 0 {
		w.all(o.tail.list)
		w.finish()
		all := w.out.String()
		if len(all) <= outputHead+outputTail {
			return all
		}
		// short lines take more room with their times than without
		first := all[:strings.LastIndex(all[:outputHead], lineEnd)+1]
		return first + leftOut(all[len(first):], 0)
	}
	w.finish()
	first := w.out.String()
	if len(first) > outputHead {
		first = first[:strings.LastIndex(first[:outputHead], lineEnd)+1]
	}
	var last lineWriter
	last.all(o.tail.list)
	last.finish()
	return first + leftOut(last.out.String(), o.left+strings.Count(w.out.String()[len(first):], lineEnd))
}

// leftOut is the end of s, after a line that says how many lines are missing: those
// before it, and those of s that have no room.
func leftOut(s string, before int) string {
	kept := lastLines(s, outputTail)
	return fmt.Sprintf("… %d lines left out …\n%s", before+strings.Count(s[:len(s)-len(kept)], lineEnd), kept)
}

// lineWriter puts lines together.
type lineWriter struct {
	out     strings.Builder
	partial [2][]byte
	began   [2]time.Duration
}

func (w *lineWriter) all(list []piece) {
	for _, p := range list {
		data := p.data
		for len(data) > 0 {
			if len(w.partial[p.stream]) == 0 {
				w.began[p.stream] = p.at
			}
			i := bytes.IndexByte(data, '\n')
			if i < 0 {
				w.partial[p.stream] = append(w.partial[p.stream], data...)
				break
			}
			w.partial[p.stream] = append(w.partial[p.stream], data[:i]...)
			w.line(p.stream)
			data = data[i+1:]
		}
	}
}

// line writes the line of a stream that has ended.
func (w *lineWriter) line(stream uint8) {
	text := w.partial[stream]
	w.partial[stream] = text[:0]
	text = bytes.TrimSuffix(text, []byte("\r"))
	cut := ""
	if len(text) > outputLine {
		text, cut = text[:outputLine], " …"
	}
	name := "out"
	if stream == 1 {
		name = "err"
	}
	fmt.Fprintf(&w.out, "%.3f %s: %s%s\n", w.began[stream].Seconds(), name, strings.ToValidUTF8(string(text), "\uFFFD"), cut)
}

// finish writes the lines that have not ended.
func (w *lineWriter) finish() {
	for i := range w.partial {
		if len(w.partial[i]) > 0 {
			w.line(uint8(i))
		}
	}
}

// last is the end of everything, for a fault.
func (o *output) last() string {
	o.settle()
	return lastLines(o.String(), faultLog)
}

// How long output is waited for that a process wrote before it answered: its answer
// came by another way, and may have overtaken it.
const (
	settleQuiet = 20 * time.Millisecond
	settleLimit = 200 * time.Millisecond
)

// settle waits until nothing has come for a moment.
func (o *output) settle() {
	began := time.Now()
	for {
		o.mu.Lock()
		quiet := began
		if o.touched.After(began) {
			quiet = o.touched
		}
		o.mu.Unlock()
		left := min(settleQuiet-time.Since(quiet), settleLimit-time.Since(began))
		if left <= 0 {
			return
		}
		time.Sleep(left)
	}
}

// mark is a place in standard error.
func (o *output) mark() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rawTotal
}

// stderrSince is what came of standard error since a mark, as far as it is kept, and
// for how long nothing has come.
func (o *output) stderrSince(mark int64) (string, time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := min(o.rawTotal-mark, int64(len(o.raw)))
	return strings.ToValidUTF8(string(lastCut(o.raw, int(n))), "\uFFFD"), time.Since(o.touched)
}
