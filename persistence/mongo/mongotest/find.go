package mongotest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sharpie/persistence"
)

// The variables that name a server for tests.
const (
	// EnvURI is the URI of a server that runs; tests make databases of their own.
	EnvURI = "SHARPIE_TEST_MONGO"
	// EnvBinary is the path of a mongod that tests start themselves.
	EnvBinary = "SHARPIE_TEST_MONGOD"
)

// Find returns the mongod to start: EnvBinary, else .cache/mongod/mongod under the
// root of the repository, looked for from dir upwards.
func Find(dir string) (path string, ok bool) {
	if p := os.Getenv(EnvBinary); p != "" {
		return p, true
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", false
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			p := filepath.Join(dir, ".cache", "mongod", "mongod")
			_, err := os.Stat(p)
			return p, err == nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}

// Databases hands out a URI for a fresh database each time that it is called.
type Databases func(t testing.TB) string

// Open gives databases on a real server for the time of a test: the one that
// EnvURI names, else one that it starts. Where there is none the test is skipped,
// and in CI (CI=true) it fails.
func Open(t testing.TB) Databases {
	t.Helper()
	if uri := os.Getenv(EnvURI); uri != "" {
		return func(t testing.TB) string {
			own := withDatabase(uri, persistence.NewID("sharpie_test"))
			t.Cleanup(func() { drop(t, own) })
			return own
		}
	}
	path, ok := Find(".")
	if !ok {
		const missing = "no MongoDB: the store contract was not checked against a real server (make test installs one; or set " + EnvURI + " or " + EnvBinary + ")"
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := Start(ctx, path, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return func(testing.TB) string { return s.URI(persistence.NewID("sharpie_test")) }
}

// withDatabase puts a database into a URI.
func withDatabase(uri, name string) string {
	base, query, hasQuery := strings.Cut(uri, "?")
	scheme, rest, _ := strings.Cut(base, "://")
	host, _, _ := strings.Cut(rest, "/")
	uri = scheme + "://" + host + "/" + name
	if hasQuery {
		uri += "?" + query
	}
	return uri
}

// drop deletes the database that a URI names.
func drop(t testing.TB, uri string) {
	ctx, cancel := context.WithTimeout(context.Background(), persistence.MaxWait)
	defer cancel()
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = client.Disconnect(ctx) }()
	base, _, _ := strings.Cut(uri, "?")
	if err := client.Database(base[strings.LastIndex(base, "/")+1:]).Drop(ctx); err != nil {
		t.Error(err)
	}
}
