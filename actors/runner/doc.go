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
// One step, in this order: take inputs; update learners with the transition that
// was just shown; ask each policy once; merge human and policy; step; render;
// report. See the files loop.go, step.go and host.go.
package runner
