package link

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"github.com/fasthttp/websocket"
	"github.com/hashicorp/yamux"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"sharpie/actors/messages"
	"sharpie/persistence"
)

// unknownField is what a program of years to come adds to a message.
func unknownField[M proto.Message](m M) M {
	m.ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(nil, 200, protowire.BytesType), "from the future"))
	return m
}

// otherServer stands where a node looks for its server.
type otherServer struct {
	t   *testing.T
	web *httptest.Server
	mu  sync.Mutex
	at  []time.Time // of the node's attempts
}

func newOtherServer(t *testing.T, answer func(http.ResponseWriter, *http.Request)) *otherServer {
	s := &otherServer{t: t}
	s.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.at = append(s.at, time.Now())
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.web.Close)
	return s
}

// tries are the times of the attempts until now.
func (s *otherServer) tries() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Time(nil), s.at...)
}

// socket answers with a WebSocket of a subprotocol.
func socket(subprotocol string, speak func(*websocket.Conn)) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		header := http.Header{}
		if subprotocol != "" {
			header.Set("Sec-WebSocket-Protocol", subprotocol)
		}
		c, err := new(websocket.Upgrader).Upgrade(w, r, header)
		if err != nil {
			return
		}
		defer c.Close()
		speak(c)
	}
}

// greeter answers a Hello with these messages, and then beats.
func greeter(answers ...*Control) func(http.ResponseWriter, *http.Request) {
	return socket(Subprotocol, func(c *websocket.Conn) {
		session, err := yamux.Server(newSocketConn(c), tunnelConfig())
		if err != nil {
			return
		}
		defer session.Close()
		control, err := session.AcceptStream()
		if err != nil {
			return
		}
		if _, err := kindOf(control); err != nil {
			return
		}
		if _, err := readControl(control); err != nil {
			return
		}
		for _, m := range answers {
			if writeControl(control, m) != nil {
				return
			}
		}
		tick := time.NewTicker(beatEvery)
		defer tick.Stop()
		for n := uint64(1); writeControl(control, unknownField(beat(unknownField(&Beat{Number: n})))) == nil; n++ {
			<-tick.C
		}
	})
}

// greeting is what a server of another version says.
func greeting() *Welcome {
	return unknownField(&Welcome{Protocol: Protocol, Node: "n.shk_x", Address: "runner-n.shk_x-inc_12345678", Server: "web-other-inc_1", Queue: "queue", Version: "v9.9"})
}

func page(status int, header ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte("<h1>Welcome to our web server</h1>"))
	}
}

func TestANodeSaysWhatIsWrongWithWhoeverAnswers(t *testing.T) {
	key, _, _ := NewKey()
	future := &Control{}
	unknownField(future)
	for _, c := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request)
		goesOn bool // else the node ends
		want   []string
	}{
		{"a plain page", page(200), false, []string{"no SHARPIE server at http://", "200 OK"}},
		{"a page that is not there", page(404), false, []string{"no SHARPIE server at http://", "404 Not Found"}},
		{"a log-in", page(302, "Location", "https://sso.example/login?next=x"), false, []string{"https://sso.example/login: something", "/lab/runner/connect"}},
		{"http to https", page(301, "Location", "https://lab.example/lab"+Path), false, []string{"--join https://lab.example/lab\n"}},
		{"a redirect to nowhere", page(301), false, []string{"301", "does not say where to"}},
		{"http to a port of TLS", page(400), true, []string{"400 Bad Request", "https:// instead of http://"}},
		{"a proxy's password", page(401), true, []string{"401 Unauthorized"}},
		{"a proxy's refusal", page(403), true, []string{"403 Forbidden"}},
		{"a server that is away", page(502), true, []string{"502 Bad Gateway"}},
		{"no WebSockets", page(426, CodeHeader, NoUpgrade), false, []string{"Upgrade and Connection"}},
		{"an old server", page(426, CodeHeader, "1"), false, []string{"Welcome to our web server", "This node is sharpie v1.2"}},
		{"another subprotocol", socket("chat.v1", func(*websocket.Conn) {}), false, []string{"not as a SHARPIE server of this version (v1.2)"}},
		{"no subprotocol", socket("", func(*websocket.Conn) {}), false, []string{"does not speak " + Subprotocol}},
		{"garbage", socket(Subprotocol, func(c *websocket.Conn) {
			_ = c.WriteMessage(websocket.BinaryMessage, []byte(strings.Repeat("garbage ", 10)))
			_, _, _ = c.ReadMessage()
			_, _, _ = c.ReadMessage()
		}), false, []string{"of no tunnel"}},
		{"text", socket(Subprotocol, func(c *websocket.Conn) {
			_ = c.WriteMessage(websocket.TextMessage, []byte("Hello, browser"))
			_, _, _ = c.ReadMessage()
		}), true, []string{"ended the connection"}},
		{"silence", socket(Subprotocol, func(c *websocket.Conn) {
			for {
				if _, _, err := c.ReadMessage(); err != nil {
					return
				}
			}
		}), true, []string{"did not greet the node within 5s"}},
		{"an end at once", socket(Subprotocol, func(*websocket.Conn) {}), true, []string{"connection"}},
		{"another protocol", greeter(welcome(&Welcome{Protocol: 99, Version: "v9.9"})), false, []string{"sharpie v9.9", "version 99", "sharpie v1.2", "version 1"}},
		{"no greeting", greeter(beat(&Beat{})), false, []string{"did not greet", "sharpie v1.2"}},
		{"half a greeting", greeter(welcome(&Welcome{Protocol: Protocol, Version: "v9.9"})), false, []string{"incomplete", "v9.9", "v1.2"}},
		{"a greeting of the future", greeter(future), false, []string{"did not greet", "sharpie v1.2"}},
		{"a message of the future", greeter(welcome(greeting()), future), false, []string{"not known here", "sharpie v1.2", "sharpie v9.9"}},
		{"a greeting out of place", greeter(welcome(greeting()), welcome(greeting())), false, []string{"wrong time", "v1.2", "v9.9"}},
		{"fields of the future", greeter(unknownField(welcome(greeting()))), true, []string{"joined", "server_version=v9.9"}},
		{"a goodbye of the future", greeter(goodbye(&End{"tea_time", "The server has tea."})), true, []string{"The server has tea."}},
		{"a goodbye without a word", greeter(goodbye(&End{})), true, []string{"gave no reason"}},
		{"no room", greeter(goodbye(&End{"full", "The server has 1000 runner nodes already."})), true, []string{"1000 runner nodes"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newOtherServer(t, c.answer)
			node := startNode(t, JoinConfig{URL: s.web.URL + "/lab", Key: key, Name: "n", Version: "v1.2"})
			said := func() bool {
				for _, w := range c.want {
					if !strings.Contains(node.log.String(), w) {
						return false
					}
				}
				return true
			}
			joined := c.want[0] == "joined"
			if c.goesOn {
				eventually(t, "the node says "+strings.Join(c.want, ", ")+"\n"+node.log.String(), func() bool { return said() && (joined || len(s.tries()) > 1) })
				node.signal(syscall.SIGTERM)
				if code := node.ended(patience); code != 0 {
					t.Errorf("exit code %d after SIGTERM", code)
				}
			} else if code := node.ended(patience); code != 1 || !said() {
				t.Errorf("exit code %d, and it does not say %q, but:\n%s", code, c.want, node.log.String())
			}
			if strings.Contains(node.log.String(), "panic") {
				t.Errorf("it panicked:\n%s", node.log.String())
			}
			if tries := s.tries(); len(tries) > 2 && tries[2].Sub(tries[0]) < firstWait {
				t.Errorf("three attempts within %s", tries[2].Sub(tries[0]))
			}
		})
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !is(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

func TestANodeOfAnotherMinorVersionPlays(t *testing.T) {
	p := newPlatform(t)
	startNode(t, JoinConfig{URL: p.url(), Key: p.keys.add("k-minor"), Name: "minor", Version: "v0.0.7-older"})
	if e := p.wait("minor", Joined, patience); e.Node.Version != "v0.0.7-older" {
		t.Errorf("the node is of version %q", e.Node.Version)
	}
	_, runner := next[*messages.Offer](t, p.queue, patience)
	play(t, session(t, p, "lobby/s-minor"), runner, "s-minor", 20)
}

// A node of a newer version says more than the server knows: fields are passed over,
// messages end the connection with both versions in the reason.
func TestWhatANewerNodeSaysIsPassedOverOrEndsWithBothVersions(t *testing.T) {
	p := newPlatform(t)
	enter := func() *rogue {
		r := &rogue{t: t, p: p}
		r.dial(p.keys.add(persistence.NewID("k")))
		t.Cleanup(func() { _ = r.session.Close() })
		c, err := r.session.OpenStream()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte{kindControl})
		h := unknownField(&Hello{Protocol: Protocol, Name: "newer", Incarnation: persistence.NewID("inc"), Slots: 1, Version: "v9.9"})
		if err := writeControl(c, unknownField(hello(h))); err != nil {
			t.Fatal(err)
		}
		m, err := readControl(c)
		if err != nil || m.GetWelcome() == nil {
			t.Fatalf("greeting %v, error %v", m, err)
		}
		r.control, r.welcome = c, m.GetWelcome()
		return r
	}
	r := enter()
	if err := writeControl(r.control, unknownField(beat(unknownField(&Beat{Number: 1})))); err != nil {
		t.Fatal(err)
	}
	if m, err := readControl(r.control); err != nil || m.GetBeat() == nil {
		t.Errorf("after fields that it does not know the server says %v, error %v", m, err)
	}
	future := unknownField(&Control{})
	if err := writeControl(r.control, future); err != nil {
		t.Fatal(err)
	}
	var said string
	for said == "" {
		m, err := readControl(r.control)
		if err != nil {
			t.Fatalf("the server left without a word: %v", err)
		}
		said = m.GetGoodbye().GetDetail()
	}
	for _, want := range []string{"not known here", "sharpie v9.9", "sharpie test"} {
		if !strings.Contains(said, want) {
			t.Errorf("the server says %q, and does not name %q", said, want)
		}
	}
	if why := r.cut(); why.Code != "breach" {
		t.Errorf("it was cut because %+v", why)
	}
}

func TestAnUnknownMessageOfANodeEndsWithBothVersions(t *testing.T) {
	p := newPlatform(t)
	r := newRogue(t, p)
	r.send(r.stream(), r.batch("queue", r.offer(), func(b *remote.MessageBatch) { b.TypeNames[0] = "sharpie.runner.v2.Future" }))
	if why := r.cut(); !strings.Contains(why.Detail, "sharpie.runner.v2.Future") || !strings.Contains(why.Detail, "The node is sharpie (unknown), the server sharpie test") {
		t.Errorf("it was cut because %+v", why)
	}
}
