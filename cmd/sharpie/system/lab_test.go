package system

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"sharpie/persistence"
)

// lab is a server that plays nothing itself, with runner nodes.
type lab struct {
	*server
	key   string
	stays []*stay
}

// openLab starts the server; flags are further ones of it.
func openLab(t testing.TB, mongo string, games []game, flags ...string) *lab {
	t.Helper()
	s := serve(t, mongo, nil, append([]string{"--slots", "0"}, flags...)...)
	if len(games) > 0 {
		folder := t.TempDir()
		for _, g := range games {
			writeFile(t, filepath.Join(folder, g.link+".yaml"), g.yaml())
		}
		s.imports(folder)
	}
	return &lab{server: s, key: s.runnerKey()}
}

// node starts a runner node and waits until it offers its slots. Flags come last, so
// they may say again what is said here.
func (l *lab) node(name string, flags ...string) *pythonNode {
	l.t.Helper()
	n := l.pythonNode(l.key, append([]string{"--name", name, "--confine", "never"}, flags...)...)
	mark := l.log.mark()
	n.start()
	l.joined(mark, name)
	return n
}

// joined waits until the server has taken a node in, after a mark of its log.
func (l *lab) joined(mark int, name string) {
	l.t.Helper()
	eventually(l.t, "node "+name+" joins", func() bool { return l.log.has(mark, `msg="runner node joined"`, "node="+name+".") })
}

// kill9 kills a node as a power cut does, and returns when.
func (n *pythonNode) kill9() time.Time {
	now := time.Now()
	n.stop(syscall.SIGKILL)
	return now
}

// freeze stops a node's process; thaw lets it go on.
func (n *pythonNode) freeze() time.Time {
	n.t.Helper()
	now := time.Now()
	if err := n.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		n.t.Fatal(err)
	}
	return now
}

func (n *pythonNode) thaw() {
	n.t.Helper()
	if err := n.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		n.t.Fatal(err)
	}
}

// play lets somebody play, beside everybody else of the test, and waits for the game.
func (l *lab) play(link string, people ...*person) []*stay {
	l.t.Helper()
	var stays []*stay
	for _, p := range people {
		stays = append(stays, p.stay(p.join(link)))
	}
	for _, st := range stays {
		st.plays(5)
	}
	l.stays = append(l.stays, stays...)
	return stays
}

// playedBy is the name of the node that has a session now, "" for none.
func (l *lab) playedBy(at string) string {
	session := strings.TrimPrefix(at, "/s/")
	found := regexp.MustCompile(`msg=assigned session=`+session+` runner=(\S+)\.`).FindAllStringSubmatch(l.log.text(), -1)
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1][1]
}

// close ends the server in good order, once everybody is done, and returns its store.
func (l *lab) close() persistence.Store {
	l.t.Helper()
	for _, st := range l.stays {
		st.ended()
	}
	l.signal(syscall.SIGTERM)
	if code := l.ended(patience); code != 0 {
		l.t.Errorf("the server ended with %d", code)
	}
	return l.store()
}

// runs lists the nodes that played an episode, in order.
func runs(e *persistence.Episode) []string {
	name := func(id persistence.RunnerID) string {
		before, _, _ := strings.Cut(string(id), ".")
		return before
	}
	out := []string{name(e.Runner)}
	for _, r := range e.Runs {
		out = append(out, name(r.Runner))
	}
	return out
}

func (s *server) crew(n int) []*person {
	s.t.Helper()
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("Guest-%d", i)
	}
	return s.registerAll(names...)
}
