package persistence

import "time"

// Times are UTC with microseconds; a write drops what is finer. A field tagged
// X_at is stored as two: X_at, a date (milliseconds, to query by), and X_at_us,
// the exact time as µs since 1970. The name says whose clock it is: server,
// runner or client. A nil time is stored as null, or not at all.

// Ids are opaque, URL-safe and sortable by time of creation where made by NewID.
type (
	UserID        string
	ParticipantID string
	SessionID     string
	EpisodeID     string
	RunnerID      string
)

// Document is a nested value of JSON types (map, slice, string, float64, int64,
// bool, nil) that is stored as a nested document, so that analysts can query it.
type Document = map[string]any

// User is a login. Collection users.
type User struct {
	ID           UserID     `bson:"_id"`
	Rev          int64      `bson:"rev"`
	Name         string     `bson:"name"`     // as typed
	NameKey      string     `bson:"name_key"` // lower-case, unique
	PasswordHash string     `bson:"password_hash,omitempty"`
	Admin        bool       `bson:"admin"`
	Disabled     bool       `bson:"disabled"`
	CreatedAt    time.Time  `bson:"server_created_at"`
	LastLoginAt  *time.Time `bson:"server_last_login_at,omitempty"`
}

// Login is one browser logged in. Only the hash of its cookie is stored.
// Collection logins.
type Login struct {
	TokenHash string    `bson:"_id"`
	UserID    UserID    `bson:"user_id"`
	CreatedAt time.Time `bson:"server_created_at"`
	ExpiresAt time.Time `bson:"server_expires_at"`
}

// OneTimeLink logs its holder in once. Only the hash is stored. Collection one_time_links.
type OneTimeLink struct {
	TokenHash string     `bson:"_id"`
	UserID    UserID     `bson:"user_id"`
	ExpiresAt time.Time  `bson:"server_expires_at"`
	UsedAt    *time.Time `bson:"server_used_at,omitempty"`
}

// Participant is a person in a study: one user in one experiment. Collection participants.
type Participant struct {
	ID         ParticipantID     `bson:"_id"`
	Rev        int64             `bson:"rev"`
	UserID     UserID            `bson:"user_id"`
	Experiment string            `bson:"experiment"` // link
	External   map[string]string `bson:"external,omitempty"`
	CreatedAt  time.Time         `bson:"server_created_at"`
	// CompletionCode is set when the participant completed a session.
	CompletionCode string `bson:"completion_code,omitempty"`
}

// Consent records what a user agreed to, and withdrew. Collection consents.
type Consent struct {
	ID          string     `bson:"_id"`
	UserID      UserID     `bson:"user_id"`
	Experiment  string     `bson:"experiment"`          // link; "" for the platform's own
	TextHash    string     `bson:"text_hash"`           // sha256 of Text, hex
	Text        string     `bson:"text"`                // exactly what was shown (Markdown)
	GivenAt     time.Time  `bson:"server_given_at"`     // server clock
	WithdrawnAt *time.Time `bson:"server_withdrawn_at"` // nil while given
}

// Experiment is one version of an experiment. Collection experiments, _id "<link>@<version>".
type Experiment struct {
	ID         string    `bson:"_id"`
	Rev        int64     `bson:"rev"`
	Link       string    `bson:"link"`
	Version    int       `bson:"version"` // from 1, without gaps
	Latest     bool      `bson:"latest"`
	Enabled    bool      `bson:"enabled"` // of the latest version: open to participants
	Name       string    `bson:"name"`
	Hash       string    `bson:"hash"` // sha256 of the canonical definition and the bundle hash, hex
	Definition Document  `bson:"definition"`
	Source     string    `bson:"source"` // the YAML as imported
	BundleHash string    `bson:"bundle_hash,omitempty"`
	ImportedAt time.Time `bson:"server_imported_at"`
	ImportedBy string    `bson:"imported_by"` // user name, or "command line"
}

// Bundle is a directory of files by hash. Collection bundles.
type Bundle struct {
	Hash string `bson:"_id"`
	Size int64  `bson:"size"` // bytes of Data
	Data []byte `bson:"data"` // tar, zstd; at most MaxBundle bytes
	// Parts is the stores' own: where Data is kept if it is larger than PartSize. It
	// is empty in what callers give and get.
	Parts     []string  `bson:"parts,omitempty"`
	CreatedAt time.Time `bson:"server_created_at"`
}

// Runner is a runner node that was seen. Collection runners.
type Runner struct {
	ID          RunnerID  `bson:"_id"`
	Rev         int64     `bson:"rev"`
	Name        string    `bson:"name"`
	Incarnation string    `bson:"incarnation"`
	Version     string    `bson:"version"`
	Slots       int       `bson:"slots"`
	Labels      []string  `bson:"labels"`
	FirstSeenAt time.Time `bson:"server_first_seen_at"`
	LastSeenAt  time.Time `bson:"server_last_seen_at"`
}

// RunnerKey lets runner nodes join. Only the hash is stored. Collection runner_keys.
type RunnerKey struct {
	ID        string    `bson:"_id"`
	Name      string    `bson:"name"`   // as its maker called it
	Prefix    string    `bson:"prefix"` // the public part, unique
	Hash      string    `bson:"hash"`   // SHA-256 of the whole key, hexadecimal
	Labels    []string  `bson:"labels"` // every node of the key offers these
	CreatedAt time.Time `bson:"server_created_at"`
	CreatedBy string    `bson:"created_by"` // user name, or "command line"
	// RevokedAt: no node joins with it any more, and those that had are cut.
	RevokedAt  *time.Time `bson:"server_revoked_at,omitempty"`
	LastUsedAt *time.Time `bson:"server_last_used_at,omitempty"`
	LastNode   string     `bson:"last_node,omitempty"` // id of the node that joined last
}

// Session is one group's run through an experiment. Collection sessions.
type Session struct {
	ID                SessionID  `bson:"_id"`
	Rev               int64      `bson:"rev"`
	Experiment        string     `bson:"experiment"` // link
	ExperimentVersion int        `bson:"experiment_version"`
	Room              string     `bson:"room"`
	Phase             string     `bson:"phase"`
	Reason            Reason     `bson:"reason"` // why it ended; zero while it runs
	Seats             []Seat     `bson:"seats"`
	Episodes          int        `bson:"episodes"` // begun so far
	OpenedAt          time.Time  `bson:"server_opened_at"`
	StartedAt         *time.Time `bson:"server_started_at"`
	EndedAt           *time.Time `bson:"server_ended_at"`
	Node              string     `bson:"node"` // the web node that owns the session
	// Finished is true once nothing more will be written for the session.
	Finished bool `bson:"finished"`
}

// Reason is why something ended.
type Reason struct {
	Code   string `bson:"code"`   // "completed", "lobby_timeout", "dropped_out", …
	Detail string `bson:"detail"` // for the researcher: everything known
	Public string `bson:"public"` // for the participant: one sentence
}

// Seat is a role of a session and who sat there.
type Seat struct {
	Role        string        `bson:"role"`
	Participant ParticipantID `bson:"participant_id"`
	User        UserID        `bson:"user_id"`
	JoinedAt    *time.Time    `bson:"server_joined_at"`
	LeftAt      *time.Time    `bson:"server_left_at"`
}

// Episode is one reset to termination or truncation. Collection episodes.
type Episode struct {
	ID                EpisodeID     `bson:"_id"`
	Rev               int64         `bson:"rev"`
	SessionID         SessionID     `bson:"session_id"`
	Index             int           `bson:"index"` // 0-based within the session
	Attempt           int           `bson:"attempt"`
	Experiment        string        `bson:"experiment"`
	ExperimentVersion int           `bson:"experiment_version"`
	BundleHash        string        `bson:"bundle_hash"`
	Environment       string        `bson:"environment"`         // source, e.g. "go:MountainCar-v0"
	EnvironmentCode   string        `bson:"environment_version"` // version of its code
	CodeVersion       string        `bson:"code_version"`        // of the runner's binary
	Seed              int64         `bson:"seed"`                // bit pattern of a uint64
	Replayable        bool          `bson:"replayable"`
	Runner            RunnerID      `bson:"runner_id"`
	Incarnation       string        `bson:"incarnation"`
	Interpreter       string        `bson:"interpreter,omitempty"` // of a Python environment: version and path
	Confinement       string        `bson:"confinement,omitempty"` // of a Python environment: "bubblewrap", or "unconfined: …"
	Warnings          []string      `bson:"warnings,omitempty"`
	Runs              []Run         `bson:"runs,omitempty"` // who went on after the first runner was lost, in order
	Log               string        `bson:"log,omitempty"`  // the end of what Python code printed
	Roles             []EpisodeRole `bson:"roles"`
	Status            string        `bson:"status"` // "running", "terminated", "truncated", "aborted", "failed"
	Reason            Reason        `bson:"reason"`
	Steps             int64         `bson:"steps"`        // transitions; step records are Steps+1 (step 0 is the reset)
	StoredSteps       int64         `bson:"stored_steps"` // step records stored
	StartedAt         time.Time     `bson:"runner_started_at"`
	ReceivedAt        time.Time     `bson:"server_started_at"`
	EndedAt           *time.Time    `bson:"server_ended_at"`
	// Fault is where the code of an episode failed; nil where it did not.
	Fault *Fault `bson:"fault,omitempty"`
}

// Run is the part of an episode after another runner took it over.
type Run struct {
	Runner      RunnerID  `bson:"runner_id"`
	Incarnation string    `bson:"incarnation"`
	FromStep    int64     `bson:"from_step"` // the last step that it replayed; its own are those after it
	At          time.Time `bson:"server_at"` // when it went on
	Why         string    `bson:"why"`       // how the one before was lost
}

// Fault is an error of an experiment's code, for its researcher.
type Fault struct {
	State     string `bson:"state"` // "env_error", "policy_error", "hung", "out_of_memory", "killed", "exited", …
	Phase     string `bson:"phase"` // "load", "reset", "step", "render", "act", "update", "checkpoint"
	Role      string `bson:"role,omitempty"`
	Type      string `bson:"type,omitempty"` // the exception's name
	Message   string `bson:"message"`
	Traceback string `bson:"traceback,omitempty"`
}

// EpisodeRole is one role of an episode: who acted there, and how it went.
type EpisodeRole struct {
	Role          string        `bson:"role"`
	Participant   ParticipantID `bson:"participant_id,omitempty"`
	Policy        string        `bson:"policy,omitempty"`         // name
	PolicySource  string        `bson:"policy_source,omitempty"`  // "go:tamer"
	PolicyVersion string        `bson:"policy_version,omitempty"` // at the first step
	InputsType    string        `bson:"inputs_type,omitempty"`
	Return        float64       `bson:"return"`       // sum of the environment's rewards
	HumanReturn   float64       `bson:"human_return"` // sum of the human's rewards
}

// Checkpoint is learned state. Collection checkpoints.
type Checkpoint struct {
	ID         string    `bson:"_id"`
	Scope      string    `bson:"scope"` // "session:<id>", "participant:<id>", "experiment:<link>"
	Role       string    `bson:"role"`
	Policy     string    `bson:"policy"`
	Version    string    `bson:"version"`
	Parent     string    `bson:"parent,omitempty"` // version that it was learned from; empty for none
	EpisodeID  EpisodeID `bson:"episode_id"`
	Step       int64     `bson:"step"`
	Hash       string    `bson:"hash"`            // sha256 of Data, hex
	Data       []byte    `bson:"data"`            // at most MaxCheckpoint bytes
	Parts      []string  `bson:"parts,omitempty"` // as in Bundle
	ReceivedAt time.Time `bson:"server_received_at"`
}

// Event is something that someone did or that happened. Collection events.
type Event struct {
	ID        string    `bson:"_id"`
	At        time.Time `bson:"server_at"`
	Kind      string    `bson:"kind"`  // "phase", "reconnect", "drop_out", "admin.abort", …
	Actor     string    `bson:"actor"` // user name, "system", role
	SessionID SessionID `bson:"session_id,omitempty"`
	EpisodeID EpisodeID `bson:"episode_id,omitempty"`
	Role      string    `bson:"role,omitempty"`
	Detail    Document  `bson:"detail,omitempty"`
}

// Response is an answer to a questionnaire. Collection responses.
type Response struct {
	ID            string        `bson:"_id"`
	ParticipantID ParticipantID `bson:"participant_id"`
	SessionID     SessionID     `bson:"session_id"`
	Form          string        `bson:"form"`
	Answers       Document      `bson:"answers"`
	ReceivedAt    time.Time     `bson:"server_received_at"`
}
