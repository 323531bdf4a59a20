package link

import (
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"time"
)

// node is one incarnation of a runner node, as the server knows it.
type node struct {
	id            string
	key           string // id of the key
	incarnation   string
	address       string
	slots         uint32
	labels        []string
	version       string
	platform      string
	joined        time.Time
	acquaintances acquaintances
	gone          chan struct{} // closed when it cannot come back

	// The rest is the Server's, under its lock.
	tunnel *tunnel // nil: away
	guard  *guard
	remote string    // the network address that it comes from
	seen   time.Time // when it was heard last, while it is away
	away   End       // why it is

	busy     atomic.Uint32
	draining atomic.Bool
	load     atomic.Int64 // thousandths; -1: unknown
}

// maxLoad bounds the load that a node may claim, in thousandths.
const maxLoad = 1_000_000

// heard takes how busy a node says that it is, within what can be.
func (n *node) heard(b *Beat) {
	n.busy.Store(min(b.GetBusy(), n.slots))
	load := int64(-1)
	if b.LoadPermille != nil {
		load = min(int64(b.GetLoadPermille()), maxLoad)
	}
	n.load.Store(load)
}

// Node is what is known of a runner node.
type Node struct {
	ID          string
	Key         string // id of its key
	Incarnation string
	Address     string // among actors
	Remote      string // the network address that it comes from
	Slots       int
	Busy        int
	Labels      []string
	Version     string
	Platform    string
	Connected   bool
	Draining    bool
	Load        float64 // processes of its machine that run or want to, per core, over a minute
	LoadKnown   bool    // false: it does not say, or is away
	JoinedAt    time.Time
	SeenAt      time.Time
	Latency     time.Duration // round trip; 0: not measured yet
	Why         string        // it is not connected
}

// view is what others may know; under the Server's lock.
func (n *node) view(now time.Time) Node {
	v := Node{
		ID: n.id, Key: n.key, Incarnation: n.incarnation, Address: n.address, Remote: n.remote, Slots: int(n.slots), Busy: int(n.busy.Load()),
		Labels: n.labels, Version: n.version, Platform: n.platform, Connected: n.tunnel != nil, Draining: n.draining.Load(),
		JoinedAt: n.joined, SeenAt: n.seen,
	}
	if n.tunnel != nil {
		v.Latency, v.SeenAt = n.tunnel.beats.latency(), now.Add(-n.tunnel.meter.silent())
		if load := n.load.Load(); load >= 0 {
			v.Load, v.LoadKnown = float64(load)/1000, true
		}
	} else {
		v.Why = n.away.Detail
	}
	return v
}

var (
	namePattern        = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$`)
	incarnationPattern = regexp.MustCompile(`^[a-z0-9_]{8,48}$`)
	labelPattern       = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._:/-]{0,63}$`)
)

// CheckName says what is wrong with a node's name; "" is nothing.
func CheckName(name string) string {
	if !namePattern.MatchString(name) {
		return fmt.Sprintf("%q is no name of a node: allowed are 1 to 63 letters, digits, '.', '_' and '-', beginning with a letter or digit", clip(name, 80))
	}
	return ""
}

// CheckLabel says what is wrong with a label; "" is nothing.
func CheckLabel(label string) string {
	if !labelPattern.MatchString(label) {
		return fmt.Sprintf("%q is no label: allowed are 1 to %d letters, digits and '._:/-', beginning with a letter or digit", clip(label, 80), maxLabelBytes)
	}
	return ""
}

// shortLine says whether a text of a node can stand in a log and on a page.
func shortLine(s string) bool {
	return len(s) <= 64 && !strings.ContainsFunc(s, unprintable)
}

// CheckLabels says what is wrong with the labels of a node or of a key; "" is nothing.
func CheckLabels(labels []string) string {
	if len(labels) > maxLabels {
		return fmt.Sprintf("%d labels: allowed are at most %d", len(labels), maxLabels)
	}
	for _, l := range labels {
		if p := CheckLabel(l); p != "" {
			return p
		}
	}
	return ""
}

// check says what is wrong with a Hello; "" is nothing.
func (h *Hello) check() string {
	if p := CheckName(h.GetName()); p != "" {
		return p
	}
	switch {
	case !incarnationPattern.MatchString(h.GetIncarnation()):
		return "the incarnation is not 8 to 48 small letters, digits and '_'"
	case h.GetSlots() < 1 || h.GetSlots() > maxSlots:
		return fmt.Sprintf("%d slots: allowed are 1 to %d", h.GetSlots(), maxSlots)
	case !shortLine(h.GetVersion()) || !shortLine(h.GetPlatform()):
		return "version and platform have at most 64 bytes, on one line"
	}
	return CheckLabels(h.GetLabels())
}
