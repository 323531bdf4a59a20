package system

import (
	"slices"
	"testing"
	"time"

	"sharpie/actors/play"
)

// How soon people are told that their runner is lost, and how soon they play on.
const (
	noticed = time.Second
	goesOn  = 5 * time.Second
)

func TestANodeIsKilledAndAnotherOnePlaysOn(t *testing.T) {
	t.Parallel()
	l := openLab(t, "", []game{{link: "car", kind: "car", rounds: 1, steps: 190}, {link: "tag", kind: "tag", rounds: 1, steps: 120}})
	people := l.crew(3)
	a := l.node("a", "--slots", "2")
	stays := append(l.play("car", people[0]), l.play("tag", people[1:]...)...)
	l.node("b", "--slots", "2")
	killed := a.kill9()
	for _, st := range stays {
		away := st.sees(killed, play.Phase_PAUSED, "Reconnecting")
		if after := away.at.Sub(killed); after > noticed {
			t.Errorf("%s was told %s after the runner was killed", st.person.name, after)
		}
		back := st.onFrom(away)
		t.Logf("%s: told after %s, went on after %s", st.person.name, away.at.Sub(killed).Round(time.Millisecond), back.at.Sub(killed).Round(time.Millisecond))
		if after := back.at.Sub(killed); after > goesOn {
			t.Errorf("%s played on %s after the runner was killed", st.person.name, after)
		}
	}
	for _, st := range stays {
		st.finished()
	}
	p := l.prove("car", "tag")
	for _, st := range stays[:2] {
		all := p.of(st)
		if len(all) != 1 || !slices.Equal(runs(all[0]), []string{"a", "b"}) {
			t.Fatalf("the session has %d episodes, the first played by %v; want one, by a and then b", len(all), runs(all[0]))
		}
		if seen := st.sees(killed, play.Phase_PAUSED, "").step; all[0].Runs[0].FromStep < seen {
			t.Errorf("the other node went on from step %d, and step %d was seen", all[0].Runs[0].FromStep, seen)
		}
	}
}
