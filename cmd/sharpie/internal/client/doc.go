// Package client is a person's browser without a screen: it keeps cookies, sends
// forms back as pages gave them, and opens play sockets. The benchmark and the tests
// of the whole program reach a server through it alone. It refuses to know anything
// that a browser would not be told.
package client
