// Package bench holds Bench-v0, an environment whose only purpose is to load
// the platform in a known way: many roles, any picture size, and pictures that
// change every step, always or not at all, at next to no cost of its own.
package bench
