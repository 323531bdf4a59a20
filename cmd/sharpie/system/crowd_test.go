package system

import (
	"fmt"
	"sync"
	"testing"

	"sharpie/actors/play"
)

// crowd is how many people come at the same instant.
const crowd = 50

func TestFiftyPeopleAtTheSameInstantPlayInPairs(t *testing.T) {
	t.Parallel()
	s := serve(t, "", []study{{link: "pairs", seats: 2, fps: 5}})
	names := make([]string, crowd)
	for i := range names {
		names[i] = fmt.Sprintf("Person-%d", i)
	}
	people := s.registerAll(names...)
	var all sync.WaitGroup
	at, start := make([]string, crowd), make(chan struct{})
	for i, p := range people {
		all.Go(func() {
			<-start
			var err error
			if at[i], err = p.browser.Join(t.Context(), "pairs"); err != nil {
				t.Errorf("%s: %v", p.name, err)
			}
		})
	}
	close(start)
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}

	players := make([]*player, crowd)
	for i, p := range people {
		players[i] = p.play(at[i])
	}
	seats := map[string]map[string]string{} // who, by session and role
	for i, pl := range players {
		v := pl.frames(3)
		role := v.welcome.GetRole()
		if seats[at[i]] == nil {
			seats[at[i]] = map[string]string{}
		}
		if other := seats[at[i]][role]; other != "" {
			t.Errorf("%s and %s sit on the same seat %s of %s", other, pl.who, role, at[i])
		}
		seats[at[i]][role] = pl.who
	}
	if len(seats) != crowd/2 {
		t.Errorf("%d people came, and %d sessions opened, want %d", crowd, len(seats), crowd/2)
	}
	if got := int(s.metric("sharpie_sessions")); got != crowd/2 {
		t.Errorf("/metrics counts %d sessions, want %d", got, crowd/2)
	}
}

func TestNobodyWaitsForSomeoneWhoLeftTheLobby(t *testing.T) {
	t.Parallel()
	s := serve(t, "", []study{
		{link: "pair", seats: 2},
		{link: "three", seats: 3},
		{link: "counted", seats: 2, lines: []string{"countdown: 60s"}},
	})
	people := s.registerAll("Ada", "Ben", "Cleo", "Dora")
	ada, ben, cleo, dora := people[0], people[1], people[2], people[3]

	t.Run("alone", func(t *testing.T) {
		at := ada.join("pair")
		waiting := ada.play(at)
		waiting.phase(play.Phase_WAITING)
		ada.submit(at+"/leave", ada.get(at), nil)
		if v := waiting.closed(); v.end.GetCode() != "left" {
			t.Errorf("who left was told %v, want left", v.end)
		}
		together("pair", ben, cleo)
	})
	t.Run("beside another", func(t *testing.T) {
		at := ada.join("three")
		first, second := ada.play(at), ben.play(ben.join("three"))
		second.phase(play.Phase_WAITING)
		first.phase(play.Phase_WAITING)
		ada.submit(at+"/leave", ada.get(at), nil)
		second.other(play.Seat_FREE)
		third := cleo.play(cleo.join("three"))
		if third.at != second.at {
			t.Errorf("a third person was sent to %s, while %s waited in %s", third.at, second.who, second.at)
		}
		fourth := dora.play(dora.join("three"))
		for _, pl := range []*player{second, third, fourth} {
			pl.frames(3)
		}
	})
	t.Run("in the countdown", func(t *testing.T) {
		at := ada.join("counted")
		first, second := ada.play(at), dora.play(dora.join("counted"))
		first.phase(play.Phase_READY)
		second.phase(play.Phase_READY)
		ada.submit(at+"/leave", ada.get(at), nil)
		second.phase(play.Phase_WAITING)
		third := ben.play(ben.join("counted"))
		for _, pl := range []*player{second, third} {
			pl.phase(play.Phase_READY)
			if err := pl.send(&play.ClientMessage{Kind: &play.ClientMessage_Ready{Ready: &play.Ready{}}}); err != nil {
				t.Fatal(err)
			}
		}
		second.frames(3)
		third.frames(3)
	})
}

func TestALobbyThatTimesOutSaysSoAndWhatToDoNext(t *testing.T) {
	t.Parallel()
	s := serve(t, "", []study{{link: "lonely", seats: 2, lines: []string{"lobby_timeout: 1s"}}})
	ada := s.register("Ada")
	at := ada.join("lonely")
	pl := ada.play(at)
	if v := pl.phase(play.Phase_WAITING); v.phase.GetDeadlineUs() == 0 {
		t.Error("the lobby does not say until when it waits")
	}
	v := pl.closedWith(1000)
	if v.end.GetCode() != "aborted" || v.end.GetText() != "Not enough people came in time." || v.end.GetNext() != at+"/thanks" {
		t.Errorf("the lobby ended with %v, want aborted, the reason, and %s/thanks", v.end, at)
	}
	page, _ := ada.visit(at)
	says(t, page, 200, "Not enough people came in time.", "Try again", "Back to Study lonely")
	if again := ada.retry("lonely", page); again == at {
		t.Error("a new attempt leads to the lobby that is over")
	}
}
