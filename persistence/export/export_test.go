package export_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sharpie/persistence"
	"sharpie/persistence/embedded"
	"sharpie/persistence/export"
	"sharpie/persistence/faulty"
)

var at = time.Date(2026, 3, 14, 15, 9, 26, 535897000, time.UTC)

// study is a store with one session of two roles: Ann Example steers agent_0 for 300
// steps in three chunks, agent_1 is a policy that ends after step 1.
func study(t *testing.T) *faulty.Store {
	t.Helper()
	db, err := embedded.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	ctx := t.Context()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(db.InsertUser(ctx, &persistence.User{ID: "u_secret", Name: "Ann Example", NameKey: "ann example", CreatedAt: at}))
	p, err := db.EnsureParticipant(ctx, "u_secret", "car", at)
	ok(err)
	p.External = map[string]string{"PROLIFIC_PID": "prolific-secret"}
	ok(db.UpdateParticipant(ctx, p))
	for i, hash := range []string{"h1", "h2"} {
		_, _, err = db.ImportExperiment(ctx, &persistence.Experiment{Link: "car", Name: "Car", Hash: hash, Source: "a: 1\nb: \"x\"\n",
			Definition: persistence.Document{"n": float64(i)}, ImportedAt: at, ImportedBy: "Ann Example"})
		ok(err)
	}
	ok(db.InsertSession(ctx, &persistence.Session{ID: "ses_1", Experiment: "car", ExperimentVersion: 2, Phase: "completed", Episodes: 1, OpenedAt: at, StartedAt: &at,
		Seats: []persistence.Seat{{Role: "agent_0", Participant: p.ID, User: "u_secret", JoinedAt: &at}}, Finished: true}))
	ok(db.InsertSession(ctx, &persistence.Session{ID: "ses_other", Experiment: "other", OpenedAt: at}))
	ok(db.InsertEvents(ctx, []*persistence.Event{
		{ID: "ev1", At: at, Kind: "phase", Actor: "system", SessionID: "ses_1", Detail: persistence.Document{"phase": "running"}},
		{ID: "ev2", At: at.Add(time.Second), Kind: "chat", Actor: "Ann Example", SessionID: "ses_1", Role: "agent_0", Detail: persistence.Document{"user": "Ann Example", "n": int64(2)}},
		{ID: "ev2a", At: at.Add(2 * time.Second), Kind: "join", Actor: "Carl Gone", SessionID: "ses_1", Detail: persistence.Document{"participant_id": "par_carl"}},
		{ID: "ev2b", At: at.Add(3 * time.Second), Kind: "disconnect", Actor: "Carl Gone", SessionID: "ses_1"},
		{ID: "ev3", At: at.Add(time.Minute), Kind: "admin.abort", Actor: "Bob Boss", SessionID: "ses_1"},
		{ID: "ev4", At: at, Kind: "phase", SessionID: "ses_other"},
	}))
	ok(db.InsertEpisode(ctx, &persistence.Episode{ID: "ep_1", SessionID: "ses_1", Experiment: "car", ExperimentVersion: 2, Seed: -1, Status: "terminated", Steps: 299, StoredSteps: 300,
		Roles: []persistence.EpisodeRole{{Role: "agent_0", Participant: p.ID, Return: -299}, {Role: "agent_1", Policy: "random"}}, StartedAt: at, ReceivedAt: at,
		Runner: "near", Runs: []persistence.Run{{Runner: "far", Incarnation: "inc_2", FromStep: 100, At: at, Why: "the runner stopped"}}}))
	for first := int64(0); first < 300; first += 100 {
		ok(db.InsertStepChunks(ctx, []*persistence.StepChunk{chunk(first, 100)}))
	}
	return faulty.Wrap(db)
}

func chunk(first int64, n int) *persistence.StepChunk {
	c := &persistence.StepChunk{ID: persistence.ChunkID("ep_1", first), EpisodeID: "ep_1", SessionID: "ses_1", First: first, Count: n, ReceivedAt: at}
	a := persistence.RoleSteps{Role: "agent_0", Observations: &persistence.Array{DType: "float32", Shape: []int{n, 2}}}
	b := persistence.RoleSteps{Role: "agent_1"}
	for i := range n {
		step := first + int64(i)
		c.Offsets, c.Lateness = append(c.Offsets, step*1000), append(c.Lateness, 7)
		c.Hashes = binary.BigEndian.AppendUint64(c.Hashes, uint64(step))
		a.Observations.Data = binary.LittleEndian.AppendUint32(a.Observations.Data, math.Float32bits(float32(step)+0.1))
		a.Observations.Data = binary.LittleEndian.AppendUint32(a.Observations.Data, math.Float32bits(float32(math.Inf(-1))))
		a.Live, b.Live = append(a.Live, true), append(b.Live, step < 2)
		a.Actions, b.Actions = append(a.Actions, step%3), append(b.Actions, "left, \"or\"\nright")
		a.Sources, b.Sources = append(a.Sources, "human"), append(b.Sources, "policy")
		a.Rewards, b.Rewards = append(a.Rewards, -1), append(b.Rewards, math.NaN())
		a.Terminated, b.Terminated = append(a.Terminated, false), append(b.Terminated, step == 1)
		a.Truncated, b.Truncated = append(a.Truncated, step == 299), append(b.Truncated, false)
		b.ObservationValues = append(b.ObservationValues, map[string]any{"b": int64(1), "a": []any{nil, "x"}})
	}
	b.PolicyActions = b.Actions
	b.PolicyVersions = []persistence.Versioned{{Step: first, Version: fmt.Sprint("v", first)}, {Step: first + 50, Version: "later"}}
	five := 5.0
	a.HumanRewards = make([]*float64, n)
	a.HumanRewards[3] = &five
	a.Inputs = []persistence.HumanInput{
		{Step: first + 2, Seq: 1, StepSeen: first + 1, Keys: []string{"ArrowLeft"}, Value: int64(0), ClientAt: at, ClientOffset: -20, ReceivedAt: at},
		{Step: first + 2, Seq: 2, StepSeen: first + 1, Keys: []string{}, Value: int64(1), ClientAt: at, ReceivedAt: at},
	}
	a.Infos = []persistence.Info{{Step: first + 4, Info: persistence.Document{"lives": int64(3)}}}
	c.Roles = []persistence.RoleSteps{a, b}
	return c
}

func exported(t *testing.T, store export.Store, format export.Format) (string, *export.Summary) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "deep", "results")
	s, err := export.Export(t.Context(), store, "car", dir, format)
	if err != nil {
		t.Fatal(err)
	}
	return dir, s
}

// lines reads a JSON lines file.
func lines(t *testing.T, path string) (rows []map[string]any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sc := bufio.NewScanner(bytes.NewReader(text))
	for sc.Scan() {
		d := json.NewDecoder(bytes.NewReader(sc.Bytes()))
		d.UseNumber()
		row := map[string]any{}
		if err := d.Decode(&row); err != nil {
			t.Fatalf("%s: %v in %s", path, err, sc.Text())
		}
		rows = append(rows, row)
	}
	return rows
}

func TestStepsAsJSONLines(t *testing.T) {
	dir, s := exported(t, study(t), export.JSONL)
	rows := lines(t, filepath.Join(dir, "steps.jsonl"))
	if len(rows) != 600 || s.Rows["steps.jsonl"] != 600 {
		t.Fatalf("%d rows, the summary says %d, want 600", len(rows), s.Rows["steps.jsonl"])
	}
	for i, r := range rows {
		if r["step"] != json.Number(fmt.Sprint(i/2)) || r["role"] != fmt.Sprintf("agent_%d", i%2) {
			t.Fatalf("row %d is step %v of %v", i, r["step"], r["role"])
		}
	}
	check := func(row int, column string, want string) {
		t.Helper()
		got, err := json.Marshal(rows[row][column])
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("step %d, %s, %s is %s, want %s", row/2, rows[row]["role"], column, got, want)
		}
	}
	check(204, "inputs", `[{"client_at":"2026-03-14T15:09:26.535897Z","client_offset_us":-20,"keys":["ArrowLeft"],"seq":1,"server_received_at":"2026-03-14T15:09:26.535897Z","step_seen":101,"text":null,"value":0},`+
		`{"client_at":"2026-03-14T15:09:26.535897Z","client_offset_us":0,"keys":[],"seq":2,"server_received_at":"2026-03-14T15:09:26.535897Z","step_seen":101,"text":null,"value":1}]`)
	check(206, "inputs", `[]`)
	check(0, "observation", `[0.1,"-Infinity"]`)
	check(202, "observation", `[101.1,"-Infinity"]`)
	check(203, "observation", `{"a":[null,"x"],"b":1}`)
	check(202, "action", `2`)
	check(203, "action", `"left, \"or\"\nright"`)
	check(203, "reward", `"NaN"`)
	check(202, "reward", `-1.0`)
	check(206, "human_reward", `5.0`)
	check(204, "human_reward", `null`)
	check(208, "info", `{"lives":3}`)
	check(210, "info", `null`)
	check(202, "policy_action", `null`)
	check(202, "policy_version", `null`)
	check(203, "policy_version", `"v100"`)
	check(301, "policy_version", `"later"`)
	check(202, "observation_hash", `"0000000000000065"`)
	check(202, "runner_offset_us", `101000`)
	check(3, "terminated", `true`)
	check(5, "live", `false`)
	check(203, "participant_id", `null`)
}

func TestRecordsAsJSONLines(t *testing.T) {
	store := study(t)
	dir, s := exported(t, store, export.JSONL)
	participants := lines(t, filepath.Join(dir, "participants.jsonl"))
	id, _ := participants[0]["participant_id"].(string)
	if !strings.HasPrefix(id, "par_") {
		t.Errorf("participant is %q", id)
	}
	var actors []any
	for _, e := range lines(t, filepath.Join(dir, "events.jsonl")) {
		actors = append(actors, e["actor"])
	}
	if d := cmp.Diff([]any{"system", id, "par_carl", "par_carl", "staff"}, actors); d != "" {
		t.Errorf("actors of the events (-want +got):\n%s", d)
	}
	episode := lines(t, filepath.Join(dir, "episodes.jsonl"))[0]
	if runs, _ := episode["runs"].([]any); episode["runner_id"] != "near" || len(runs) != 1 {
		t.Errorf("the episode was begun by %v, and went on with %v", episode["runner_id"], episode["runs"])
	} else if run := runs[0].(map[string]any); run["runner_id"] != "far" || run["from_step"] != json.Number("100") || run["why"] != "the runner stopped" {
		t.Errorf("who went on with it is %v", run)
	}
	if episode["seed"] != json.Number("18446744073709551615") {
		t.Errorf("seed is %v", episode["seed"])
	}
	roles := episode["roles"].([]any)
	if r := roles[0].(map[string]any); r["participant_id"] != id || r["return"] != json.Number("-299.0") {
		t.Errorf("role 0 is %v", r)
	}
	want := map[string]int64{"experiments.jsonl": 2, "participants.jsonl": 1, "sessions.jsonl": 1, "events.jsonl": 5, "episodes.jsonl": 1, "steps.jsonl": 600}
	if d := cmp.Diff(want, s.Rows); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
}

// TestCSVHoldsTheSame compares every cell with the JSON lines of the same study.
func TestCSVHoldsTheSame(t *testing.T) {
	store := study(t)
	inJSON, _ := exported(t, store, export.JSONL)
	inCSV, s := exported(t, store, export.CSV)
	for name, rows := range s.Rows {
		file, err := os.Open(filepath.Join(inCSV, name))
		if err != nil {
			t.Fatal(err)
		}
		table, err := csv.NewReader(file).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = file.Close()
		want := lines(t, filepath.Join(inJSON, strings.TrimSuffix(name, "csv")+"jsonl"))
		if int64(len(table)) != rows+1 || len(want) != len(table)-1 {
			t.Fatalf("%s has %d lines, want %d and a header", name, len(table), rows)
		}
		for i, record := range table[1:] {
			for k, column := range table[0] {
				cell, err := json.Marshal(want[i][column])
				if err != nil {
					t.Fatal(err)
				}
				if !sameCell(record[k], cell) {
					t.Fatalf("%s, row %d, %s is %q, the JSON line has %s", name, i, column, record[k], cell)
				}
			}
			if len(want[i]) != len(table[0]) {
				t.Fatalf("%s has %d columns, the JSON line %d", name, len(table[0]), len(want[i]))
			}
		}
	}
}

// sameCell says whether a CSV cell means the JSON value.
func sameCell(cell string, want []byte) bool {
	var text string
	if string(want) == "null" {
		return cell == ""
	}
	if json.Unmarshal(want, &text) == nil && cell == text {
		return true
	}
	d := json.NewDecoder(strings.NewReader(cell))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return false
	}
	got, err := json.Marshal(v)
	return err == nil && bytes.Equal(got, want)
}

func TestNobodyIsNamed(t *testing.T) {
	for _, format := range []export.Format{export.JSONL, export.CSV} {
		dir, _ := exported(t, study(t), format)
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"Ann Example", "Bob Boss", "Carl Gone", "u_secret", "prolific-secret"} {
				if bytes.Contains(text, []byte(secret)) {
					t.Errorf("%s holds %q", f.Name(), secret)
				}
			}
		}
	}
}

func TestEveryColumnIsExplained(t *testing.T) {
	dir, s := exported(t, study(t), export.CSV)
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range s.Rows {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		header, _, _ := strings.Cut(string(text), "\n")
		for _, column := range strings.Split(strings.TrimSpace(header), ",") {
			if !bytes.Contains(readme, []byte("| `"+column+"` | ")) {
				t.Errorf("README.md does not explain column %s of %s", column, name)
			}
		}
	}
}

func TestAFolderWithFilesIsLeftAlone(t *testing.T) {
	store, dir := study(t), t.TempDir()
	path := filepath.Join(dir, "thesis.txt")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := export.Export(t.Context(), store, "car", dir, export.CSV)
	if !errors.Is(err, export.ErrNotEmpty) || !strings.Contains(err.Error(), "thesis.txt") {
		t.Errorf("export into a folder with files: %v", err)
	}
	if names := namesIn(t, dir); !slices.Equal(names, []string{"thesis.txt"}) {
		t.Errorf("the folder holds %v", names)
	}
}

func TestAnEmptyFolderIsTaken(t *testing.T) {
	dir := t.TempDir()
	if _, err := export.Export(t.Context(), study(t), "car", dir, export.JSONL); err != nil {
		t.Fatal(err)
	}
	if names := namesIn(t, dir); len(names) != 8 {
		t.Errorf("the folder holds %v", names)
	}
}

func TestAFailedExportLeavesNothing(t *testing.T) {
	store, parent := study(t), t.TempDir()
	failing := &breaksAfter{Store: store, chunks: 2}
	_, err := export.Export(t.Context(), failing, "car", filepath.Join(parent, "out"), export.JSONL)
	if !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("export from a store that goes away: %v, want ErrUnavailable", err)
	}
	if names := namesIn(t, parent); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}

func TestWhatCannotBeExported(t *testing.T) {
	store, dir := study(t), filepath.Join(t.TempDir(), "out")
	if _, err := export.Export(t.Context(), store, "nothing", dir, export.CSV); !errors.Is(err, persistence.ErrNotFound) {
		t.Errorf("unknown experiment: %v, want ErrNotFound", err)
	}
	if _, err := export.Export(t.Context(), store, "car", dir, "xlsx"); err == nil || !strings.Contains(err.Error(), `"jsonl" or "csv"`) {
		t.Errorf("unknown format: %v, want the allowed ones", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a refused export made its folder")
	}
}

func namesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestCompletedIsWhoStayedUntilTheEndOfACompletedSession(t *testing.T) {
	dir, _ := exported(t, study(t), "jsonl")
	b, err := os.ReadFile(filepath.Join(dir, "participants.jsonl"))
	if err != nil || !strings.Contains(string(b), `"completed":true`) {
		t.Errorf("participants.jsonl: %s, %v; want completed true without a completion code", b, err)
	}
}
