package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"
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
	grace    time.Duration
}

func (n notice) print(w io.Writer, version string) {
	var b strings.Builder
	fmt.Fprintf(&b, "SHARPIE %s is ready.\n\n", version)
	table := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprintf(table, "  Open it\t%s\n", n.base)
	switch {
	case n.open:
		fmt.Fprintf(table, "  Registration\topen to everyone\n")
	case n.freshKey:
		fmt.Fprintf(table, "  Registration key\t%s\tnew; people type it to register\n", n.key)
	case n.key != "":
		fmt.Fprintf(table, "  Registration key\tin %s\n", filepath.Join(n.data, "secrets.json"))
	}
	if n.admin != "" {
		fmt.Fprintf(table, "  Administrator\t%s\tlogs you in, once, within %.0f hours\n", n.admin, adminLinkLife.Hours())
	}
	fmt.Fprintf(table, "  Data\t%s\n", n.store)
	_ = table.Flush()
	fmt.Fprintf(&b, "\nCtrl-C stops it: running sessions have %s to end. Twice stops at once.\n", n.grace)
	_, _ = io.WriteString(w, b.String())
}
