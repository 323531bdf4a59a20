package persistence

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Errors that every Store returns, wrapped with what was asked.
var (
	// ErrNotFound: there is no such document.
	ErrNotFound = errors.New("persistence: not found")
	// ErrConflict: a unique key is taken, or Rev is not the stored one.
	ErrConflict = errors.New("persistence: conflict")
	// ErrUnavailable: the store cannot be reached or did not answer in time; the
	// same call may succeed later and is safe to repeat.
	ErrUnavailable = errors.New("persistence: store unavailable")
	// ErrInvalid: the document breaks a rule of the schema; repeating is useless.
	ErrInvalid = errors.New("persistence: invalid document")
	// ErrNewer: a newer version of SHARPIE wrote the store, this one must not touch it.
	ErrNewer = errors.New("persistence: the store was written by a newer version of sharpie")
)

// Store keeps everything. Implementations are safe for concurrent use; every
// method honours its context's deadline, and gives up after MaxWait where there is
// none; a context that ends is ErrUnavailable as well as the context's own error.
// A nil error from a write means that the write survives a crash of the process
// and of the machine. A document that is larger than MaxDocument (but for bundles
// and checkpoints, which may be more), nests deeper than MaxDepth or lacks a key is
// ErrInvalid. Methods keep no pointer that they were
// given; times come back in UTC, to the microsecond.
//
// Insert methods may be repeated with the same document: the second call does
// nothing and succeeds; with another document under the same id it is ErrConflict.
// Update methods compare Rev with the stored one, write Rev+1, and return the
// new document's Rev in place; a stale Rev is ErrConflict, an unknown id is
// ErrNotFound. Repeating the last update with the same document and Rev succeeds,
// whoever made it.
type Store interface {
	Users
	Studies
	Experiments
	Sessions
	Steps
	Logs

	// Name is "embedded" or "mongodb".
	Name() string
	// Ping returns nil where reads and writes work, else ErrUnavailable.
	Ping(ctx context.Context) error
	Close() error
}

// Users keeps logins and who is logged in.
type Users interface {
	InsertUser(ctx context.Context, u *User) error // ErrConflict: the name is taken
	UpdateUser(ctx context.Context, u *User) error
	User(ctx context.Context, id UserID) (*User, error)
	UserByName(ctx context.Context, name string) (*User, error) // case-insensitive
	Users(ctx context.Context, page Page) ([]*User, error)      // newest first
	// CountAdmins counts administrators, disabled ones too.
	CountAdmins(ctx context.Context) (int, error)

	InsertLogin(ctx context.Context, l *Login) error
	Login(ctx context.Context, tokenHash string) (*Login, error) // expired is ErrNotFound
	DeleteLogin(ctx context.Context, tokenHash string) error     // absent is nil
	DeleteLoginsOf(ctx context.Context, id UserID) error

	InsertOneTimeLink(ctx context.Context, l *OneTimeLink) error
	// UseOneTimeLink marks it used, exactly once: unknown, used or expired is ErrNotFound.
	UseOneTimeLink(ctx context.Context, tokenHash string, now time.Time) (*OneTimeLink, error)
}

// Studies keeps participants, their consents and their answers.
type Studies interface {
	// EnsureParticipant returns the participant of that user and experiment, and
	// makes it where there is none.
	EnsureParticipant(ctx context.Context, user UserID, link string, now time.Time) (*Participant, error)
	UpdateParticipant(ctx context.Context, p *Participant) error
	Participant(ctx context.Context, id ParticipantID) (*Participant, error)
	ParticipantsOf(ctx context.Context, user UserID) ([]*Participant, error)
	// ParticipantsOfExperiment streams, oldest first; an error ends it.
	ParticipantsOfExperiment(ctx context.Context, link string) iter.Seq2[*Participant, error]

	InsertConsent(ctx context.Context, c *Consent) error
	// ConsentFor returns the consent in force, ErrNotFound where there is none.
	ConsentFor(ctx context.Context, user UserID, link, textHash string) (*Consent, error)
	ConsentsOf(ctx context.Context, user UserID) ([]*Consent, error) // newest first
	// WithdrawConsent sets the time once; a later call changes nothing.
	WithdrawConsent(ctx context.Context, id string, at time.Time) error

	InsertResponse(ctx context.Context, r *Response) error
}

// Experiments keeps experiments with all their versions, and bundles.
type Experiments interface {
	// ImportExperiment stores a new version, and makes it the latest, only if
	// e.Hash differs from the latest version's; it returns the version in force
	// and whether it is new. Version, ID and Latest are set by the store. A new
	// version keeps the Enabled of the former one; e.Enabled counts for the first.
	ImportExperiment(ctx context.Context, e *Experiment) (*Experiment, bool, error)
	// LatestExperiments returns the latest version of each, by name.
	LatestExperiments(ctx context.Context) ([]*Experiment, error)
	LatestExperiment(ctx context.Context, link string) (*Experiment, error)
	ExperimentVersion(ctx context.Context, link string, version int) (*Experiment, error)
	ExperimentVersions(ctx context.Context, link string) ([]*Experiment, error) // newest first
	SetExperimentEnabled(ctx context.Context, link string, enabled bool) error

	// InsertBundle takes up to MaxBundle bytes. A bundle that can be read is whole.
	InsertBundle(ctx context.Context, b *Bundle) error
	Bundle(ctx context.Context, hash string) (*Bundle, error)
}

// Sessions keeps sessions, episodes and learned state.
type Sessions interface {
	InsertSession(ctx context.Context, s *Session) error
	UpdateSession(ctx context.Context, s *Session) error
	Session(ctx context.Context, id SessionID) (*Session, error)
	Sessions(ctx context.Context, f SessionFilter, page Page) ([]*Session, error) // newest first
	// UnfinishedSessions returns those of a web node, oldest first.
	UnfinishedSessions(ctx context.Context, node string) ([]*Session, error)
	// SessionsOfExperiment streams, oldest first; an error ends it.
	SessionsOfExperiment(ctx context.Context, link string) iter.Seq2[*Session, error]

	// InsertEpisode: also ErrConflict where session, index and attempt are taken.
	InsertEpisode(ctx context.Context, e *Episode) error
	UpdateEpisode(ctx context.Context, e *Episode) error
	Episode(ctx context.Context, id EpisodeID) (*Episode, error)
	EpisodesOf(ctx context.Context, id SessionID) ([]*Episode, error) // by index and attempt
	// EpisodesOfExperiment streams, oldest first; an error ends it.
	EpisodesOfExperiment(ctx context.Context, link string) iter.Seq2[*Episode, error]

	// InsertCheckpoint takes up to MaxCheckpoint bytes. One that can be read is whole.
	InsertCheckpoint(ctx context.Context, c *Checkpoint) error
	LatestCheckpoint(ctx context.Context, scope, role, policy string) (*Checkpoint, error)
}

// Steps keeps the steps of episodes.
type Steps interface {
	// InsertStepChunks stores chunks, durably, all or an error; chunks that are
	// already there are no error. On error some may be stored: repeat the call. A
	// store may hold a call back for some milliseconds, to store it with others.
	InsertStepChunks(ctx context.Context, chunks []*StepChunk) error
	// StepChunks streams an episode's chunks by First; an error ends it.
	StepChunks(ctx context.Context, id EpisodeID) iter.Seq2[*StepChunk, error]
}

// Logs keeps events and runner nodes.
type Logs interface {
	InsertEvents(ctx context.Context, events []*Event) error
	Events(ctx context.Context, f EventFilter, page Page) ([]*Event, error) // newest first
	// EventsOf streams the events of a session, oldest first; an error ends it.
	EventsOf(ctx context.Context, id SessionID) iter.Seq2[*Event, error]
	// UpsertRunner stores r whatever its Rev, keeps the FirstSeenAt of the first
	// call, and sets both in r.
	UpsertRunner(ctx context.Context, r *Runner) error
	Runners(ctx context.Context) ([]*Runner, error) // by name

	// InsertRunnerKey: also ErrConflict where the prefix is taken.
	InsertRunnerKey(ctx context.Context, k *RunnerKey) error
	// RunnerKeys returns all of them, revoked ones too, oldest first.
	RunnerKeys(ctx context.Context) ([]*RunnerKey, error)
	// RevokeRunnerKey sets the time once; a later call changes nothing.
	RevokeRunnerKey(ctx context.Context, id string, at time.Time) error
	// TouchRunnerKey notes that a node joined with the key.
	TouchRunnerKey(ctx context.Context, id, node string, at time.Time) error
}

// Page bounds a list: Limit 1 to 1000 (0 is 100) entries after skipping Offset.
type Page struct{ Offset, Limit int }

// SessionFilter selects sessions; zero fields select all.
type SessionFilter struct {
	Experiment string
	Unfinished bool
}

// EventFilter selects events; zero fields select all.
type EventFilter struct {
	SessionID SessionID
	Kind      string
}
