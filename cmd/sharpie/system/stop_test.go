package system

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"sharpie/actors/play"
)

func TestAServerThatIsAskedToStopLetsPeopleFinish(t *testing.T) {
	t.Parallel()
	s := serve(t, "", []study{{link: "short", seats: 1, lines: []string{"max_steps: 80"}}, {link: "pair", seats: 2}}, "--drain-grace", "30s")
	people := s.registerAll("Ada", "Ben", "Cleo")
	ada, ben, cleo := people[0], people[1], people[2]
	page := ben.get("/x/short") // open before, sent after
	waiting := cleo.play(cleo.join("pair"))
	waiting.phase(play.Phase_WAITING)
	pl := together("short", ada)[0]
	s.signal(syscall.SIGTERM)
	if v := waiting.closedWith(4008); v.end.GetCode() != "aborted" || !strings.Contains(v.end.GetText(), "The server was stopped.") {
		t.Errorf("who waited for a partner was told %v, want aborted, because the server was stopped", v.end)
	}
	eventually(t, "/readyz says that the server is stopping", func() bool {
		r := s.ready()
		return r.code == http.StatusServiceUnavailable && r.Draining
	})

	answer, err := ben.browser.JoinFrom(t.Context(), "short", page, "", "")
	if err != nil {
		t.Fatal(err)
	}
	says(t, answer, http.StatusServiceUnavailable, "The server is about to restart. Try again in a minute.")
	if answer.Header.Get("Retry-After") == "" {
		t.Error("the refusal does not say when to come again")
	}

	v := pl.closedWith(1000)
	if v.end.GetCode() != "completed" || v.frame.GetStep() != 80 {
		t.Errorf("the running session ended with %v at step %d, want completed at step 80", v.end, v.frame.GetStep())
	}
	thanks, _ := ada.visit(v.end.GetNext())
	says(t, thanks, http.StatusOK, "Thank you", "You finished Study short.")
	if code := s.ended(10 * time.Second); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if !strings.Contains(s.out.text(), "everything is stored") {
		t.Errorf("the server did not say that everything is stored:\n%s", s.out.text())
	}
	s.verify("short")
	only(t, s.store(), "short").holds(t, v)
}

func TestWhoStillPlaysAfterTheGraceIsToldWhyItEnds(t *testing.T) {
	t.Parallel()
	s := serve(t, "", []study{{link: "long", seats: 2}}, "--drain-grace", "1s")
	people := s.registerAll("Ada", "Ben")
	players := together("long", people...)
	players[0].pressOn(t.Context())
	s.signal(syscall.SIGTERM)
	for _, pl := range players {
		v := pl.closedWith(4008)
		if v.end.GetCode() != "aborted" || !strings.Contains(v.end.GetText(), "The server was stopped.") {
			t.Errorf("%s was told %v, want aborted, because the server was stopped", pl.who, v.end)
		}
	}
	if code := s.ended(patience); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	s.verify("long")
	episode := only(t, s.store(), "long")
	for _, pl := range players {
		episode.holds(t, pl.now())
	}
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t, "", []study{{link: "long", seats: 1}}, "--drain-grace", "10m")
	pl := together("long", s.register("Ada"))[0]
	s.signal(syscall.SIGINT)
	eventually(t, "the server says how to end at once", func() bool {
		return strings.Contains(s.out.text(), "Ctrl-C again ends at once")
	})
	if v := pl.frames(10); v.phase.GetName() != play.Phase_RUNNING {
		t.Errorf("within the grace the session went to %s", v.phase.GetName())
	}
	s.signal(syscall.SIGINT)
	if code := s.ended(2 * time.Second); code == 0 {
		t.Error("exit code 0 though the server was ended in the middle of a session")
	}
	s.start() // nothing is broken
	s.verify("long")
}
