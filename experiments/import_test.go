package experiments_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sharpie/experiments"
	"sharpie/persistence"
	"sharpie/persistence/embedded"
)

func TestImportMakesAVersionOnlyWhereSomethingChanged(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	store, err := embedded.Open(ctx, filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	now := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

	for _, c := range []struct {
		name    string
		source  experiments.Source
		version int
		fresh   bool
	}{
		{"the first", experiments.Source{YAML: []byte(small)}, 1, true},
		{"the same", experiments.Source{YAML: []byte(small)}, 1, false},
		{"a comment", experiments.Source{YAML: []byte("# hello\n" + small)}, 1, false},
		{"a default written out", experiments.Source{YAML: []byte(small + "  target_fps: 24\n")}, 1, false},
		{"another duration", experiments.Source{YAML: []byte(small + "  countdown: 1s\n")}, 2, true},
		{"other keys first", experiments.Source{YAML: []byte(strings.Replace(small, "ArrowLeft: 0\n      ArrowRight: 2", "ArrowRight: 2\n      ArrowLeft: 0", 1))}, 3, true},
		{"other files", experiments.Source{YAML: []byte(small), BundleHash: "abc"}, 4, true},
		{"the first again", experiments.Source{YAML: []byte(small)}, 5, true},
	} {
		c.source.Name = "car.yaml"
		e, fresh, err := experiments.Import(ctx, store, c.source, "ada", now)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if e.Version != c.version || fresh != c.fresh {
			t.Errorf("%s: version %d, new %t; want %d, %t", c.name, e.Version, fresh, c.version, c.fresh)
		}
	}

	stored, err := store.ExperimentVersion(ctx, "car", 1)
	if err != nil {
		t.Fatal(err)
	}
	want, err := experiments.Parse("car.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	got, err := experiments.FromDocument(stored.Definition)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the stored definition differs:\n%s", diff)
	}
	if stored.Source != small || stored.ImportedBy != "ada" || !stored.ImportedAt.Equal(now.Truncate(time.Microsecond)) || !stored.Enabled || stored.Name != "Car" {
		t.Errorf("stored as %+v", stored)
	}
}

func TestDemosSurviveTheStore(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	store, err := embedded.Open(ctx, filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, src := range experiments.Demos() {
		e, _, err := experiments.Import(ctx, store, src, "ada", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		stored, err := store.LatestExperiment(ctx, e.Link)
		if err != nil {
			t.Fatal(err)
		}
		want, err := experiments.Parse(src.Name, src.YAML)
		if err != nil {
			t.Fatal(err)
		}
		got, err := experiments.FromDocument(stored.Definition)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s changed in the store:\n%s", src.Name, diff)
		}
	}
}

type noStore struct{ persistence.Experiments }

func TestImportOfABadFileStoresNothing(t *testing.T) {
	_, _, err := experiments.Import(context.Background(), noStore{}, experiments.Source{Name: "bad.yaml", YAML: []byte("a: 1")}, "ada", time.Now())
	if !errors.Is(err, experiments.ErrInvalid) || !strings.Contains(err.Error(), "bad.yaml:1:1: a: unknown key") {
		t.Errorf("got %v", err)
	}
}
