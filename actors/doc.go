// Package actors is the cast that carries people's sessions: Lobby, Queue, Session,
// Participant, Recorder and the runner slots of this process, behind one façade,
// Platform. It owns sessions while they are alive: who sits where, which phase it
// is, which runner plays, and what is not stored yet. It refuses to know of sockets,
// pages and cookies: a socket is a Connection to it, and package http alone may
// see it. It refuses what a participant may not do, before it costs anything.
//
// Messages are immutable once sent; commands are imperative, facts past tense.
// Everything about an episode carries its id, and what comes too late is counted
// and dropped. Actors send; only the façade asks, with a deadline, and nobody asks
// inside Receive. What blocks (the store) runs in a goroutine that reports by
// message.
//
// # Who owns what
//
//	| actor | file | owns |
//	|---|---|---|
//	| Lobby | lobby.go | matching: which waiting session a Join leads to; the number of sessions; the drain |
//	| Queue | queue.go, queue_match.go | the order of sessions that wait for a runner; which slots are free, here and on nodes, their labels and incarnations |
//	| Session | session.go, session_*.go | phase, seats, the order of events, the episode, its runner; the pictures of its sockets |
//	| Participant | participant.go | which socket is the newest, the last input's number, clock offset, inbound rate, reconnect grace |
//	| Recorder | recorder.go, books.go | what is not stored yet, in order; the revisions of the documents that it writes |
//	| Slots | slots.go | the runners of this process: one per slot, and a new one where one stopped |
//	| Runner | package runner | environment, policies, seed, tick, steps that are not acknowledged |
//	| Connection | connection.go | not an actor: what one socket still has to be sent |
//
// # Who tells whom
//
//	| from | to | messages |
//	|---|---|---|
//	| façade | Lobby | join, countLobby, list, drain |
//	| façade | Session | attach, abandon, leave, look, abort |
//	| façade | Queue | listRunners |
//	| node link | Queue | nodeChanged |
//	| recovery | Lobby | restore |
//	| Lobby | Session | take, wrapUp, abort, giveUp |
//	| Session | Lobby | refused, seatFreed, phaseChanged |
//	| Session | Queue | enqueue, withdraw |
//	| Queue | Session | assigned, noneFree, unsatisfiable, satisfiable, runnerGone, runnerLeaving |
//	| Runner | Queue | messages.Offer |
//	| Queue | Runner | messages.Release |
//	| Session | Runner | messages.Start, Replay, Reattach, Inputs, Shown, Ack, Pause, Resume, SetSeat, Stop, Release |
//	| Runner | Session | messages.Started, Stepped, Pictured, Waiting, Checkpoint, EpisodeEnded, Failed |
//	| Session | Participant | admit |
//	| Participant | Session | attached, away, gone, leave, seatInput, seatReady, seatRTT |
//	| Connection | Participant | inputReceived, pinged, painted, readied, left, detached |
//	| Session | Recorder | putSession, putEpisode, putEvents, putState, record, feedback, complete, settle, takenOver, closeBooks, salvage |
//	| Recorder | Session | stored, settled, unstorable, overflowed, booksClosed |
//	| Session | Session | statesRead, stepsRead, cutOff |
//
// A Session puts phases, pictures and statuses straight into the slots of its
// participants' Connections, without a hop over the Participant: a picture is
// encoded once for all, and 250 participants cost 250 pointers, not 250 messages.
// The Participant owns when a Connection begins and is replaced.
//
// Participants, Sessions and Runners run inline, on the goroutine that sent to them
// (workers.go), so an input goes from the socket's goroutine to the episode's loop,
// and a step from the loop to the sockets' writers, with one change of goroutine
// each. The others run on goroutines of their own, taken from a pool.
//
// # Who supervises whom
//
//	| parent | child | when the child panics |
//	|---|---|---|
//	| (root) | Lobby, Queue, Slots | it goes on with the next message: what it knows is an index of facts that others own |
//	| Lobby | Session | it stops: tells everybody, lets the Recorder finish, gives the runner back |
//	| Session | Participant | it stops: the socket closes with 1011; the Session puts another one in its place, the seat is kept |
//	| Session | Recorder | it stops: writes what it has, within 2 s; the session is aborted, and another one closes the books |
//	| Slots | Runner | it stops: another one takes the episode over, or it begins again; the slot gets a new one |
//
// A stateful actor is never restarted empty. The three central ones are the
// exception that proves it: stopping them would end every session of the node, and
// each fact in them is confirmed by its owner before anything follows from it.
//
// # When a runner, or this process, is lost
//
// A runner that cannot be reached is knocked at every 500 ms for Limits.RunnerGrace
// (session_outage.go): where it answers, the episode goes on from the very step. From
// Limits.TakeoverWait on the Queue is asked for another one too, and once it has one, or
// where the runner is known to be gone, that one replays the recorded steps and goes on.
// One that has not begun begins there. Where neither is possible the episode begins again,
// after the grace (session_takeover.go). A node that leaves plays its episodes to their end, and sessions
// ask for another runner before their next one. Of a process that was
// killed, the next one on the same store opens the sessions again that were in the
// middle (recovery.go, session_restore.go). Only what is stored is acknowledged, only
// the next step is taken, and only from the runner that has the episode: so no step
// that was acknowledged is lost, and none is there twice.
//
// # What waits, and for how long
//
// Every phase has a deadline, kept by the Session (session_phases.go); what ends
// late is ended. Every queue has a bound: the inbound rate of a Participant, the
// control queue and the slots of a Connection, the unacknowledged steps of a Runner
// and with them the Recorder, the number of sessions of the Lobby. Limits has them.
package actors
