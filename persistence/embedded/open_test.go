package embedded_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sharpie/persistence"
	"sharpie/persistence/embedded"
)

func TestASecondOpenIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sharpie.db")
	s, err := embedded.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Open(t.Context(), path); !errors.Is(err, embedded.ErrLocked) {
		t.Errorf("a second open of the same file: %v, want ErrLocked", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := embedded.Open(t.Context(), path)
	if err != nil {
		t.Fatalf("after Close the file does not open: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestTheFilesAreForTheirOwnerAlone(t *testing.T) {
	dir := t.TempDir()
	s, err := embedded.Open(t.Context(), filepath.Join(dir, "sharpie.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %v, want 0600", f.Name(), mode)
		}
	}
}

func TestOpenRefusesWhatItMustNotTouch(t *testing.T) {
	for name, c := range map[string]struct {
		make func(t *testing.T, path string)
		want error
	}{
		"a newer schema": {func(t *testing.T, path string) {
			s, err := embedded.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			execute(t, path, `INSERT INTO schema_version VALUES (1000, 0)`)
		}, persistence.ErrNewer},
		"another program's database": {func(t *testing.T, path string) {
			execute(t, path, `CREATE TABLE photos (id INTEGER)`)
		}, embedded.ErrForeign},
		"no database": {func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("Dear diary, today I learned about files that are long enough.\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, embedded.ErrForeign},
		"a folder": {func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, persistence.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sharpie.db")
			c.make(t, path)
			before, _ := os.ReadFile(path) // a folder has no content
			_, err := embedded.Open(t.Context(), path)
			if !errors.Is(err, c.want) {
				t.Errorf("open: %v, want %v", err, c.want)
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("open changed the file that it refused")
			}
		})
	}
}

func execute(t *testing.T, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}

func TestPathsWithSpecialCharacters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "50% of ?mode=ro & more #1", "my study.db")
	s, err := embedded.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file is not where it was asked for: %v", err)
	}
}

func TestCloseFinishesWhatItTook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sharpie.db")
	s, err := embedded.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	results := make(chan error, 200)
	for i := range cap(results) {
		go func() {
			results <- s.InsertStepChunks(context.Background(), []*persistence.StepChunk{tinyChunk("e", int64(2*i))})
		}()
	}
	acknowledged := 0
	if err := <-results; err == nil { // some are under way
		acknowledged++
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range cap(results) - 1 {
		select {
		case err := <-results:
			if err == nil {
				acknowledged++
			} else if !errors.Is(err, persistence.ErrUnavailable) {
				t.Errorf("a write during Close: %v, want ErrUnavailable", err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("a write hangs after Close")
		}
	}
	again, err := embedded.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	stored := 0
	for _, err := range again.StepChunks(t.Context(), "e") {
		if err != nil {
			t.Fatal(err)
		}
		stored++
	}
	if stored < acknowledged {
		t.Errorf("%d writes were acknowledged, %d are stored", acknowledged, stored)
	}
}
