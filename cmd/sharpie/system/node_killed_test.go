package system

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sharpie/actors/play"
	"sharpie/envs/python/pythontest"
)

// How soon people are told that their runner is lost, and how soon they play on.
const (
	noticed = time.Second
	goesOn  = 4 * time.Second
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

func TestANodeIsKilledAndNobodyElseIsThere(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(*lab, *pythonNode){
		"until a new one joins": func(l *lab, _ *pythonNode) { l.node("b", "--slots", "1") },
		"until it is started again": func(l *lab, a *pythonNode) {
			mark := l.log.mark()
			a.start()
			l.joined(mark, "a")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := openLab(t, "", []game{{link: "car", kind: "car", rounds: 1, steps: 120}})
			a := l.node("a", "--slots", "1")
			st := l.play("car", l.crew(1)...)[0]
			killed := a.kill9()
			away := st.sees(killed, play.Phase_PAUSED, "Reconnecting")
			pass(2 * time.Second)
			joins := time.Now()
			next(l, a)
			back := st.onFrom(away)
			t.Logf("went on %s after a node was started", back.at.Sub(joins).Round(time.Millisecond))
			if after := back.at.Sub(joins); after > goesOn {
				t.Errorf("play went on %s after a node was started", after)
			}
			st.finished()
			e := l.prove("car").of(st)
			if len(e) != 1 || len(e[0].Runs) != 1 || e[0].Incarnation == e[0].Runs[0].Incarnation {
				t.Errorf("want one episode that another process went on with; there are %d, the first by %v", len(e), runs(e[0]))
			}
		})
	}
}

// What the experiment says, or the environment, counts more than the shortest way.
func TestARoundBeginsAgainOrEndsWhereThatIsWanted(t *testing.T) {
	t.Parallel()
	l := openLab(t, "", []game{
		{link: "again", kind: "car", rounds: 1, steps: 130, settings: []string{"on_runner_loss: restart"}},
		{link: "over", kind: "car", rounds: 1, steps: 130, settings: []string{"on_runner_loss: abort"}},
	})
	a := l.node("a", "--slots", "2")
	people := l.crew(2)
	again, over := l.play("again", people[0])[0], l.play("over", people[1])[0]
	l.node("b", "--slots", "2")
	killed := a.kill9()
	for _, st := range []*stay{again, over} {
		st.sees(killed, play.Phase_PAUSED, "Reconnecting")
	}
	if end := over.ended(); end.GetCode() != "aborted" || end.GetText() != "The computer that ran the game was lost." {
		t.Errorf("where the loss of a runner ends the session, people were told %v", end)
	}
	again.sees(killed, play.Phase_RUNNING, "This round starts again.")
	again.finished()
	p := l.prove("again", "over")
	if e := p.of(again); len(e) != 2 || e[1].Attempt != 1 || e[0].Seed != e[1].Seed || e[0].Reason.Code != "runner_lost" || e[1].Status == "aborted" {
		t.Errorf("the round that began again is kept as %d episodes: %+v", len(e), e)
	}
	if e := p.of(over); len(e) != 1 || e[0].Status != "aborted" || e[0].Reason.Code != "runner_lost" {
		t.Errorf("the round that was over is kept as %d episodes: %+v", len(e), e)
	}
}

// An environment that draws at random without a seed cannot be replayed.
func TestARoundBeginsAgainThatCannotBeReplayed(t *testing.T) {
	t.Parallel()
	python := pythontest.Interpreter(t)
	l := openLab(t, "", nil, "--python", python)
	l.imports(gallery(t, "dice", "import random; random.SystemRandom().random()", "session"))
	nodes := map[string]*pythonNode{}
	for _, name := range []string{"a", "b"} {
		nodes[name] = l.node(name, "--slots", "1", "--python", python)
		nodes[name].says(0, "can be played here", "experiment=dice")
	}
	st := l.play("dice", l.crew(1)...)[0]
	killed := nodes[l.playedBy(st.at)].kill9()
	st.sees(killed, play.Phase_RUNNING, "This round starts again.")
	st.finished()
	p := l.prove("dice")
	e := p.of(st)
	if len(e) != 2 || e[0].Replayable || e[0].Reason.Code != "runner_lost" || e[1].Attempt != 1 || e[1].Status != "terminated" {
		t.Errorf("the round is kept as %d episodes: %+v", len(e), e)
	}
	if !strings.Contains(e[0].Reason.Detail, "cannot be replayed") {
		t.Errorf("nothing says that it cannot be replayed: %q", e[0].Reason.Detail)
	}
}
