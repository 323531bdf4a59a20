package mongo_test

import (
	"testing"

	"sharpie/persistence"
	"sharpie/persistence/mongo"
	"sharpie/persistence/mongo/mongotest"
	"sharpie/persistence/storetest"
)

func open(t testing.TB, uri string) *mongo.Store {
	t.Helper()
	s, err := mongo.Open(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestContract(t *testing.T) {
	databases := mongotest.Open(t)
	storetest.Run(t, func(t *testing.T) persistence.Store { return open(t, databases(t)) })
}
