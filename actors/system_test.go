package actors

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"sharpie/actors/play"
	"sharpie/agents"
	"sharpie/envs"
	"sharpie/envs/bench"
	"sharpie/experiments"
	"sharpie/persistence"
)

// benchDefinition is Bench-v0 as an experiment: 30 steps a second, 60 steps.
func benchDefinition(t testing.TB, roles string) *experiments.Definition {
	t.Helper()
	d, err := experiments.Parse("bench.yaml", []byte(`
environment: {name: bench, source: "go:Bench-v0"}
agents:
  - {role: agent_0, name: Player, participant: true, keyboard_inputs: {ArrowLeft: 1, ArrowRight: 2, default: 0}, inputs_type: actions}
experiment: {link: b, name: B, enabled: true, number_of_episodes: 1, target_fps: 30, wait_for_inputs: false, max_steps: 60, completion_code: random}
`+roles))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func benchRegistry() *envs.Registry {
	r := envs.NewRegistry()
	r.Register("Bench-v0", bench.New)
	return r
}

// The whole way with a real runner: join, socket, pictures, inputs, store, goodbye.
func TestPlay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		store.participants["ann"] = persistence.Participant{ID: "ann"}
		sys, err := New(Config{Store: store, Maker: experiments.Registries{Environments: benchRegistry(), Agents: agents.NewRegistry()}, Slots: 1, CodeVersion: "test"})
		if err != nil {
			t.Fatal(err)
		}
		ticket, err := sys.Join(t.Context(), request(benchDefinition(t, ""), "ann"))
		if err != nil {
			t.Fatal(err)
		}
		c, err := sys.Attach(t.Context(), ticket.Session, "ann")
		if err != nil {
			t.Fatal(err)
		}
		steps, used, end := playThrough(t, c)
		c.Detach()
		if err := sys.Drain(t.Context()); err != nil {
			t.Errorf("drain: %v", err)
		}
		if len(steps) != 61 || steps[60] != 60 || used[60] != 60 || end != "completed" {
			t.Errorf("ann saw %d pictures, the last of step %d with input %d used, and End %q", len(steps), steps[len(steps)-1], used[len(used)-1], end)
		}
		s := store.only(t)
		episodes, _ := store.EpisodesOf(context.Background(), s.ID)
		if e := episodes[0]; e.Status != "truncated" || e.Steps != 60 || e.StoredSteps != 61 || e.Roles[0].Return != 60 || e.CodeVersion != "test" || !e.Replayable {
			t.Errorf("stored episode %+v", e)
		}
		human := 0
		for chunk := range store.StepChunks(context.Background(), episodes[0].ID) {
			for i, source := range chunk.Roles[0].Sources {
				if source == "human" && chunk.Roles[0].Actions[i] == int64(1) {
					human++
				}
			}
		}
		if human != 60 {
			t.Errorf("%d steps are stored as ann's, want 60", human)
		}
		if store.participants["ann"].CompletionCode == "" {
			t.Error("ann has no completion code")
		}
		<-time.After(time.Minute)
	})
}

func TestConfigRefused(t *testing.T) {
	good := Config{Store: newMemory(), Maker: experiments.Registries{Environments: envs.NewRegistry(), Agents: agents.NewRegistry()}}
	for name, change := range map[string]func(*Config){
		"no store": func(c *Config) { c.Store = nil }, "no maker": func(c *Config) { c.Maker = nil },
		"negative slots": func(c *Config) { c.Slots = -1 }, "too many slots": func(c *Config) { c.Slots = 10_001 },
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			change(&c)
			if _, err := New(c); !errors.Is(err, ErrConfig) {
				t.Errorf("New: %v, want ErrConfig", err)
			}
		})
	}
}

// playThrough holds a key at every picture until the session is over. It returns the
// pictures' steps, which inputs had been used at each, and how the session ended.
func playThrough(t *testing.T, c Connection) (steps, used []uint64, end string) {
	for {
		out, err := c.Next(t.Context())
		if err != nil {
			var cl *Close
			if !errors.As(err, &cl) || cl.Code != closeNormal {
				t.Errorf("the socket ended with %v", err)
			}
			return steps, used, end
		}
		var m play.ServerMessage
		if err := proto.Unmarshal(slices.Concat(out.Shared, out.Own), &m); err != nil {
			t.Fatal(err)
		}
		if m.GetEnd() != nil {
			end = m.GetEnd().GetCode()
		}
		f := m.GetFrame()
		if f == nil {
			continue
		}
		steps, used = append(steps, f.GetStep()), append(used, m.GetInputSeq())
		in, err := proto.Marshal(&play.ClientMessage{Kind: &play.ClientMessage_Input{Input: &play.Input{
			Seq: uint64(len(steps)), StepSeen: f.GetStep(), Keys: []string{"ArrowLeft"}, Episode: f.GetEpisode()}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Receive(in); err != nil {
			t.Fatal(err)
		}
	}
}
