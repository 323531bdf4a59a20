package mongotest

import (
	"os"
	"path/filepath"
	"testing"
)

func TestADatabaseIsPutIntoAnyURI(t *testing.T) {
	for uri, want := range map[string]string{
		"mongodb://h":    "mongodb://h/mine",
		"mongodb://h:1/": "mongodb://h:1/mine",
		"mongodb://a:1,b:2/other?replicaSet=rs0&w=1": "mongodb://a:1,b:2/mine?replicaSet=rs0&w=1",
		"mongodb://user:p%2Fw@h/?authSource=admin":   "mongodb://user:p%2Fw@h/mine?authSource=admin",
		"mongodb+srv://cluster.example.org?tls=true": "mongodb+srv://cluster.example.org/mine?tls=true",
	} {
		if got := withDatabase(uri, "mine"); got != want {
			t.Errorf("%s becomes %s, want %s", uri, got, want)
		}
	}
}

func TestFindLooksUnderTheRootOfTheRepository(t *testing.T) {
	t.Setenv(EnvBinary, "")
	root := t.TempDir()
	deep := filepath.Join(root, "a", "b")
	binary := filepath.Join(root, ".cache", "mongod", "mongod")
	for _, dir := range []string{deep, filepath.Dir(binary)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{filepath.Join(root, "go.mod"), binary} {
		if err := os.WriteFile(file, nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if got, ok := Find(deep); !ok || got != binary {
		t.Errorf("found %q, %v, want %q", got, ok, binary)
	}
	if err := os.Remove(binary); err != nil {
		t.Fatal(err)
	}
	if got, ok := Find(deep); ok {
		t.Errorf("found %q, which is not there", got)
	}
	t.Setenv(EnvBinary, "/given/mongod")
	if got, ok := Find(deep); !ok || got != "/given/mongod" {
		t.Errorf("found %q, %v, want the given one", got, ok)
	}
}
