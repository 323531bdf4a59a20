package link

import (
	"errors"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
)

// patience is how long a test waits for what should come soon.
const patience = 20 * time.Second

// session is a probe in a session's place.
func session(t *testing.T, p *platform, name string) *probe {
	t.Helper()
	s, err := newProbe(p.system, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.system.Root.Stop(s.pid) })
	return s
}

// play starts an episode on a runner and waits for some steps.
func play(t *testing.T, s *probe, runner *actor.PID, id string, steps uint64) {
	t.Helper()
	s.root.Send(s.pid, &watchIt{runner})
	s.send(runner, &messages.Start{SessionId: id, EpisodeId: id + "-1", Experiment: "car", ExperimentVersion: 1, Definition: definition(t), Seed: 7})
	started, _ := next[*messages.Started](t, s, patience)
	if started.GetEpisodeId() != id+"-1" || started.GetStep().GetRecord() == nil {
		t.Fatalf("started: %v", started)
	}
	for want := uint64(1); want <= steps; want++ {
		m, _ := next[*messages.Stepped](t, s, patience)
		if m.GetRecord().GetStep() != want {
			t.Fatalf("step %d came, expected was %d", m.GetRecord().GetStep(), want)
		}
	}
}

func TestANodeJoinsPlaysAndLeaves(t *testing.T) {
	p := newPlatform(t)
	node := startNode(t, JoinConfig{URL: p.url(), Key: p.keys.add("k-join", "lab"), Name: "join", Slots: 2, Labels: []string{"gpu"}})
	joined := p.wait("join", Joined, patience)
	if n := joined.Node; n.Slots != 2 || strings.Join(n.Labels, " ") != "gpu lab" || n.Version != "test" || !n.Connected {
		t.Errorf("the node is %+v", n)
	}
	offers := map[uint32]*actor.PID{}
	for len(offers) < 2 {
		o, runner := next[*messages.Offer](t, p.queue, patience)
		if o.GetRunnerId() != joined.Node.ID || o.GetIncarnation() != joined.Node.Incarnation {
			t.Fatalf("offer %v of node %+v", o, joined.Node)
		}
		offers[o.GetSlot()] = runner
	}
	s := session(t, p, "lobby/s-join")
	play(t, s, offers[1], "s-join", 30)
	s.send(offers[1], &messages.Ack{EpisodeId: "s-join-1", Through: 20})
	s.send(offers[1], &messages.Inputs{EpisodeId: "s-join-1", Inputs: []*messages.Input{{Seq: 5, Keys: []string{"ArrowLeft"}}}})
	used := false
	for !used {
		m, _ := next[*messages.Stepped](t, s, patience)
		used = m.GetInputSeqs()[0] == 5
	}

	node.signal(syscall.SIGTERM)
	if n := p.wait("join", Leaving, patience).Node; n.Busy != 1 || !n.Draining || n.LoadKnown != (runtime.GOOS == "linux") {
		t.Errorf("a node that leaves while it plays is %+v", n)
	}
	_, _ = next[*messages.Stepped](t, s, patience) // it goes on: the episode may end
	s.send(offers[1], &messages.Stop{EpisodeId: "s-join-1", Code: "test"})
	end, _ := next[*messages.EpisodeEnded](t, s, patience)
	if end.GetCode() != "test" {
		t.Errorf("ended: %v", end)
	}
	s.send(offers[1], &messages.Release{SessionId: "s-join"})
	if code := node.ended(patience); code != 0 {
		t.Errorf("a drained node ended with %d", code)
	}
	if gone := p.wait("join", Gone, patience); gone.Why.Code != "left" {
		t.Errorf("the node is gone because %+v", gone.Why)
	}
}

func TestKill9IsNoticedWithinASecond(t *testing.T) {
	p := newPlatform(t)
	node := startNode(t, JoinConfig{URL: p.url(), Key: p.keys.add("k-kill"), Name: "kill"})
	p.wait("kill", Joined, patience)
	_, runner := next[*messages.Offer](t, p.queue, patience)
	s := session(t, p, "lobby/s-kill")
	play(t, s, runner, "s-kill", 5)
	node.signal(syscall.SIGKILL)
	began := time.Now()
	p.wait("kill", Away, time.Second)
	if m, _ := next[*actor.Terminated](t, s, time.Second-time.Since(began)); !m.GetWho().Equal(runner) {
		t.Errorf("terminated: %v", m)
	}
	p.wait("kill", Gone, patience)
}

func TestAFrozenNodeIsLostAndGoesOnWhenItIsBack(t *testing.T) {
	p := newPlatform(t)
	node := startNode(t, JoinConfig{URL: p.url(), Key: p.keys.add("k-freeze"), Name: "freeze", Slots: 2})
	first := p.wait("freeze", Joined, patience)
	_, runner := next[*messages.Offer](t, p.queue, patience)
	_, free := next[*messages.Offer](t, p.queue, patience)
	s := session(t, p, "lobby/s-freeze")
	play(t, s, runner, "s-freeze", 5)
	node.signal(syscall.SIGSTOP)
	p.wait("freeze", Away, 3500*time.Millisecond)
	last := uint64(5)
	for drained := false; !drained; {
		select {
		case r := <-s.got:
			if m, ok := r.message.(*messages.Stepped); ok {
				last = m.GetRecord().GetStep()
			}
		default:
			drained = true
		}
	}
	node.signal(syscall.SIGCONT)
	back := p.wait("freeze", Back, patience)
	if back.Node.Address != first.Node.Address {
		t.Errorf("the node came back as %s, and was %s", back.Node.Address, first.Node.Address)
	}
	if _, again := next[*messages.Offer](t, p.queue, patience); !again.Equal(free) {
		t.Errorf("%v offered itself, and not the slot that was free, %v", again, free)
	}
	s.send(runner, &messages.Reattach{EpisodeId: "s-freeze-1", Received: last})
	for want := last + 1; want < last+20; {
		m, _ := next[*messages.Stepped](t, s, patience)
		switch step := m.GetRecord().GetStep(); {
		case step > want:
			t.Fatalf("after step %d came step %d", want-1, step)
		case step == want:
			want++
		} // one that is told twice is no harm
	}
}

func TestANodeThatWasAwayForTooLongBeginsAnew(t *testing.T) {
	p := newPlatform(t)
	node := startNode(t, JoinConfig{URL: p.url(), Key: p.keys.add("k-long"), Name: "long"})
	first := p.wait("long", Joined, patience)
	_, runner := next[*messages.Offer](t, p.queue, patience)
	node.signal(syscall.SIGSTOP)
	p.wait("long", Gone, patience)
	node.signal(syscall.SIGCONT)
	if e := p.wait("long", Joined, patience); e.Node.Incarnation != first.Node.Incarnation {
		t.Errorf("incarnation %s, and was %s: it is the same process", e.Node.Incarnation, first.Node.Incarnation)
	}
	_, again := next[*messages.Offer](t, p.queue, patience)
	if again.Equal(runner) {
		t.Error("the slot has the runner of before, whose sessions have gone elsewhere")
	}
	play(t, session(t, p, "lobby/s-long"), again, "s-long", 5)
}

func TestANodeWithAWrongKeyIsTold(t *testing.T) {
	p := newPlatform(t)
	key, _, _ := NewKey()
	revoked := p.keys.add("k-revoked")
	p.keys.revoke("k-revoked")
	for _, c := range []struct{ name, url, key, want string }{
		{"unknown", p.url(), key, "does not know the key"},
		{"revoked", p.url(), revoked, "was revoked"},
		{"no-key", p.url(), "secret", "no runner key"},
		{"path", p.web.URL, key, "no SHARPIE server at"},
		{"scheme", "ftp://lab", key, "neither https:// nor http://"},
		{"tls", strings.Replace(p.url(), "http:", "https:", 1), key, "does not speak TLS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			node := startNode(t, JoinConfig{URL: c.url, Key: c.key, Name: "wrong"})
			if code := node.ended(patience); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			if !strings.Contains(node.log.String(), c.want) {
				t.Errorf("it does not say %q, but:\n%s", c.want, node.log.String())
			}
		})
	}
}

func TestARevokedKeyCutsItsNodes(t *testing.T) {
	p := newPlatform(t)
	node := startNode(t, JoinConfig{URL: p.url(), Key: p.keys.add("k-cut"), Name: "cut"})
	p.wait("cut", Joined, patience)
	p.keys.revoke("k-cut")
	if e := p.wait("cut", Gone, time.Second); e.Why.Code != "revoked" {
		t.Errorf("gone because %+v", e.Why)
	}
	if code := node.ended(patience); code != 1 || !strings.Contains(node.log.String(), "The key was revoked.") {
		t.Errorf("exit code %d, and it said:\n%s", code, node.log.String())
	}
}

func TestANewerProcessOfTheSameNameFencesTheOlderOff(t *testing.T) {
	p := newPlatform(t)
	key := p.keys.add("k-fence")
	older := startNode(t, JoinConfig{URL: p.url(), Key: key, Name: "fence"})
	first := p.wait("fence", Joined, patience)
	startNode(t, JoinConfig{URL: p.url(), Key: key, Name: "fence"})
	if e := p.wait("fence", Gone, patience); e.Node.Incarnation != first.Node.Incarnation {
		t.Errorf("gone is %s, and not the older %s", e.Node.Incarnation, first.Node.Incarnation)
	}
	if e := p.wait("fence", Joined, patience); e.Node.Incarnation == first.Node.Incarnation {
		t.Error("the newer has the older's incarnation")
	}
	if code := older.ended(patience); code != 1 || !strings.Contains(older.log.String(), "--name") {
		t.Errorf("exit code %d, and it said:\n%s", code, older.log.String())
	}
}

// A node that was here before need not wait behind those who guess keys; whether its
// key is still good is another question.
func TestAKeyThatCameBeforeIsKnown(t *testing.T) {
	p := newPlatform(t)
	key := p.keys.add("k-known")
	if p.server.Known(key) {
		t.Error("a key is known before it came")
	}
	if _, err := p.server.Authenticate(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	other, _, _ := NewKey()
	if !p.server.Known(key) || p.server.Known(other) || p.server.Known("") {
		t.Error("not that key alone is known")
	}
	p.keys.revoke("k-known")
	if _, err := p.server.Authenticate(t.Context(), key); !errors.Is(err, ErrRevoked) || !strings.Contains(err.Error(), key[4:12]) {
		t.Errorf("the error %v does not name the key's public part", err)
	}
	_, err := p.server.Authenticate(t.Context(), other)
	if !errors.Is(err, ErrUnknownKey) || !strings.Contains(err.Error(), other[4:12]) || strings.Contains(err.Error(), other[13:]) {
		t.Errorf("the error %v does not name the key's public part, and that alone", err)
	}
}
