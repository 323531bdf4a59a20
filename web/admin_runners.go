package web

import (
	"io"
	"time"
)

// AdminRunnersPage lists the runners and the keys of runner nodes: GET
// /admin/runners. The form posts id, name and labels to /admin/runners.
type AdminRunnersPage struct {
	Layout
	Runners   []RunnerRow  // this server's own first
	Nodes     int          // of them, runner nodes
	Stuck     []SessionRow // sessions that wait for a runner that nobody can be
	Health    HealthView
	NoJoining bool   // this server takes no runner nodes
	Server    string // absolute address that they join
	LocalOnly bool   // an address that leads no other machine here
	Keys      []RunnerKeyRow
	Fresh     *FreshKey // a key that was just made: shown this once
	Form      RunnerKeyForm
}

// States of a runner.
const (
	RunnerConnected = "connected"
	RunnerDraining  = "draining"
	RunnerAway      = "away"
)

// RunnerRow is a runner node, or the slots of the server itself.
type RunnerRow struct {
	ID           string
	Own          bool // slots of the server's own process
	State        string
	Since        time.Time // connected or away since; zero: not known
	Why          string    // it is not connected
	Total        int       // slots
	Slots        []SlotRow // those that are offered to sessions
	Load         float64   // of its machine: processes that run or want to, per core, over a minute
	LoadKnown    bool
	RoundTrip    time.Duration // 0: not measured
	Version      string
	OtherVersion bool // than the server's
	Platform     string
	From         string // network address
	SeenAt       time.Time
	Labels       []string
}

// SlotRow is one runner slot.
type SlotRow struct {
	Slot    int
	Session string // empty while free
	Since   time.Time
}

// maxSlotsShown bounds the slots that are drawn, and the sessions that are named.
const maxSlotsShown = 64

// Busy lists the slots with a session.
func (r RunnerRow) Busy() []SlotRow {
	var out []SlotRow
	for _, s := range r.Slots {
		if s.Session != "" {
			out = append(out, s)
		}
	}
	return out
}

// Named lists the busy slots whose sessions are named; More counts the others.
func (r RunnerRow) Named() []SlotRow {
	busy := r.Busy()
	return busy[:min(len(busy), maxSlotsShown)]
}

// More counts the busy slots whose sessions are not named.
func (r RunnerRow) More() int { return len(r.Busy()) - len(r.Named()) }

// Drawn lists the slots to draw; none where they are too many.
func (r RunnerRow) Drawn() []SlotRow {
	if len(r.Slots) > maxSlotsShown {
		return nil
	}
	return r.Slots
}

// Preparing counts the slots that a connected node does not offer yet.
func (r RunnerRow) Preparing() int {
	if r.Own || r.State != RunnerConnected {
		return 0
	}
	return max(0, r.Total-len(r.Slots))
}

// RunnerKeyRow is a key of runner nodes, without its secret.
type RunnerKeyRow struct {
	ID         string
	Name       string
	Prefix     string // public, and in the ids of its nodes
	Labels     []string
	MadeAt     time.Time
	MadeBy     string
	LastUsedAt *time.Time
	LastNode   string
	RevokedAt  *time.Time
}

// RunnerKeyForm is the form that makes a key, with what was typed.
type RunnerKeyForm struct {
	ID     string // of the key to be made: sent twice, it makes one
	Name   string
	Labels string
	Errors FieldErrors // name, labels
}

// FreshKey is a key in the only answer that ever shows it.
type FreshKey struct {
	Name, Key string
}

// AdminRunnerKeyPage is one key, and asks whether to revoke it: GET
// /admin/runners/keys/ID. The form posts to …/revoke.
type AdminRunnerKeyPage struct {
	Layout
	RunnerKeyRow
	Runners []RunnerRow // its nodes that are connected, or may come back
	Playing int         // sessions on them
	Version string      // the server's
}

// AdminRunners writes the list of runners and keys.
func (p *Pages) AdminRunners(w io.Writer, v AdminRunnersPage) error {
	v.Title = or(v.Title, "Runners")
	return p.page(w, "admin_runners", v)
}

// AdminRunnerKey writes one key.
func (p *Pages) AdminRunnerKey(w io.Writer, v AdminRunnerKeyPage) error {
	v.Title = or(v.Title, "Key "+v.Name)
	return p.page(w, "admin_runner_key", v)
}
