package system

import (
	"context"
	"os"
	"testing"
	"time"

	"sharpie/persistence"
	"sharpie/persistence/mongo/mongotest"
)

// database starts a MongoDB server of the test's own, to be treated badly.
func database(t *testing.T) *mongotest.Server {
	t.Helper()
	path, ok := mongotest.Find(".")
	if !ok {
		const missing = "no mongod of one's own: what happens when MongoDB is away or the server crashes was not tried (make test installs one)"
		if os.Getenv("CI") == "true" && os.Getenv(mongotest.EnvURI) == "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	db, err := mongotest.Start(ctx, path, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Stop(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// uri names a fresh database.
func uri(db *mongotest.Server) string { return db.URI(persistence.NewID("sharpie_test")) }
