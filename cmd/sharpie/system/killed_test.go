package system

import (
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"sharpie/actors/play"
)

// The server is killed while two people play, and started again. Their pages connect
// anew, as browsers do; the same episode goes on, and no step is lost or doubled.
func TestPlayGoesOnAfterTheServerWasKilled(t *testing.T) {
	t.Parallel()
	s := serve(t, "", []study{{link: "killed", seats: 2, lines: []string{"max_steps: 180"}}})
	people := s.registerAll("Ada", "Ben")
	players := together("killed", people...)
	for _, pl := range players {
		pl.pressOn(t.Context())
	}
	at := players[0].at
	players[0].frames(3 * fullRate)
	acknowledged := s.metric(storedSteps)
	if acknowledged < fullRate {
		t.Fatalf("only %.0f steps are stored after three seconds of play", acknowledged)
	}
	s.kill()
	died := time.Now()
	for _, pl := range players {
		pl.closedWith(websocket.CloseAbnormalClosure)
	}
	s.start()
	for i, p := range people {
		players[i] = p.play(at)
	}
	first := players[0].frames(1)
	t.Logf("play went on %s after the server was killed", time.Since(died).Round(time.Millisecond))
	if step := float64(first.frame.GetStep()); first.frame.GetEpisode() != 1 || step < acknowledged-1 {
		t.Errorf("play went on in episode %d at step %.0f, and %.0f steps were acknowledged", first.frame.GetEpisode(), step, acknowledged)
	}
	if seq := first.welcome.GetNextSeq(); seq < 2 {
		t.Errorf("inputs are numbered from %d, want from those that are stored", seq)
	}
	for _, pl := range players {
		pl.phase(play.Phase_RUNNING)
		pl.pressOn(t.Context())
	}
	used := players[0].now().used
	players[0].until("a step that used one of the new inputs", func(v view) bool { return v.used > used })
	for _, pl := range players {
		if v := pl.closedWith(1000); v.end.GetCode() != "completed" || v.frame.GetStep() != 180 {
			t.Errorf("%s saw step %d last, and the end %v; want completed at step 180", pl.who, v.frame.GetStep(), v.end)
		}
	}
	s.verify("killed")
	s.kill() // so that the store can be read
	// All records were looked at: none is missing, none is there twice.
	k := only(t, s.store(), "killed")
	if k.StoredSteps != k.records || k.Steps != 180 || k.Status != "truncated" {
		t.Errorf("the episode is kept as %s with %d steps, %d records, counted are %d", k.Status, k.Steps, k.StoredSteps, k.records)
	}
	if len(k.Runs) != 1 || k.Runs[0].Why != "server_restarted" || float64(k.Runs[0].FromStep) < acknowledged-1 {
		t.Errorf("the episode's runs are %+v, want one more, after the %.0f records that were acknowledged", k.Runs, acknowledged)
	}
}
