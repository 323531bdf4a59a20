package runner

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sharpie/agents"
	"sharpie/envs"
	"sharpie/envs/builtin"
	"sharpie/experiments"
)

// The numbers were made once by the description in ObservationHash, in Python:
//
//	import hashlib, struct
//	u32 = lambda n: struct.pack('<I', n)
//	s = lambda t: u32(len(t.encode())) + t.encode()
//	a = lambda d, shape, data: b'a' + bytes([len(d)]) + d.encode() + bytes([len(shape)]) + b''.join(struct.pack('<Q', n) for n in shape) + data
//	h = lambda b: struct.unpack('<Q', hashlib.sha256(b).digest()[:8])[0]
//	h(b'')
//	h(s('agent_0') + b'i' + struct.pack('<q', -3))
//	h(s('a') + a('float32', [2], struct.pack('<2f', 1.5, -2)) + s('b') + b's' + s('hé'))
//	h(s('a') + b'd' + u32(2) + s('x') + b't' + u32(1) + b'i' + struct.pack('<q', 1) + s('y') + b'n')
func TestObservationHashIsWhatItsTextSays(t *testing.T) {
	for name, c := range map[string]struct {
		in   envs.Observations
		want uint64
	}{
		"nothing": {nil, 0x141cfc9842c4b0e3},
		"int":     {envs.Observations{{Role: "agent_0", Observation: envs.Int(-3)}}, 0x595177efb53faa8f},
		"array, text": {envs.Observations{
			{Role: "a", Observation: envs.Array{DType: envs.Float32, Shape: []int{2}, Data: []byte{0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0}}},
			{Role: "b", Observation: envs.Text("hé")}}, 0xc08aacf4ab926a46},
		"dict, tuple": {envs.Observations{{Role: "a", Observation: envs.Dict{
			{Key: "x", Value: envs.Tuple{envs.Int(1)}}, {Key: "y"}}}}, 0x2b40641a3ad68c1f},
	} {
		if got := ObservationHash(c.in); got != c.want {
			t.Errorf("%s: hash is %#x, want %#x", name, got, c.want)
		}
	}
}

func TestAgentSeedIsWhatItsTextSays(t *testing.T) {
	// h(b'sharpie agent seed\0' + struct.pack('<Q', 7) + b'agent_0')
	if got := AgentSeed(7, "agent_0"); got != 0x66a998651542b1af {
		t.Errorf("seed is %#x, want %#x", got, 0x66a998651542b1af)
	}
	if AgentSeed(7, "agent_0") == AgentSeed(7, "agent_1") || AgentSeed(7, "agent_0") == AgentSeed(8, "agent_0") {
		t.Error("roles and episodes must have seeds of their own")
	}
}

func TestReplayGivesTheHashesOfTheEpisode(t *testing.T) {
	make := func() envs.Environment {
		e, err := builtin.Registry().Make("go:CartPole-v1", nil)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	env := make()
	defer env.Close()
	first, err := env.Reset(context.Background(), 5)
	if err != nil {
		t.Fatal(err)
	}
	want := []uint64{ObservationHash(first)}
	var actions [][]envs.RoleAction
	for i := range 8 {
		a := []envs.RoleAction{{Role: first[0].Role, Action: envs.Int(i % 2)}}
		step, err := env.Step(context.Background(), a)
		if err != nil {
			t.Fatal(err)
		}
		actions, want = append(actions, a), append(want, ObservationHash(envs.Observations{step.Roles[0].RoleObservation}))
	}
	again := make()
	defer again.Close()
	i := 0
	for got, err := range Replay(context.Background(), again, 5, sequence(actions, nil)) {
		if err != nil || got != want[i] {
			t.Fatalf("step %d: hash %#x and error %v, want %#x", i, got, err, want[i])
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%d hashes, want %d", i, len(want))
	}
}

func TestReplayStopsAtTheFirstError(t *testing.T) {
	broken := errors.New("a torn chunk")
	env := newWalk("agent_0")
	var errs []error
	for _, err := range Replay(context.Background(), env, 5, sequence([][]envs.RoleAction{{{Role: "agent_0", Action: envs.Int(1)}}}, broken)) {
		errs = append(errs, err)
	}
	if len(errs) != 3 || errs[0] != nil || errs[1] != nil || !errors.Is(errs[2], broken) {
		t.Errorf("errors are %v, want the third to be %v", errs, broken)
	}
}

func sequence(actions [][]envs.RoleAction, err error) iter.Seq2[[]envs.RoleAction, error] {
	return func(yield func([]envs.RoleAction, error) bool) {
		for _, a := range actions {
			if !yield(a, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func TestARecordedEpisodeIsReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := definition("b", "a")
		def.Policies = []experiments.Policy{{Name: "p", Source: "go:fixed"}}
		def.Agents[1].Policy, def.Agents[1].Participant = "p", false
		env := newWalk("a", "b")
		env.ends["b"] = 3
		p := play(t, def, &world{env: env, policies: map[string]agents.Agent{"go:fixed": &fixed{action: envs.Int(2)}}}).begin()
		time.Sleep(150 * ms)
		p.input(0, 1, "ArrowLeft")
		p.wait()
		recording, err := NewRecording(def, env.Spec())
		if err != nil {
			t.Fatal(err)
		}
		var actions [][]envs.RoleAction
		records := p.records()
		for _, r := range records[1:] {
			step := make([]envs.Value, len(r.Roles))
			for i := range r.Roles {
				if step[i], err = FromMessage(r.Roles[i].Action); err != nil {
					t.Fatal(err)
				}
			}
			actions = append(actions, recording.Actions(step))
		}
		i := 0
		again := newWalk("a", "b")
		again.ends["b"] = 3
		for hash, err := range Replay(context.Background(), again, 3, sequence(actions, nil)) {
			if err != nil || hash != records[i].ObservationHash {
				t.Errorf("step %d: hash %#x (%v), recorded is %#x", i, hash, err, records[i].ObservationHash)
			}
			i++
		}
		if d := cmp.Diff(env.order, again.order); d != "" || i != len(records) {
			t.Errorf("%d of %d steps; actions in another order (-played +replayed):\n%s", i, len(records), d)
		}
	})
}
