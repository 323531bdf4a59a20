package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/link"
	"sharpie/actors/messages"
	"sharpie/actors/play"
	"sharpie/persistence"
)

// The messages between the actors of one web node. They are immutable once sent.
// Commands are imperative, facts past tense; doc.go says who sends which to whom.
// What crosses to a Runner is in package messages.

// Façade to Lobby.
type (
	join       struct{ JoinRequest }
	countLobby struct{ link, room string }
	list       struct{} // answered with []*actor.PID
	drain      struct{ until time.Time }
)

// Lobby to Session.
type (
	// take asks for a seat; the sender is the façade, which gets the Ticket.
	take struct {
		JoinRequest
		role string
		// back asks for the seat that the participant has.
		back bool
	}
	// wrapUp ends a session that has not begun to play, because the server stops.
	wrapUp struct{}
	// giveUp ends the actor, whether or not everything is stored.
	giveUp struct{}
)

// System to Lobby: restore opens a session of a former run again; answered with struct{}.
type restore struct{ *restored }

// Session to Lobby.
type (
	// refused hands a Join back: the seat is not to be had.
	refused struct {
		session persistence.SessionID
		req     JoinRequest
		sender  *actor.PID
		back    bool
	}
	seatFreed struct {
		session     persistence.SessionID
		role        string
		participant persistence.ParticipantID
	}
	phaseChanged struct {
		session persistence.SessionID
		phase   phase
	}
)

// Façade to Session.
type (
	attach struct{ participant persistence.ParticipantID }
	// abandon: nobody waits for that attach's answer any more.
	abandon struct {
		participant persistence.ParticipantID
		attach      *attach
	}
	leave struct{ participant persistence.ParticipantID }
	look  struct{} // answered with SessionView
	abort struct{ by, reason string }
)

// Session to Participant: admit takes a new socket in; the sender is the façade.
type admit struct{ conn *connection }

// Participant to Session.
type (
	attached struct {
		participant persistence.ParticipantID
		conn        *connection
		nextSeq     uint64
		again       bool // there was a socket before
	}
	away      struct{ participant persistence.ParticipantID }
	gone      struct{ participant persistence.ParticipantID }
	seatInput struct {
		participant persistence.ParticipantID
		episode     uint32
		in          *messages.Input
	}
	seatReady struct{ participant persistence.ParticipantID }
	seatRTT   struct {
		participant persistence.ParticipantID
		rtt         time.Duration
	}
)

// Connection to Participant.
type (
	inputReceived struct {
		conn *connection
		in   *play.Input
		at   time.Time
	}
	pinged struct {
		conn   *connection
		offset int64 // µs, server minus client
		rtt    time.Duration
	}
	painted struct {
		conn *connection
		p    *play.Painted
	}
	readied  struct{ conn *connection }
	left     struct{ conn *connection }
	detached struct{ conn *connection }
)

// Session to Queue.
type (
	// enqueue asks for a runner. The session numbers its wishes, so that what comes
	// of one that it withdrew is not taken for what comes of the next.
	enqueue struct {
		session persistence.SessionID
		number  uint64
		needs   []string
		avoid   []unfit // machines that cannot run it
		front   bool    // its episode was begun: nobody waits longer than people in a game
		orNot   bool    // now or not at all: answered with assigned or noneFree
	}
	// unfit is a machine that cannot run something, until it offers itself with a greater
	// readiness.
	unfit struct {
		runner    string // id
		readiness uint64
	}
	// withdraw takes a wish back, and the runner that it may have led to: the session
	// has given that runner nothing to do.
	withdraw struct {
		session persistence.SessionID
		number  uint64
	}
)

// Queue to Session.
type (
	assigned struct {
		number    uint64 // of the wish
		runner    *actor.PID
		id        string
		slot      uint32
		readiness uint64 // of its offer
	}
	// unsatisfiable: no slot that is known has the labels that are needed.
	unsatisfiable struct {
		number uint64 // of the wish
		needs  []string
		final  bool // nobody is expected any more, for the time being
	}
	// satisfiable takes unsatisfiable back: somebody came who can.
	satisfiable struct{ number uint64 }
	// noneFree: there is no runner for a wish that does not wait.
	noneFree struct{ number uint64 }
	// runnerGone: the node of that runner cannot come back.
	runnerGone struct {
		runner *actor.PID
		why    string
	}
	// runnerLeaving: the node of that runner takes nothing new, and waits for what it has.
	runnerLeaving struct{ runner *actor.PID }
)

// Façade to Queue.
type (
	listRunners struct{} // answered with []RunnerView
	nodeChanged struct{ event link.Event }
)

// Session to Recorder.
type (
	putSession struct{ doc persistence.Session }
	putEpisode struct{ doc persistence.Episode } // the first one inserts
	putEvents  struct{ events []*persistence.Event }
	putState   struct{ doc *persistence.Checkpoint }
	complete   struct {
		participants []persistence.ParticipantID
		code         string // "random" makes one each
	}
	record struct {
		episode persistence.EpisodeID
		step    *messages.StepRecord
		at      time.Time
	}
	// feedback adds a reward that was given after the last step.
	feedback struct {
		role   int
		reward float64
	}
	// settle asks for settled once everything said before is stored.
	settle struct{ episode persistence.EpisodeID }
	// takenOver: another runner goes on with the episode; policy versions in force, by role.
	takenOver struct{ versions []string }
	// closeBooks is the last message: answered with booksClosed once all is stored.
	closeBooks struct{ doc persistence.Session }
	// salvage is closeBooks after a Recorder was lost: what it had stored is closed
	// as recovery after a crash would.
	salvage struct{ doc persistence.Session }
)

// Recorder to Session.
type (
	stored struct {
		episode persistence.EpisodeID
		through uint64
		steps   int // how many that are
	}
	settled     struct{ episode persistence.EpisodeID }
	booksClosed struct{}
	// statesRead is what the store has of the policies that learn across sessions. A
	// goroutine of the session's own sends it.
	statesRead struct {
		episode persistence.EpisodeID
		found   []*persistence.Checkpoint
		err     error
	}
	// stepsRead is a part of a lost episode, for the runner that goes on with it. A
	// goroutine of the session's own sends it.
	stepsRead struct {
		takeover *takeover
		part     *messages.Replay
		err      error
	}
	// unstorable: the store refuses something, and repeating is useless.
	unstorable struct {
		what string
		err  error
	}
	overflowed struct{ steps int }
)

// written is what a write's goroutine tells its Recorder.
type written struct{ err error }

// cutOff: nothing reaches that runner any more. A session tells itself.
type cutOff struct{ runner *actor.PID }

// rang is an alarm that went off: which one, and of which generation.
type rang struct {
	name string
	gen  uint64
}
