package system

import (
	"strings"
	"testing"
	"time"

	"sharpie/actors/play"
)

// Sessions are played where there is what they need, and those that nobody can play
// are told so, until somebody comes.
func TestSessionsAreDrawnToWhatTheyNeed(t *testing.T) {
	t.Parallel()
	l := openLab(t, "", []game{
		{link: "any", kind: "car", rounds: 1, steps: 60},
		{link: "gpu", kind: "car", rounds: 1, steps: 60, settings: []string{"needs: [gpu]"}},
		{link: "both", kind: "car", rounds: 1, steps: 60, settings: []string{"needs: [gpu, robot]"}},
	})
	people := l.crew(5)
	l.node("plain", "--slots", "1")
	l.node("fast", "--slots", "2", "--label", "gpu")
	waits := people[4].stay(people[4].join("both"))
	began := time.Now().Add(-time.Minute)
	told := waits.sees(began, play.Phase_QUEUED, "computer that can run this")
	t.Logf("the participant is told %q", told.reason)
	l.loggedSince(0, "a session waits in vain", "experiment=both", "labels [gpu, robot]")
	admin := l.administrator()
	eventually(t, "the Admin page says that a robot is missing", func() bool { return strings.Contains(words(admin.get("/admin").Body), "robot") })
	any, gpu := l.play("any", people[0])[0], l.play("gpu", people[1])[0]
	if by := l.playedBy(any.at); by != "plain" {
		t.Errorf("what needs nothing is played by %q, want the plain node, so that the other one is free", by)
	}
	if by := l.playedBy(gpu.at); by != "fast" {
		t.Errorf("what needs a GPU is played by %q", by)
	}
	l.node("special", "--slots", "1", "--label", "gpu", "--label", "robot")
	waits.plays(5)
	if by := l.playedBy(waits.at); by != "special" {
		t.Errorf("what needs a robot is played by %q", by)
	}
	l.stays = append(l.stays, waits)
	for _, st := range l.stays {
		st.finished()
	}
	l.prove("any", "gpu", "both")
	kinds := map[string]int{}
	for e, err := range l.store().EventsOf(t.Context(), waits.diary.session) {
		if err != nil {
			t.Fatal(err)
		}
		kinds[e.Kind]++
	}
	if kinds["unsatisfiable"] != 1 {
		t.Errorf("the events of the session that waited are %v, want one that says that nobody could run it", kinds)
	}
}
