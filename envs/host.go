package envs

import "context"

// Host is an Environment whose process also runs policies, so that one exchange
// with it takes a whole step: learn, ask, merge, step, draw. An environment in
// Python is one. What a policy sees and learns from never leaves that process, so
// that it may be any object of the researcher's own; only what is recorded does.
//
// Step and Render work as for every Environment; Turn is both in one, and asks the
// hosted policies. A Host keeps its own deadlines, and kills what does not keep them.
type Host interface {
	Environment
	// Turn takes one step, in this order: every Learn, in the order of turns; every
	// Ask, in the order of turns; the environment's step, with the actions of those
	// that act, in the order of turns; the picture. turns has exactly one entry with
	// Acts for each live role that does not wait, and may have others that only
	// learn. An error is a *Fault wherever researchers' code is to blame.
	Turn(ctx context.Context, turns []RoleTurn) (Outcome, error)
	// Learn gives hosted policies the last transitions of an episode, without a step
	// after it. The versions are parallel to turns: empty where nothing changed.
	Learn(ctx context.Context, turns []RoleTurn) (versions []string, err error)
	// Reusable reports whether another Reset begins a fresh episode. Where it is
	// false, a new one is made for each: researchers' files count on a fresh
	// interpreter.
	Reusable() bool
	// Info says where and how the code runs.
	Info() HostInfo
	// Output is the last that the code printed since it was loaded, each line with its
	// time; at most 64 KiB. It is there after Close, too.
	Output() string
}

// HostInfo says where and how the code of a Host runs.
type HostInfo struct {
	// Interpreter names the language, its version and where it is.
	Interpreter string
	// Confinement is how the code is kept from harm ("bubblewrap"), or begins with
	// "unconfined" and says why.
	Confinement string
	// Warnings are what researchers should know: an aliased role, a missing seed.
	Warnings []string
}

// RoleTurn is one role's part in a Turn.
type RoleTurn struct {
	Role Role
	// Learn, where it is not nil, is what the role's hosted policy learns first.
	Learn *Lesson
	// Acts is whether the role acts; false for one that has ended or waits, and only learns.
	Acts bool
	// Ask is whether the role's hosted policy is asked: exactly once.
	Ask bool
	// Action is what the role does: where Final is set, or no policy is asked, or the
	// policy has no opinion.
	Action Value
	// Final says that Action replaces what the policy says, which is recorded all the same.
	Final bool
	// Advice is the participant's input for a policy that takes it (inputs_type
	// other); nil: none.
	Advice Value
}

// Lesson is how a hosted policy learns from the transition that the host remembers
// of its role: from its last action to what it sees now.
type Lesson struct {
	// Reward to learn from; nil is the environment's own.
	Reward *float64
	// Terminated and Truncated: the role ended with the transition.
	Terminated, Truncated bool
}

// Outcome is what one Turn came to.
type Outcome struct {
	Transition
	// Decisions is parallel to the turns.
	Decisions []Decision
	// Frame is the picture after the step, as from Render.
	Frame Frame
}

// Decision is what became of a RoleTurn.
type Decision struct {
	// Policy is what the hosted policy said; nil where it was not asked, or returned nothing.
	Policy Value
	// Action is what was done; nil for a role that did not act.
	Action Value
	// Version is the hosted policy's version when it was asked; empty where it did not change.
	Version string
}
