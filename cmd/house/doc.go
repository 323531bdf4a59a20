// Package house keeps the house in order: its tests read the whole repository
// and fail where it breaks a rule that no compiler knows. The rules stand where
// people read them, in docs/ARCHITECTURE.md, each with its reason; the tests
// take them from there. It has no code of its own and nothing imports it.
package house
