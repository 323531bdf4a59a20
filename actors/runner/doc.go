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
// One step, in this order: take inputs; update learners with the transition that
// was just shown; ask each policy once; merge human and policy; step; render;
// report. See the files loop.go and step.go.
package runner
