package link

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/coder/websocket"
	"github.com/hashicorp/yamux"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"sharpie/actors/messages"
	"sharpie/persistence"
)

// rogue is a node with a valid key that keeps no rules: a tunnel without remote.
type rogue struct {
	t       *testing.T
	p       *platform
	session *yamux.Session
	control net.Conn
	welcome *Welcome
	grpc    *grpc.ClientConn
	served  *grpc.Server
}

func newRogue(t *testing.T, p *platform) *rogue {
	t.Helper()
	id := persistence.NewID("k")
	r := &rogue{t: t, p: p}
	r.dial(p.keys.add(id))
	c, err := r.session.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write([]byte{kindControl})
	r.control = c
	err = writeControl(c, hello(&Hello{Protocol: Protocol, Name: "rogue-" + id[10:], Incarnation: persistence.NewID("inc"), Slots: 2}))
	if err != nil {
		t.Fatal(err)
	}
	m, err := readControl(c)
	if err != nil || m.GetWelcome() == nil {
		t.Fatalf("greeting %v, error %v", m, err)
	}
	r.welcome = m.GetWelcome()
	go r.beat()
	// What the server's remote opens is answered as remote would, and thrown away.
	r.served = grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage))
	remote.RegisterRemotingServer(r.served, &sink{})
	in := newListener()
	go func() { _ = r.served.Serve(in) }()
	go func() {
		for {
			s, err := r.session.AcceptStream()
			if err != nil {
				return
			}
			if _, err := kindOf(s); err == nil {
				in.put(s)
			}
		}
	}()
	r.grpc, err = grpc.NewClient("passthrough:///server", grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy(),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(1<<30)),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return r.open() }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.grpc.Close()
		_ = r.session.Close()
		_ = in.Close()
		r.served.Stop()
	})
	return r
}

func (r *rogue) dial(key string) {
	r.t.Helper()
	c, _, err := websocket.Dial(r.t.Context(), r.p.web.URL+"/lab"+Path, &websocket.DialOptions{
		Subprotocols: []string{Subprotocol}, HTTPHeader: http.Header{"Authorization": {"Bearer " + key}}})
	if err != nil {
		r.t.Fatal(err)
	}
	c.SetReadLimit(socketMessage)
	r.session, err = yamux.Client(&clientConn{websocket.NetConn(context.Background(), c, websocket.MessageBinary), c}, tunnelConfig())
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rogue) open() (net.Conn, error) {
	s, err := r.session.OpenStream()
	if err != nil {
		return nil, err
	}
	_, err = s.Write([]byte{kindRemote})
	return s, err
}

func (r *rogue) beat() {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for n := uint64(1); writeControl(r.control, beat(&Beat{Number: n})) == nil; n++ {
		<-tick.C
	}
}

// stream is a stream of packets that has said who it is.
func (r *rogue) stream() remote.Remoting_ReceiveClient {
	r.t.Helper()
	s := r.mute()
	r.send(s, &remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: connectAs(r.welcome.GetAddress())}})
	if _, err := s.Recv(); err != nil {
		r.t.Fatal(err)
	}
	return s
}

func (r *rogue) mute() remote.Remoting_ReceiveClient {
	r.t.Helper()
	s, err := remote.NewRemotingClient(r.grpc).Receive(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

func connectAs(address string) *remote.ConnectRequest {
	return &remote.ConnectRequest{ConnectionType: &remote.ConnectRequest_ServerConnection{ServerConnection: &remote.ServerConnection{SystemId: "x", Address: address}}}
}

func (r *rogue) send(s remote.Remoting_ReceiveClient, m *remote.RemoteMessage) { _ = s.Send(m) }

// batch is a packet of one message that the guard would pass, but for what edit does.
func (r *rogue) batch(target string, m proto.Message, edit func(*remote.MessageBatch)) *remote.RemoteMessage {
	data, err := proto.Marshal(m)
	if err != nil {
		r.t.Fatal(err)
	}
	b := &remote.MessageBatch{
		TypeNames: []string{nameOf(m)}, Targets: []*actor.PID{{Address: r.welcome.GetServer(), Id: target}},
		Senders:   []*actor.PID{{Address: r.welcome.GetAddress(), Id: "crew/x"}},
		Envelopes: []*remote.MessageEnvelope{{MessageData: data, Sender: 1}},
	}
	if edit != nil {
		edit(b)
	}
	return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: b}}
}

func (r *rogue) offer() *messages.Offer {
	name := r.welcome.GetNode()
	return &messages.Offer{RunnerId: name, Incarnation: strings.TrimPrefix(r.welcome.GetAddress(), "runner-"+name+"-"), Slot: 1, Labels: []string{}}
}

// cut waits until the server has cut the rogue, and returns why.
func (r *rogue) cut() End {
	r.t.Helper()
	return r.p.wait(strings.SplitN(r.welcome.GetNode(), ".", 2)[0], Gone, patience).Why
}

// sink answers the server's remote.
type sink struct {
	remote.UnimplementedRemotingServer
}

func (*sink) Receive(s remote.Remoting_ReceiveServer) error {
	for {
		m, err := s.Recv()
		if err != nil {
			return err
		}
		if m.GetConnectRequest() != nil {
			_ = s.Send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectResponse{ConnectResponse: &remote.ConnectResponse{MemberId: "x"}}})
		}
	}
}

// TestARogueNodeIsCutAndTheServerServesOn breaks every rule with a valid key.
func TestARogueNodeIsCutAndTheServerServesOn(t *testing.T) {
	p := newPlatform(t)
	victim := session(t, p, "lobby/victim")
	step := &messages.Stepped{EpisodeId: "e"}
	pid := func(address, id string) *actor.PID { return actor.NewPID(address, id) }
	edited := func(r *rogue, edit func(*remote.MessageBatch)) *remote.RemoteMessage {
		return r.batch("queue", r.offer(), edit)
	}
	for _, c := range []struct {
		name, why string
		packet    func(*rogue) *remote.RemoteMessage
	}{
		{"unknown type", "message of type", func(r *rogue) *remote.RemoteMessage {
			return edited(r, func(b *remote.MessageBatch) { b.TypeNames[0] = "no.such.Type" })
		}},
		{"type index", "type 7 of 1", func(r *rogue) *remote.RemoteMessage {
			return edited(r, func(b *remote.MessageBatch) { b.Envelopes[0].TypeId = 7 })
		}},
		{"negative type index", "type -1 of 1", func(r *rogue) *remote.RemoteMessage {
			return edited(r, func(b *remote.MessageBatch) { b.Envelopes[0].TypeId = -1 })
		}},
		{"target index", "target 9 of 1", func(r *rogue) *remote.RemoteMessage {
			return edited(r, func(b *remote.MessageBatch) { b.Envelopes[0].Target = 9 })
		}},
		{"sender index", "sender 2 of 1", func(r *rogue) *remote.RemoteMessage {
			return edited(r, func(b *remote.MessageBatch) { b.Envelopes[0].Sender = 2 })
		}},
		{"serializer", "serializer 1", func(r *rogue) *remote.RemoteMessage {
			return edited(r, func(b *remote.MessageBatch) { b.Envelopes[0].SerializerId = 1 })
		}},
		{"headers", "headers", func(r *rogue) *remote.RemoteMessage {
			return edited(r, func(b *remote.MessageBatch) { b.Envelopes[0].MessageHeader = &remote.MessageHeader{} })
		}},
		{"another's sender", "sender that is not its own", func(r *rogue) *remote.RemoteMessage {
			return edited(r, func(b *remote.MessageBatch) { b.Senders[0] = pid("runner-other-inc", "crew/x") })
		}},
		{"another's target", "target that is not of this process", func(r *rogue) *remote.RemoteMessage {
			return edited(r, func(b *remote.MessageBatch) { b.Targets[0] = pid("runner-other-inc", "crew/x") })
		}},
		{"offer of no slot", "offer of slot", func(r *rogue) *remote.RemoteMessage {
			o := r.offer()
			o.Slot = 2
			return r.batch("queue", o, nil)
		}},
		{"offer for another", "name of another node", func(r *rogue) *remote.RemoteMessage {
			o := r.offer()
			o.RunnerId = "other"
			return r.batch("queue", o, nil)
		}},
		{"offer with labels", "other labels", func(r *rogue) *remote.RemoteMessage {
			o := r.offer()
			o.Labels = []string{"gpu"}
			return r.batch("queue", o, nil)
		}},
		{"offer to a session", "somebody else than the queue", func(r *rogue) *remote.RemoteMessage { return r.batch("lobby/victim", r.offer(), nil) }},
		{"a foreign session", "does not work for", func(r *rogue) *remote.RemoteMessage { return r.batch("lobby/victim", step, nil) }},
		{"stop", "actor.Stop", func(r *rogue) *remote.RemoteMessage { return r.batch("lobby/victim", &actor.Stop{}, nil) }},
		{"poison", "actor.PoisonPill", func(r *rogue) *remote.RemoteMessage { return r.batch("queue", &actor.PoisonPill{}, nil) }},
		{"spawn", "remote.ActorPidRequest", func(r *rogue) *remote.RemoteMessage {
			return r.batch("activator", &remote.ActorPidRequest{Kind: "x"}, nil)
		}},
		{"watch", "does not work for", func(r *rogue) *remote.RemoteMessage {
			return r.batch("lobby/victim", &actor.Watch{Watcher: pid(r.welcome.GetAddress(), "crew/x")}, nil)
		}},
		{"watch for another", "not its own", func(r *rogue) *remote.RemoteMessage {
			return r.batch("lobby/victim", &actor.Watch{Watcher: pid("elsewhere", "x")}, nil)
		}},
		{"terminated for another", "not its own", func(r *rogue) *remote.RemoteMessage {
			return r.batch("lobby/victim", &actor.Terminated{Who: pid(r.welcome.GetServer(), "queue")}, nil)
		}},
		{"bytes that are no message", "cannot be read", func(r *rogue) *remote.RemoteMessage {
			return edited(r, func(b *remote.MessageBatch) { b.Envelopes[0].MessageData = []byte{0xff, 0xff} })
		}},
		{"nothing at all", "unexpected kind", func(*rogue) *remote.RemoteMessage { return &remote.RemoteMessage{} }},
		{"another's address", "it says that it is", func(*rogue) *remote.RemoteMessage {
			return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: connectAs("web-web-inc")}}
		}},
		{"goodbye for the server", "unexpected kind", func(*rogue) *remote.RemoteMessage {
			return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_DisconnectRequest{DisconnectRequest: &remote.DisconnectRequest{}}}
		}},
		{"100 MB", "packet of more than", func(r *rogue) *remote.RemoteMessage {
			return edited(r, func(b *remote.MessageBatch) { b.Envelopes[0].MessageData = make([]byte, 100<<20) })
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.t = t
			r := newRogue(t, p)
			r.send(r.stream(), c.packet(r))
			if why := r.cut(); why.Code != "breach" || !strings.Contains(why.Detail, c.why) {
				t.Errorf("it was cut because %+v, expected was something about %q", why, c.why)
			}
		})
	}
	p.t = t
	select {
	case m := <-victim.got:
		t.Errorf("the session got %T of somebody that it does not know", m.message)
	default:
	}
	// An honest offer still arrives.
	r := newRogue(t, p)
	r.send(r.stream(), r.batch("queue", r.offer(), nil))
	if o, from := next[*messages.Offer](t, p.queue, patience); o.GetRunnerId() != r.welcome.GetNode() || from.GetAddress() != r.welcome.GetAddress() {
		t.Errorf("offer %v from %v", o, from)
	}
}

func TestANodeCannotListProcesses(t *testing.T) {
	p := newPlatform(t)
	r := newRogue(t, p)
	if _, err := remote.NewRemotingClient(r.grpc).ListProcesses(t.Context(), &remote.ListProcessesRequest{}); err == nil || !strings.Contains(err.Error(), "Unimplemented") {
		t.Errorf("error %v, want Unimplemented", err)
	}
}

// TestANodeMayAnswerThoseWhoWroteToIt: before, and after.
func TestANodeMayAnswerThoseWhoWroteToIt(t *testing.T) {
	p := newPlatform(t)
	r := newRogue(t, p)
	s := session(t, p, "lobby/mine")
	stream := r.stream()
	s.send(actor.NewPID(r.welcome.GetAddress(), "crew/x"), &messages.Release{SessionId: "mine"})
	known := func() bool {
		p.server.mu.Lock()
		defer p.server.mu.Unlock()
		return p.server.byAddress(r.welcome.GetAddress()).acquaintances.has("lobby/mine")
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !known() && time.Now().Before(end); <-tick.C {
	}
	r.send(stream, r.batch("lobby/mine", &messages.Stepped{EpisodeId: "mine-1"}, nil))
	if m, from := next[*messages.Stepped](t, s, patience); m.GetEpisodeId() != "mine-1" || from == nil {
		t.Errorf("got %v of %v", m, from)
	}
	// Without a sender the session would take it for its runner's, whoever that is now.
	r.send(stream, r.batch("lobby/mine", &messages.Stepped{EpisodeId: "mine-1"}, func(b *remote.MessageBatch) { b.Envelopes[0].Sender = 0 }))
	if why := r.cut(); why.Code != "breach" || !strings.Contains(why.Detail, "of nobody") {
		t.Errorf("it was cut because %+v", why)
	}
}

// flood does something as fast as it can until it is cut, or patience ends.
func flood(do func() error) {
	for end := time.Now().Add(patience); time.Now().Before(end) && do() == nil; {
	}
}

// TestFloodsCutANodeAndMemoryStaysBounded sends as much as it can, in three ways.
func TestFloodsCutANodeAndMemoryStaysBounded(t *testing.T) {
	p := newPlatform(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	t.Run("offers", func(t *testing.T) {
		p.t = t
		r := newRogue(t, p)
		s := r.stream()
		flood(func() error { return s.Send(r.batch("queue", r.offer(), nil)) })
		if why := r.cut(); !strings.Contains(why.Detail, "more offers a second") {
			t.Errorf("cut because %+v", why)
		}
	})
	t.Run("messages", func(t *testing.T) {
		p.t = t
		r := newRogue(t, p)
		s := r.stream()
		many := r.batch("x", &actor.DeadLetterResponse{}, func(b *remote.MessageBatch) {
			for range 1000 {
				b.Envelopes = append(b.Envelopes, b.Envelopes[0])
			}
		})
		flood(func() error { return s.Send(many) })
		if why := r.cut(); !strings.Contains(why.Detail, "more messages a second") {
			t.Errorf("cut because %+v", why)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		p.t = t
		r := newRogue(t, p)
		s := r.stream()
		large := r.batch("x", &actor.DeadLetterResponse{}, func(b *remote.MessageBatch) { b.Envelopes[0].MessageData = make([]byte, 1<<20) })
		flood(func() error { return s.Send(large) })
		if why := r.cut(); !strings.Contains(why.Detail, "more bytes a second") {
			t.Errorf("cut because %+v", why)
		}
	})
	t.Run("streams", func(t *testing.T) {
		p.t = t
		r := newRogue(t, p)
		flood(func() error { _, err := r.open(); return err })
		if why := r.cut(); !strings.Contains(why.Detail, "connections at once") {
			t.Errorf("cut because %+v", why)
		}
	})
	t.Run("control", func(t *testing.T) {
		p.t = t
		r := newRogue(t, p)
		var head [4]byte
		binary.BigEndian.PutUint32(head[:], 1<<31)
		_, _ = r.control.Write(head[:])
		if why := r.p.wait(strings.SplitN(r.welcome.GetNode(), ".", 2)[0], Away, patience).Why; !strings.Contains(why.Detail, "bytes") {
			t.Errorf("away because %+v", why)
		}
	})
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 64<<20 {
		t.Errorf("the heap has grown by %d MB", grown>>20)
	}
}

// TestWithoutAKeyThereIsNoSocket, and with one a silent peer is not waited for.
func TestWithoutAKeyThereIsNoSocket(t *testing.T) {
	p := newPlatform(t)
	for _, header := range []http.Header{nil, {"Authorization": {"Bearer "}}, {"Authorization": {"Bearer " + strings.Repeat("x", 8000)}}} {
		_, answer, err := websocket.Dial(t.Context(), p.web.URL+"/lab"+Path, &websocket.DialOptions{Subprotocols: []string{Subprotocol}, HTTPHeader: header})
		if err == nil || answer == nil || answer.StatusCode != http.StatusUnauthorized {
			t.Errorf("error %v, answer %v", err, answer)
		}
	}
	r := &rogue{t: t, p: p}
	r.dial(p.keys.add("k-silent"))
	defer r.session.Close()
	c, err := r.session.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write([]byte{kindControl})
	_ = c.SetReadDeadline(time.Now().Add(2 * helloWait))
	if _, err := io.ReadAll(c); err != nil && !strings.Contains(err.Error(), "reset") && !strings.Contains(err.Error(), "EOF") {
		t.Errorf("the server still waits for a Hello: %v", err)
	}
}

// TestAHelloThatIsWrongIsRefusedWithASentence, and an old program hears of versions.
func TestAHelloThatIsWrongIsRefusedWithASentence(t *testing.T) {
	p := newPlatform(t)
	key := p.keys.add("k-hello")
	good := func() *Hello {
		return &Hello{Protocol: Protocol, Name: "hello", Incarnation: persistence.NewID("inc"), Slots: 1, Version: "v9"}
	}
	for _, c := range []struct {
		name string
		edit func(*Hello)
		want string
	}{
		{"protocol", func(h *Hello) { h.Protocol = 99 }, "version 99"},
		{"name", func(h *Hello) { h.Name = "a/b" }, "no name of a node"},
		{"slots", func(h *Hello) { h.Slots = 1 << 30 }, "allowed are 1 to 1024"},
		{"labels", func(h *Hello) { h.Labels = []string{"a b"} }, "no label"},
		{"incarnation", func(h *Hello) { h.Incarnation = "../x" }, "incarnation"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &rogue{t: t, p: p}
			r.dial(key)
			defer r.session.Close()
			s, err := r.session.OpenStream()
			if err != nil {
				t.Fatal(err)
			}
			_, _ = s.Write([]byte{kindControl})
			h := good()
			c.edit(h)
			_ = writeControl(s, hello(h))
			m, err := readControl(s)
			if err != nil || !strings.Contains(m.GetGoodbye().GetDetail(), c.want) {
				t.Errorf("answer %v, error %v; want a goodbye about %q", m, err, c.want)
			}
		})
	}
}
