package python

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// proc is one process as the kernel lists it.
type proc struct {
	pid, parent, session int
	// memory that it holds, in bytes; what processes share counts for each.
	memory int64
	// started tells it from another one with the same number later.
	started uint64
}

// processes lists all processes that can be seen.
func processes() []proc {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	names, _ := dir.Readdirnames(-1) // what was read is what there is
	dir.Close()
	page := int64(os.Getpagesize())
	out := make([]proc, 0, len(names))
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		if p, ok := readProc(name, page); ok {
			out = append(out, p)
		}
	}
	return out
}

// again lists those of some processes that still run.
func again(known []proc) []proc {
	page := int64(os.Getpagesize())
	out := known[:0]
	for _, k := range known {
		if p, ok := readProc(strconv.Itoa(k.pid), page); ok && p.started == k.started {
			out = append(out, p)
		}
	}
	return out
}

// newestProcess is the number of the process or thread that was started last, in this
// name space or one within; empty where the kernel does not say.
func newestProcess() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	f := strings.Fields(string(data))
	if len(f) != 5 || f[4] == "0" {
		return ""
	}
	return f[4]
}

func readProc(name string, page int64) (proc, bool) {
	data, err := os.ReadFile("/proc/" + name + "/stat")
	if err != nil {
		return proc{}, false
	}
	// the name of the program stands in brackets and may hold anything
	at := bytes.LastIndexByte(data, ')')
	f := strings.Fields(string(data[at+1:]))
	if at < 0 || len(f) < 22 || f[0] == "Z" || f[0] == "X" {
		return proc{}, false
	}
	var p proc
	p.pid, _ = strconv.Atoi(name)
	p.parent, _ = strconv.Atoi(f[1])
	p.session, _ = strconv.Atoi(f[3])
	p.started, _ = strconv.ParseUint(f[19], 10, 64)
	pages, _ := strconv.ParseInt(f[21], 10, 64)
	p.memory = pages * page
	return p, p.pid > 0
}

// family are the processes of a session, and all that descend from its leader.
func family(all []proc, leader int) []proc {
	in := map[int]bool{leader: true}
	for grown := true; grown; {
		grown = false
		for i := range all {
			if p := &all[i]; !in[p.pid] && (in[p.parent] || p.session == leader) {
				in[p.pid], grown = true, true
			}
		}
	}
	var out []proc
	for _, p := range all {
		if in[p.pid] {
			out = append(out, p)
		}
	}
	return out
}

// marked are the processes whose environment names a worker, wherever they went.
func marked(all []proc, mark string) []int {
	var out []int
	for i := range all {
		data, err := os.ReadFile("/proc/" + strconv.Itoa(all[i].pid) + "/environ")
		if err != nil {
			continue
		}
		if bytes.HasPrefix(data, []byte(mark+"\x00")) || bytes.Contains(data, []byte("\x00"+mark+"\x00")) {
			out = append(out, all[i].pid)
		}
	}
	return out
}

// innerPID is the number of a process in its own namespace.
func innerPID(pid int) int {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	_, rest, ok := bytes.Cut(data, []byte("\nNSpid:"))
	if !ok {
		return pid
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	f := bytes.Fields(line)
	if len(f) == 0 {
		return pid
	}
	n, _ := strconv.Atoi(string(f[len(f)-1]))
	return n
}

// ownMemory is what processes hold, with what they share divided among them; what
// cannot be read counts whole.
func ownMemory(of []proc) int64 {
	var sum int64
	for _, p := range of {
		sum += proportional(p)
	}
	return sum
}

func proportional(p proc) int64 {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/smaps_rollup")
	if err != nil {
		return p.memory
	}
	_, rest, ok := bytes.Cut(data, []byte("\nPss:"))
	if !ok {
		return p.memory
	}
	f := bytes.Fields(rest)
	kib, err := strconv.ParseInt(string(f[0]), 10, 64)
	if err != nil {
		return p.memory
	}
	return kib << 10
}

// oomKills is how many processes the kernel has ended since it started, for want of memory.
func oomKills() int64 {
	data, err := os.ReadFile("/proc/vmstat")
	if err != nil {
		return 0
	}
	_, rest, ok := bytes.Cut(data, []byte("\noom_kill "))
	if !ok {
		return 0
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	n, _ := strconv.ParseInt(string(line), 10, 64)
	return n
}

// startOf is when a process started, in the kernel's count; 0 where there is none.
func startOf(pid int) uint64 {
	p, ok := readProc(strconv.Itoa(pid), 1)
	if !ok {
		return 0
	}
	return p.started
}
