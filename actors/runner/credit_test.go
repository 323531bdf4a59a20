package runner

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sharpie/actors/messages"
)

// words are the messages so far, in a few words each.
func (p *played) words() []string {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, m := range p.messages {
		out = append(out, inWords(m))
	}
	p.messages = nil
	return out
}

func (p *played) tells(when string, want ...string) {
	p.t.Helper()
	if d := cmp.Diff(want, p.words()); d != "" {
		p.t.Errorf("%s the session was told otherwise (-want +got):\n%s", when, d)
	}
}

func TestPicturesGoOnCredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, _, w := walking(8)
		p := play(t, def, w, func(_ *Config, s *messages.Start) { s.PictureCredit = 2 }).begin()
		time.Sleep(450 * ms)
		p.tells("without a word from it,", "started 0+picture", "step 1+picture", "step 2", "step 3", "step 4")
		p.out.shown(0)
		p.tells("once step 0 was shown,", "picture 4")
		p.out.shown(0)
		p.out.shown(0)
		p.tells("that says so again,")
		time.Sleep(100 * ms)
		p.tells("with all credit used,", "step 5")
		p.out.shown(4) // of 1, which came before it, nobody says a word
		p.tells("once step 4 was shown,", "picture 5")
		time.Sleep(100 * ms)
		p.tells("with credit left,", "step 6+picture")
		p.out.shown(99)
		p.out.shown(99)
		time.Sleep(time.Second)
		p.tells("to the end", "step 7+picture", "step 8+picture", "ended 8 max_steps")
		p.wait()
	})
}

func TestTheLastPictureNeedsNoCredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, _, w := walking(3)
		p := play(t, def, w, func(_ *Config, s *messages.Start) { s.PictureCredit = 1 }).begin().wait()
		p.tells("to the end", "started 0+picture", "step 1", "step 2", "step 3", "picture 3", "ended 3 max_steps")
		p.out.shown(3)
		p.tells("after it")
	})
}

func TestAnUnchangedPictureNeedsNoCredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := play(t, definition("a"), &world{env: newWalk("a")}, func(_ *Config, s *messages.Start) { s.PictureCredit = 1 }).begin()
		time.Sleep(250 * ms)
		p.tells("while nothing moves,", "started 0+picture", "step 1", "step 2")
		p.out.shown(0)
		p.tells("once step 0 was shown,")
		p.wait()
	})
}

// After a cut nothing is under way any more, and only the newest picture counts.
func TestACutGivesTheCreditBack(t *testing.T) {
	def, _, w := walking(0)
	inHouse(t, w, func(h *house) {
		h.system.Root.RequestWithCustomSender(h.runner, &messages.Start{
			SessionId: "s", EpisodeId: "e", Seed: 3, Definition: canonical(h.t, def), PictureCredit: 2,
		}, h.session.pid)
		time.Sleep(350 * ms)
		h.session.expect(h, "at first", "started 0+picture", "step 1+picture", "step 2", "step 3")
		h.cut(h.session)
		h.send(&messages.Shown{EpisodeId: "e", Step: 1})
		time.Sleep(time.Second)
		h.session.expect(h, "while the link was cut")
		h.reattach(h.session, "e", 3)
		h.session.expect(h, "at its return", "step 3", "picture 3")
		time.Sleep(200 * ms)
		h.session.expect(h, "then", "step 4+picture", "step 5")
		h.send(&messages.Shown{EpisodeId: "e", Step: 4})
		h.session.expect(h, "with credit", "picture 5")
		h.send(&messages.Shown{EpisodeId: "other", Step: 4})
	})
}
