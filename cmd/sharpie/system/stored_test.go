package system

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sharpie/persistence"
	"sharpie/persistence/embedded"
	"sharpie/persistence/mongo"
)

// store opens what the server wrote; the embedded store only once the server ended.
func (s *server) store() persistence.Store {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	var store persistence.Store
	var err error
	if s.mongo != "" {
		store, err = mongo.Open(ctx, s.mongo)
	} else {
		store, err = embedded.Open(ctx, filepath.Join(s.data, "sharpie.db"))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = store.Close() })
	return store
}

// kept is an episode as it is stored, with all its steps.
type kept struct {
	*persistence.Episode
	records int64
	sources map[string]map[string]int // how often, by role and source of the action
	inputs  map[string]map[int64]bool // the numbers of the inputs, by role
}

// episodes reads the episodes of an experiment, and fails where steps are missing.
func episodes(t *testing.T, store persistence.Store, link string) []kept {
	t.Helper()
	var all []kept
	for e, err := range store.EpisodesOfExperiment(t.Context(), link) {
		if err != nil {
			t.Fatal(err)
		}
		k := kept{Episode: e, sources: map[string]map[string]int{}, inputs: map[string]map[int64]bool{}}
		for c, err := range store.StepChunks(t.Context(), e.ID) {
			if err != nil {
				t.Fatal(err)
			}
			if c.First != k.records {
				t.Errorf("episode %s has no steps %d to %d", e.ID, k.records, c.First-1)
			}
			k.records = c.First + int64(c.Count)
			k.add(c)
		}
		if e.Status != "running" && k.records != e.Steps+1 {
			t.Errorf("episode %s has %d steps, so %d records, but %d are stored", e.ID, e.Steps, e.Steps+1, k.records)
		}
		all = append(all, k)
	}
	return all
}

func (k *kept) add(c *persistence.StepChunk) {
	for _, r := range c.Roles {
		if k.inputs[r.Role] == nil {
			k.inputs[r.Role], k.sources[r.Role] = map[int64]bool{}, map[string]int{}
		}
		for _, in := range r.Inputs {
			k.inputs[r.Role][in.Seq] = true
		}
		for _, source := range r.Sources {
			k.sources[r.Role][source]++
		}
	}
}

// only returns the one episode of an experiment.
func only(t *testing.T, store persistence.Store, link string) kept {
	t.Helper()
	all := episodes(t, store, link)
	if len(all) != 1 {
		t.Fatalf("%d episodes of %s are stored, want 1", len(all), link)
	}
	return all[0]
}

// holds checks that everything a player saw is stored: the steps until the newest
// picture, and every input that a step had used.
func (k kept) holds(t *testing.T, v view) {
	t.Helper()
	if last := int64(v.frame.GetStep()); k.records <= last {
		t.Errorf("a participant saw step %d, but only %d records are stored, the last of step %d", last, k.records, k.records-1)
	}
	role := v.welcome.GetRole()
	for seq := int64(1); seq <= int64(v.used); seq++ {
		if !k.inputs[role][seq] {
			t.Errorf("input %d of %s was used, and is not stored", seq, role)
			return
		}
	}
}

// sessionOf reads the session of a path once nothing more will be written for it.
func sessionOf(t *testing.T, store persistence.Store, at string) *persistence.Session {
	t.Helper()
	var found *persistence.Session
	eventually(t, "the session of "+at+" is closed in the store", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var err error
		found, err = store.Session(ctx, persistence.SessionID(strings.TrimPrefix(at, "/s/")))
		return err == nil && found.Finished
	})
	return found
}

// verify runs `sharpie verify`: no gaps, and replaying gives the same observations.
func (s *server) verify(link string) {
	s.t.Helper()
	if code, said := s.command("verify", "--experiment", link); code != 0 || !strings.Contains(said, "yes") {
		s.t.Errorf("sharpie verify --experiment %s ended with %d:\n%s", link, code, said)
	}
}
