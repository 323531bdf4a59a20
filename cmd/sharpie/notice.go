package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
)

// notice is what a server says when it is ready.
type notice struct {
	base     string // "http://localhost:8080"
	store    string
	data     string
	key      string // registration key to show; "" where the operator gave it
	freshKey bool
	open     bool
	admin    string // one-time link; "" where none is needed
	python   string // how researchers' Python is confined; "" where no experiment is in Python
	grace    time.Duration
}

func (n notice) print(w io.Writer, version string) {
	var b strings.Builder
	fmt.Fprintf(&b, "SHARPIE %s is ready.\n\n", version)
	line := func(what, value, remark string) { fmt.Fprintf(&b, "  %-18s%s%s\n", what, value, remark) }
	line("Open it", n.base, "")
	if n.admin != "" {
		line("Administrator", n.admin, "")
		line("", fmt.Sprintf("logs you in, once, within %.0f hours", adminLinkLife.Hours()), "")
	}
	switch {
	case n.open:
		line("Registration", "open to everyone", "")
	case n.freshKey:
		line("Registration key", n.key, "  (people type it to register)")
	case n.key != "":
		line("Registration key", "in "+filepath.Join(n.data, "secrets.json"), "")
	}
	line("Data", n.store, "")
	if n.python != "" {
		line("Python", n.python, "")
	}
	fmt.Fprintf(&b, "\nCtrl-C stops it: running sessions have %s to end. Twice stops at once.\n", n.grace)
	_, _ = io.WriteString(w, b.String())
}
