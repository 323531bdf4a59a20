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
		`{"grace_us":10000000,"took_us":108944,"step":4250000}`: "grace 10s, step 4250000, took 109ms",
		`{"needs":["gpu<2"]}`: `needs ["gpu<2"]`,
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

func TestARunnerWithManySlotsIsShownInBrief(t *testing.T) {
	few := RunnerRow{State: RunnerConnected, Total: 4, Slots: []SlotRow{{Slot: 0}, {Slot: 1, Session: "s1"}}}
	if len(few.Drawn()) != 2 || len(few.Busy()) != 1 || len(few.Named()) != 1 || few.More() != 0 || few.Preparing() != 2 {
		t.Errorf("4 slots, 2 of them offered, 1 busy: drawn %v, named %v, %d more, %d not offered yet", few.Drawn(), few.Named(), few.More(), few.Preparing())
	}
	few.State = RunnerDraining
	if few.Preparing() != 0 {
		t.Error("a node that drains is said to get ready")
	}
	many := RunnerRow{State: RunnerConnected, Own: true, Total: 10_000}
	for i := range many.Total {
		many.Slots = append(many.Slots, SlotRow{Slot: i, Session: "s"})
	}
	if len(many.Drawn()) != 0 || len(many.Named()) != maxSlotsShown || many.More() != 10_000-maxSlotsShown {
		t.Errorf("10000 busy slots: %d drawn, %d named, %d more", len(many.Drawn()), len(many.Named()), many.More())
	}
}

func TestShortRoundTripsAreExact(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "–", 400 * time.Microsecond: "0.4 ms", 9949 * time.Microsecond: "9.9 ms", 23 * time.Millisecond: "23 ms"} {
		if got := roundTrip(d); got != want {
			t.Errorf("%v reads %q, want %q", d, got, want)
		}
	}
}
