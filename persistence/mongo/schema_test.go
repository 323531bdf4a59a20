package mongo

import (
	"errors"
	"slices"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sharpie/persistence"
	"sharpie/persistence/mongo/mongotest"
)

func opened(t *testing.T, uri string) *Store {
	t.Helper()
	s, err := Open(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestSchema(t *testing.T) {
	databases := mongotest.Open(t)
	t.Run("opened by several at once, and again", func(t *testing.T) {
		uri := databases(t)
		errs := make(chan error)
		for range 4 {
			go func() {
				s, err := Open(t.Context(), uri)
				if err == nil {
					err = s.Close()
				}
				errs <- err
			}()
		}
		for range 4 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		s := opened(t, uri)
		for _, l := range layouts() {
			specs, err := s.db.Collection(l.name).Indexes().ListSpecifications(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(specs) != len(l.indexes)+1 { // and that of _id
				t.Errorf("%s has %d indexes, want %d", l.name, len(specs)-1, len(l.indexes))
			}
		}
	})
	t.Run("a changed validator, view or index is brought up to date", func(t *testing.T) { testUpgrade(t, databases(t)) })
	t.Run("a newer schema is refused", func(t *testing.T) {
		uri := databases(t)
		s := opened(t, uri)
		_, err := s.db.Collection(schemaCollection).UpdateOne(t.Context(), byID("schema"), bson.D{{Key: "$set", Value: bson.D{{Key: "version", Value: 1000}}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), uri); !errors.Is(err, persistence.ErrNewer) {
			t.Errorf("open: %v, want ErrNewer", err)
		}
	})
	t.Run("a document that breaks the schema is refused", func(t *testing.T) {
		s := opened(t, databases(t))
		for name, doc := range map[string]bson.D{
			"a field is missing":    {{Key: "_id", Value: "x"}},
			"a text for an integer": {{Key: "_id", Value: "x"}, {Key: "count", Value: "ten"}},
		} {
			_, err := s.db.Collection(stepChunks).InsertOne(t.Context(), doc)
			if err := wrap("insert", err); !errors.Is(err, persistence.ErrInvalid) {
				t.Errorf("%s: %v, want ErrInvalid", name, err)
			}
		}
	})
	t.Run("lookups use indexes", func(t *testing.T) { testPlans(t, opened(t, databases(t))) })
}

func testUpgrade(t *testing.T, uri string) {
	ctx := t.Context()
	s := opened(t, uri)
	for _, command := range []bson.D{
		{{Key: "collMod", Value: users}, {Key: "validator", Value: bson.D{{Key: "old", Value: true}}}},
		{{Key: "collMod", Value: stepsViewName}, {Key: "viewOn", Value: users}, {Key: "pipeline", Value: bson.A{}}},
		{{Key: "dropIndexes", Value: users}, {Key: "index", Value: "name_key_1"}},
		{{Key: "createIndexes", Value: users}, {Key: "indexes", Value: bson.A{bson.D{
			{Key: "key", Value: bson.D{{Key: "name_key", Value: 1}}}, {Key: "name", Value: "name_key_1"}}}}},
	} {
		if err := s.db.RunCommand(ctx, command).Err(); err != nil {
			t.Fatal(err)
		}
	}
	s = opened(t, uri)
	u := &persistence.User{ID: "a", Name: "Ann", NameKey: "ann", CreatedAt: time.Now()}
	if err := s.InsertUser(ctx, u); err != nil {
		t.Errorf("the old validator is still in force: %v", err)
	}
	if err := s.InsertUser(ctx, &persistence.User{ID: "b", Name: "Ann", NameKey: "ann"}); !errors.Is(err, persistence.ErrConflict) {
		t.Errorf("names are not unique: %v", err)
	}
	if n, err := s.db.Collection(stepsViewName).CountDocuments(ctx, bson.D{}); err != nil || n != 0 {
		t.Errorf("the old view is still in force: %d documents, %v", n, err)
	}
}

// testPlans asks the server how it would look up what the platform often needs.
func testPlans(t *testing.T, s *Store) {
	for _, c := range []struct {
		collection string
		filter     bson.D
		sort       bson.D
	}{
		{stepChunks, append(bson.D{{Key: "episode_id", Value: "e"}}, after("first_step", position{5, "e:5"})...), bson.D{{Key: "first_step", Value: 1}, {Key: "_id", Value: 1}}},
		{episodes, append(bson.D{{Key: "experiment", Value: "e"}}, after("server_started_at_us", position{5, "x"})...), bson.D{{Key: "server_started_at_us", Value: 1}, {Key: "_id", Value: 1}}},
		{sessions, bson.D{{Key: "node", Value: "n"}, {Key: "finished", Value: false}}, nil},
		{users, bson.D{}, newest("server_created_at_us")},
		{events, bson.D{{Key: "session_id", Value: "s"}}, newest("server_at_us")},
		{checkpoints, bson.D{{Key: "scope", Value: "s"}, {Key: "role", Value: "r"}, {Key: "policy", Value: "p"}}, newest("server_received_at_us")},
		{consents, bson.D{{Key: "user_id", Value: "u"}}, nil},
		{stepsViewName, bson.D{{Key: "episode_id", Value: "e"}}, nil},
	} {
		find := bson.D{{Key: "find", Value: c.collection}, {Key: "filter", Value: c.filter}}
		if c.sort != nil {
			find = append(find, bson.E{Key: "sort", Value: c.sort})
		}
		raw, err := s.db.RunCommand(t.Context(), bson.D{{Key: "explain", Value: find}, {Key: "verbosity", Value: "queryPlanner"}}).Raw()
		if err != nil {
			t.Fatal(err)
		}
		stages := planStages(raw)
		if !slices.Contains(stages, "IXSCAN") || slices.Contains(stages, "COLLSCAN") {
			t.Errorf("looking up %s by %v: %v, want an index", c.collection, c.filter, stages)
		}
	}
}

// planStages lists the stages of the winning plan, wherever explain puts them.
func planStages(raw bson.Raw) (stages []string) {
	elements, err := raw.Elements()
	if err != nil {
		return nil
	}
	for _, e := range elements {
		if e.Key() == "rejectedPlans" {
			continue
		}
		if text, ok := e.Value().StringValueOK(); ok && e.Key() == "stage" {
			stages = append(stages, text)
		}
		if d, ok := e.Value().DocumentOK(); ok {
			stages = append(stages, planStages(d)...)
		}
		if a, ok := e.Value().ArrayOK(); ok {
			stages = append(stages, planStages(bson.Raw(a))...)
		}
	}
	return stages
}

func TestStepsView(t *testing.T) {
	s := opened(t, mongotest.Open(t)(t))
	five := 5.0
	text := "hi"
	c := &persistence.StepChunk{
		ID: persistence.ChunkID("e", 10), EpisodeID: "e", SessionID: "s", First: 10, Count: 2, ReceivedAt: time.UnixMicro(1_700_000_000_123_456),
		Offsets: []int64{100, 200}, Lateness: []int64{1, 2}, Hashes: make([]byte, 16),
		Roles: []persistence.RoleSteps{
			{Role: "a", Live: []bool{true, true}, Observations: &persistence.Array{DType: "uint8", Shape: []int{2, 1}, Data: []byte{1, 2}},
				Actions: []any{nil, int64(2)}, Sources: []string{"", "human"}, Rewards: []float64{0, -1}, HumanRewards: []*float64{nil, &five},
				Terminated: []bool{false, true}, Truncated: []bool{false, false},
				Inputs: []persistence.HumanInput{{Step: 11, Seq: 4, Keys: []string{"x"}, Text: &text, Value: int64(2)}},
				Infos:  []persistence.Info{{Step: 11, Info: persistence.Document{"lives": int64(3)}}}, PolicyVersions: []persistence.Versioned{{Step: 10, Version: "v1"}, {Step: 11, Version: "v2"}}},
			{Role: "b", Live: []bool{true, false}, ObservationValues: []any{int64(7), nil}, PolicyActions: []any{"l", "r"}, Actions: []any{"l", "r"},
				Sources: []string{"policy", "policy"}, Rewards: []float64{1, 2}, Terminated: []bool{false, false}, Truncated: []bool{false, false}},
		},
	}
	if err := s.InsertStepChunks(t.Context(), []*persistence.StepChunk{c}); err != nil {
		t.Fatal(err)
	}
	cursor, err := s.db.Collection(stepsViewName).Find(t.Context(), bson.D{{Key: "episode_id", Value: "e"}},
		options.Find().SetSort(bson.D{{Key: "step", Value: 1}, {Key: "role", Value: 1}}))
	if err != nil {
		t.Fatal(err)
	}
	var rows []bson.M
	if err := cursor.All(t.Context(), &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 4 {
		t.Fatalf("%d rows, want one per step and role: 4", len(rows))
	}
	for _, w := range []struct {
		row   int
		field string
		want  any
	}{
		{0, "step", int64(10)}, {0, "role", "a"}, {0, "human_reward", nil}, {0, "policy_version", "v1"}, {0, "info", nil}, {0, "observation", nil},
		{1, "role", "b"}, {1, "policy_action", "l"}, {1, "observation", int64(7)}, {1, "policy_version", nil}, {1, "human_reward", nil},
		{2, "step", int64(11)}, {2, "source", "human"}, {2, "action", int64(2)}, {2, "reward", -1.0}, {2, "human_reward", 5.0}, {2, "policy_version", "v2"},
		{2, "terminated", true}, {2, "runner_offset_us", int64(200)}, {2, "server_received_at_us", int64(1_700_000_000_123_456)}, {2, "index_in_chunk", int32(1)},
		{3, "live", false}, {3, "source", "policy"}, {3, "chunk_id", "e:0000000010"},
	} {
		if got := rows[w.row][w.field]; got != w.want {
			t.Errorf("row %d: %s is %v (%T), want %v", w.row, w.field, got, got, w.want)
		}
	}
	if in := rows[2]["inputs"].(bson.A); len(in) != 1 {
		t.Errorf("step 11 has inputs %v, want one", in)
	}
	if in := rows[0]["inputs"].(bson.A); len(in) != 0 {
		t.Errorf("step 10 has inputs %v, want none", in)
	}
}
