package actors

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"sharpie/actors/messages"
	"sharpie/actors/play"
)

func testConnection() *connection {
	return &connection{limits: Limits{}.withDefaults(), wake: make(chan struct{}, 1), metrics: newMetrics(nil, &counts{}), log: slog.New(slog.DiscardHandler)}
}

// drained is everything that a connection has to send.
func drained(t *testing.T, c *connection) (out []string, end error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for {
		o, err := c.Next(ctx)
		if err != nil {
			return out, err
		}
		out = append(out, string(o.Shared)+string(o.Own))
	}
}

// What was said first is sent first; of pictures, phases and statuses only the
// newest is sent.
func TestConnectionOrder(t *testing.T) {
	c := testConnection()
	c.send([]byte("welcome"))
	c.show(lanePhase, []byte("phase1"), 0)
	c.show(laneFrame, []byte("frame1"), 0)
	c.show(laneStatus, []byte("status1"), 0)
	c.send([]byte("pong"))
	c.show(laneFrame, []byte("frame2"), 0)
	c.show(lanePhase, []byte("phase2"), 0)
	got, err := drained(t, c)
	if want := []string{"welcome", "status1", "pong", "frame2", "phase2"}; !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("an empty connection returned %v", err)
	}
}

func TestConnectionEnd(t *testing.T) {
	c := testConnection()
	c.show(laneFrame, []byte("last"), 0)
	c.end([]byte("end"), Close{Code: closeNormal, Text: "over"})
	c.show(laneFrame, []byte("late"), 0)
	c.send([]byte("late"))
	c.end([]byte("second"), Close{Code: closeReplaced})
	got, err := drained(t, c)
	var cl *Close
	if want := []string{"last", "end"}; !slices.Equal(got, want) || !errors.As(err, &cl) || cl.Code != closeNormal {
		t.Errorf("sent %q and closed with %v, want %q and %d", got, err, want, closeNormal)
	}
}

// A socket that takes nothing is closed, and holds no more than its bounds.
func TestConnectionTooSlow(t *testing.T) {
	c := testConnection()
	for range 64 {
		c.send([]byte("notice"))
	}
	for range 1000 {
		c.show(laneFrame, []byte("frame"), 0)
	}
	if len(c.control) != 64 || c.closing != nil {
		t.Fatalf("64 messages fit: queue %d, closing %v", len(c.control), c.closing)
	}
	c.send([]byte("one too many"))
	got, err := drained(t, c)
	var cl *Close
	if len(got) != 0 || !errors.As(err, &cl) || cl.Code != closeTooSlow {
		t.Errorf("sent %d messages and closed with %v, want code %d at once", len(got), err, closeTooSlow)
	}
}

// The shared bytes and a participant's own make one message.
func TestFrameOnTheWire(t *testing.T) {
	for _, p := range []struct {
		episode      uint32
		step, seq    uint64
		offset       int64
		codec        messages.Codec
		bytesOfImage int
	}{{1, 0, 0, 0, messages.Codec_CODEC_PNG, 0}, {2, 300, 5, -1, messages.Codec_CODEC_JPEG, 1000}, {1, 1 << 40, 1 << 60, 1 << 40, messages.Codec_CODEC_SCENE, 70_000}} {
		data := []byte(strings.Repeat("x", p.bytesOfImage))
		b := encodeFrame(p.episode, p.step, p.offset, &messages.Picture{Codec: p.codec, Data: data})
		if cap(b) != len(b) {
			t.Errorf("encoding took %d bytes for a message of %d", cap(b), len(b))
		}
		var got play.ServerMessage
		if err := proto.Unmarshal(appendInputSeq(slices.Clip(b), p.seq), &got); err != nil {
			t.Fatal(err)
		}
		want := &play.ServerMessage{Kind: &play.ServerMessage_Frame{Frame: &play.Frame{Episode: p.episode, Step: p.step, Codec: play.Codec(p.codec), Data: data, RunnerOffsetUs: p.offset}}, InputSeq: p.seq}
		if !proto.Equal(want, &got) {
			t.Errorf("a frame of step %d came back as step %d, %d bytes, input_seq %d", p.step, got.GetFrame().GetStep(), len(got.GetFrame().GetData()), got.InputSeq)
		}
	}
}

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Limits{}.withDefaults(), time.Now())
		count := func(n int) (out [3]int) {
			for range n {
				out[l.take(time.Now())]++
			}
			return out
		}
		if got := count(200); got != [3]int{120, 80, 0} {
			t.Errorf("of 200 at once %v were allowed, refused, fatal; want 120, 80, 0", got)
		}
		wait(time.Second)
		if got := count(120); got != [3]int{120, 0, 0} {
			t.Errorf("a second later of 120 %v", got)
		}
		wait(2 * time.Second)
		if got := count(720); got != [3]int{120, 600, 0} {
			t.Errorf("a flood of 720: %v, want 600 refused", got)
		}
		if got := l.take(time.Now()); got != expel {
			t.Errorf("the 601st refusal: %v, want the end", got)
		}
		wait(2 * time.Second)
		if got := count(130); got != [3]int{120, 10, 0} {
			t.Errorf("after the flood: %v, want a fresh start", got)
		}
		for range 60 { // a little too much, for six seconds
			wait(100 * time.Millisecond)
			if l.take(time.Now()) == expel {
				t.Fatal("a moderate rate was fatal")
			}
			for range 12 {
				if l.take(time.Now()) == expel {
					return
				}
			}
		}
		t.Error("six seconds of too many inputs did no harm")
	})
}

// More than 120 inputs a second: refused, said, counted; a flood ends the socket.
func TestFlood(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		for range 150 {
			ann.seq++
			if err := ann.send(&play.ClientMessage{Kind: &play.ClientMessage_Input{Input: &play.Input{Seq: ann.seq, Keys: []string{"a"}}}}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := len(on(th.runner(), func(p *puppet) []*messages.Input { return p.inputs })); n != 120 {
			t.Errorf("of 150 inputs at once %d reached the runner, want 120", n)
		}
		if got := ann.notices(); !slices.Equal(got, []string{"too_many_inputs"}) {
			t.Errorf("notices %q, want one", got)
		}
		var err error
		for range 1000 {
			if err = ann.send(&play.ClientMessage{Kind: &play.ClientMessage_Ready{Ready: &play.Ready{}}}); err != nil {
				break
			}
		}
		var cl *Close
		if !errors.As(err, &cl) || cl.Code != closeFlood {
			t.Errorf("a flood ended with %v, want code %d", err, closeFlood)
		}
	})
}

func TestRefusedMessages(t *testing.T) {
	text := "hello"
	long := strings.Repeat("x", 3000)
	input := func(in *play.Input) []byte {
		b, err := proto.Marshal(&play.ClientMessage{Kind: &play.ClientMessage_Input{Input: in}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	tests := []struct {
		name   string
		text   bool // the seat takes text
		bytes  []byte
		notice string
		code   int
	}{
		{"a key outside the mapping", false, input(&play.Input{Seq: 1, Keys: []string{"a", "z"}}), "unknown_key", 0},
		{"a key twice", false, input(&play.Input{Seq: 1, Keys: []string{"a", "a"}}), "repeated_key", 0},
		{"text where there is none", false, input(&play.Input{Seq: 1, Text: &text}), "text_not_allowed", 0},
		{"too much text", true, input(&play.Input{Seq: 1, Text: &long}), "text_too_long", 0},
		{"no number", false, input(&play.Input{Keys: []string{"a"}}), "bad_seq", 0},
		{"a step in the future", false, input(&play.Input{Seq: 1, StepSeen: 99}), "unknown_step", 0},
		{"too large", false, make([]byte, 16<<10+1), "", closeTooLarge},
		{"not protobuf", false, []byte{0xff, 0xff}, "", closeMalformed},
		{"an unknown kind", false, []byte{0x7a, 0x00}, "", closeMalformed},
		{"empty", false, nil, "", closeMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inTheatre(t, 1, func(th *theatre) {
				d := definition(1)
				d.Agents[0].TextualInputs = tt.text
				ann := playing(th, d, "ann")[0]
				err := ann.conn.Receive(tt.bytes)
				synctest.Wait()
				if tt.code != 0 {
					var cl *Close
					if !errors.As(err, &cl) || cl.Code != tt.code || ann.closed == nil || ann.closed.Code != tt.code {
						t.Errorf("the socket ended with %v, want code %d", err, tt.code)
					}
					return
				}
				if err != nil || !slices.Equal(ann.notices(), []string{tt.notice}) {
					t.Errorf("got %v and notices %q, want %q", err, ann.notices(), tt.notice)
				}
				if n := len(on(th.runner(), func(p *puppet) []*messages.Input { return p.inputs })); n != 0 {
					t.Error("the refused input reached the runner")
				}
			})
		})
	}
}

// Inputs carry who, what, when and the clocks; repeated and old ones do not count.
func TestInput(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		d := definition(2)
		d.Agents[1].TextualInputs, d.Agents[1].MultipleKeyboardInputs = true, true
		bob := playing(th, d, "ann", "bob")[1]
		th.runner().advance(3)
		text := "hi"
		send := func(in *play.Input) {
			t.Helper()
			if err := bob.send(&play.ClientMessage{Kind: &play.ClientMessage_Input{Input: in}}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if err := bob.send(&play.ClientMessage{Kind: &play.ClientMessage_Ping{Ping: &play.Ping{Id: 9, ClientTimeUs: 5, OffsetUs: -77, RttUs: 1500}}}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if p := newest(bob, (*play.ServerMessage).GetPong); p.GetId() != 9 || p.GetClientTimeUs() != 5 || p.GetServerTimeUs() != time.Now().UnixMicro() {
			t.Errorf("pong %v", p)
		}
		send(&play.Input{Seq: 3, StepSeen: 2, Keys: []string{"b", "a"}, Text: &text, ClientTimeUs: 123, Episode: 1})
		send(&play.Input{Seq: 3, StepSeen: 3, Keys: []string{"a"}})
		send(&play.Input{Seq: 2, StepSeen: 3, Keys: []string{"a"}})
		send(&play.Input{Seq: 4, StepSeen: 3, Episode: 9})
		got := on(th.runner(), func(p *puppet) []*messages.Input { return p.inputs })
		want := &messages.Input{Role: 1, Seq: 3, StepSeen: 2, Keys: []string{"b", "a"}, Text: &text, ClientTimeUs: 123, ClientOffsetUs: -77, ServerReceivedUs: time.Now().UnixMicro()}
		if len(got) != 1 || !proto.Equal(got[0], want) {
			t.Errorf("the runner got %v, want only %v", got, want)
		}
		if v := th.view(bob.ticket.Session); v.Seats[1].RTT != 1500*time.Microsecond {
			t.Errorf("Admin shows a round trip of %v, want 1.5ms", v.Seats[1].RTT)
		}
	})
}

// A socket that reads nothing loses pictures, and nobody loses steps.
func TestSlowSocket(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		d := definition(2)
		ann, bob := th.come(d, "ann"), th.join(d, "bob")
		bob.idle()
		wait(4 * time.Second)
		r := th.runner()
		for range 100 {
			r.advance(1)
		}
		frames := 0
		for _, m := range ann.messages() {
			if m.GetFrame() != nil {
				frames++
			}
		}
		if frames != 101 {
			t.Errorf("ann got %d pictures, want 101", frames)
		}
		go bob.read(bob.conn)
		synctest.Wait()
		var steps []uint64
		for _, m := range bob.messages() {
			if f := m.GetFrame(); f != nil {
				steps = append(steps, f.GetStep())
			}
		}
		if !slices.Equal(steps, []uint64{100}) {
			t.Errorf("bob, who read nothing, then got the pictures of steps %v, want only 100", steps)
		}
		wait(2 * time.Second)
		e, _ := th.store.EpisodesOf(t.Context(), ann.ticket.Session)
		if n := len(th.store.steps(e[0].ID)); n != 101 {
			t.Errorf("%d steps are stored, want 101", n)
		}
	})
}

// A picture that did not change costs nothing, unless there is something to say.
func TestUnchangedPicture(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		r := th.runner()
		same := func(m *messages.Stepped) { m.Returns = []float64{0} }
		r.advance(1, same)
		wait(time.Millisecond)
		before := len(ann.messages())
		same = func(m *messages.Stepped) { m.Picture, m.Returns = nil, []float64{0} }
		r.advance(29, same)
		if n := len(ann.messages()) - before; n != 0 {
			t.Errorf("29 steps without a change cost %d messages, want 0", n)
		}
		r.advance(1, same, func(m *messages.Stepped) { m.InputSeqs = []uint64{4} })
		all := ann.messages()
		if last := all[len(all)-1]; len(all)-before != 1 || last.GetStatus().GetStep() != 31 || last.GetInputSeq() != 4 {
			t.Errorf("after an input was used the newest of %d messages is %v, want a Status of step 31 with input_seq 4", len(all)-before, last)
		}
		wait(time.Second)
		r.advance(30, same)
		if all := ann.messages(); len(all)-before != 2 || all[len(all)-1].GetStatus().GetStep() != 32 {
			t.Errorf("a picture that stood still for a second: %d messages, the newest %v; want one Status of step 32", len(all)-before-1, all[len(all)-1])
		}
		before++
		r.advance(30, func(m *messages.Stepped) { m.Picture = nil })
		if n := len(ann.messages()) - before; n > 3 {
			t.Errorf("a changing return, 30 times at once, cost %d messages", n-1)
		}
	})
}

func TestWaiting(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		people := playing(th, definition(2), "ann", "bob")
		r := th.runner()
		r.say(&messages.Waiting{EpisodeId: r.starts[0].EpisodeId, Roles: []uint32{1}, RemainingUs: 5_000_000})
		for _, p := range people {
			s := newest(p, (*play.ServerMessage).GetStatus)
			if !slices.Equal(s.GetWaitingFor(), []uint32{1}) || time.Until(time.UnixMicro(s.GetInputDeadlineUs())) != 5*time.Second {
				t.Errorf("%s sees %v, want waiting for 1, for 5 s", p.id, s)
			}
		}
		r.say(&messages.Waiting{EpisodeId: "ep_old", Roles: []uint32{0}})
		if s := newest(people[0], (*play.ServerMessage).GetStatus); !slices.Equal(s.GetWaitingFor(), []uint32{1}) {
			t.Errorf("a message of another episode changed what ann sees: %v", s)
		}
	})
}

// A picture that took longer than its step comes by itself, with the step's time.
func TestLatePicture(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		ann := playing(th, definition(1), "ann")[0]
		r := th.runner()
		r.advance(3, func(m *messages.Stepped) { m.Picture = nil })
		r.say(&messages.Pictured{EpisodeId: r.starts[0].EpisodeId, Picture: &messages.Picture{Codec: messages.Codec_CODEC_JPEG, Data: []byte("late"), Step: 2}})
		f := newest(ann, (*play.ServerMessage).GetFrame)
		if f.GetStep() != 2 || string(f.GetData()) != "late" || f.GetRunnerOffsetUs() != 2000 || f.GetCodec() != play.Codec_CODEC_JPEG {
			t.Errorf("ann sees %v", f)
		}
	})
}

// No message of a browser, however broken, does more than end its own socket.
func FuzzClientMessage(f *testing.F) {
	for _, m := range []*play.ClientMessage{
		{Kind: &play.ClientMessage_Input{Input: &play.Input{Seq: 1, Keys: []string{"a"}}}},
		{Kind: &play.ClientMessage_Ping{Ping: &play.Ping{Id: 1}}},
		{Kind: &play.ClientMessage_Leave{Leave: &play.Leave{}}},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	rules := seatRules{keys: []string{"a", "b"}, text: true, textBytes: 10}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, cl := decodeClient(b, 1024)
		if (m == nil) == (cl == nil) {
			t.Fatalf("message %v and close %v", m, cl)
		}
		if cl != nil {
			if cl.Code != closeTooLarge && cl.Code != closeMalformed {
				t.Errorf("close code %d", cl.Code)
			}
			return
		}
		in, ok := m.GetKind().(*play.ClientMessage_Input)
		if !ok || rules.check(in.Input).code != "" {
			return
		}
		if in.Input.GetSeq() == 0 || len(in.Input.GetKeys()) > 2 || len(in.Input.GetText()) > 10 {
			t.Errorf("accepted %v", in.Input)
		}
	})
}

// A socket whose asker has gone is given back: it does not hold the seat for ever.
func TestAbandonedAttach(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		d := definition(2)
		ann, bob := th.come(d, "ann"), th.join(d, "bob")
		root, to := th.sys.cast.root, th.sys.session(bob.ticket.Session)
		question := &attach{"bob"}
		root.Send(to, question)
		root.Send(to, &abandon{participant: "bob", attach: question}) // before the answer
		wait(time.Second)
		if s := ann.sees(play.Phase_WAITING).Seats[1]; s.State != play.Seat_AWAY {
			t.Errorf("the seat of the abandoned socket is %v, want AWAY", s.State)
		}
		question = &attach{"bob"}
		root.Send(to, question)
		synctest.Wait()
		ann.sees(play.Phase_READY)
		root.Send(to, &abandon{participant: "bob", attach: question}) // after it
		synctest.Wait()
		ann.sees(play.Phase_WAITING)
		wait(21 * time.Second)
		if s := ann.sees(play.Phase_WAITING).Seats[1]; s.State != play.Seat_FREE {
			t.Errorf("after the grace the seat is %v, want FREE", s.State)
		}
	})
}
