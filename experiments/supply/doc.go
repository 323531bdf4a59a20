// Package supply is how a runner node gets from its server what it plays: the list of
// open experiments in Python that it may be given, and their files by hash. It owns the
// form of both on the way, the node's end of it (Client), and what the node does ahead of
// play (Preparer). It refuses to answer such requests, which is the web server's, and to
// decide who plays where, which is the Queue's.
//
// # On the way
//
// Both are GET requests below the server's own path, with the key of the node in the
// header Authorization: Bearer. What the server itself refuses has RefusedHeader and a
// sentence as its body.
//
//	GET /runner/experiments?label=gpu    a Listing in JSON, with an ETag
//	GET /runner/bundles/HASH             the packed bundle, with its length
//
// A listing has the labels of the key besides those that are asked for. Nothing lists
// bundles: who does not know a hash, finds none.
//
// # Ahead of play
//
// Nothing is installed while a participant waits. So a node asks when it joins and every
// minute from then on, builds the interpreters that it lacks, fetches the bundles, and
// starts a spare. Its slots are offered once that is done for the first time, or after
// ten minutes. An experiment that comes later can reach a node before its interpreter is
// built there: then the episode fails with a sentence for the researcher, and the node
// asks at once.
package supply
