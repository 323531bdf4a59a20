package persistence_test

import (
	"errors"
	"regexp"
	"slices"
	"testing"

	"sharpie/persistence"
)

func TestIDsSortByTimeOfCreation(t *testing.T) {
	form := regexp.MustCompile(`^ep_[0-9a-v]{26}$`)
	ids := make([]string, 10_000)
	for i := range ids {
		ids[i] = persistence.NewID("ep")
		if !form.MatchString(ids[i]) {
			t.Fatalf("id %q is not URL-safe", ids[i])
		}
	}
	if !slices.IsSorted(ids) {
		t.Error("ids made one after the other do not sort")
	}
	if n := len(slices.Compact(ids)); n != len(ids) {
		t.Errorf("%d of %d ids differ", n, len(ids))
	}
}

func TestPageBounds(t *testing.T) {
	for _, c := range []struct {
		page          persistence.Page
		offset, limit int
	}{
		{persistence.Page{}, 0, 100},
		{persistence.Page{Offset: 7, Limit: 1}, 7, 1},
		{persistence.Page{Offset: -1, Limit: -1}, 0, 100},
		{persistence.Page{Limit: 1001}, 0, 1000},
	} {
		if offset, limit := c.page.Bounds(); offset != c.offset || limit != c.limit {
			t.Errorf("%+v is %d entries from %d, want %d from %d", c.page, limit, offset, c.limit, c.offset)
		}
	}
}

func TestChunkIDsSortByStep(t *testing.T) {
	ids := []string{persistence.ChunkID("e", 9), persistence.ChunkID("e", 10), persistence.ChunkID("e", 1_000_000_000)}
	if !slices.IsSorted(ids) {
		t.Errorf("%v do not sort", ids)
	}
}

func TestAnInvalidDocumentNamesTheField(t *testing.T) {
	err := (&persistence.Episode{ID: "e", Experiment: "x"}).Validate()
	if !errors.Is(err, persistence.ErrInvalid) || !regexp.MustCompile(`episode "e": session_id is empty`).MatchString(err.Error()) {
		t.Errorf("error is %v", err)
	}
}
