package system

import (
	"net/http"
	"strings"
	"testing"

	"sharpie/actors/play"
)

func TestWhatHappensWhenSomebodyIsLost(t *testing.T) {
	t.Parallel()
	grace := "reconnect_grace: 1s"
	s := serve(t, "", []study{
		{link: "pause", seats: 2, lines: []string{grace, "on_drop_out: pause", "drop_out_timeout: 30s"}},
		{link: "too-long", seats: 2, lines: []string{grace, "on_drop_out: pause", "drop_out_timeout: 1s"}},
		{link: "ai", seats: 2, lines: []string{grace, "on_drop_out: ai", "drop_out_policy: stand-in"}},
		{link: "continue", seats: 2, lines: []string{grace, "on_drop_out: continue"}},
		{link: "abort", seats: 2, lines: []string{grace, "on_drop_out: abort"}},
	})
	people := s.registerAll("Ada", "Ben")
	ada, ben := people[0], people[1]
	t.Run("at once, within the grace", func(t *testing.T) {
		players := together("pause", ada, ben)
		stays, lost := players[0], players[1]
		lost.drop()
		stays.other(play.Seat_AWAY)
		back := ben.play(lost.at)
		back.frames(3)
		if v := stays.other(play.Seat_HERE); v.phase.GetName() != play.Phase_RUNNING {
			t.Errorf("the session went to %s because somebody reloaded the page", v.phase.GetName())
		}
		back.drop()
		pausesAndGoesOn(t, stays, func() *player { return ben.play(lost.at) })
		ada.submit(lost.at+"/leave", ada.get(lost.at), nil)
	})
	t.Run("pause that takes too long", func(t *testing.T) {
		players := together("too-long", ada, ben)
		players[1].drop()
		players[0].phase(play.Phase_PAUSED)
		v := players[0].closedWith(1000)
		if v.end.GetCode() != "aborted" || !strings.Contains(v.end.GetText(), "Somebody left") {
			t.Errorf("who waited was told %v, want aborted, because somebody left", v.end)
		}
	})
	t.Run("ai", func(t *testing.T) {
		players := together("ai", ada, ben)
		players[1].drop()
		players[0].other(play.Seat_AI)
		goesOnWithout(t, players[0], ben)
	})
	t.Run("continue", func(t *testing.T) {
		players := together("continue", ada, ben)
		players[1].drop()
		players[0].other(play.Seat_AWAY)
		players[0].other(play.Seat_TAKEN)
		goesOnWithout(t, players[0], ben)
	})
	t.Run("abort", func(t *testing.T) {
		players := together("abort", ada, ben)
		players[1].drop()
		v := players[0].closedWith(1000)
		if v.end.GetCode() != "aborted" || !strings.Contains(v.end.GetText(), "Somebody left") {
			t.Errorf("who stayed was told %v, want aborted, because somebody left", v.end)
		}
		page, _ := ada.visit(players[0].at)
		says(t, page, http.StatusOK, "Somebody left", "Try again")
	})
	if t.Failed() {
		return
	}
	s.kill()
	store := s.store()
	for link, want := range map[string]string{"ai": "policy", "continue": "default"} {
		if n := only(t, store, link).sources["agent_1"][want]; n < fullRate/2 {
			t.Errorf("%s: only %d actions of the one who was lost are recorded as %q", link, n, want)
		}
	}
}

// pausesAndGoesOn: the game stands still until the lost one is back.
func pausesAndGoesOn(t *testing.T, stays *player, comeBack func() *player) {
	t.Helper()
	v := stays.phase(play.Phase_PAUSED)
	if v.phase.GetDeadlineUs() == 0 || !strings.Contains(v.phase.GetReason(), "Waiting for them to come back") {
		t.Errorf("the pause says %q, until %d; want whom it waits for, and how long", v.phase.GetReason(), v.phase.GetDeadlineUs())
	}
	// Whatever was on its way is painted when a round trip is over.
	if err := stays.send(&play.ClientMessage{Kind: &play.ClientMessage_Ping{Ping: &play.Ping{Id: 1}}}); err != nil {
		t.Fatal(err)
	}
	back := comeBack()
	resumed := stays.phase(play.Phase_RUNNING)
	if steps := resumed.frame.GetStep() - v.frame.GetStep(); steps > fullRate/2 {
		t.Errorf("%d steps were played while the game was paused", steps)
	}
	back.frames(5)
	stays.frames(5)
}

// goesOnWithout: the game goes on, and the seat is given up for good.
func goesOnWithout(t *testing.T, stays *player, lost *person) {
	t.Helper()
	if v := stays.frames(fullRate); v.phase.GetName() != play.Phase_RUNNING {
		t.Errorf("the session went to %s", v.phase.GetName())
	}
	lost.play(stays.at).closedWith(4003)
	page, _ := lost.visit(stays.at)
	says(t, page, http.StatusOK, "You left this session, or were away from it for too long.", "Try again")
}
