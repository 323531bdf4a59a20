// Package classic holds the classic control environments MountainCar-v0 and
// CartPole-v1, with the dynamics of Gymnasium 1.x, which are those of the
// original papers. Each has one role, agent_0. It refuses to change published
// constants: what may vary is a keyword argument, named as Gymnasium names it.
package classic
