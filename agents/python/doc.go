// Package python owns policies in Python at work in a seat: those that live in the
// process of their environment (Hosted), and those that have a process without an
// environment, because theirs is built into this program (Alone). It refuses to start
// processes and to find files: it is given both, by package envs/python and by whoever
// knows the experiment.
//
// # Two homes
//
// A hosted policy is asked and taught through envs.Host: its observations, and what it
// learns from, never leave the process. The agent keeps what is apart from a step: what
// was learned, and its version.
//
// A policy alone is asked with the observation, and taught with whole transitions, as
// every other agent. A transition waits for the next Act, so that a step is one
// exchange; the last one of an episode does not wait, since nothing comes after it.
// Several policies of one experiment share a process, as they do in a host.
//
// # State
//
// What a policy learned is bytes whose format belongs to the worker (package
// envs/python): its saved_models folder, or what get_state returned. Nothing of it is
// read here.
package python
