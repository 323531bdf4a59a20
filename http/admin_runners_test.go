package http_test

import (
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"sharpie/actors"
	"sharpie/http"
)

// takesNodes lets runner nodes join a site, whose nodes are these.
func takesNodes(c *http.Config) { c.Nodes = door{} }

func withNodes(nodes ...actors.Node) func(*http.Config) {
	return func(c *http.Config) { c.Nodes = door{nodes: nodes} }
}

func TestAdminShowsEveryRunner(t *testing.T) {
	now := time.Now()
	s := newSite(t, withNodes(
		actors.Node{ID: "box.aaaaaaaa", Incarnation: "inc_1", Slots: 4, Labels: []string{"gpu", "lab"}, Version: "test", Platform: "linux/arm64", Connected: true,
			JoinedAt: now.Add(-2 * time.Hour), SeenAt: now, Latency: 1500 * time.Microsecond, Load: 0.42, LoadKnown: true, Remote: "10.1.2.3"},
		actors.Node{ID: "idle.aaaaaaaa", Incarnation: "inc_2", Slots: 2, Version: "v0.9", Connected: true, Draining: true, JoinedAt: now, SeenAt: now, LoadKnown: true},
		actors.Node{ID: "laptop.bbbbbbbb", Incarnation: "inc_3", Slots: 1, Version: "test", SeenAt: now.Add(-75 * time.Hour), Why: "Nothing was heard for 3s."},
	))
	root := s.admin("root")
	s.platform.mu.Lock()
	s.platform.runners = []actors.RunnerView{
		{Runner: "box.aaaaaaaa", Incarnation: "inc_1", Node: true, Slot: 0, Session: "s_0123456789abcdef", Since: now},
		{Runner: "box.aaaaaaaa", Incarnation: "inc_1", Node: true, Slot: 1, Since: now},
		{Runner: "box.aaaaaaaa", Incarnation: "inc_0", Node: true, Slot: 2, Session: "s_of_a_former_life", Since: now},
		{Runner: "stranger.cccccccc", Incarnation: "inc_9", Node: true, Slot: 0, Session: "s_of_nobody", Since: now},
	}
	s.platform.mu.Unlock()
	p := root.get("/admin/runners")
	p.wants(t, 200,
		"This server", "0 of 1 busy", "cpu", // the fake platform's own slot
		"box.aaaaaaaa linux/arm64, version test connected since 2 h ago 1 of 4 busy 2 not offered yet: the node gets ready 0: …89abcdef",
		"0.42 1.5 ms gpu lab", "10.1.2.3",
		"idle.aaaaaaaa version v0.9 the server has test draining", "0 of 2 busy takes no new session", "0.00",
		"laptop.bbbbbbbb version test away since 3 days ago Nothing was heard for 3s. 0 of 1 busy unknown",
	)
	if !strings.Contains(p.body, `href="/admin/sessions/s_0123456789abcdef"`) {
		t.Error("the session that plays is no link")
	}
	for _, not := range []string{"former_life", "stranger", "of_nobody", "No runner node is connected"} {
		if strings.Contains(p.body, not) {
			t.Errorf("the page shows %q", not)
		}
	}
	if !strings.Contains(p.body, `hx-get="/admin/runners"`) {
		t.Error("the page does not refresh itself")
	}
}

func TestAdminSaysHowToStartARunner(t *testing.T) {
	s := newSite(t, takesNodes)
	root := s.admin("root")
	root.get("/admin/runners").wants(t, 200, "No runner node is connected", "sharpie runner --join "+s.url+" --key-file runner.key", "There are no keys yet")

	s = newSite(t, takesNodes, func(c *http.Config) { c.PublicURL = "https://lab.example" })
	s.admin("root").get("/admin/runners").wants(t, 200, "sharpie runner --join https://lab.example --key-file runner.key")

	s = newSite(t, takesNodes)
	r := s.admin("root")
	login := r.loginCookie()
	for host, good := range map[string]bool{"lab_box:8080": true, "lab.example;reboot": false, "$(reboot)": false, "a&b": false} {
		typed := r.request("GET", "/admin/runners", nil, "Cookie", login.Name+"="+login.Value)
		typed.Host = host
		if p := r.do(typed); strings.Contains(p.text(), "--join http://"+host+" --key-file") != good || strings.Contains(p.text(), "ADDRESS-OF-THIS-SERVER") == good {
			t.Errorf("at the address %q the page says, with status %d: %s", host, p.status, p.text())
		}
	}
}

func TestAServerWithoutRunnerNodesSaysSo(t *testing.T) {
	s := newSite(t)
	root := s.admin("root")
	p := root.get("/admin/runners")
	p.wants(t, 200, "This server takes no runner nodes")
	if strings.Contains(p.text(), "Make a key") {
		t.Error("it offers to make a key that nobody can use")
	}
	root.post("/admin/runners", keyForm("rk_1", "lab", "")).wants(t, 404)
	root.get("/admin/runners/keys/rk_1").wants(t, 404)
	root.post("/admin/runners/keys/rk_1/revoke", nil).wants(t, 404)
}

func TestAdminShowsSessionsThatWaitInVain(t *testing.T) {
	s := newSite(t, takesNodes)
	at := s.browser().register("Eve").join("mountain-car")
	root := s.admin("root")
	for _, path := range []string{"/admin/runners", "/admin/sessions"} {
		if p := root.get(path); strings.Contains(p.text(), "no runner") {
			t.Errorf("%s: a session that can be played is said to wait in vain", path)
		}
	}
	const why = "no runner that is connected has the labels [gpu]"
	s.platform.mu.Lock()
	for _, x := range s.platform.sessions {
		x.view.Phase, x.view.Problem = "queued", why
	}
	s.platform.mu.Unlock()
	root.get("/admin/runners").wants(t, 200, "1 session waits for a runner that is not there", why+".")
	for _, path := range []string{"/admin", "/admin/sessions", "/admin/sessions/" + string(sessionOf(at))} {
		root.get(path).wants(t, 200, why)
	}
}

func TestRunnersAreShownWhileTheStoreIsAway(t *testing.T) {
	s := newSite(t, withNodes(actors.Node{ID: "box.aaaaaaaa", Slots: 1, Connected: true}))
	root := s.admin("root")
	s.store.goAway(true)
	p := root.get("/admin/runners")
	p.wants(t, 200, "box.aaaaaaaa", "store can't be reached", "The keys can't be read while the store is away")
	root.post("/admin/runners", keyForm("rk_1", "lab", "")).wants(t, 503, "data store does not answer")
	s.store.goAway(false)
	if keys, err := s.store.RunnerKeys(t.Context()); err != nil || len(keys) > 0 {
		t.Errorf("keys %v, %v; want none", keys, err)
	}
}

func TestANodeIsKnownByItsOwnAddress(t *testing.T) {
	for name, c := range map[string]struct{ trusted, want string }{
		"behind a proxy that is trusted": {"127.0.0.1", "10.1.2.3"},
		"where anybody may claim it":     {"10.0.0.1", "127.0.0.1"},
	} {
		came := make(chan string, 1)
		s := newSite(t, func(cfg *http.Config) {
			cfg.TrustedProxies = []string{c.trusted}
			cfg.Nodes = door{keys: map[string]string{good: "rk1"}, came: came}
		})
		conn, _, err := websocket.DefaultDialer.Dial("ws://"+s.host+actors.NodePath, nethttp.Header{
			"Authorization": {"Bearer " + good}, "Sec-WebSocket-Protocol": {actors.NodeSubprotocol}, "X-Forwarded-For": {"10.1.2.3"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := within(t, "a node's tunnel", came); got != c.want {
			t.Errorf("%s: the node is known as %q, want %q", name, got, c.want)
		}
		_ = conn.Close()
	}
}
