package mongo

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"sharpie/persistence"
	"sharpie/persistence/mongo/mongotest"
)

func dataPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/DATA.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// section is the text between a heading and the next of its level or above.
func section(t *testing.T, page, heading string) string {
	t.Helper()
	_, text, ok := strings.Cut(page, "\n"+heading+"\n")
	if !ok {
		t.Fatalf("docs/DATA.md has no heading %q", heading)
	}
	level := len(heading) - len(strings.TrimLeft(heading, "#"))
	end := regexp.MustCompile(fmt.Sprintf(`(?m)^#{1,%d} `, level)).FindStringIndex(text)
	if end != nil {
		text = text[:end[0]]
	}
	return text
}

func TestDataPageNamesEveryField(t *testing.T) {
	page := dataPage(t)
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\| (.+) \\|$")
	for _, l := range layouts() {
		var want, got []field
		for _, f := range fields("", l.schema) {
			if !strings.HasSuffix(f.name, "_at_us") { // the page says it once for all times
				want = append(want, f)
			}
		}
		for _, m := range row.FindAllStringSubmatch(section(t, page, "### `"+l.name+"`"), -1) {
			got = append(got, field{m[1], strings.TrimSpace(m[2])})
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(field{})); d != "" {
			t.Errorf("docs/DATA.md, %s (-stored +page):\n%s", l.name, d)
		}
	}
}

func TestDataPageNamesEveryIndex(t *testing.T) {
	page := dataPage(t)
	for _, l := range layouts() {
		var want []string
		for _, i := range l.indexes {
			text := "(`" + strings.Join(i.fields, "`, `") + "`)"
			if i.unique {
				text = "unique " + text
			}
			for _, e := range i.partial {
				text += fmt.Sprintf(" where `%s` is %v", e.Key, e.Value)
			}
			if i.expires {
				text += ", deletes what has expired"
			}
			want = append(want, text)
		}
		var got []string
		if _, text, ok := strings.Cut(section(t, page, "### `"+l.name+"`"), "Indexes: "); ok {
			text, _, _ = strings.Cut(text, ".\n")
			for _, part := range strings.Split(text, ";") {
				got = append(got, strings.Join(strings.Fields(part), " "))
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("docs/DATA.md, indexes of %s (-stored +page):\n%s", l.name, d)
		}
	}
}

var (
	jsBlock = regexp.MustCompile("(?s)### ([^\n]+)\n\n```js\n(.*?)```")
	command = regexp.MustCompile(`(?s)^db\.(\w+)\.aggregate\((\[.*\])\)\s*$`)
	isoDate = regexp.MustCompile(`ISODate\(("[^"]*")\)`)
)

// TestDataPageQueriesRun runs the page's queries on a small study.
func TestDataPageQueriesRun(t *testing.T) {
	s := opened(t, mongotest.Open(t)(t))
	smallStudy(t, s)
	want := map[string][]string{
		"Return per role, version by version, since a date": {
			`{"_id":{"version":1,"role":"agent_0"},"episodes":1,"mean_return":-2.0,"mean_steps":2.0}`,
			`{"_id":{"version":2,"role":"agent_0"},"episodes":2,"mean_return":-3.0,"mean_steps":2.0}`,
		},
		"One episode, step by step, as one role saw it": {
			`{"step":0,"source":"","action":null,"reward":0.0,"seconds":0.0,"keys":[]}`,
			`{"step":1,"source":"human","action":2,"reward":-1.0,"seconds":0.0333,"keys":[["ArrowRight"]]}`,
			`{"step":2,"source":"default","action":0,"reward":-1.0,"seconds":0.0666,"keys":[]}`,
		},
		"How often each participant acted, and how often nobody did": {
			`{"_id":{"participant":"par_ann","source":"default"},"steps":2}`,
			`{"_id":{"participant":"par_ann","source":"human"},"steps":3}`,
		},
		"How long inputs travelled, and how many steps late they counted": {
			`{"_id":"agent_0","inputs":3,"mean_travel_ms":12.5,"mean_steps_behind":1.0}`,
		},
		"Episodes whose steps are not all there": {
			`{"_id":"ep_torn","experiment":"mountain-car","status":"truncated","found":2,"expected":3}`,
		},
	}
	blocks := jsBlock.FindAllStringSubmatch(section(t, dataPage(t), "## Five queries"), -1)
	if len(blocks) != 5 {
		t.Fatalf("docs/DATA.md has %d queries, want 5", len(blocks))
	}
	for _, b := range blocks {
		t.Run(b[1], func(t *testing.T) {
			if d := cmp.Diff(want[b[1]], aggregate(t, s, b[2])); d != "" {
				t.Errorf("result (-want +got):\n%s", d)
			}
		})
	}
}

// aggregate runs what one would paste into mongosh.
func aggregate(t *testing.T, s *Store, query string) (rows []string) {
	t.Helper()
	m := command.FindStringSubmatch(query)
	if m == nil {
		t.Fatalf("this test understands db.COLLECTION.aggregate([…]) alone, not\n%s", query)
	}
	var pipeline struct{ P bson.A }
	text := isoDate.ReplaceAllString(m[2], `{"$$date": $1}`)
	if err := bson.UnmarshalExtJSON([]byte(`{"p": `+text+`}`), false, &pipeline); err != nil {
		t.Fatal(err)
	}
	c, err := s.db.Collection(m[1]).Aggregate(t.Context(), pipeline.P)
	if err != nil {
		t.Fatal(err)
	}
	for c.Next(t.Context()) {
		row, err := bson.MarshalExtJSON(c.Current, false, false)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, string(row))
	}
	if c.Err() != nil {
		t.Fatal(c.Err())
	}
	return rows
}

// smallStudy has four episodes of two steps each; ep_torn lacks its last one.
func smallStudy(t *testing.T, s *Store) {
	t.Helper()
	march := time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)
	for i, e := range []struct {
		id      persistence.EpisodeID
		version int
		ret     float64
		status  string
		at      time.Time
		stored  int
	}{
		{"ep_early", 1, -9, "terminated", march.AddDate(0, -1, 0), 0},
		{"ep_example", 1, -2, "terminated", march, 3},
		{"ep_second", 2, -2, "terminated", march, 3},
		{"ep_torn", 2, -4, "truncated", march, 2},
		{"ep_going", 2, 0, "running", march, 1},
	} {
		steps := int64(2)
		if e.id == "ep_early" {
			steps = -1 // of which nothing is kept
		}
		episode := &persistence.Episode{ID: e.id, SessionID: "s_example", Index: i, Experiment: "mountain-car", ExperimentVersion: e.version, Status: e.status,
			Steps: steps, ReceivedAt: e.at, StartedAt: e.at, Roles: []persistence.EpisodeRole{{Role: "agent_0", Participant: "par_ann", Return: e.ret}}}
		if err := s.InsertEpisode(t.Context(), episode); err != nil {
			t.Fatal(err)
		}
		if e.stored > 0 {
			if err := s.InsertStepChunks(t.Context(), []*persistence.StepChunk{smallChunk(e.id, e.stored)}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// smallChunk is up to three steps: a reset, a key, nothing.
func smallChunk(id persistence.EpisodeID, n int) *persistence.StepChunk {
	at := time.UnixMicro(1_773_000_000_000_000)
	c := &persistence.StepChunk{ID: persistence.ChunkID(id, 0), EpisodeID: id, SessionID: "s_example", Count: n, ReceivedAt: at,
		Offsets: []int64{0, 33_300, 66_600}[:n], Lateness: make([]int64, n), Hashes: make([]byte, 8*n)}
	r := persistence.RoleSteps{Role: "agent_0", Live: slices.Repeat([]bool{true}, n), Observations: &persistence.Array{DType: "float32", Shape: []int{n}, Data: make([]byte, 4*n)},
		Actions: []persistence.Value{nil, int64(2), int64(0)}[:n], Sources: []string{"", "human", "default"}[:n], Rewards: []float64{0, -1, -1}[:n],
		Terminated: make([]bool, n), Truncated: make([]bool, n)}
	if n > 1 {
		r.Inputs = []persistence.HumanInput{{Step: 1, Seq: 1, StepSeen: 0, Keys: []string{"ArrowRight"}, Value: int64(2), ClientAt: at, ClientOffset: -2500, ReceivedAt: at.Add(10 * time.Millisecond)}}
	}
	c.Roles = []persistence.RoleSteps{r}
	return c
}
