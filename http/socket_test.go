package http_test

import (
	"context"
	"errors"
	"fmt"
	nethttp "net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"sharpie/actors"
	"sharpie/actors/play"
	"sharpie/http"
)

// wire is a browser's end of a socket.
type wire struct {
	t    *testing.T
	conn *websocket.Conn
}

// dial opens a socket as a page of the site does; headers change that.
func (b *browser) dial(path string, headers ...string) (*wire, *nethttp.Response, error) {
	h := nethttp.Header{"Origin": {b.s.url}}
	u, _ := url.Parse(b.s.url)
	for _, c := range b.client.Jar.Cookies(u) {
		h.Add("Cookie", c.Name+"="+c.Value)
	}
	for i := 0; i < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			h.Del(headers[i])
		}
	}
	conn, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(b.s.url, "http")+path, h)
	if err != nil {
		return nil, res, err
	}
	b.s.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(15 * time.Second))
	return &wire{b.s.t, conn}, res, nil
}

func (b *browser) mustDial(path string) *wire {
	b.s.t.Helper()
	w, _, err := b.dial(path)
	if err != nil {
		b.s.t.Fatal(err)
	}
	return w
}

func (w *wire) send(kind int, message []byte) {
	w.t.Helper()
	if err := w.conn.WriteMessage(kind, message); err != nil {
		w.t.Fatal(err)
	}
}

// closed reads until the close frame and wants its code and, in its text, text.
func (w *wire) closed(code int, text string) {
	w.t.Helper()
	for {
		_, _, err := w.conn.ReadMessage()
		if err == nil {
			continue
		}
		var end *websocket.CloseError
		if !errors.As(err, &end) {
			w.t.Errorf("the socket ended with %v, want close code %d", err, code)
			return
		}
		if end.Code != code || !strings.Contains(end.Text, text) {
			w.t.Errorf("closed with %d %q, want %d and %q", end.Code, end.Text, code, text)
		}
		if len(end.Text) > 123 {
			w.t.Errorf("close text of %d bytes, at most 123 fit", len(end.Text))
		}
		return
	}
}

// seated is someone who sits in a session with an open socket.
func (s *site) seated(name string) (*browser, string, *wire, *fakeConnection) {
	s.t.Helper()
	b := s.browser().register(name)
	at := b.join("mountain-car")
	w := b.mustDial(at + "/socket")
	return b, at, w, s.attached()
}

func (s *site) attached() *fakeConnection {
	s.t.Helper()
	select {
	case c := <-s.platform.attached:
		return c
	case <-time.After(10 * time.Second):
		s.t.Fatal("the socket did not reach the actors")
		return nil
	}
}

func within[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatalf("%s did not happen", what)
		panic("unreachable")
	}
}

func TestSocketCarriesMessagesBothWays(t *testing.T) {
	s := newSite(t)
	_, _, w, seat := s.seated("Ada")
	for _, size := range []int{1, 125, 126, 5000, 16 << 10} {
		sent := []byte(strings.Repeat("i", size))
		w.send(websocket.BinaryMessage, sent)
		if got := within(t, "an input", seat.in); !cmp.Equal(got, sent) {
			t.Errorf("the actors got %d bytes, want %d", len(got), size)
		}
	}
	for _, size := range []int{0, 1, 2000, 40_000, 300_000} {
		shared := []byte(strings.Repeat("f", size))
		seat.out <- actors.Outgoing{Shared: shared, Own: []byte("own")}
		kind, got, err := w.conn.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		if want := string(shared) + "own"; kind != websocket.BinaryMessage || string(got) != want {
			t.Errorf("the browser got %d bytes of kind %d, want one binary message of %d", len(got), kind, len(want))
		}
	}
	_ = w.conn.Close()
	within(t, "detaching", seat.detached)
}

func TestSocketRefusesBeforeTheUpgrade(t *testing.T) {
	s := newSite(t)
	b := s.browser().register("Ada")
	at := b.join("mountain-car") + "/socket"
	for name, tc := range map[string]struct {
		headers []string
	}{
		"foreign origin":   {[]string{"Origin", "https://evil.example"}},
		"opaque origin":    {[]string{"Origin", "null"}},
		"no origin":        {[]string{"Origin", ""}},
		"our host as user": {[]string{"Origin", "http://" + s.host + "@evil.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{at, "/check/socket"} {
				_, res, err := b.dial(path, tc.headers...)
				if err == nil || res == nil || res.StatusCode != 403 {
					t.Errorf("%s: %v, %v; want 403", path, res, err)
				}
			}
		})
	}
	b.get(at).wants(t, 426, "play page")
	if !strings.Contains(s.log.String(), "foreign origin") {
		t.Error("the refusal is not in the log")
	}
}

func TestSocketOfThePublicAddressIsOurs(t *testing.T) {
	s := newSite(t, func(c *http.Config) { c.PublicURL = "http://lab.example" })
	b := s.browser().register("Ada")
	at := b.join("mountain-car") + "/socket"
	if _, _, err := b.dial(at, "Origin", "http://lab.example"); err != nil {
		t.Errorf("behind a proxy that renames the host: %v", err)
	}
}

func TestSocketRefusesWithACode(t *testing.T) {
	s := newSite(t)
	ada := s.browser().register("Ada")
	at := ada.join("mountain-car")
	eve := s.browser().register("Eve")

	stale := s.browser().register("Ida")
	staleAt := stale.join("mountain-car")
	cookie := stale.loginCookie()
	stale.post("/logout", nil)

	overAt := eve.join("simple-tag")
	s.platform.setPhase(sessionOf(overAt), "completed")

	for name, tc := range map[string]struct {
		b       *browser
		path    string
		headers []string
		code    int
		text    string
	}{
		"no cookie":        {s.browser(), at, nil, 4002, "log in"},
		"stale cookie":     {stale, staleAt, []string{"Cookie", cookie.Name + "=" + cookie.Value}, 4002, "log in"},
		"made-up cookie":   {s.browser(), at, []string{"Cookie", cookie.Name + "=" + strings.Repeat("A", 42) + "E"}, 4002, "log in"},
		"broken cookie":    {s.browser(), at, []string{"Cookie", cookie.Name + "=x"}, 4002, "log in"},
		"someone else's":   {eve, at, nil, 4004, ""}, // the fake's session is in no store
		"session over":     {eve, overAt, nil, 4004, "over"},
		"unknown session":  {ada, "/s/session_nothing", nil, 4004, ""},
		"nonsense session": {ada, "/s/" + strings.Repeat("x", 200), nil, 4004, "over"},
	} {
		t.Run(name, func(t *testing.T) {
			w, _, err := tc.b.dial(tc.path+"/socket", tc.headers...)
			if err != nil {
				t.Fatal(err)
			}
			w.closed(tc.code, tc.text)
		})
	}
}

func TestSocketOfASeatThatIsNotYours(t *testing.T) {
	s := newSite(t)
	ada := s.browser().register("Ada")
	at := ada.join("mountain-car")
	s.storeSession(at, "mountain-car")
	never := s.browser().register("Eve") // never joined the experiment
	never.mustDial(at+"/socket").closed(4003, "no seat")
	other := s.browser().register("Ida") // sits in another session of it
	other.join("mountain-car")
	other.mustDial(at+"/socket").closed(4003, "no seat")
	other.get(at).wants(t, 403, "no seat")
	other.get(at+"/thanks").wants(t, 403, "no seat")
	other.post(at+"/leave", nil).wants(t, 403, "no seat")
	if !strings.Contains(s.log.String(), "code=4003") {
		t.Error("the refusal is not in the log")
	}
}

func TestSocketEndsOnMessagesThatBreakTheRules(t *testing.T) {
	s := newSite(t)
	b, at, _, _ := s.seated("Ada")
	t.Run("too large", func(t *testing.T) {
		w := b.mustDial(at + "/socket")
		s.attached()
		w.send(websocket.BinaryMessage, make([]byte, 16<<10+1))
		w.closed(4005, "at most 16384 bytes")
	})
	t.Run("far too large", func(t *testing.T) {
		w := b.mustDial(at + "/socket")
		s.attached()
		w.send(websocket.BinaryMessage, make([]byte, 2<<20))
		w.closed(4005, "at most 16384 bytes")
	})
	t.Run("text", func(t *testing.T) {
		w := b.mustDial(at + "/socket")
		s.attached()
		w.send(websocket.TextMessage, []byte("left"))
		w.closed(4006, "binary")
	})
	t.Run("refused by the actors", func(t *testing.T) {
		w := b.mustDial(at + "/socket")
		seat := s.attached()
		seat.mu.Lock()
		seat.refuse = fmt.Errorf("input: %w", &actors.Close{Code: 4007, Text: "Too many inputs."})
		seat.mu.Unlock()
		w.send(websocket.BinaryMessage, []byte("x"))
		w.closed(4007, "Too many inputs.")
		within(t, "detaching", seat.detached)
	})
}

func TestSocketClosedByTheActorsAfterTheLastMessage(t *testing.T) {
	s := newSite(t)
	_, _, w, seat := s.seated("Ada")
	seat.out <- actors.Outgoing{Own: []byte("last")}
	seat.out <- &actors.Close{Code: 4001, Text: strings.Repeat("ü", 100)}
	if _, got, err := w.conn.ReadMessage(); err != nil || string(got) != "last" {
		t.Errorf("got %q, %v; want the message before the close", got, err)
	}
	w.closed(4001, strings.Repeat("ü", 61))
	within(t, "detaching", seat.detached)
}

func TestSocketThatSaysNothingIsDropped(t *testing.T) {
	s := newSite(t, func(c *http.Config) { c.Limits.Silence = 150 * time.Millisecond })
	_, _, w, seat := s.seated("Ada")
	within(t, "dropping a silent socket", seat.detached)
	_ = w
}

func TestSocketOfABrowserThatReadsNothingIsDropped(t *testing.T) {
	s := newSite(t, func(c *http.Config) { c.Limits.Write = 200 * time.Millisecond })
	_, _, _, seat := s.seated("Ada")
	big := make([]byte, 1<<20)
	for {
		select {
		case seat.out <- actors.Outgoing{Shared: big}:
		case <-seat.detached:
			return
		case <-time.After(10 * time.Second):
			t.Fatal("a browser that reads nothing holds its seat's writer for ever")
		}
	}
}

func TestSocketSurvivesAPanicOfTheActors(t *testing.T) {
	s := newSite(t)
	b := s.browser().register("Ada")
	at := b.join("mountain-car")
	s.platform.panics = true
	b.mustDial(at+"/socket").closed(1011, "our fault")
	s.platform.panics = false
	for _, cause := range []any{"a panic of Next", "a panic of Receive"} {
		w := b.mustDial(at + "/socket")
		seat := s.attached()
		if cause == "a panic of Next" {
			seat.out <- cause // is neither a message nor a close
		} else {
			close(seat.in)
			w.send(websocket.BinaryMessage, []byte("x"))
		}
		w.closed(1011, "our fault")
		within(t, "detaching", seat.detached)
	}
	if !strings.Contains(s.log.String(), "a fault in the actors") {
		t.Error("the panic is not in the log")
	}
	b.get("/").wants(t, 200)
}

func TestShutdownClosesSockets(t *testing.T) {
	s := newSite(t)
	_, _, w, seat := s.seated("Ada")
	check := s.browser().mustDial("/check/socket")
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		done <- s.server.Shutdown(ctx)
	}()
	w.closed(1001, "stopping")
	check.closed(1001, "stopping")
	within(t, "detaching", seat.detached)
	if err := within(t, "the shutdown", done); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

func TestSocketsAreBounded(t *testing.T) {
	s := newSite(t, func(c *http.Config) { c.Limits.Sockets = 1 })
	b, at, _, _ := s.seated("Ada")
	b.mustDial(at+"/socket").closed(1013, "Very many people")
}

func ping(id uint64) []byte {
	b, err := proto.Marshal(&play.ClientMessage{Kind: &play.ClientMessage_Ping{Ping: &play.Ping{Id: id, ClientTimeUs: 7}}})
	if err != nil {
		panic(err)
	}
	return b
}

func TestConnectionCheckAnswersPing(t *testing.T) {
	s := newSite(t)
	w := s.browser().mustDial("/check/socket")
	for id := range uint64(3) {
		w.send(websocket.BinaryMessage, ping(id))
		_, got, err := w.conn.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		var m play.ServerMessage
		if err := proto.Unmarshal(got, &m); err != nil {
			t.Fatal(err)
		}
		if p := m.GetPong(); p.GetId() != id || p.GetClientTimeUs() != 7 || p.GetServerTimeUs() != s.clock.now().UnixMicro() {
			t.Errorf("pong %v, want id %d, client time 7, and the server's time", p, id)
		}
	}
}

func TestConnectionCheckRefuses(t *testing.T) {
	s := newSite(t, func(c *http.Config) { c.Limits.Check = 300 * time.Millisecond })
	t.Run("other messages", func(t *testing.T) {
		w := s.browser().mustDial("/check/socket")
		b, err := proto.Marshal(&play.ClientMessage{Kind: &play.ClientMessage_Leave{Leave: &play.Leave{}}})
		if err != nil {
			t.Fatal(err)
		}
		w.send(websocket.BinaryMessage, b)
		w.closed(4006, "Only Ping")
	})
	t.Run("nonsense", func(t *testing.T) {
		w := s.browser().mustDial("/check/socket")
		w.send(websocket.BinaryMessage, []byte{0xff, 0xff})
		w.closed(4006, "Only Ping")
	})
	t.Run("too long", func(t *testing.T) {
		s.browser().mustDial("/check/socket").closed(1000, "over")
	})
	t.Run("too many", func(t *testing.T) {
		w := s.browser().mustDial("/check/socket")
		for id := range uint64(101) {
			w.send(websocket.BinaryMessage, ping(id))
		}
		w.closed(4007, "enough")
	})
}
