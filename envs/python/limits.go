package python

import "time"

// Limits bound what researchers' code may take. Zero is the default.
type Limits struct {
	// Load, Reset, Step and Update are the longest that one call may take: 120 s, 30 s,
	// 5 s and 300 s. A whole turn counts as a step; a checkpoint as an update.
	Load, Reset, Step, Update time.Duration
	// Memory of the process and its children, in bytes; 0: no limit.
	Memory int64
	// Network lets the code reach the network, where it is confined.
	Network bool
	// Processes at the same time, the interpreter's own included; 256.
	Processes int
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		v   *time.Duration
		def time.Duration
	}{{&l.Load, 120 * time.Second}, {&l.Reset, 30 * time.Second}, {&l.Step, 5 * time.Second}, {&l.Update, 300 * time.Second}} {
		if *d.v <= 0 {
			*d.v = d.def
		}
	}
	if l.Processes <= 0 {
		l.Processes = 256
	}
	return l
}
