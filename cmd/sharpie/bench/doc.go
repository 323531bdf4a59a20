// Package bench measures SHARPIE from outside: it starts a server as a second
// process, logs people in over HTTP, lets them play over real sockets, and
// prints what they met beside a bare Fiber WebSocket echo of the same bytes in
// the same run. Every figure is therefore a ratio as well as a number: these
// are what can be compared between machines.
//
// The load generator is this process; the server and the echo are children of
// it on the loopback address, and end with it. It refuses to aim at a host that
// is not its own.
package bench
