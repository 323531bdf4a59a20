// Package agents owns the contract of policies at work: what maps observations
// to actions in one role of one episode. It refuses to know who sits in the role
// beside the policy, how inputs are merged, when a step is taken and where
// learned state is kept; that is the runner's.
//
// # The contract
//
// A Factory makes an Agent for one seat and one episode, from the role's spaces,
// a seed and the keyword arguments of the experiment. A policy that cannot play
// the role, or does not know an argument, says so there, and nowhere later.
//
// The runner then calls, from one goroutine, in this order: SetState at most
// once, where state was kept; then for each step Update at most once, with the
// transition that was shown last, and Act exactly once; after the last step one
// more Update; State; Close.
//
//   - Act returns a point of the role's action space that the mask allows. It
//     never changes the observation, which others hold too, and keeps nothing of it
//     that it would change later.
//   - The same factory, Spec and calls give the same actions: every random choice
//     comes from Spec.Seed. Two roles with one seed choose independently.
//   - Act learns nothing. What the policy knows changes in Update and SetState alone.
//   - Version names code and knowledge. It changes whenever the same input may give
//     another action (apart from random choices), so that every recorded action can
//     be explained; it does not change where nothing was learned.
//   - State and SetState are inverse: a new agent of the same Spec that was given
//     the state has the same Version and acts as any other that was given it. A state
//     that is not the policy's own is refused (ErrInvalidState) and changes nothing.
//   - After Close every method fails with ErrClosed; a second Close does nothing.
//
// Package agenttest checks all of this; every policy runs it. Package builtin
// holds the policies that come with SHARPIE.
package agents
