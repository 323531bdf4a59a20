package link

import (
	"testing"
	"testing/synctest"
	"time"
)

// A link that carries something, and takes too long for it, is noticed by the beats.
func TestBeatsSayHowSlowALinkIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pulse
		want := func(when string, d time.Duration) {
			t.Helper()
			if got := p.unanswered(); got != d {
				t.Errorf("%s, a beat has had no answer for %s, want %s", when, got, d)
			}
		}
		want("before the first", 0)
		first := p.next().GetNumber()
		time.Sleep(beatEvery)
		p.next()
		time.Sleep(beatEvery)
		want("two seconds after the first", 2*time.Second)
		p.heard(&Beat{Number: 1, Answers: first})
		want("with an answer to the first of two", beatEvery)
		p.heard(&Beat{Number: 2, Answers: first})
		time.Sleep(5 * time.Second)
		want("with the same answer again", 6*time.Second)
		p.forgive()
		want("after this process was asleep", 0)
		time.Sleep(time.Second)
		want("a second later", time.Second)
		p.heard(&Beat{Number: 3, Answers: first + 1})
		want("with an answer to all", 0)
		p.heard(&Beat{Number: 4, Answers: 1000})
		want("with an answer to what was never sent", 0)
	})
}
