package actors

import (
	"context"
	"errors"
	"time"

	"sharpie/experiments"
	"sharpie/persistence"
)

// Errors of the façade, wrapped with what was asked.
var (
	// ErrNoSeat: the role that was asked for does not exist or is not offered.
	ErrNoSeat = errors.New("actors: no such seat")
	// ErrNotYours: the session has no seat for that participant.
	ErrNotYours = errors.New("actors: the seat is not yours")
	// ErrGone: the session has ended or never was.
	ErrGone = errors.New("actors: the session is over")
	// ErrDraining: the server is stopping and opens no more sessions.
	ErrDraining = errors.New("actors: the server is stopping")
	// ErrFull: too many sessions or sockets.
	ErrFull = errors.New("actors: the server is full")
	// ErrTimeout: the actors did not answer in time.
	ErrTimeout = errors.New("actors: no answer in time")
)

// JoinRequest asks for a seat.
type JoinRequest struct {
	Experiment  string // link
	Version     int
	Definition  *experiments.Definition // of that version
	BundleHash  string
	Participant persistence.ParticipantID
	User        persistence.UserID
	UserName    string
	Role        string // "" takes any free one
	Room        string // "" meets anyone without a room
}

// Ticket is a seat that was taken.
type Ticket struct {
	Session persistence.SessionID
	Role    string
	// Rejoined: the participant already had this seat.
	Rejoined bool
}

// Outgoing is one message to a browser: the two slices are written one after the
// other as one binary WebSocket message. Shared is common to all participants of
// the session and must not be changed.
type Outgoing struct {
	Shared, Own []byte
}

// Close says why the actors ended a connection: a WebSocket close code and text.
type Close struct {
	Code int
	Text string
}

// Error makes Close an error, so that Next can return it.
func (c *Close) Error() string { return c.Text }

// Connection is one socket of a participant. Next and Receive may be called from
// different goroutines, each from one at a time.
type Connection interface {
	// Next blocks until there is something to send. It returns *Close once the
	// connection is to be closed, after everything before it was returned, and the
	// context's error.
	Next(ctx context.Context) (Outgoing, error)
	// Receive takes one binary message from the browser. A *Close error ends the
	// connection; a refused message that does not end it returns nil, and the
	// browser gets a Notice.
	Receive(message []byte) error
	// Detach says that the socket is gone. A second call does nothing.
	Detach()
}

// SessionView is a session as Admin shows it, live.
type SessionView struct {
	ID         persistence.SessionID
	Experiment string
	Version    int
	Room       string
	Phase      string
	Since      time.Time // of the phase
	Deadline   time.Time // zero: none
	Episode    int       // 1-based, 0 before the first
	Episodes   int
	Step       int64
	Runner     string
	Unstored   int    // step records not yet stored
	Problem    string // why it does not go on, for the researcher; "": nothing
	Seats      []SeatView
	OpenedAt   time.Time
}

// SeatView is a seat as Admin and the lobby show it.
type SeatView struct {
	Role, Name  string
	Participant persistence.ParticipantID
	UserName    string
	State       string        // "free", "taken", "here", "away", "ai"
	RTT         time.Duration // last measured, 0 unknown
	// Left: the participant gave the seat up for good, and somebody or something
	// else acts in it.
	Left bool
}

// RunnerView is a runner slot as Admin shows it.
type RunnerView struct {
	Runner      string // id of the node
	Incarnation string
	Node        bool // of a runner node, see Nodes; else of this process
	Away        bool // its node cannot be reached now
	Slot        int
	Labels      []string
	Session     persistence.SessionID // "" while free
	Since       time.Time
}

// Health is what /readyz and the Admin page say.
type Health struct {
	Store         error // nil: fine
	StoreSince    time.Time
	UnstoredSteps int
	Sessions      int
	Waiting       int
	FreeSlots     int
	Slots         int
	Draining      bool
}

// LobbyView is what the experiment page shows before joining.
type LobbyView struct {
	Waiting int // people waiting for partners in that room
	Playing int // sessions running
}

// Platform is the façade of the actor system: the only thing that http sees. All
// methods return within their context's deadline, and within 5 s without one.
type Platform interface {
	// Join takes a free seat in a waiting session of that experiment and room, or
	// opens a session. A participant who already has a seat in a session of that
	// experiment that has not ended gets that seat again.
	Join(ctx context.Context, r JoinRequest) (Ticket, error)
	// Attach connects a socket to the participant's seat; an older socket of the
	// same seat is closed with "replaced".
	Attach(ctx context.Context, s persistence.SessionID, p persistence.ParticipantID) (Connection, error)
	// Leave gives the seat up for good.
	Leave(ctx context.Context, s persistence.SessionID, p persistence.ParticipantID) error
	// Seat says what the participant has in that session; ErrGone, ErrNotYours.
	Seat(ctx context.Context, s persistence.SessionID, p persistence.ParticipantID) (SessionView, SeatView, error)
	Lobby(ctx context.Context, link, room string) (LobbyView, error)
	Sessions(ctx context.Context) ([]SessionView, error)
	Runners(ctx context.Context) ([]RunnerView, error)
	// Abort ends a session; by is the administrator's name.
	Abort(ctx context.Context, s persistence.SessionID, by, reason string) error
	Health(ctx context.Context) Health
	// Drain refuses new sessions, lets running ones end until the context's
	// deadline, aborts the rest, flushes every recorder, and stops all actors.
	Drain(ctx context.Context) error
}
