package system

import (
	"net/http"
	"testing"

	"github.com/fasthttp/websocket"
)

const storedSteps = "sharpie_steps_stored_total"

func TestAServerThatIsKilledLosesNothingThatItStored(t *testing.T) {
	t.Parallel()
	for name, mongo := range map[string]bool{"embedded": false, "mongodb": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := ""
			if mongo {
				at = uri(database(t))
			}
			s := serve(t, at, []study{{link: "crash", seats: 2, lines: []string{"on_runner_loss: abort"}}})
			people := s.registerAll("Ada", "Ben")
			players := together("crash", people...)
			for _, pl := range players {
				pl.pressOn(t.Context())
			}
			players[0].frames(3 * fullRate)
			// The counter rises after the store has said yes, as the runner's acknowledgement does.
			acknowledged := s.metric(storedSteps)
			if acknowledged < fullRate {
				t.Fatalf("only %.0f steps are stored after three seconds of play", acknowledged)
			}
			s.kill()
			for _, pl := range players {
				pl.closedWith(websocket.CloseAbnormalClosure)
			}

			s.start()
			comesBack(t, s, people[0], players[0].at)
			s.kill() // so that the embedded store can be read
			store := s.store()
			x := sessionOf(t, store, players[0].at)
			if x.Phase != "aborted" || x.Reason.Code != "server_restarted" || x.EndedAt == nil {
				t.Errorf("the broken session is kept as %s, %+v, ended %v; want aborted, server_restarted", x.Phase, x.Reason, x.EndedAt)
			}
			for _, k := range episodes(t, store, "crash") {
				if k.SessionID != x.ID {
					continue
				}
				if float64(k.records) < acknowledged {
					t.Errorf("%.0f records were acknowledged before the crash, %d are stored after it", acknowledged, k.records)
				}
				if k.Status != "aborted" || k.Reason.Code != "server_restarted" || k.StoredSteps != k.records {
					t.Errorf("the broken episode is kept as %s, %s with %d records, counted are %d", k.Status, k.Reason.Code, k.records, k.StoredSteps)
				}
			}
		})
	}
}

// comesBack is what the participant's browser does after a crash: it tries the socket
// again, and reloads the page.
func comesBack(t *testing.T, s *server, p *person, at string) {
	t.Helper()
	p.play(at).closedWith(4004)
	page, where := p.visit(at)
	if where != at+"/thanks" {
		t.Errorf("the page of the broken session leads to %s, want %s/thanks", where, at)
	}
	says(t, page, http.StatusOK, "The server was restarted. Please start again.", "Try again")
	again := p.retry("crash", page)
	if again == at {
		t.Errorf("a new attempt leads to the broken session %s", at)
	}
	other := s.register("Cleo")
	second := other.play(other.join("crash"))
	first := p.play(again)
	first.frames(5)
	second.frames(5)
}
