package actors

import (
	"context"
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"sharpie/actors/messages"
	"sharpie/actors/play"
	"sharpie/agents"
	"sharpie/experiments"
	"sharpie/persistence"
)

// One step with a new picture for 250 participants, each with a socket that reads.
func BenchmarkFanOut250(b *testing.B) {
	s := &session{cast: &cast{metrics: newMetrics(nil, &counts{})}, begun: 1, episode: &episode{}, def: &experiments.Definition{}}
	step := &messages.Stepped{Record: &messages.StepRecord{}, Picture: &messages.Picture{Codec: messages.Codec_CODEC_PNG, Data: make([]byte, 400)}}
	for i := range 250 {
		c := testConnection()
		s.seats = append(s.seats, &seat{index: i, conn: c, live: true, shown: true})
		step.Record.Roles = append(step.Record.Roles, &messages.RoleStep{Live: true})
		step.InputSeqs, step.Returns = append(step.InputSeqs, 0), append(step.Returns, 0)
		go func() {
			for {
				if _, err := c.Next(b.Context()); err != nil {
					return
				}
			}
		}()
	}
	b.ReportAllocs()
	for b.Loop() {
		step.Record.Step++
		for i := range step.InputSeqs {
			step.InputSeqs[i]++
		}
		s.fanOut(nil, step, time.Now())
	}
}

// One input and the picture that it leads to, through all actors and a real runner.
func BenchmarkClosedLoop(b *testing.B) {
	store := newMemory()
	sys, err := New(Config{Store: store, Maker: experiments.Registries{Environments: benchRegistry(), Agents: agents.NewRegistry()}, Slots: 1, Limits: Limits{InputsPerSecond: 1 << 30}})
	if err != nil {
		b.Fatal(err)
	}
	defer drainNow(b, sys)
	d := benchDefinition(b, "")
	d.Experiment.WaitForInputs, d.Experiment.TargetFPS, d.Experiment.MaxSteps = true, 0, 0
	c, steps := playBench(b, sys, d, "ann")
	b.ReportAllocs()
	for b.Loop() {
		<-steps
		c.press()
	}
}

// benchPlayer presses a key, and reads pictures.
type benchPlayer struct {
	b   *testing.B
	c   Connection
	seq uint64
}

func (p *benchPlayer) press() {
	p.seq++
	m, err := proto.Marshal(&play.ClientMessage{Kind: &play.ClientMessage_Input{Input: &play.Input{Seq: p.seq, Keys: []string{"ArrowLeft"}}}})
	if err != nil {
		p.b.Fatal(err)
	}
	if err := p.c.Receive(m); err != nil {
		p.b.Fatal(err)
	}
}

func playBench(b *testing.B, sys *System, d *experiments.Definition, who string) (*benchPlayer, chan struct{}) {
	ticket, err := sys.Join(b.Context(), request(d, who))
	if err != nil {
		b.Fatal(err)
	}
	c, err := sys.Attach(b.Context(), ticket.Session, persistence.ParticipantID(who))
	if err != nil {
		b.Fatal(err)
	}
	steps := make(chan struct{}, 1)
	go func() {
		for {
			out, err := c.Next(b.Context())
			if err != nil {
				return
			}
			if out.Shared[0] == 3<<3|2 { // a Frame
				select {
				case steps <- struct{}{}:
				default:
				}
			}
		}
	}()
	return &benchPlayer{b: b, c: c}, steps
}

// Steps of 500 sessions at 30 steps a second: what a step costs in all. The figure
// that counts is ns/step: below 66,666 one core is enough.
func BenchmarkSessions500(b *testing.B) {
	sys, err := New(Config{Store: newMemory(), Maker: experiments.Registries{Environments: benchRegistry(), Agents: agents.NewRegistry()}, Slots: 500})
	if err != nil {
		b.Fatal(err)
	}
	defer drainNow(b, sys)
	d := benchDefinition(b, "")
	d.Experiment.MaxSteps = 0
	var players []*benchPlayer
	var ticks []chan struct{}
	for i := range 500 {
		p, t := playBench(b, sys, d, fmt.Sprintf("p%d", i))
		players, ticks = append(players, p), append(ticks, t)
	}
	for b.Loop() { // one step of everybody
		for i, t := range ticks {
			<-t
			players[i].press()
		}
	}
}

// drainNow ends everything without waiting for sessions to end.
func drainNow(b *testing.B, sys *System) {
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	if err := sys.Drain(ctx); err != nil {
		b.Error(err)
	}
}
