// Package link connects runner nodes with the server: one outbound connection of
// the node, in which the actor library's own remote runs in both directions.
//
//	runner node                                        server
//	actors ── remote ── gRPC ─┐                   ┌─ gRPC ── guard ── remote ── actors
//	                          ├─ yamux ─ WebSocket ─ yamux ─┤
//	control: Hello, Beat ─────┘                   └───── control: Welcome, Beat, Goodbye
//
// It owns the tunnel: keys, names and incarnations of nodes, heartbeats, fencing,
// and the guard that lets through only what a node may say. It refuses to know what
// a session or an episode is: whoever uses it is told when a node joins, comes back
// and is lost. It imports no web server; a server hands it a Socket.
//
// # What a node may do
//
// The stock remote trusts everyone who can reach it: one message with a bad index
// ends the process. So nothing reaches it but through the tunnel of a node whose key
// was checked, and of that, message by message, only what the guard allows: known
// types, from actors of that node, to the Queue (offers) and to actors of ours that
// wrote to that node first. Whoever breaks a rule loses its connection, with a reason.
//
// # Names
//
// A node's id is that of its key and its own name. Its address among actors has its
// incarnation in it as well, so what was meant for a process that is no more reaches
// nobody. The server's address works the same way. A newer incarnation of a node
// fences the older one off: it can never come back.
//
// # Delivery
//
// Remote loses messages without a word when a tunnel ends. What must not be lost is
// numbered, kept and sent again by the actors; package link says when.
package link
