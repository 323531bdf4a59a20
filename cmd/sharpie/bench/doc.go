// Package bench measures SHARPIE from outside: it starts a server as a second
// process, logs people in over HTTP, lets them play over real sockets, and
// prints what they met beside a bare Fiber WebSocket echo of the same bytes in
// the same run. Every figure is therefore a ratio as well as a number: these
// are what can be compared between machines.
//
// Runner nodes are measured the same way: beside local runners of the same server, in
// turns; when one is killed, frozen or behind a link that takes nothing, by what
// participants see; and many of them at rest, beside the same server without any.
//
// The load generator is this process; the server, runner nodes and the echo are children
// of it on the loopback address, and end with it. It refuses to aim at a host that
// is not its own.
package bench
