package main

import (
	"bytes"
	"encoding/binary"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sharpie/actors/runner"
	"sharpie/envs"
	envsbuiltin "sharpie/envs/builtin"
	"sharpie/experiments"
	"sharpie/experiments/making"
	"sharpie/persistence"
	"sharpie/persistence/embedded"
)

// recorded plays n steps of Mountain Car, always to the right, and returns them
// as a runner and a recorder leave them: chunks of ten records.
func recorded(t *testing.T, n int) (*persistence.Episode, []*persistence.StepChunk) {
	t.Helper()
	env, err := envsbuiltin.Registry().Make("go:MountainCar-v0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer env.Close()
	spec := env.Spec()
	e := &persistence.Episode{
		ID: "ep_1", SessionID: "s_1", Experiment: "mountain-car", ExperimentVersion: 1, Environment: "go:MountainCar-v0",
		EnvironmentCode: spec.Version, Seed: 7, Replayable: true, Roles: []persistence.EpisodeRole{{Role: "agent_0"}},
		Status: "truncated", Steps: int64(n), StoredSteps: int64(n + 1), StartedAt: clock(), ReceivedAt: clock(),
	}
	seen, err := env.Reset(t.Context(), 7)
	if err != nil {
		t.Fatal(err)
	}
	var chunks []*persistence.StepChunk
	for step := range n + 1 {
		if step%10 == 0 {
			chunks = append(chunks, &persistence.StepChunk{
				ID: persistence.ChunkID(e.ID, int64(step)), EpisodeID: e.ID, SessionID: e.SessionID, First: int64(step),
				ReceivedAt: clock(), Roles: []persistence.RoleSteps{{Role: "agent_0"}},
			})
		}
		c := chunks[len(chunks)-1]
		r := &c.Roles[0]
		var action persistence.Value
		source := ""
		if step > 0 {
			done, err := env.Step(t.Context(), []envs.RoleAction{{Role: spec.Roles[0].Role, Action: envs.Int(2)}})
			if err != nil {
				t.Fatal(err)
			}
			seen = envs.Observations{done.Roles[0].RoleObservation}
			action, source = int64(2), "human"
		}
		c.Count++
		c.Offsets, c.Lateness = append(c.Offsets, int64(step)), append(c.Lateness, 0)
		c.Hashes = binary.LittleEndian.AppendUint64(c.Hashes, runner.ObservationHash(seen))
		r.Live, r.Actions, r.Sources = append(r.Live, true), append(r.Actions, action), append(r.Sources, source)
		r.Rewards, r.Terminated, r.Truncated = append(r.Rewards, -1), append(r.Terminated, false), append(r.Truncated, false)
		r.ObservationValues = append(r.ObservationValues, int64(0))
	}
	return e, chunks
}

func TestVerifyTellsWhatIsWrongWithAnEpisode(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(e *persistence.Episode, chunks []*persistence.StepChunk) []*persistence.StepChunk
		fails  bool
		want   string
	}{
		{"whole", nil, false, "yes    yes"},
		{"a missing chunk", func(_ *persistence.Episode, c []*persistence.StepChunk) []*persistence.StepChunk {
			return append(c[:1:1], c[2:]...)
		}, true, "steps 10 to 19 are missing"},
		{"a missing end", func(_ *persistence.Episode, c []*persistence.StepChunk) []*persistence.StepChunk {
			return c[:len(c)-1]
		}, true, "30 are stored"},
		{"still running", func(e *persistence.Episode, c []*persistence.StepChunk) []*persistence.StepChunk {
			e.Status = "running"
			return c[:len(c)-1]
		}, false, "yes    yes"},
		{"another action", func(_ *persistence.Episode, c []*persistence.StepChunk) []*persistence.StepChunk {
			c[1].Roles[0].Actions[4] = int64(0)
			return c
		}, true, "step 14: replaying gives other observations"},
		{"another observation", func(_ *persistence.Episode, c []*persistence.StepChunk) []*persistence.StepChunk {
			c[2].Hashes[0]++
			return c
		}, true, "step 20: replaying gives other observations"},
		{"another seed", func(e *persistence.Episode, c []*persistence.StepChunk) []*persistence.StepChunk {
			e.Seed = 8
			return c
		}, true, "step 0: replaying gives other observations"},
		{"an action that is none", func(_ *persistence.Episode, c []*persistence.StepChunk) []*persistence.StepChunk {
			c[1].Roles[0].Actions[4] = int64(9)
			return c
		}, true, "step 14"},
		{"older dynamics", func(e *persistence.Episode, c []*persistence.StepChunk) []*persistence.StepChunk {
			e.EnvironmentCode = "0"
			return c
		}, false, `made by version "0"`},
		{"not replayable", func(e *persistence.Episode, c []*persistence.StepChunk) []*persistence.StepChunk {
			e.Replayable = false
			return c
		}, false, "does not promise"},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := openStore(t)
			if _, _, err := experiments.Import(t.Context(), store, experiments.Demos()[0], "test", clock()); err != nil {
				t.Fatal(err)
			}
			episode, chunks := recorded(t, 35)
			if test.change != nil {
				chunks = test.change(episode, chunks)
			}
			if err := store.InsertEpisode(t.Context(), episode); err != nil {
				t.Fatal(err)
			}
			if err := store.InsertStepChunks(t.Context(), chunks); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			err := (&verifyTask{Experiment: "mountain-car"}).do(t.Context(), taskEnv{store: store, maker: making.New(making.Config{Registries: registries()}), out: &out, now: clock})
			if (err != nil) != test.fails {
				t.Errorf("verify returns %v, want a failure: %t", err, test.fails)
			}
			if !strings.Contains(out.String(), test.want) {
				t.Errorf("the output does not say %q:\n%s", test.want, out.String())
			}
		})
	}
}

func TestAPortInUseAndAnUnknownEpisodeAreSaidPlainly(t *testing.T) {
	busy := &net.OpError{Op: "listen", Err: syscall.EADDRINUSE}
	if got, want := listenError(":8080", busy).Error(), "port 8080 is in use: choose another with --addr :8081"; got != want {
		t.Errorf("port: %q, want %q", got, want)
	}
	store, err := embedded.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	err = (&verifyTask{Episodes: []string{"ep_nope"}}).each(t.Context(), store, nil)
	if want := `no episode "ep_nope" is stored`; err == nil || err.Error() != want {
		t.Errorf("episode: %v, want %q", err, want)
	}
}
