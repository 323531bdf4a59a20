package embedded_test

import (
	"testing"

	"sharpie/persistence"
	"sharpie/persistence/storetest"
)

func BenchmarkInsertStepChunks(b *testing.B) {
	storetest.Benchmark(b, func(b *testing.B) persistence.Store { return open(b) })
}
