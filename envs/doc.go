// Package envs owns the contract of an environment: the interface, the spaces
// that observations and actions are points of, values, pictures and the registry.
// It refuses to know who acts: people, policies, clocks and networks are the
// business of others, and it imports nothing of SHARPIE.
//
// # The process
//
// An environment is a Markov decision process for one or more roles that act at
// the same time. Its meaning is that of PettingZoo's parallel API, and with one
// role that of Gymnasium:
//
//	obs, err := env.Reset(ctx, seed)
//	for {
//		// one action for every live role
//		tr, err := env.Step(ctx, actions)
//		if tr.Done() {
//			break
//		}
//	}
//
// Where roles take turns, as in PettingZoo's AEC API, an observation says Waits for
// every role whose turn it is not: it stays live, gets its part of each transition,
// and Step takes no action of it.
//
// # Roles
//
// Spec lists every possible role, in the environment's own order, and never
// changes. After Reset all of them are live. A role ends when a transition says
// that it is terminated or truncated, and does not come back before the next
// Reset. A transition has one entry for each role that was live before the step,
// in the order of Spec.Roles, so the one in which a role ends is its last. The
// episode is over once no role is live: Transition.Done. From then on Step
// returns ErrEpisodeOver; Render still draws the last state.
//
// # Terminated and truncated
//
// Terminated says that the process itself came to an end: the goal is reached,
// the pole has fallen. What would come after it is worth nothing. Truncated says
// that it was cut from outside, as by Spec.MaxSteps: it would have gone on, and
// a learner has to estimate what was to come. Both may be true at once. The
// reward of a step belongs to that step, also of the last one.
//
// # Actions
//
// Step takes exactly one action per live role that does not wait, in any order, each
// inside its space. Anything else is refused with ErrInvalidAction before anything changes:
// an action outside its space, of no, an ended or a waiting role, twice, or missing. Where a
// discrete space has an ActionMask, an action that it forbids is still a point of
// the space: what it does is the environment's choice. Order is kept on the way to
// environments in Python, some of which depend on it; Go environments do not.
//
// # Seeds
//
// Reset takes a seed every time, and the whole episode follows from it: the same
// seed and the same actions give the same observations, rewards and ends, bit by
// bit, in any instance made with the same keyword arguments, whatever was done
// with it before. Spec.Replayable is the promise of that, and Spec.Version names
// the code that keeps it; an environment that cannot promise says false. The
// built-in ones draw from math/rand/v2's PCG, seeded with the seed and one fixed
// stream, so a seed means another episode than it does in Python.
//
// # Memory
//
// A Value, a mask and an info belong to no one once handed over: nobody writes to
// them again, neither who made them nor who got them. The slice of actions
// belongs to the caller: Step neither changes nor keeps it. A Frame belongs to
// the caller until the next Render of the same environment, which may use the
// memory again; whoever needs it longer copies it. What Spec returns is shared: it
// is read only.
//
// # Pictures
//
// Render draws the current state at Width × Height of the Spec and changes
// nothing: whether, when and how often it is called makes no difference to the
// episode, and the same state looks the same. An environment without a picture
// says 0×0 and returns an empty Frame.
//
// # Errors and deadlines
//
// ErrNotReset, ErrEpisodeOver, ErrInvalidAction and ErrClosed are wrapped with
// what went wrong and are the caller's mistakes: the environment is as it was. A
// call whose context is cancelled beforehand fails with the context's error and
// changes nothing. Any other error is the environment's own; after it, only Reset
// and Close are meaningful. Close frees everything and may be called twice.
// An Environment is used from one goroutine at a time.
//
// # Snapshots
//
// A Snapshotter can save its state and put it back, into any instance of the same
// version and keyword arguments: the course after it is the same, as are random
// numbers and pictures. A snapshot that does not fit is refused and changes nothing.
//
// # Conformance
//
// Package envtest checks all of this, rule by rule, for any Environment.
package envs
