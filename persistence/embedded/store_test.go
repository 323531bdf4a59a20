package embedded_test

import (
	"path/filepath"
	"testing"

	"sharpie/persistence"
	"sharpie/persistence/embedded"
	"sharpie/persistence/storetest"
)

func open(t testing.TB) *embedded.Store {
	t.Helper()
	s, err := embedded.Open(t.Context(), filepath.Join(t.TempDir(), "new folder", "sharpie.db"))
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
	storetest.Run(t, func(t *testing.T) persistence.Store { return open(t) })
}
