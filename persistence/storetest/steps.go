package storetest

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"sharpie/persistence"
)

// chunk makes n steps of one role with a float32×2 observation.
func chunk(episode string, first int64, n int) *persistence.StepChunk {
	c := &persistence.StepChunk{
		ID: persistence.ChunkID(persistence.EpisodeID(episode), first), EpisodeID: persistence.EpisodeID(episode), SessionID: "s",
		First: first, Count: n, ReceivedAt: kept(now),
	}
	r := persistence.RoleSteps{Role: "agent_0", Observations: &persistence.Array{DType: "float32", Shape: []int{n, 2}}}
	for i := range n {
		step := first + int64(i)
		c.Offsets = append(c.Offsets, step*33_333)
		c.Lateness = append(c.Lateness, step%5)
		c.Hashes = binary.LittleEndian.AppendUint64(c.Hashes, uint64(step)<<56|1)
		r.Observations.Data = binary.LittleEndian.AppendUint64(r.Observations.Data, uint64(step))
		r.Live = append(r.Live, true)
		r.Actions = append(r.Actions, step%3)
		r.Sources = append(r.Sources, "human")
		r.Rewards = append(r.Rewards, -1)
		r.Terminated = append(r.Terminated, false)
		r.Truncated = append(r.Truncated, i == n-1)
	}
	c.Roles = []persistence.RoleSteps{r}
	return c
}

func testSteps(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	t.Run("inserted is read back", func(t *testing.T) {
		c := chunk("e1", 0, 30)
		must(t, s.InsertStepChunks(ctx, []*persistence.StepChunk{c}))
		equal(t, collect(t, s.StepChunks(ctx, "e1")), []*persistence.StepChunk{c})
	})
	t.Run("insert may be repeated, alone and among new ones", func(t *testing.T) {
		must(t, s.InsertStepChunks(ctx, []*persistence.StepChunk{chunk("e1", 0, 30)}))
		must(t, s.InsertStepChunks(ctx, []*persistence.StepChunk{chunk("e1", 0, 30), chunk("e1", 30, 10), chunk("e1", 30, 10), chunk("e1", 40, 1)}))
		if got := collect(t, s.StepChunks(ctx, "e1")); len(got) != 3 {
			t.Errorf("%d chunks are stored, want 3", len(got))
		}
	})
	t.Run("another chunk under the id is ErrConflict", func(t *testing.T) {
		wantErr(t, s.InsertStepChunks(ctx, []*persistence.StepChunk{chunk("e1", 0, 29)}), persistence.ErrConflict)
		equal(t, collect(t, s.StepChunks(ctx, "e1"))[0], chunk("e1", 0, 30))
	})
	t.Run("none is no error", func(t *testing.T) { must(t, s.InsertStepChunks(ctx, nil)) })
	t.Run("streamed by first step, however inserted", func(t *testing.T) {
		for _, first := range []int64{1_000_000, 9, 100, 99, 5_000_000_000, 0} {
			must(t, s.InsertStepChunks(ctx, []*persistence.StepChunk{chunk("e2", first, 1)}))
		}
		must(t, s.InsertStepChunks(ctx, []*persistence.StepChunk{chunk("e20", 1, 1)})) // its id begins alike
		var got []int64
		for _, c := range collect(t, s.StepChunks(ctx, "e2")) {
			got = append(got, c.First)
		}
		equal(t, got, []int64{0, 9, 99, 100, 1_000_000, 5_000_000_000})
	})
	t.Run("an unknown episode has none", func(t *testing.T) {
		if got := collect(t, s.StepChunks(ctx, "nothing")); len(got) != 0 {
			t.Errorf("%d chunks", len(got))
		}
	})
	t.Run("a stream may be left early", func(t *testing.T) {
		for range 20 {
			for range s.StepChunks(ctx, "e2") {
				break
			}
		}
		must(t, s.Ping(ctx))
	})
	t.Run("many writers, none lost", func(t *testing.T) {
		const writers, chunks = 16, 20
		for _, err := range concurrently(writers, func(w int) error {
			for i := range chunks {
				if err := s.InsertStepChunks(ctx, []*persistence.StepChunk{chunk(id("w%d", w), int64(i*4), 4)}); err != nil {
					return err
				}
			}
			return nil
		}) {
			must(t, err)
		}
		for w := range writers {
			next := int64(0)
			for _, c := range collect(t, s.StepChunks(ctx, persistence.EpisodeID(id("w%d", w)))) {
				if c.First != next {
					t.Fatalf("writer %d: a chunk begins at %d, want %d", w, c.First, next)
				}
				next += int64(c.Count)
			}
			if next != chunks*4 {
				t.Errorf("writer %d: %d steps, want %d", w, next, chunks*4)
			}
		}
	})
}

func testStepMistakes(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	must(t, s.InsertStepChunks(ctx, []*persistence.StepChunk{chunk("taken", 0, 5)}))
	for i, err := range concurrently(60, func(i int) error {
		switch c := chunk(id("m%d", i), 0, 3); i % 3 {
		case 0:
			return s.InsertStepChunks(ctx, []*persistence.StepChunk{c, chunk("taken", 0, 4)})
		case 1:
			return s.InsertStepChunks(ctx, []*persistence.StepChunk{c, chunk("taken", 0, 5)})
		default:
			return s.InsertStepChunks(ctx, []*persistence.StepChunk{c})
		}
	}) {
		if i%3 == 0 {
			wantErr(t, err, persistence.ErrConflict)
			continue
		}
		must(t, err)
		if got := collect(t, s.StepChunks(ctx, persistence.EpisodeID(id("m%d", i)))); len(got) != 1 {
			t.Errorf("caller %d stored %d chunks, want 1", i, len(got))
		}
	}
}

func testStepValues(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	roundTrip := func(t *testing.T, episode string, change func(*persistence.StepChunk, *persistence.RoleSteps)) {
		t.Helper()
		c := chunk(episode, 0, 4)
		change(c, &c.Roles[0])
		must(t, s.InsertStepChunks(ctx, []*persistence.StepChunk{c}))
		must(t, s.InsertStepChunks(ctx, []*persistence.StepChunk{c}))
		equal(t, collect(t, s.StepChunks(ctx, persistence.EpisodeID(episode))), []*persistence.StepChunk{c})
	}
	t.Run("NaN and infinities", func(t *testing.T) {
		roundTrip(t, "nan", func(_ *persistence.StepChunk, r *persistence.RoleSteps) {
			human := math.Inf(-1)
			r.Rewards = []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1)}
			r.HumanRewards = []*float64{nil, &human, nil, new(float64)}
			var data []byte
			for _, f := range []float64{math.NaN(), math.Inf(1), 5e-324, math.MaxFloat64} {
				data = binary.LittleEndian.AppendUint64(data, math.Float64bits(f))
			}
			r.Observations = &persistence.Array{DType: "float64", Shape: []int{4}, Data: data}
		})
	})
	t.Run("every kind of value", func(t *testing.T) {
		a := persistence.Array{DType: "uint8", Shape: []int{2, 1}, Data: []byte{0, 255}}
		roundTrip(t, "values", func(_ *persistence.StepChunk, r *persistence.RoleSteps) {
			r.Observations = nil
			r.ObservationValues = []persistence.Value{a, "text", []any{a, int64(1), []any{}}, map[string]any{"z": a, "a": int64(-3), "": nil}}
			r.Actions = []persistence.Value{nil, int64(math.MaxInt64), "left", a}
			r.PolicyActions = []persistence.Value{nil, 0.5, true, []any{int64(math.MinInt64), 1e300}}
		})
	})
	t.Run("inputs, infos and versions", func(t *testing.T) {
		text := "grüß dich 👋"
		roundTrip(t, "inputs", func(_ *persistence.StepChunk, r *persistence.RoleSteps) {
			r.Inputs = []persistence.HumanInput{
				{Step: 1, Seq: 1, StepSeen: 0, Keys: []string{"ArrowLeft", " "}, Value: int64(0), ClientAt: kept(now), ClientOffset: -1500, ReceivedAt: kept(now).Add(time.Microsecond)},
				{Step: 1, Seq: 2, Text: &text, Value: text, ClientAt: kept(now), ReceivedAt: kept(now)},
			}
			r.Infos = []persistence.Info{{Step: 2, Info: persistence.Document{"TimeLimit.truncated": true, "$dollar": "ok", "nested": map[string]any{"x": []any{1.0, "a", nil}}}}}
			r.PolicyVersions = []persistence.Versioned{{Step: 0, Version: "0"}, {Step: 2, Version: "a"}}
		})
	})
	t.Run("turns and legal actions", func(t *testing.T) {
		roundTrip(t, "turns", func(_ *persistence.StepChunk, r *persistence.RoleSteps) {
			r.Waits = []bool{true, false, true, false}
			r.LegalActions = []persistence.LegalActions{{Step: 0, Mask: []byte{1, 0, 1}}, {Step: 2, Mask: []byte{0, 0, 1}}}
		})
	})
	t.Run("text that is not UTF-8 becomes U+FFFD", func(t *testing.T) {
		broken := "a\xff\xfeb"
		c := chunk("utf8", 0, 4)
		c.Roles[0].Actions[0] = broken
		c.Roles[0].Inputs = []persistence.HumanInput{{Keys: []string{broken}, Text: &broken}}
		c.Roles[0].Infos = []persistence.Info{{Info: persistence.Document{broken: broken}}}
		for range 2 {
			must(t, s.InsertStepChunks(ctx, []*persistence.StepChunk{c}))
		}
		r := collect(t, s.StepChunks(ctx, "utf8"))[0].Roles[0]
		const want = "a\uFFFDb"
		if r.Actions[0] != want || r.Inputs[0].Keys[0] != want || *r.Inputs[0].Text != want || r.Infos[0].Info[want] != want {
			t.Errorf("read %q, %q, %q, %q", r.Actions[0], r.Inputs[0].Keys, *r.Inputs[0].Text, r.Infos[0].Info)
		}
	})
	t.Run("several roles in order", func(t *testing.T) {
		roundTrip(t, "roles", func(c *persistence.StepChunk, r *persistence.RoleSteps) {
			other := *r
			other.Role, other.Live = "a_before", []bool{true, true, false, false}
			c.Roles = append(c.Roles, other)
		})
	})
	t.Run("the caller may change what it gave", func(t *testing.T) {
		c := chunk("reuse", 0, 4)
		must(t, s.InsertStepChunks(ctx, []*persistence.StepChunk{c}))
		c.Roles[0].Rewards[0], c.Hashes[0] = 99, 99
		equal(t, collect(t, s.StepChunks(ctx, "reuse")), []*persistence.StepChunk{chunk("reuse", 0, 4)})
	})
}

func testStepLimits(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	insert := func(c *persistence.StepChunk) error {
		return s.InsertStepChunks(ctx, []*persistence.StepChunk{c})
	}
	// pictures of n bytes each
	pictures := func(episode string, first int64, n int) *persistence.StepChunk {
		c := chunk(episode, first, 4)
		c.Roles[0].Observations = &persistence.Array{DType: "uint8", Shape: []int{4, n}, Data: make([]byte, 4*n)}
		return c
	}
	t.Run("a chunk of nearly 16 MiB", func(t *testing.T) {
		for i := range int64(3) {
			must(t, insert(pictures("large", i*4, 4<<20-1024)))
		}
		n := 0
		for _, c := range collect(t, s.StepChunks(ctx, "large")) {
			n += len(c.Roles[0].Observations.Data)
		}
		if n != 3*4*(4<<20-1024) {
			t.Errorf("read %d bytes of observations", n)
		}
	})
	t.Run("a larger one is ErrInvalid", func(t *testing.T) {
		wantErr(t, insert(pictures("larger", 0, 4<<20)), persistence.ErrInvalid)
	})
	t.Run("256 steps, not 257", func(t *testing.T) {
		must(t, insert(chunk("long", 0, persistence.MaxChunkSteps)))
		wantErr(t, insert(chunk("longer", 0, persistence.MaxChunkSteps+1)), persistence.ErrInvalid)
		wantErr(t, insert(chunk("empty", 0, 0)), persistence.ErrInvalid)
	})
	for name, spoil := range map[string]func(*persistence.StepChunk){
		"an id that is not the episode's and step's": func(c *persistence.StepChunk) { c.ID = "x" },
		"no episode":                   func(c *persistence.StepChunk) { c.EpisodeID = "" },
		"a negative first step":        func(c *persistence.StepChunk) { c.First = -1 },
		"too few rewards":              func(c *persistence.StepChunk) { c.Roles[0].Rewards = c.Roles[0].Rewards[1:] },
		"too few turns":                func(c *persistence.StepChunk) { c.Roles[0].Waits = []bool{true} },
		"too many offsets":             func(c *persistence.StepChunk) { c.Offsets = append(c.Offsets, 0) },
		"a missing hash":               func(c *persistence.StepChunk) { c.Hashes = c.Hashes[8:] },
		"an array of another length":   func(c *persistence.StepChunk) { c.Roles[0].Observations.Shape[0]++ },
		"two forms of observation":     func(c *persistence.StepChunk) { c.Roles[0].ObservationValues = make([]persistence.Value, c.Count) },
		"no observations":              func(c *persistence.StepChunk) { c.Roles[0].Observations = nil },
		"a role without a name":        func(c *persistence.StepChunk) { c.Roles[0].Role = "" },
		"a value that nobody can read": func(c *persistence.StepChunk) { c.Roles[0].Actions[0] = make(chan int) },
	} {
		t.Run(name+" is ErrInvalid", func(t *testing.T) {
			c := chunk("spoilt", 0, 4)
			spoil(c)
			wantErr(t, insert(c), persistence.ErrInvalid)
		})
	}
}
