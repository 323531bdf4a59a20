package storetest

import (
	"bytes"
	"slices"
	"testing"

	"sharpie/persistence"
)

type imported struct {
	t *testing.T
	s persistence.Store
}

func (i imported) as(e *persistence.Experiment) (*persistence.Experiment, bool) {
	i.t.Helper()
	got, isNew, err := i.s.ImportExperiment(i.t.Context(), e)
	must(i.t, err)
	return got, isNew
}

func testExperiments(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	imp := imported{t, s}
	t.Run("the first version", func(t *testing.T) {
		e := experiment("car", "h1")
		e.Enabled = true
		got, isNew := imp.as(e)
		want := *e
		want.ID, want.Version, want.Latest, want.ImportedAt = "car@1", 1, true, kept(now)
		equal(t, got, &want)
		if !isNew || e.ID != "" || e.Version != 0 {
			t.Errorf("new %v; the caller's document became %+v", isNew, e)
		}
		equal(t, get[*persistence.Experiment](t)(s.LatestExperiment(ctx, "car")), &want)
	})
	t.Run("an unchanged hash makes no version", func(t *testing.T) {
		again := experiment("car", "h1")
		again.Source = "a comment was added"
		got, isNew := imp.as(again)
		if isNew || got.ID != "car@1" || got.Source != "yaml: h1" {
			t.Errorf("new %v, version %s, source %q", isNew, got.ID, got.Source)
		}
	})
	t.Run("a changed hash makes the next, and keeps Enabled", func(t *testing.T) {
		got, isNew := imp.as(experiment("car", "h2"))
		if !isNew || got.Version != 2 || !got.Enabled || !got.Latest {
			t.Errorf("new %v, %+v", isNew, got)
		}
		must(t, s.SetExperimentEnabled(ctx, "car", false))
		must(t, s.SetExperimentEnabled(ctx, "car", false))
		e := experiment("car", "h3")
		e.Enabled = true
		if got, _ := imp.as(e); got.Enabled {
			t.Error("an import enabled an experiment that was disabled")
		}
	})
	t.Run("an older hash again is a new version", func(t *testing.T) {
		if got, isNew := imp.as(experiment("car", "h1")); !isNew || got.Version != 4 {
			t.Errorf("new %v, version %d", isNew, got.Version)
		}
	})
	t.Run("every version stays, newest first, one latest", func(t *testing.T) {
		var versions []int
		var latest []bool
		for _, e := range get[[]*persistence.Experiment](t)(s.ExperimentVersions(ctx, "car")) {
			versions, latest = append(versions, e.Version), append(latest, e.Latest)
		}
		equal(t, versions, []int{4, 3, 2, 1})
		equal(t, latest, []bool{true, false, false, false})
		if e := get[*persistence.Experiment](t)(s.ExperimentVersion(ctx, "car", 2)); e.Hash != "h2" {
			t.Errorf("version 2 has hash %s", e.Hash)
		}
	})
	t.Run("the latest of each, by name", func(t *testing.T) {
		a := experiment("zebra", "h")
		a.Name = "A"
		imp.as(a)
		var ids []string
		for _, e := range get[[]*persistence.Experiment](t)(s.LatestExperiments(ctx)) {
			ids = append(ids, e.ID)
		}
		equal(t, ids, []string{"zebra@1", "car@4"})
	})
	t.Run("unknown is ErrNotFound", func(t *testing.T) {
		_, err := s.LatestExperiment(ctx, "nothing")
		wantErr(t, err, persistence.ErrNotFound)
		_, err = s.ExperimentVersion(ctx, "car", 9)
		wantErr(t, err, persistence.ErrNotFound)
		wantErr(t, s.SetExperimentEnabled(ctx, "nothing", true), persistence.ErrNotFound)
		if l := get[[]*persistence.Experiment](t)(s.ExperimentVersions(ctx, "nothing")); len(l) != 0 {
			t.Errorf("%d versions of nothing", len(l))
		}
	})
	t.Run("no link, or one with @, is ErrInvalid", func(t *testing.T) {
		for _, link := range []string{"", "a@2"} {
			_, _, err := s.ImportExperiment(ctx, experiment(link, "h"))
			wantErr(t, err, persistence.ErrInvalid)
		}
	})
}

func testImport(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	t.Run("concurrent imports number without gaps", func(t *testing.T) {
		const n = 20
		got := make([]int, n)
		for _, err := range concurrently(n, func(i int) error {
			e, isNew, err := s.ImportExperiment(ctx, experiment("race", id("h%d", i)))
			if err == nil && isNew {
				got[i] = e.Version
			}
			return err
		}) {
			must(t, err)
		}
		slices.Sort(got)
		want := make([]int, n)
		for i := range want {
			want[i] = i + 1
		}
		equal(t, got, want)
		latest := 0
		for _, e := range get[[]*persistence.Experiment](t)(s.ExperimentVersions(ctx, "race")) {
			if e.Latest {
				latest++
			}
		}
		list := get[[]*persistence.Experiment](t)(s.LatestExperiments(ctx))
		if latest != 1 || len(list) != 1 || list[0].Version != n {
			t.Errorf("%d versions are latest; listed %d", latest, len(list))
		}
	})
	t.Run("concurrent imports of the same make one", func(t *testing.T) {
		news := make([]bool, 10)
		for _, err := range concurrently(len(news), func(i int) error {
			e, isNew, err := s.ImportExperiment(ctx, experiment("same", "h"))
			if err == nil && e.Version != 1 {
				t.Errorf("version %d", e.Version)
			}
			news[i] = isNew
			return err
		}) {
			must(t, err)
		}
		n := 0
		for _, isNew := range news {
			if isNew {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d of %d were told that it is new, want 1", n, len(news))
		}
	})
	t.Run("enabling is not lost to a concurrent import", func(t *testing.T) {
		for round := range 10 {
			link := id("enable-%d", round)
			imported{t, s}.as(experiment(link, "h1"))
			for _, err := range concurrently(2, func(i int) error {
				if i == 0 {
					return s.SetExperimentEnabled(ctx, link, true)
				}
				_, _, err := s.ImportExperiment(ctx, experiment(link, "h2"))
				return err
			}) {
				must(t, err)
			}
			if e := get[*persistence.Experiment](t)(s.LatestExperiment(ctx, link)); !e.Enabled || e.Version != 2 {
				t.Errorf("round %d: version %d enabled %v", round, e.Version, e.Enabled)
			}
		}
	})
}

func testBundles(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	b := &persistence.Bundle{Hash: "b1", Size: 3 << 20, Data: bytes.Repeat([]byte{0, 1, 255}, 1<<20), CreatedAt: kept(now)}
	t.Run("inserted is read back", func(t *testing.T) {
		must(t, s.InsertBundle(ctx, b))
		must(t, s.InsertBundle(ctx, b))
		got := get[*persistence.Bundle](t)(s.Bundle(ctx, "b1"))
		if !bytes.Equal(got.Data, b.Data) || got.Size != b.Size || !got.CreatedAt.Equal(b.CreatedAt) {
			t.Errorf("read %d bytes, size %d, of %v", len(got.Data), got.Size, got.CreatedAt)
		}
	})
	t.Run("other data under the hash is ErrConflict", func(t *testing.T) {
		wantErr(t, s.InsertBundle(ctx, &persistence.Bundle{Hash: "b1", Data: []byte{1}}), persistence.ErrConflict)
	})
	t.Run("unknown is ErrNotFound", func(t *testing.T) {
		_, err := s.Bundle(ctx, "nothing")
		wantErr(t, err, persistence.ErrNotFound)
	})
}
