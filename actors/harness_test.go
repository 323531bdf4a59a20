package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"sharpie/actors/messages"
	"sharpie/actors/play"
	"sharpie/agents"
	"sharpie/envs"
	"sharpie/experiments"
	"sharpie/persistence"
)

// theatre is the actors in virtual time, with puppets for runners and a store in
// memory.
type theatre struct {
	t     *testing.T
	sys   *System
	store *memory

	mu      sync.Mutex
	puppets []*puppet
	labels  []string
	loading bool // of the puppets that come
}

// inTheatre runs a test in virtual time, and stops everything after it.
func inTheatre(t *testing.T, slots int, test func(*theatre), opts ...func(*Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		th := &theatre{t: t, store: newMemory()}
		cfg := Config{Store: th.store, Maker: experiments.Registries{Environments: envs.NewRegistry(), Agents: agents.NewRegistry()}, Slots: slots}
		for _, o := range opts {
			o(&cfg)
		}
		th.labels = cfg.Labels
		sys, err := start(cfg, th.puppet)
		if err != nil {
			t.Fatal(err)
		}
		th.sys = sys
		defer func() {
			th.store.setAway(nil)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := th.sys.Drain(ctx); err != nil && !t.Failed() {
				t.Errorf("drain after the test: %v", err)
			}
			<-time.After(time.Minute) // the library's dead-letter throttle ends by itself
		}()
		synctest.Wait()
		test(th)
	})
}

// puppet is a Runner that does what the test says.
type puppet struct {
	th   *theatre
	slot int

	mu       sync.Mutex
	pid      *actor.PID
	root     *actor.RootContext
	session  *actor.PID
	starts   []*messages.Start
	inputs   []*messages.Input
	seats    []*messages.SetSeat
	acks     []uint64
	stops    []*messages.Stop
	pauses   int
	resumes  int
	releases int
	replays  []*messages.Replay
	knocks   []*messages.Reattach
	clumsy   bool   // cannot replay
	lacking  bool   // its machine has not what is needed
	soon     bool   // and is about to have it
	offered  uint64 // readiness of its offers
	loading  bool   // it answers no Start
	step     uint64
	deaf     bool // answers nothing
}

func (th *theatre) puppet(queue *actor.PID, slot int) *actor.Props {
	p := &puppet{th: th, slot: slot}
	th.mu.Lock()
	p.loading = th.loading
	th.puppets = append(th.puppets, p)
	th.mu.Unlock()
	return actor.PropsFromFunc(func(ctx actor.Context) { p.receive(ctx, queue) })
}

func (p *puppet) receive(ctx actor.Context, queue *actor.PID) {
	var after func() // sends, which may come back here, without the lock
	p.mu.Lock()
	offer := func() {
		after = func() {
			ctx.Request(queue, &messages.Offer{RunnerId: "node", Slot: uint32(p.slot), Labels: p.th.labels, Readiness: p.offered})
		}
	}
	switch m := ctx.Message().(type) {
	case *actor.Started:
		p.pid, p.root = ctx.Self(), ctx.ActorSystem().Root
		offer()
	case *messages.Start:
		p.session, p.step = ctx.Sender(), 0
		p.starts = append(p.starts, m)
		if to, soon := p.session, p.soon; p.loading {
			break
		} else if p.lacking {
			after = func() {
				ctx.Request(to, &messages.Failed{EpisodeId: m.EpisodeId, Code: "bad_experiment", Phase: "load", Message: "there is no Python here", Elsewhere: true, Soon: soon})
			}
		} else if m.ResumeThrough != nil {
			p.step = m.GetResumeThrough() // Started follows the last Replay
		} else if !p.deaf {
			to, started := p.session, &messages.Started{EpisodeId: m.EpisodeId, RunnerId: "node", Width: 8, Height: 8, RunnerTimeUs: time.Now().UnixMicro(),
				CodeVersion: "test", Replayable: true, Step: p.stepped(0, nil), Interpreter: "Python 3.12", Confinement: "bubblewrap", Warnings: []string{"an alias"}}
			after = func() { ctx.Request(to, started) }
		}
	case *messages.Replay:
		p.replays = append(p.replays, m)
		if to := p.session; m.Last && p.clumsy {
			after = func() {
				ctx.Request(to, &messages.Failed{EpisodeId: m.EpisodeId, Code: "replay_mismatch", Message: "step 3 has another hash"})
			}
		} else if m.Last {
			started := &messages.Started{EpisodeId: m.EpisodeId, RunnerId: "node", Width: 8, Height: 8, Step: p.stepped(p.step, nil), Resumed: true}
			after = func() { ctx.Request(to, started) }
		}
	case *messages.Reattach:
		p.knocks = append(p.knocks, m)
	case *messages.Inputs:
		p.inputs = append(p.inputs, m.Inputs...)
	case *messages.Ack:
		p.acks = append(p.acks, m.Through)
	case *messages.SetSeat:
		p.seats = append(p.seats, m)
	case *messages.Pause:
		p.pauses++
	case *messages.Resume:
		p.resumes++
	case *messages.Stop:
		p.stops = append(p.stops, m)
		if !p.deaf {
			to, ended := p.session, &messages.EpisodeEnded{EpisodeId: m.EpisodeId, LastStep: p.step, How: messages.EpisodeEnded_STOPPED, Code: m.Code, Detail: m.Detail}
			after = func() { ctx.Request(to, ended) }
		}
	case *messages.Release:
		p.releases++
		offer()
	}
	p.mu.Unlock()
	if after != nil {
		after()
	}
}

// stepped is a step's report, with a picture of one byte; p.mu is held.
func (p *puppet) stepped(step uint64, seqs []uint64) *messages.Stepped {
	start := p.starts[len(p.starts)-1]
	def, err := experiments.FromCanonical(start.Definition)
	if err != nil {
		p.th.t.Error(err)
		return nil
	}
	m := &messages.Stepped{EpisodeId: start.EpisodeId, Record: &messages.StepRecord{Step: step, RunnerOffsetUs: int64(step) * 1000}, InputSeqs: seqs,
		Picture: &messages.Picture{Codec: messages.Codec_CODEC_PNG, Data: []byte{byte(step)}, Width: 8, Height: 8, Step: step}}
	for range def.Agents {
		m.Record.Roles = append(m.Record.Roles, &messages.RoleStep{Live: true, Reward: 1})
		m.Returns = append(m.Returns, float64(step))
	}
	return m
}

// advance takes steps, and lets everybody see them.
func (p *puppet) advance(n int, change ...func(*messages.Stepped)) {
	for range n {
		p.mu.Lock()
		p.step++
		m := p.stepped(p.step, nil)
		for _, c := range change {
			c(m)
		}
		to := p.session
		p.mu.Unlock()
		p.root.Send(to, m)
	}
	synctest.Wait()
}

// end ends the episode by itself.
func (p *puppet) end() {
	p.say(on(p, func(p *puppet) any {
		return &messages.EpisodeEnded{EpisodeId: p.starts[len(p.starts)-1].EpisodeId, LastStep: p.step, How: messages.EpisodeEnded_TERMINATED}
	}))
}

// say sends the session anything.
func (p *puppet) say(m any) {
	p.root.Request(on(p, func(p *puppet) *actor.PID { return p.session }), m)
	synctest.Wait()
}

// on reads something of a puppet.
func on[T any](p *puppet, read func(*puppet) T) T {
	p.mu.Lock()
	defer p.mu.Unlock()
	return read(p)
}

// runner is the puppet that was given the newest episode.
func (th *theatre) runner() *puppet {
	th.t.Helper()
	th.mu.Lock()
	defer th.mu.Unlock()
	var found *puppet
	newest := ""
	for _, p := range th.puppets {
		id := on(p, func(p *puppet) string {
			if len(p.starts) == 0 {
				return ""
			}
			return p.starts[len(p.starts)-1].EpisodeId
		})
		if id > newest {
			found, newest = p, id
		}
	}
	if found == nil {
		th.t.Fatal("no runner was given an episode")
	}
	return found
}

// definition is an experiment with so many seats.
func definition(seats int, change ...func(*experiments.Definition)) *experiments.Definition {
	s := experiments.Duration(time.Second)
	d := &experiments.Definition{
		Environment: experiments.Environment{Name: "test", Source: "go:Test-v0"},
		Experiment: experiments.Experiment{Link: "x", Name: "X", Enabled: true, NumberOfEpisodes: 1, TargetFPS: 30,
			LobbyTimeout: 300 * s, Countdown: 3 * s, QueueTimeout: 60 * s, EpisodeTimeout: 600 * s, BetweenPause: 5 * s, ReconnectGrace: 20 * s,
			LoadTimeout: 10 * s, ResetTimeout: 10 * s, StepTimeout: 5 * s, InputTimeout: 60 * s, DropOutTimeout: 60 * s,
			OnDropOut: experiments.DropOutAbort, OnRunnerLoss: "restart"},
	}
	for i := range seats {
		d.Agents = append(d.Agents, experiments.Agent{Role: envs.Role(fmt.Sprintf("r%d", i)), Name: fmt.Sprintf("Role %d", i), Participant: true,
			InputsType: experiments.InputActions, KeyboardInputs: experiments.KeyMap{Bindings: []experiments.KeyBinding{{Key: "a", Value: int64(1)}, {Key: "b", Value: int64(2)}}}})
	}
	for _, c := range change {
		c(d)
	}
	return d
}

func request(d *experiments.Definition, who string) JoinRequest {
	return JoinRequest{Experiment: d.Experiment.Link, Version: 1, Definition: d, Participant: persistence.ParticipantID(who), User: persistence.UserID("u" + who), UserName: who}
}

// person is a participant with a browser.
type person struct {
	th     *theatre
	id     persistence.ParticipantID
	ticket Ticket
	conn   Connection
	seq    uint64

	mu     sync.Mutex
	got    []*play.ServerMessage
	closed *Close
}

// join takes a seat, without opening the socket.
func (th *theatre) join(d *experiments.Definition, who string, change ...func(*JoinRequest)) *person {
	th.t.Helper()
	r := request(d, who)
	for _, c := range change {
		c(&r)
	}
	ticket, err := th.sys.Join(th.t.Context(), r)
	if err != nil {
		th.t.Fatalf("%s joins: %v", who, err)
	}
	return &person{th: th, id: r.Participant, ticket: ticket}
}

// come joins and opens the socket.
func (th *theatre) come(d *experiments.Definition, who string, change ...func(*JoinRequest)) *person {
	th.t.Helper()
	p := th.join(d, who, change...)
	p.attach()
	return p
}

// attach opens a socket, and reads all that comes.
func (p *person) attach() {
	p.th.t.Helper()
	p.idle()
	go p.read(p.conn)
	synctest.Wait()
}

// idle opens a socket, and reads nothing.
func (p *person) idle() {
	p.th.t.Helper()
	c, err := p.th.sys.Attach(p.th.t.Context(), p.ticket.Session, p.id)
	if err != nil {
		p.th.t.Fatalf("%s attaches: %v", p.id, err)
	}
	p.conn = c
	p.mu.Lock()
	p.got, p.closed = nil, nil
	p.mu.Unlock()
}

func (p *person) read(c Connection) {
	for {
		out, err := c.Next(p.th.t.Context())
		if err != nil {
			var cl *Close
			if errors.As(err, &cl) {
				p.mu.Lock()
				p.closed = cl
				p.mu.Unlock()
				c.Detach()
			}
			return
		}
		m := new(play.ServerMessage)
		if err := proto.Unmarshal(slices.Concat(out.Shared, out.Own), m); err != nil {
			p.th.t.Error(err)
		}
		p.mu.Lock()
		p.got = append(p.got, m)
		p.mu.Unlock()
	}
}

// drop loses the socket.
func (p *person) drop() {
	p.conn.Detach()
	synctest.Wait()
}

// messages is everything that came since the socket was opened.
func (p *person) messages() []*play.ServerMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.got)
}

// newest is the newest message of a kind; nil for none.
func newest[T any](p *person, kind func(*play.ServerMessage) *T) *T {
	all := p.messages()
	for i := len(all) - 1; i >= 0; i-- {
		if v := kind(all[i]); v != nil {
			return v
		}
	}
	return nil
}

// sees fails the test if the participant's page does not show that phase.
func (p *person) sees(want play.Phase_Name) *play.Phase {
	p.th.t.Helper()
	ph := newest(p, (*play.ServerMessage).GetPhase)
	if ph.GetName() != want {
		p.th.t.Fatalf("%s sees phase %v, want %v", p.id, ph.GetName(), want)
	}
	return ph
}

// ended fails the test if the participant was not told goodbye in that way.
func (p *person) ended(code string, socket int) *play.End {
	p.th.t.Helper()
	end := newest(p, (*play.ServerMessage).GetEnd)
	if end.GetCode() != code {
		p.th.t.Fatalf("%s got End %q, want %q", p.id, end.GetCode(), code)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed == nil || p.closed.Code != socket {
		p.th.t.Fatalf("%s's socket was closed with %+v, want code %d", p.id, p.closed, socket)
	}
	return end
}

// notices are the codes of all notices.
func (p *person) notices() []string {
	var out []string
	for _, m := range p.messages() {
		if n := m.GetNotice(); n != nil {
			out = append(out, n.GetCode())
		}
	}
	return out
}

// send sends a message to the server.
func (p *person) send(m *play.ClientMessage) error {
	b, err := proto.Marshal(m)
	if err != nil {
		p.th.t.Fatal(err)
	}
	return p.conn.Receive(b)
}

// press sends an input, and lets it arrive.
func (p *person) press(keys ...string) {
	p.th.t.Helper()
	p.seq++
	if err := p.send(&play.ClientMessage{Kind: &play.ClientMessage_Input{Input: &play.Input{Seq: p.seq, Keys: keys}}}); err != nil {
		p.th.t.Fatalf("%s presses %v: %v", p.id, keys, err)
	}
	synctest.Wait()
}

// wait lets virtual time pass.
func wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// view is a session as Admin sees it.
func (th *theatre) view(id persistence.SessionID) SessionView {
	th.t.Helper()
	all, err := th.sys.Sessions(th.t.Context())
	if err != nil {
		th.t.Fatal(err)
	}
	for _, v := range all {
		if v.ID == id {
			return v
		}
	}
	th.t.Fatalf("Admin does not list session %s", id)
	return SessionView{}
}
