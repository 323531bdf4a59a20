package system

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"sharpie/actors/play"
)

func TestAFrozenNodeGoesOnFromTheVeryStep(t *testing.T) {
	t.Parallel()
	l := openLab(t, "", []game{{link: "car", kind: "car", rounds: 1, steps: 120}})
	a := l.node("a")
	st := l.play("car", l.crew(1)...)[0]
	frozen := a.freeze()
	away := st.sees(frozen, play.Phase_PAUSED, "Reconnecting")
	if after := away.at.Sub(frozen); after > silenceNoticed {
		t.Errorf("people were told %s after the node froze", after)
	}
	pass(5*time.Second - time.Since(frozen))
	thawed := time.Now()
	a.thaw()
	back := st.onFrom(away)
	t.Logf("told after %s, went on %s after the node did", away.at.Sub(frozen).Round(time.Millisecond), back.at.Sub(thawed).Round(time.Millisecond))
	if after := back.at.Sub(thawed); after > rejoined {
		t.Errorf("play went on %s after the node did", after)
	}
	st.finished()
	l.prove("car").same(st)
}

func TestAFrozenNodeIsReplacedAndComesBackEmpty(t *testing.T) {
	t.Parallel()
	l := openLab(t, "", []game{{link: "car", kind: "car", rounds: 1, steps: 160}})
	people := l.crew(2)
	a := l.node("a", "--slots", "1")
	st := l.play("car", people[0])[0]
	l.node("b", "--slots", "1")
	frozen := a.freeze()
	away := st.sees(frozen, play.Phase_PAUSED, "Reconnecting")
	back := st.onFrom(away)
	t.Logf("told after %s, went on after %s", away.at.Sub(frozen).Round(time.Millisecond), back.at.Sub(frozen).Round(time.Millisecond))
	if after := back.at.Sub(away.at); after > goesOn {
		t.Errorf("another node went on %s after people were told", after)
	}
	mark := l.log.mark()
	a.thaw()
	eventually(t, "the first node is back", func() bool {
		return l.log.has(mark, `msg="runner node back"`, "node=a.") || l.log.has(mark, `msg="runner node joined"`, "node=a.")
	})
	next := l.play("car", people[1])[0] // b is busy
	if by := l.playedBy(next.at); by != "a" {
		t.Errorf("the next session is played by %q, want the node that froze", by)
	}
	st.finished()
	next.finished()
	p := l.prove("car")
	if e := p.of(st); len(e) != 1 || !slices.Equal(runs(e[0]), []string{"a", "b"}) {
		t.Errorf("the first session has %d episodes, the first by %v; want one, by a and b", len(e), runs(e[0]))
	}
	p.same(next)
}

// A machine that computes in fits and starts is slow, and not lost.
func TestASlowNodeIsNotLost(t *testing.T) {
	t.Parallel()
	l := openLab(t, "", []game{{link: "car", kind: "car", rounds: 1, steps: 140}})
	a := l.node("a")
	st := l.play("car", l.crew(1)...)[0]
	began := time.Now()
	for range 20 {
		a.freeze()
		pass(100 * time.Millisecond)
		a.thaw()
		pass(100 * time.Millisecond)
	}
	for _, p := range st.diary.since(began) {
		if p.name == play.Phase_PAUSED {
			t.Errorf("play was paused: %q", p.reason)
		}
	}
	st.finished()
	l.prove("car").same(st)
}

// A node that is asked to stop plays its episodes to their end, and no further ones.
func TestANodeThatIsStoppedEndsItsEpisodes(t *testing.T) {
	t.Parallel()
	l := openLab(t, "", []game{{link: "car", kind: "car", rounds: 2, steps: 100}})
	a := l.node("a", "--slots", "3")
	people := l.crew(3)
	stays := l.play("car", people[:2]...)
	l.node("b", "--slots", "3")
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	a.says(0, "leaving; episodes may end")
	third := l.play("car", people[2])[0]
	if by := l.playedBy(third.at); by != "b" {
		t.Errorf("a session that came after the stop is played by %q, want b", by)
	}
	select {
	case <-a.done:
		if code := a.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("the node ended with %d", code)
		}
	case <-time.After(patience):
		t.Fatal("the node does not end, though its episodes must have")
	}
	for _, st := range append(stays, third) {
		st.finished()
	}
	p := l.prove("car")
	for _, st := range stays {
		e := p.of(st)
		if len(e) != 2 || !slices.Equal(runs(e[0]), []string{"a"}) || !slices.Equal(runs(e[1]), []string{"b"}) {
			t.Errorf("the first episode is played by %v, the second by %v; want a, then b", runs(e[0]), runs(e[len(e)-1]))
		}
	}
	if p.events["runner_away"]+p.events["runner_lost"] > 0 {
		t.Errorf("a node that was stopped in good order counts as lost: %v", p.events)
	}
}

// What does not end in time is handed over, and goes on.
func TestANodeThatIsStoppedHandsOverWhatTakesTooLong(t *testing.T) {
	t.Parallel()
	l := openLab(t, "", []game{{link: "car", kind: "car", rounds: 1, steps: 160}})
	a := l.node("a", "--drain-grace", "1s")
	st := l.play("car", l.crew(1)...)[0]
	l.node("b")
	stopped := time.Now()
	if code := a.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("the node ended with %d", code)
	}
	if took := time.Since(stopped); took > 5*time.Second {
		t.Errorf("with a grace of 1s the node took %s to end", took)
	}
	st.finished()
	p := l.prove("car")
	if e := p.of(st); len(e) != 1 || !slices.Equal(runs(e[0]), []string{"a", "b"}) {
		t.Errorf("%d episodes, the first by %v; want one, by a and b", len(e), runs(e[0]))
	}
	if longest, after := st.diary.longest(); longest > goesOn {
		t.Errorf("no picture came for %s after step %d", longest, after.step)
	}
}

func TestASecondSignalEndsANodeAtOnce(t *testing.T) {
	t.Parallel()
	l := openLab(t, "", []game{{link: "car", kind: "car", rounds: 1, steps: 120}})
	a := l.node("a")
	st := l.play("car", l.crew(1)...)[0]
	l.node("b")
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	a.says(0, "leaving; episodes may end")
	stopped := time.Now()
	a.stop(syscall.SIGINT)
	if took := time.Since(stopped); took > 2*time.Second {
		t.Errorf("after the second signal the node took %s to end", took)
	}
	st.finished()
	l.prove("car")
}
