// Package envtest checks that an environment keeps the contract of package envs.
// The contract is a list of named rules; every violation says which rule, what
// was seen and what to fix. It works on any envs.Environment, also on one that
// lives in another process: it calls nothing but the interface, and waits for no
// call longer than the options say.
//
// It owns no opinion on whether a task is sensible, learnable or fair, and
// refuses to test dynamics: that is what golden trajectories are for.
package envtest
