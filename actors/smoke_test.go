package actors

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"sharpie/actors/play"
	agentbuiltin "sharpie/agents/builtin"
	"sharpie/envs"
	"sharpie/envs/bench"
	"sharpie/experiments"
	"sharpie/persistence"
)

func TestSmoke(t *testing.T) {
	er := envs.NewRegistry()
	er.Register("Bench-v0", bench.New)
	store := newMemory()
	s, err := New(Config{Store: store, Environments: er, Agents: agentbuiltin.Registry(), Slots: 2, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		t.Fatal(err)
	}
	def, err := experiments.Parse("x.yaml", []byte(`
environment: {name: b, source: "go:Bench-v0", kwargs: {}}
agents:
  - {role: agent_0, name: me, participant: true, keyboard_inputs: {ArrowLeft: 1, default: 0}, inputs_type: actions}
experiment: {link: b, name: B, enabled: true, number_of_episodes: 1, target_fps: 30, wait_for_inputs: false, max_steps: 60, completion_code: random}
`))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	store.participants["p1"] = persistence.Participant{ID: "p1"}
	tk, err := s.Join(ctx, JoinRequest{Experiment: "b", Version: 1, Definition: def, Participant: "p1", User: "u1", UserName: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Attach(ctx, tk.Session, "p1")
	if err != nil {
		t.Fatal(err)
	}
	seq := uint64(0)
	for {
		out, err := c.Next(ctx)
		if err != nil {
			t.Log("next:", err)
			break
		}
		var m play.ServerMessage
		if err := proto.Unmarshal(append(append([]byte(nil), out.Shared...), out.Own...), &m); err != nil {
			t.Fatal(err)
		}
		if f := m.GetFrame(); f != nil {
			t.Log("frame", f.Step, len(f.Data), m.InputSeq)
			seq++
			b, _ := proto.Marshal(&play.ClientMessage{Kind: &play.ClientMessage_Input{Input: &play.Input{Seq: seq, StepSeen: f.Step, Keys: []string{"ArrowLeft"}, Episode: f.Episode}}})
			if err := c.Receive(b); err != nil {
				t.Fatal(err)
			}
		} else {
			t.Log(&m)
		}
	}
	dctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := s.Drain(dctx); err != nil {
		t.Fatal(err)
	}
	t.Log(store.order)
	for _, e := range store.episodes {
		t.Logf("%+v", e)
		t.Log(store.steps(e.ID))
	}
	t.Logf("%+v", store.participants)
}
