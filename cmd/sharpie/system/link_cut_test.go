package system

import (
	"math/rand/v2"
	"testing"
	"time"

	"sharpie/actors/play"
)

// The one node that there is cannot be reached for some seconds. It keeps what it has,
// and goes on from the very step.
func TestALinkIsCutAndTheSameRunnerGoesOn(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]struct {
		x          toxic
		directions []string
		length     time.Duration
		noticed    time.Duration // within which people are told
	}{
		"both ways":              {silent, []string{toServer, toNode}, 5500 * time.Millisecond, silenceNoticed},
		"from node to server":    {silent, []string{toServer}, 5500 * time.Millisecond, silenceNoticed},
		"from server to node":    {silent, []string{toNode}, 5500 * time.Millisecond, silenceNoticed},
		"reset":                  {reset, []string{toServer, toNode}, time.Second, noticed},
		"stalled, both ways":     {stalled, []string{toServer, toNode}, 0, stallNoticed},
		"stalled, to the server": {stalled, []string{toServer}, 0, stallNoticed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := openLab(t, "", []game{{link: "car", kind: "car", rounds: 1, steps: 170}})
			w := l.wire()
			l.node("a", "--join", w.base)
			st := l.play("car", l.crew(1)...)[0]
			cut := w.poison(bad.x, bad.directions...)
			away := st.sees(cut, play.Phase_PAUSED, "Reconnecting")
			if after := away.at.Sub(cut); after > bad.noticed {
				t.Errorf("people were told %s after the link was cut", after)
			}
			pass(bad.length - time.Since(cut))
			w.heal()
			healed := time.Now()
			back := st.onFrom(away)
			t.Logf("told after %s, played on %s after the link was good again", away.at.Sub(cut).Round(time.Millisecond), back.at.Sub(healed).Round(time.Millisecond))
			if after := back.at.Sub(healed); after > rejoined {
				t.Errorf("play went on %s after the link was good again", after)
			}
			st.finished()
			l.prove("car").same(st)
		})
	}
}

// How soon people are told of a link that says nothing, and of one on which hardly
// anything comes; and how soon a node is back once it can be.
const (
	silenceNoticed = 4 * time.Second
	stallNoticed   = 9 * time.Second
	rejoined       = 5 * time.Second
)

// same wants one episode, played by one runner to its end. A car may come to its flag
// while nobody sees it: the key that was held last counts until the runner notices.
func (p *proof) same(st *stay) {
	p.t.Helper()
	all := p.of(st)
	if len(all) != 1 || len(all[0].Runs) > 0 || all[0].Attempt > 0 || all[0].Status == "aborted" {
		for _, e := range all {
			p.t.Errorf("want one episode by one runner; there is attempt %d of episode %d, %s, by %v", e.Attempt, e.Index, e.Status, runs(e))
		}
	}
}

func TestAFarNodePlaysSmoothly(t *testing.T) {
	t.Parallel()
	l := openLab(t, "", []game{{link: "squares", kind: "squares", rounds: 1, steps: 120}})
	w := l.wire()
	l.node("a", "--join", w.base)
	w.poison(distant, toServer, toNode)
	st := l.play("squares", l.crew(1)...)[0]
	began, first := time.Now(), st.diary.newest()
	now := st.plays(80)
	if rate := float64(now.step-first.step) / now.at.Sub(began).Seconds(); rate < 0.9*float64(gamePace["squares"]) {
		t.Errorf("with 200 ms of latency %.1f steps a second were played, want %d", rate, gamePace["squares"])
	}
	for _, p := range st.diary.since(began) {
		if p.name == play.Phase_PAUSED {
			t.Errorf("play was paused: %q", p.reason)
		}
	}
	st.finished()
	longest, after := st.diary.longest()
	t.Logf("no picture came for %s at most", longest.Round(time.Millisecond))
	if longest > stutter {
		t.Errorf("no picture came for %s after step %d", longest, after.step)
	}
	l.prove("squares").same(st)
}

// A link that is down as often as it is up.
func TestAFlappingLinkLosesNothing(t *testing.T) {
	t.Parallel()
	l := openLab(t, "", []game{{link: "car", kind: "car", rounds: 2, steps: 150}})
	w := l.wire()
	l.node("a", "--join", w.base)
	st := l.play("car", l.crew(1)...)[0]
	r := rand.New(rand.NewPCG(1, 2))
	between := func(least, most time.Duration) time.Duration {
		return least + time.Duration(r.Int64N(int64(most-least)))
	}
	for range 10 {
		w.cut()
		pass(between(500*time.Millisecond, 1500*time.Millisecond))
		w.mend()
		pass(between(time.Second, 2*time.Second))
	}
	st.finished()
	p := l.prove("car")
	for _, e := range p.of(st) {
		if len(e.Runs) > 0 || e.Attempt > 0 {
			t.Errorf("episode %d was played by %v, attempt %d; there is one node, and it never died", e.Index, runs(e), e.Attempt)
		}
	}
}
