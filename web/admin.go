package web

import (
	"io"
	"time"
)

// HealthView is the state of the server.
type HealthView struct {
	Store         string // "embedded" or "mongodb"
	StoreError    string // empty: fine
	StoreSince    time.Time
	UnstoredSteps int
	Sessions      int // open
	Waiting       int // of them, waiting for partners or a runner
	FreeSlots     int
	Slots         int
	Draining      bool
	Version       string
	StartedAt     time.Time
}

// AdminHomePage is the dashboard: GET /admin.
type AdminHomePage struct {
	Layout
	Health   HealthView
	Sessions []SessionRow // live
	Events   []EventRow   // newest first, a few
}

// AdminExperimentsPage lists experiments: GET /admin/experiments. Forms:
// /admin/experiments (upload: multipart, field file, one or more);
// /admin/experiments/LINK/enable and …/disable.
type AdminExperimentsPage struct {
	Layout
	Experiments  []AdminExperimentRow
	UploadErrors []string // one per fault of the last upload: file, line, key, what is allowed
	Folders      bool     // whether folders can be imported, as a zip posted to /admin/experiments/folder
	FolderLimit  int64    // bytes of a zip
	ImportLog    []string // what was done with the last folder, line by line
}

// AdminExperimentRow is the latest version of an experiment.
type AdminExperimentRow struct {
	Link, Name  string
	Environment string
	Enabled     bool
	Version     int
	Seats       int
	Live        int // sessions running or waiting
	ImportedAt  time.Time
	ImportedBy  string
}

// AdminExperimentPage is one experiment: GET /admin/experiments/LINK, with
// ?version= for an older one.
type AdminExperimentPage struct {
	Layout
	AdminExperimentRow
	Summary  string
	ShareURL string // absolute address for participants
	Shown    int    // the version whose Source is shown
	Source   string // YAML
	Versions []VersionRow
	Sessions []SessionRow // newest first

	Python           bool   // some of its code is Python
	BundleHash       string // of the files that it ships; empty: none
	BundleSize       int64  // bytes as stored
	Interpreter      string // what it asks for, in words; empty: nothing
	Readiness        string // of the interpreter, in words; empty: not known
	Ready            bool
	Confinement      string // "bubblewrap", "unconfined: why"; empty: not known
	Policies         []PolicyRow
	Checkpoints      []CheckpointRow // newest of each scope
	CheckpointsWhole bool            // false: there are older scopes that are not listed
}

// VersionRow is a version of an experiment.
type VersionRow struct {
	Version    int
	Hash       string
	ImportedAt time.Time
	ImportedBy string
	Latest     bool
}

// AdminSessionsPage lists sessions: GET /admin/sessions.
type AdminSessionsPage struct {
	Layout
	Live   []SessionRow
	Ended  []SessionRow // newest first, one page
	Older  string       // address of the next page; empty: none
	Health HealthView
}

// SessionRow is a session, live or ended. Abort posts to
// /admin/sessions/ID/abort with reason.
type SessionRow struct {
	ID             string
	Link, Name     string // of the experiment
	Version        int
	Room           string
	Phase          string // "waiting", "ready", "queued", "running", "between", "paused", "completed", "aborted"
	Since          time.Time
	Deadline       time.Time // zero: none
	Round, Rounds  int
	Step           int64
	Runner         string
	Unstored       int
	Problem        string // why it does not go on; empty: it does
	Seats          []SeatRow
	OpenedAt       time.Time
	EndedAt        *time.Time
	Reason, Detail string // why it ended: code, and everything known
	Live           bool
	Failed         bool // code failed in one of its episodes
}

// SeatRow is a seat of a session.
type SeatRow struct {
	Role, Name  string
	User        string
	Participant string
	State       string        // "free", "taken", "here", "away", "ai"; empty for an ended session
	RTT         time.Duration // 0: unknown
	Code        string        // completion code that the person was given, in this experiment
}

// AdminSessionPage is one session: GET /admin/sessions/ID.
type AdminSessionPage struct {
	Layout
	SessionRow
	Episodes []EpisodeRow
	Events   []EventRow
}

// EpisodeRow is an episode of a session.
type EpisodeRow struct {
	ID            string
	Index         int // 0-based
	Attempt       int
	Seed          string
	Status        string
	Reason        string
	Steps, Stored int64
	StartedAt     time.Time
	EndedAt       *time.Time
	Returns       []RoleReturn
	Failed        bool   // its code failed
	FaultState    string // how, where it did
}

// RoleReturn is how one role did in an episode.
type RoleReturn struct {
	Role  string
	Who   string // participant or policy
	Value float64
}

// AdminUsersPage lists users: GET /admin/users?q=. Forms: /admin/users/ID/admin
// (value=on or off) and /admin/users/ID/disabled (value=on or off).
type AdminUsersPage struct {
	Layout
	Query string
	Users []UserRow
	Older string
}

// UserRow is a login.
type UserRow struct {
	ID, Name    string
	Admin       bool
	Disabled    bool
	Self        bool // the administrator who looks: may not lock themself out
	CreatedAt   time.Time
	LastLoginAt *time.Time
}

// AdminEventsPage lists events: GET /admin/events.
type AdminEventsPage struct {
	Layout
	Kind   string // filter; empty is all
	Events []EventRow
	Older  string
}

// EventRow is something that someone did or that happened.
type EventRow struct {
	At      time.Time
	Kind    string
	Actor   string
	Session string // id, empty where none
	Role    string
	Detail  string // one line
}

// AdminHome writes the dashboard.
func (p *Pages) AdminHome(w io.Writer, v AdminHomePage) error {
	v.Title = or(v.Title, "Overview")
	return p.page(w, "admin_home", v)
}

// AdminExperiments writes the list of experiments.
func (p *Pages) AdminExperiments(w io.Writer, v AdminExperimentsPage) error {
	v.Title = or(v.Title, "Experiments")
	return p.page(w, "admin_experiments", v)
}

// AdminExperiment writes one experiment with its versions.
func (p *Pages) AdminExperiment(w io.Writer, v AdminExperimentPage) error {
	v.Title = or(v.Title, v.Name, "Experiment")
	return p.page(w, "admin_experiment", v)
}

// AdminSessions writes the list of sessions.
func (p *Pages) AdminSessions(w io.Writer, v AdminSessionsPage) error {
	v.Title = or(v.Title, "Sessions")
	return p.page(w, "admin_sessions", v)
}

// AdminSession writes one session with its episodes and events.
func (p *Pages) AdminSession(w io.Writer, v AdminSessionPage) error {
	v.Title = or(v.Title, "Session "+v.ID)
	return p.page(w, "admin_session", v)
}

// AdminUsers writes the list of users.
func (p *Pages) AdminUsers(w io.Writer, v AdminUsersPage) error {
	v.Title = or(v.Title, "Users")
	return p.page(w, "admin_users", v)
}

// AdminEvents writes the list of events.
func (p *Pages) AdminEvents(w io.Writer, v AdminEventsPage) error {
	v.Title = or(v.Title, "Events")
	return p.page(w, "admin_events", v)
}
