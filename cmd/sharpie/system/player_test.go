package system

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"google.golang.org/protobuf/proto"

	"sharpie/actors/play"
	"sharpie/cmd/sharpie/internal/client"
)

// player is a person's play page: it reads everything, and presses keys.
type player struct {
	t    testing.TB
	who  string
	at   string // "/s/ID"
	conn *websocket.Conn
	news chan struct{} // has room for one token: something was read

	writing sync.Mutex
	seq     uint64

	mu   sync.Mutex
	seen view

	diary *diary        // of the session; nil: nobody keeps one
	visit visit         // which connection this is, in the diary
	over  chan struct{} // closed at the end of the connection
}

// view is what a player has seen so far.
type view struct {
	welcome   *play.Welcome
	phase     *play.Phase
	phases    []play.Phase_Name
	frames    int
	frame     *play.Frame
	at        time.Time     // of the newest frame
	longest   time.Duration // without a frame, since the first or since forget
	used      uint64        // newest input that a step has used
	notices   []*play.Notice
	end       *play.End
	closed    bool
	code      int    // of the close frame; 1006 without one
	closeText string // of the close frame
}

// play opens the page's socket.
func (p *person) play(at string) *player {
	p.t.Helper()
	pl, err := p.tryPlay(at, nil)
	if err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	return pl
}

func (p *person) tryPlay(at string, dialer *websocket.Dialer) (*player, error) {
	return p.tryPlayFor(at, dialer, nil)
}

// tryPlayFor writes everything into a diary besides.
func (p *person) tryPlayFor(at string, dialer *websocket.Dialer, d *diary) (*player, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	if dialer == nil && p.server.trust != nil {
		dialer = &websocket.Dialer{HandshakeTimeout: patience, TLSClientConfig: p.server.trust}
	}
	which := visit{life: p.server.life()}
	conn, _, err := client.DialFrom(ctx, p.server.base, at+"/socket", p.browser.Cookies(), p.server.base, dialer)
	if err != nil {
		return nil, err
	}
	if p.server.life() != which.life {
		_ = conn.NetConn().Close()
		return nil, errors.New("the server was started anew meanwhile")
	}
	which.number = d.opened()
	pl := &player{t: p.t, who: p.name, at: at, conn: conn, news: make(chan struct{}, 1), diary: d, visit: which, over: make(chan struct{})}
	p.t.Cleanup(pl.drop)
	go pl.read()
	return pl, nil
}

func (pl *player) read() {
	defer close(pl.over)
	for {
		kind, data, err := pl.conn.ReadMessage()
		pl.mu.Lock()
		if err != nil {
			pl.seen.closed, pl.seen.code = true, websocket.CloseAbnormalClosure
			var end *websocket.CloseError
			if errors.As(err, &end) {
				pl.seen.code, pl.seen.closeText = end.Code, end.Text
			}
			pl.mu.Unlock()
			pl.tell()
			return
		}
		var m play.ServerMessage
		if err := proto.Unmarshal(data, &m); err != nil || kind != websocket.BinaryMessage {
			pl.t.Errorf("%s got a message of kind %d that is not sharpie.v1: %v", pl.who, kind, err)
		}
		now := time.Now()
		pl.seen.take(&m, now)
		pl.diary.read(pl.visit, &m, now)
		pl.mu.Unlock()
		pl.tell()
	}
}

func (v *view) take(m *play.ServerMessage, now time.Time) {
	v.used = max(v.used, m.GetInputSeq())
	switch k := m.GetKind().(type) {
	case *play.ServerMessage_Welcome:
		v.welcome = k.Welcome
	case *play.ServerMessage_Phase:
		if v.phase.GetName() != k.Phase.GetName() {
			v.phases = append(v.phases, k.Phase.GetName())
		}
		v.phase = k.Phase
	case *play.ServerMessage_Frame:
		if v.frame != nil {
			v.longest = max(v.longest, now.Sub(v.at))
		}
		v.frame, v.at = k.Frame, now
		v.frames++
	case *play.ServerMessage_Notice:
		v.notices = append(v.notices, k.Notice)
	case *play.ServerMessage_End:
		v.end = k.End
	}
}

func (pl *player) tell() {
	select {
	case pl.news <- struct{}{}:
	default:
	}
}

// now is what the player has seen until now.
func (pl *player) now() view {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	return pl.seen
}

// forget begins to measure the longest wait for a frame anew.
func (pl *player) forget() view {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	pl.seen.longest = 0
	return pl.seen
}

// until waits until the player has seen something.
func (pl *player) until(what string, is func(view) bool) view {
	pl.t.Helper()
	limit := time.After(patience)
	for {
		v := pl.now()
		if is(v) {
			return v
		}
		select {
		case <-pl.news:
		case <-limit:
			pl.t.Fatalf("%s did not see this within %s: %s; they saw phases %v, %d frames, %q, notices %v, end %v, close %d %q", pl.who, patience, what,
				v.phases, v.frames, v.phase.GetReason(), v.notices, v.end, v.code, v.closeText)
		}
	}
}

// frames waits for n more frames.
func (pl *player) frames(n int) view {
	pl.t.Helper()
	want := pl.now().frames + n
	return pl.until(fmt.Sprintf("%d more frames", n), func(v view) bool { return v.frames >= want })
}

func (pl *player) phase(name play.Phase_Name) view {
	pl.t.Helper()
	return pl.until("phase "+name.String(), func(v view) bool { return v.phase.GetName() == name })
}

func (pl *player) closed() view {
	pl.t.Helper()
	return pl.until("the end of the connection", func(v view) bool { return v.closed })
}

// closedWith wants the close code that PROTOCOL.md names.
func (pl *player) closedWith(code int) view {
	pl.t.Helper()
	v := pl.closed()
	if v.code != code {
		pl.t.Errorf("%s's connection was closed with %d %q, want %d", pl.who, v.code, v.closeText, code)
	}
	return v
}

// other waits until the seat of the other one has a state.
func (pl *player) other(state play.Seat_State) view {
	pl.t.Helper()
	return pl.until("the other's seat "+state.String(), func(v view) bool {
		for _, s := range v.phase.GetSeats() {
			if !s.GetYours() && s.GetState() == state {
				return true
			}
		}
		return false
	})
}

func (pl *player) write(kind int, data []byte) error {
	pl.writing.Lock()
	defer pl.writing.Unlock()
	_ = pl.conn.SetWriteDeadline(time.Now().Add(patience)) // WriteMessage says what is wrong
	return pl.conn.WriteMessage(kind, data)
}

func (pl *player) send(m *play.ClientMessage) error {
	data, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	return pl.write(websocket.BinaryMessage, data)
}

// press holds these keys from now on.
func (pl *player) press(keys ...string) error {
	v := pl.now()
	pl.writing.Lock()
	pl.seq = max(pl.seq+1, v.welcome.GetNextSeq())
	seq := pl.seq
	in := &play.Input{Seq: seq, StepSeen: v.frame.GetStep(), Episode: v.frame.GetEpisode(), Keys: keys, ClientTimeUs: time.Now().UnixMicro()}
	pl.diary.pressed(pl.visit, in)
	pl.writing.Unlock()
	return pl.send(&play.ClientMessage{Kind: &play.ClientMessage_Input{Input: in}})
}

var arrows = []string{"ArrowLeft", "ArrowRight", "ArrowDown", "ArrowUp"}

// pressOn presses another key ten times a second until the context or the connection
// ends.
func (pl *player) pressOn(ctx context.Context) {
	go func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if pl.press(arrows[i%len(arrows)]) != nil {
				return
			}
		}
	}()
}

// drop ends the connection as a lost network does.
func (pl *player) drop() { _ = pl.conn.NetConn().Close() }

// together lets people take seats of one experiment in turn and waits until
// everybody sees frames.
func together(link string, people ...*person) []*player {
	players := make([]*player, len(people))
	for i, p := range people {
		p.t.Helper()
		players[i] = p.play(p.join(link))
	}
	for _, pl := range players {
		pl.t.Helper()
		pl.frames(3)
	}
	return players
}
