// Package play is the play socket's messages, sharpie.v1: what a participant's
// browser and the server tell each other. docs/PROTOCOL.md is the specification,
// play.proto its schema; testdata holds golden messages that the tests of the
// server and of the page both read. The package owns the encoding, and nothing of
// what the messages mean. Its code is generated: see buf.gen.yaml.
package play
