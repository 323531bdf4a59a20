package web

import (
	"testing"
	"time"
)

func TestAgoAndUntil(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{0, "just now"}, {-time.Hour, "just now"}, {59 * time.Second, "59 s ago"}, {90 * time.Second, "1 min ago"},
		{3 * time.Hour, "3 h ago"}, {49 * time.Hour, "2 days ago"},
	} {
		if got := ago(now, now.Add(-tt.d)); got != tt.want {
			t.Errorf("%v before now reads %q, want %q", tt.d, got, tt.want)
		}
	}
	if got := ago(time.Time{}, now); got != "23 November 2026" {
		t.Errorf("without a clock it reads %q, want the date", got)
	}
	if got := ago(now, time.Time{}); got != "–" {
		t.Errorf("never reads %q", got)
	}
	if got := until(now, now.Add(270*time.Second)); got != "in 4 min" {
		t.Errorf("270 s ahead reads %q", got)
	}
	if got := until(now, now.Add(-time.Second)); got != "now" {
		t.Errorf("a deadline that passed reads %q", got)
	}
	if got := until(now, time.Time{}); got != "" {
		t.Errorf("no deadline reads %q", got)
	}
}

func TestWebLinkPassesOnlyWebAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"https://panel.example/done?c=1": "https://panel.example/done?c=1",
		"http://panel.example/":          "http://panel.example/",
		"javascript:alert(1)":            "",
		"data:text/html,x":               "",
		"//panel.example/":               "",
		"/s/1":                           "",
		"":                               "",
		"https://":                       "",
	} {
		if got := webLink(in); got != want {
			t.Errorf("webLink(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMotifFollowsTheEnvironment(t *testing.T) {
	for in, want := range map[string]string{
		"go:MountainCar-v0": "mountaincar", "gymnasium:MountainCarContinuous-v0": "mountaincar", "go:CartPole-v1": "cartpole",
		"go:FrozenLake-v1": "frozenlake", "go:simple_spread_v3": "spread", "go:simple_tag_v3": "tag", "": "other", "python:mine": "other",
	} {
		if got := motif(in); got != want {
			t.Errorf("motif(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestErrorsAreListedInTheFormsOrder(t *testing.T) {
	got := orderErrors(FieldErrors{"password": "b", "": "a", "name": "c"}, "name", "password")
	want := []fieldError{{"", "a"}, {"name", "c"}, {"password", "b"}}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("entry %d is %v, want %v", i, got[i], want[i])
		}
	}
}

func TestControlsAreShownOnceWhereAllSeatsHaveTheSame(t *testing.T) {
	keys := []KeyView{{Key: "a"}}
	same := controlsOf([]SeatChoice{{Name: "A", Keys: keys}, {Name: "B", Keys: keys}})
	if len(same) != 1 || same[0].Name != "" {
		t.Errorf("equal controls give %v, want one list without a name", same)
	}
	apart := controlsOf([]SeatChoice{{Name: "A", Keys: keys}, {Name: "B", Keys: []KeyView{{Key: "b"}}}, {Name: "C"}})
	if len(apart) != 2 || apart[0].Name != "A" {
		t.Errorf("different controls give %v, want those of A and B", apart)
	}
}

func TestDetailsAreReadable(t *testing.T) {
	for in, want := range map[string]string{
		`{"detail":"","episode":0,"from":"queued","phase":"running"}`: "from queued, phase running",
		`{"left":true,"n":2,"tags":["a"],"none":[]}`:                  `left, n 2, tags ["a"]`,
		`{}`:             "",
		"closed by hand": "closed by hand",
		`{"broken":`:     `{"broken":`,
	} {
		if got := detailLine(in); got != want {
			t.Errorf("%s reads %q, want %q", in, got, want)
		}
	}
}

func TestSlotsAreGroupedByRunner(t *testing.T) {
	got := groupSlots([]SlotRow{{Runner: "web", Slot: 0}, {Runner: "gpu", Slot: 0, Session: "s1"}, {Runner: "web", Slot: 1, Session: "s2"}})
	if len(got) != 2 || got[0].Runner != "web" || got[0].Free != 1 || len(got[0].Slots) != 2 {
		t.Fatalf("got %+v", got)
	}
	if busy := got[0].Busy(); len(busy) != 1 || busy[0].Session != "s2" {
		t.Errorf("busy slots of web are %v, want the one with s2", busy)
	}
	if len(got[0].Slots) != 2 {
		t.Error("listing the busy slots changed the others")
	}
}
