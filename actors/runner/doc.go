// Package runner executes episodes: the Runner actor, one per slot, and the
// episode loop that it starts.
//
// It owns the environment, the policies, the seed, the tick and the step records
// that nobody has stored yet. It refuses a Start it cannot carry out (Failed,
// "bad_experiment", naming the field) and drops messages of another episode. It
// knows nothing of people, sockets or stores: everything reaches it, and leaves
// it, as a message of package messages.
//
// The actor never blocks: the work of one episode runs in one goroutine, the
// loop, which the actor feeds through an inbox and which reports by sending to
// the session. Code of an environment or a policy that panics becomes Failed
// with its trace. Code that does not return in time cannot be killed in Go: the
// loop is abandoned, counted, and the slot goes on with a new environment.
//
// An environment in a process of its own (envs.Host) takes a step in one exchange
// with its policies; what counts as an action is decided here all the same, before
// and after it (host.go). It keeps its own deadlines, and the loop's are 5 s longer.
// One that is not reusable is closed after its episode, while the next one loads.
//
// Where roles take turns, a role that waits does not act, is not waited for and
// learns when it is its turn again, or ends. Its inputs are recorded with the step
// and then forgotten; in turn-based play a key that is held on counts for nothing
// until it is released, so that nobody acts by surprise.
//
// # When the session is out of reach
//
// A link that is cut loses messages without a word, in both directions. So a loop
// whose session cannot be reached stands still, sends nothing, lets go of every key,
// and keeps what has to be told again: every record that is not acknowledged as
// stored, Started and checkpoints until a later record is, the newest picture until it
// was shown, and the last message until the next Start or Release. A Reattach brings
// all of it, in the old order and before anything new, and always an answer. The
// session may get things twice, never out of order within one answer; it says anew
// what it had ordered meanwhile (Pause, SetSeat, Stop, the keys that are held).
// After Config.LinkGrace the episode is stopped and the slot offered. A session's
// actor that ended, rather than its link, frees the slot at once.
//
// # Going on with a lost episode
//
// A Start with resume_through takes the recorded steps again from the seed, with
// nothing drawn but the last one, and checks every observation's hash, every reward,
// whose turn it was and who had ended. Policies, in Go as in the environment's
// process, are neither asked nor taught meanwhile: they know what Start.States
// brought, and learn from the first new step on. The clock goes on from
// resume_offset_us; Started.runner_time_us is then the time of going on. Nothing is
// guaranteed of an environment that is not Replayable: that is refused at once.
//
// # Pictures
//
// With a picture_credit at most that many pictures are under way, but for the last of
// an episode; the newest follows when one has arrived. Records never wait for credit.
//
// One step, in this order: take inputs; update learners with the transition that
// was just shown; ask each policy once; merge human and policy; step; render;
// report. See the files loop.go, step.go and host.go.
package runner
