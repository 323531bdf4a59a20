package mongo_test

import (
	"testing"

	"sharpie/persistence"
	"sharpie/persistence/mongo/mongotest"
	"sharpie/persistence/storetest"
)

func BenchmarkInsertStepChunks(b *testing.B) {
	databases := mongotest.Open(b)
	storetest.Benchmark(b, func(b *testing.B) persistence.Store { return open(b, databases(b)) })
}
