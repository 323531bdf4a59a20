// Package toytext holds the grid world FrozenLake-v1 with the dynamics of
// Gymnasium 1.x. It has one role, agent_0. It refuses to change published rules:
// what may vary is a keyword argument, named as Gymnasium names it.
package toytext
