// Package system holds the tests of the whole program: they build sharpie, start it
// as a process of its own, and use it over HTTP and WebSockets as a participant, an
// operator or an attacker would; kill it, freeze its database, and read afterwards
// what is stored. It refuses to reach into the program, and has no code of its own.
//
// SHARPIE_TEST_BINARY names a program to test instead of a fresh build.
package system
