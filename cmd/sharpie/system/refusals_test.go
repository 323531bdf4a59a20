package system

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"google.golang.org/protobuf/encoding/protowire"

	"sharpie/actors/play"
	"sharpie/cmd/sharpie/internal/client"
)

func TestASocketThatIsNotYoursIsRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, "", []study{{link: "solo", seats: 1}})
	people := s.registerAll("Ada", "Eve", "Ida")
	ada, eve, ida := people[0], people[1], people[2]
	playing := together("solo", ada)[0]
	at := playing.at + "/socket"
	ida.join("solo") // has a seat, but in another session
	stale := ada.browser.Cookies()
	gone := s.visitor()
	gone.name = "Ada at another computer"
	gone.submit("/login", gone.get("/login"), map[string][]string{"name": {"Ada"}, "password": {password}})
	loggedOut := gone.browser.Cookies()
	gone.submit("/logout", gone.get("/"), nil)
	forged := "sharpie-login=" + strings.Repeat("A", 42) + "E"

	for _, test := range []struct {
		name, path, cookies string
		code                int
	}{
		{"no cookie", at, "", 4002},
		{"a cookie that was logged out", at, loggedOut, 4002},
		{"a forged cookie", at, forged, 4002},
		{"a broken cookie", at, "sharpie-login=x", 4002},
		{"someone else's session, never joined", at, eve.browser.Cookies(), 4003},
		{"someone else's session, with a seat elsewhere", at, ida.browser.Cookies(), 4003},
		{"unknown session", "/s/s_06h0g94ma5r436u7e7lmr78fbo/socket", ada.browser.Cookies(), 4004},
		{"nonsense for a session", "/s/" + strings.Repeat("x", 300) + "/socket", ada.browser.Cookies(), 4004},
	} {
		t.Run(test.name, func(t *testing.T) {
			logged := s.log.mark()
			conn, _, err := client.Dial(t.Context(), s.base, test.path, test.cookies)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			refusedWith(t, conn, test.code)
			s.loggedSince(logged, "socket refused", code(test.code))
		})
	}
	for _, origin := range []string{"https://evil.example", "null", "", s.base + ".evil.example", "http://127.0.0.1:1"} {
		t.Run("from a page of "+origin, func(t *testing.T) {
			logged := s.log.mark()
			conn, res, err := client.DialFrom(t.Context(), s.base, at, stale, origin, nil)
			if err == nil {
				conn.Close()
				t.Fatal("the socket was upgraded")
			}
			if res == nil || res.StatusCode != http.StatusForbidden {
				t.Fatalf("refused with %v (%v), want 403", res, err)
			}
			s.loggedSince(logged, "status=403", "foreign origin")
		})
	}
	if v := playing.frames(3); v.closed || len(v.notices) > 0 {
		t.Errorf("the one who plays noticed it: %v", v)
	}
}

// refusedWith reads until the close frame; the refused one must be told nothing.
func refusedWith(t *testing.T, conn *websocket.Conn, want int) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(patience)) // ReadMessage says what is wrong
	_, data, err := conn.ReadMessage()
	if err == nil {
		t.Fatalf("a socket that should be refused was told %d bytes", len(data))
	}
	if !websocket.IsCloseError(err, want) {
		t.Errorf("refused with %v, want close code %d", err, want)
	}
}

func TestASocketThatBreaksTheRulesIsClosed(t *testing.T) {
	t.Parallel()
	s := serve(t, "", []study{{link: "solo", seats: 1}})
	ada := s.register("Ada")
	at := ada.join("solo")
	inputOf := func(extra []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), extra)
	}
	for _, test := range []struct {
		name string
		kind int
		data []byte
		code int
	}{
		{"too large", websocket.BinaryMessage, make([]byte, 16<<10+1), 4005},
		{"far too large", websocket.BinaryMessage, make([]byte, 8<<20), 4005},
		{"no protobuf", websocket.BinaryMessage, []byte("\xff\xff\xff\xff\xff"), 4006},
		{"cut short", websocket.BinaryMessage, []byte{0x0a, 0x27, 0x08}, 4006},
		{"keys that are no text", websocket.BinaryMessage, inputOf([]byte{0x08, 1, 0x1a, 2, 0xff, 0xfe}), 4006},
		{"empty", websocket.BinaryMessage, nil, 4006},
		{"unknown kind", websocket.BinaryMessage, protowire.AppendBytes(protowire.AppendTag(nil, 99, protowire.BytesType), nil), 4006},
		{"a server's message", websocket.BinaryMessage, protowire.AppendBytes(protowire.AppendTag(nil, 7, protowire.BytesType), []byte{8, 1}), 4006},
		{"text", websocket.TextMessage, []byte(`{"input":{"keys":["ArrowLeft"]}}`), 4006},
	} {
		t.Run(test.name, func(t *testing.T) {
			logged := s.log.mark()
			pl := ada.play(at)
			pl.frames(1)
			// A message that is refused in the middle may end the connection under the writer.
			if err := pl.write(test.kind, test.data); err != nil && len(test.data) < 1<<20 {
				t.Fatal(err)
			}
			pl.closedWith(test.code)
			s.loggedSince(logged, "socket closed", code(test.code))
		})
	}
	ada.play(at).frames(3) // whoever comes back properly goes on
}

func TestInputsThatDoNotCountAreAnsweredWithANotice(t *testing.T) {
	t.Parallel()
	s := serve(t, "", []study{{link: "solo", seats: 1}, {link: "flood", seats: 1}})
	people := s.registerAll("Ada", "Ben")
	t.Run("unknown key", func(t *testing.T) {
		pl := together("solo", people[0])[0]
		logged := s.log.mark()
		if err := pl.press("F13"); err != nil {
			t.Fatal(err)
		}
		notified(pl, "unknown_key")
		s.loggedSince(logged, "input refused", "unknown_key")
		if err := pl.press("ArrowLeft"); err != nil {
			t.Fatal(err)
		}
		pl.until("that a proper key counts again", func(v view) bool { return v.used >= 2 })
	})
	t.Run("too many", func(t *testing.T) {
		pl := together("flood", people[1])[0]
		logged := s.log.mark()
		// One and a half seconds' worth at once, and then in peace.
		for range 180 {
			if err := pl.press("ArrowLeft"); err != nil {
				t.Fatal(err)
			}
		}
		v := notified(pl, "too_many_inputs")
		s.loggedSince(logged, "input refused", "too_many_inputs")
		if v.closed {
			t.Fatal("a short burst ended the connection")
		}
		pl.frames(fullRate)
		if err := pl.press("ArrowRight"); err != nil {
			t.Fatal(err)
		}
		sent := pl.seq
		pl.until("that an input after the burst counts", func(v view) bool { return v.used >= sent })
		logged = s.log.mark()
		for pl.press("ArrowLeft") == nil { // until the server has had enough
		}
		pl.closedWith(4007)
		s.loggedSince(logged, "socket closed", code(4007))
	})
}

// notified waits for a notice.
func notified(pl *player, code string) view {
	pl.t.Helper()
	return pl.until("the notice "+code, func(v view) bool {
		for _, n := range v.notices {
			if n.GetCode() == code && n.GetText() != "" {
				return true
			}
		}
		return false
	})
}

func TestTheNewestTabWins(t *testing.T) {
	t.Parallel()
	s := serve(t, "", []study{{link: "pair", seats: 2}})
	people := s.registerAll("Ada", "Ben")
	players := together("pair", people...)
	first, ben := players[0], players[1]
	for i := range 5 {
		if err := first.press(arrows[i%4]); err != nil {
			t.Fatal(err)
		}
	}
	first.until("that five inputs count", func(v view) bool { return v.used == 5 })
	second := people[0].play(first.at)
	if v := first.closedWith(4001); v.end.GetCode() != "replaced" || v.end.GetNext() != "" {
		t.Errorf("the older tab was told %v, want replaced, and no page to go to", v.end)
	}
	v := second.frames(3)
	if v.welcome.GetNextSeq() != 6 || v.welcome.GetRole() != first.now().welcome.GetRole() {
		t.Errorf("the newer tab got role %q and begins with input %d, want %q and 6", v.welcome.GetRole(), v.welcome.GetNextSeq(), first.now().welcome.GetRole())
	}
	if v := ben.frames(3); v.phase.GetName() != play.Phase_RUNNING {
		t.Errorf("the partner's session went to %s because of a second tab", v.phase.GetName())
	}
}
