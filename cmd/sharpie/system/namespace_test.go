package system

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sharpie/actors/play"
)

// island is a network namespace, joined to this one by a pair of interfaces. Both are
// gone with the process that holds it, whatever ends the test.
type island struct {
	t          testing.TB
	pid        string // of the process that holds it
	near, far  string // the interfaces: here, and there
	here, ours string // addresses: of this side, and of the island
}

var islands atomic.Int64

// newIsland makes one, or skips where that is not possible.
func newIsland(t testing.TB) *island {
	t.Helper()
	for _, program := range []string{"ip", "unshare", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("links were not cut in network namespaces: there is no %s (make test installs it)", program)
		}
	}
	hold := exec.Command("unshare", "--net", "sh", "-c", "echo here; exec sleep 600")
	hold.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var out lines
	hold.Stdout, hold.Stderr = &out, &out
	if err := hold.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = hold.Wait() // it is killed
		close(ended)
	}()
	t.Cleanup(func() {
		_ = hold.Process.Kill() // fails where it has ended
		<-ended
	})
	eventually(t, "the network namespace is there", func() bool { return out.text() != "" })
	if !strings.HasPrefix(out.text(), "here") {
		t.Skipf("links were not cut in network namespaces: they may not be made here (%s)", strings.TrimSpace(out.text()))
	}
	n := os.Getpid()*16 + int(islands.Add(1))
	name := fmt.Sprintf("sh%d", n%10_000_000)
	i := &island{t: t, pid: strconv.Itoa(hold.Process.Pid), near: name + "a", far: name + "b"}
	for range 100 { // of the networks for tests, RFC 2544, one that nobody uses
		n = (n + 1) % (1 << 15)
		net := fmt.Sprintf("198.%d.%d.", 18+n>>14, n>>6&255)
		i.here, i.ours = net+strconv.Itoa(n&63*4+1), net+strconv.Itoa(n&63*4+2)
		if used, err := exec.Command("ip", "route", "show", "to", "root", i.here+"/30").Output(); err == nil && len(used) == 0 {
			break
		}
	}
	i.ip("link", "add", i.near, "type", "veth", "peer", "name", i.far, "netns", i.pid)
	i.ip("addr", "add", i.here+"/30", "dev", i.near)
	i.ip("link", "set", i.near, "up")
	i.there("addr", "add", i.ours+"/30", "dev", i.far)
	i.there("link", "set", "lo", "up")
	i.there("link", "set", i.far, "up")
	return i
}

// ip runs ip here, there in the namespace.
func (i *island) ip(args ...string) { i.run(append([]string{"ip"}, args...)...) }

func (i *island) there(args ...string) {
	i.run(append([]string{"nsenter", "--target", i.pid, "--net", "ip"}, args...)...)
}

func (i *island) run(args ...string) {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
		i.t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// nobody is a hardware address that nobody has: what is sent to it is lost.
const nobody = "02:00:00:00:00:01"

// The ways in which an island is cut off, and joined again.
func (i *island) down() { i.ip("link", "set", i.near, "down") }
func (i *island) up()   { i.ip("link", "set", i.near, "up") }

// deafen loses what goes to the island, mute what comes from it.
func (i *island) deafen() {
	i.ip("neigh", "replace", i.ours, "lladdr", nobody, "dev", i.near, "nud", "permanent")
}
func (i *island) undeafen() { i.ip("neigh", "del", i.ours, "dev", i.near) }
func (i *island) mute() {
	i.there("neigh", "replace", i.here, "lladdr", nobody, "dev", i.far, "nud", "permanent")
}
func (i *island) unmute() { i.there("neigh", "del", i.here, "dev", i.far) }

// islandNode starts a node there.
func (l *lab) islandNode(i *island, name string) *pythonNode {
	l.t.Helper()
	n := l.pythonNode(l.key, "--name", name, "--confine", "never")
	n.through = []string{"nsenter", "--target", i.pid, "--net"}
	mark := l.log.mark()
	n.start()
	l.joined(mark, name)
	return n
}

// The link of the node is cut for real: packets are lost, and nobody is told. The
// connection that there was is dead on one side or on both.
func TestPacketsAreLostAndTheSameRunnerGoesOn(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		cut, heal func(*island)
		length    time.Duration
		noticed   bool
	}{
		"both ways":           {(*island).down, (*island).up, 5 * time.Second, true},
		"from node to server": {(*island).mute, (*island).unmute, 5 * time.Second, true},
		"from server to node": {(*island).deafen, (*island).undeafen, 5 * time.Second, true},
		"for a moment":        {(*island).mute, (*island).unmute, time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newIsland(t)
			l := openLab(t, "", []game{{link: "squares", kind: "squares", rounds: 1, steps: 150}}, "--addr", i.here+":0")
			l.islandNode(i, "a")
			st := l.play("squares", l.crew(1)...)[0]
			began := time.Now()
			x.cut(i)
			if !x.noticed {
				pass(x.length)
				x.heal(i)
				st.plays(40)
				if said := st.diary.since(began); len(said) > 0 {
					t.Errorf("people were told of a cut of %s: %v", x.length, said)
				}
			} else {
				away := st.sees(began, play.Phase_PAUSED, "Reconnecting")
				pass(x.length - time.Since(began))
				x.heal(i)
				healed := time.Now()
				back := st.onFrom(away)
				t.Logf("told after %s, played on %s after the link was good again", away.at.Sub(began).Round(time.Millisecond), back.at.Sub(healed).Round(time.Millisecond))
				if after := away.at.Sub(began); after > silenceNoticed {
					t.Errorf("people were told %s after the link was cut", after)
				}
				if after := back.at.Sub(healed); after > redialled {
					t.Errorf("play went on %s after the link was good again", after)
				}
			}
			st.finished()
			l.prove("squares").same(st)
		})
	}
}

// redialled is how soon a node is back whose first packets were lost: they are sent
// again after 1, 3 and 7 seconds.
const redialled = 8 * time.Second

// Nobody tells the server that the node is gone, and another one takes over.
func TestAnIslandIsLostAndComesBackEmpty(t *testing.T) {
	t.Parallel()
	i := newIsland(t)
	l := openLab(t, "", []game{{link: "squares", kind: "squares", rounds: 1, steps: 160}}, "--addr", i.here+":0")
	a := l.islandNode(i, "a")
	st := l.play("squares", l.crew(1)...)[0]
	l.node("b")
	began := time.Now()
	i.deafen()
	i.mute()
	away := st.sees(began, play.Phase_PAUSED, "Reconnecting")
	back := st.onFrom(away)
	t.Logf("told after %s, played on after %s", away.at.Sub(began).Round(time.Millisecond), back.at.Sub(began).Round(time.Millisecond))
	if after := back.at.Sub(away.at); after > goesOn {
		t.Errorf("another node went on %s after people were told", after)
	}
	mark := l.log.mark()
	i.undeafen()
	i.unmute()
	eventually(t, "the lost node is back", func() bool {
		return l.log.has(mark, `msg="runner node back"`, "node=a.") || l.log.has(mark, `msg="runner node joined"`, "node=a.")
	})
	a.says(0, "joined", "again=true")
	st.finished()
	e := l.prove("squares").of(st)
	if len(e) != 1 || strings.Join(runs(e[0]), " ") != "a b" {
		t.Errorf("%d episodes, the first by %v; want one, by a and b", len(e), runs(e[0]))
	}
}
