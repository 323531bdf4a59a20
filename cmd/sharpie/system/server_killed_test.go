package system

import (
	"testing"
	"time"
)

// The server is killed while people play on nodes, and started again: the nodes come
// back by themselves, and so do the people; what was stored is what they go on from.
func TestTheServerIsKilledUnderPlayingNodes(t *testing.T) {
	t.Parallel()
	for name, mongo := range map[string]bool{"embedded": false, "mongodb": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := ""
			if mongo {
				at = uri(database(t))
			}
			l := openLab(t, at, []game{{link: "car", kind: "car", rounds: 1, steps: 260}, {link: "tag", kind: "tag", rounds: 1, steps: 130}})
			people := l.crew(3)
			l.node("a", "--slots", "2")
			l.node("b", "--slots", "2")
			stays := append(l.play("car", people[0]), l.play("tag", people[1:]...)...)
			for _, st := range stays {
				st.plays(20)
			}
			acknowledged := l.metric(storedSteps)
			l.kill()
			killed := time.Now()
			l.start()
			for _, st := range stays {
				st.until("play goes on", func() bool { return st.diary.newest().life == l.life() && st.diary.newest().step > 0 })
				before := st.diary.newest()
				back := st.plays(2)
				t.Logf("%s: went on at step %d, %s after the server was killed", st.person.name, before.step, back.at.Sub(killed).Round(time.Millisecond))
				if after := back.at.Sub(killed); after > restarted {
					t.Errorf("%s played on %s after the server was killed", st.person.name, after)
				}
			}
			for _, st := range stays {
				st.finished()
			}
			p := l.prove("car", "tag")
			if float64(p.steps) < acknowledged {
				t.Errorf("%.0f steps were acknowledged before the kill, and %d are stored", acknowledged, p.steps)
			}
			for _, st := range stays[:2] {
				if e := p.of(st); len(e) != 1 || len(e[0].Runs) != 1 || e[0].Runs[0].Why != "server_restarted" {
					t.Errorf("want one episode that went on after the restart; there are %d, the first with %+v", len(e), e[0].Runs)
				}
			}
		})
	}
}

// restarted is how soon people play on after the server was killed and started again.
const restarted = 5 * time.Second
