// Package persistence says what SHARPIE keeps and what a store promises: the
// records, as they lie in the database, and the Store interface, each sentence of
// which package storetest checks. It owns the names and units of every stored field
// (docs/DATA.md lists them) and the ids of records. It refuses to know what records
// mean to the platform, and has no implementation: those are persistence/mongo and
// persistence/embedded.
package persistence
