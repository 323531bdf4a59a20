// Package simulation carries the bookkeeping that all built-in environments
// share: which methods may be called when, checking of actions, the step limit,
// the seeded generator (math/rand/v2's PCG, seeded with the episode's seed and
// one fixed stream) and snapshots. It refuses to know any dynamics: those are a
// Model, which is only ever called with legal actions in a legal order.
package simulation
