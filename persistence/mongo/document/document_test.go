package document

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.mongodb.org/mongo-driver/v2/bson"

	"sharpie/persistence"
)

// rich has something in every field of a chunk.
func rich() *persistence.StepChunk {
	c := second()
	r := &c.Roles[0]
	five, text := 5.0, "text"
	r.HumanRewards = make([]*float64, c.Count)
	r.HumanRewards[2] = &five
	r.PolicyActions = make([]persistence.Value, c.Count)
	array := persistence.Array{DType: "int16", Shape: []int{1, math.MaxInt32 + 1}, Data: []byte{1, 2}}
	copy(r.PolicyActions, []persistence.Value{nil, int64(1), 7, 1 << 40, -1.5, math.NaN(), true, "s", array, []any{}, []any{int64(1), []any{nil}},
		map[string]any{"z": int64(1), "a": map[string]any{}}, float32(0.5), &array, []string{"x"}, []byte{9}})
	r.Inputs = append(r.Inputs, persistence.HumanInput{Step: 9, Text: &text, Value: array, ClientOffset: -5})
	r.Infos = []persistence.Info{{Step: 1, Info: persistence.Document{"b": 1.0, "a": []any{"x", nil}}}, {Step: 2}}
	r.PolicyVersions = []persistence.Versioned{{Step: 0, Version: "1"}}
	r.Waits = make([]bool, c.Count)
	r.Waits[1] = true
	r.LegalActions = []persistence.LegalActions{{Step: 0, Mask: []byte{1, 0, 1}}, {Step: 5, Mask: []byte{0}}}
	other := *r
	other.Role, other.Observations, other.ObservationValues = "b", nil, r.PolicyActions
	other.Inputs, other.Infos, other.HumanRewards, other.PolicyActions = nil, nil, nil, nil
	c.Roles = append(c.Roles, other)
	return c
}

// TestChunksByHandAreWhatTheStructSays: the fast way writes the same bytes as the
// library does from the struct's tags.
func TestChunksByHandAreWhatTheStructSays(t *testing.T) {
	c := New()
	for name, chunk := range map[string]*persistence.StepChunk{"plain": second(), "rich": rich()} {
		fast, err := c.Marshal(chunk)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := c.encode(chunk)
		if err != nil {
			t.Fatal(err)
		}
		slow, err := splitTimes(nil, raw, 0)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(fast, slow) {
			t.Errorf("%s: by hand and by the library differ:\n%s", name, cmp.Diff(bson.Raw(slow).String(), bson.Raw(fast).String()))
		}
		if err := bson.Raw(fast).Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTimesAreADateAndMicroseconds(t *testing.T) {
	at := time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	doc, err := New().Marshal(&persistence.Session{ID: "s", OpenedAt: at, Seats: []persistence.Seat{{JoinedAt: &at}}})
	if err != nil {
		t.Fatal(err)
	}
	raw := bson.Raw(doc)
	if d := raw.Lookup("server_opened_at").DateTime(); d != -1 {
		t.Errorf("server_opened_at is %d ms, want -1: the millisecond in which it lies", d)
	}
	if us := raw.Lookup("server_opened_at_us").Int64(); us != -1 {
		t.Errorf("server_opened_at_us is %d, want -1", us)
	}
	if us := raw.Lookup("seats", "0", "server_joined_at_us").Int64(); us != -1 {
		t.Errorf("the time of a seat is %d µs, want -1", us)
	}
	if v := raw.Lookup("server_ended_at"); v.Type != bson.TypeNull {
		t.Errorf("no end is %s, want null", v)
	}
	if _, err := raw.LookupErr("server_ended_at_us"); err == nil {
		t.Error("no end has microseconds")
	}
}

func TestADateAloneIsReadToo(t *testing.T) {
	doc, err := bson.Marshal(bson.D{{Key: "_id", Value: "u"}, {Key: "server_created_at", Value: bson.DateTime(1234)}})
	if err != nil {
		t.Fatal(err)
	}
	var u persistence.User
	if err := New().Unmarshal(doc, &u); err != nil {
		t.Fatal(err)
	}
	if !u.CreatedAt.Equal(time.UnixMilli(1234)) {
		t.Errorf("read %v", u.CreatedAt)
	}
}

func TestEqualRecordsAreEqualBytes(t *testing.T) {
	c := New()
	event := func() *persistence.Event {
		d := persistence.Document{}
		for _, k := range strings.Split("the quick brown fox jumps over a lazy dog", " ") {
			d[k] = map[string]any{k: k, "x": int64(1), "y": nil}
		}
		return &persistence.Event{ID: "e", Kind: "k", Detail: d}
	}
	first, err := c.Marshal(event())
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if again, err := c.Marshal(event()); err != nil || !bytes.Equal(first, again) {
			t.Fatalf("the same record gives other bytes (%v)", err)
		}
	}
}

func TestWhatNoStoreCanKeep(t *testing.T) {
	var deep any
	for range persistence.MaxDepth + 2 {
		deep = map[string]any{"d": deep}
	}
	c := New()
	for name, v := range map[string]any{
		"too deep": deep, "a zero byte in a key": map[string]any{"a\x00": 1.0}, "a channel": make(chan int), "a function": func() {},
		"keys that are no text": map[int]any{1: 1},
	} {
		if _, err := c.Marshal(&persistence.Event{Detail: persistence.Document{"v": v}}); !errors.Is(err, persistence.ErrInvalid) {
			t.Errorf("%s in an event: %v, want ErrInvalid", name, err)
		}
		chunk := second()
		chunk.Roles[0].Actions[0] = v
		if _, err := c.Marshal(chunk); !errors.Is(err, persistence.ErrInvalid) {
			t.Errorf("%s in a chunk: %v, want ErrInvalid", name, err)
		}
	}
}

// FuzzUnmarshal: whatever lies in a damaged file, reading it is an error and not a
// panic, and what can be read can be written and read again.
func FuzzUnmarshal(f *testing.F) {
	c := New()
	for _, chunk := range []*persistence.StepChunk{second(), rich()} {
		doc, err := c.Marshal(chunk)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc)
		f.Add(doc[:len(doc)/2])
	}
	f.Add([]byte{5, 0, 0, 0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0x7f, 3, 'a', 0, 5, 0, 0, 0})
	f.Fuzz(func(t *testing.T, doc []byte) {
		var chunk, again persistence.StepChunk
		if c.Unmarshal(doc, &chunk) != nil || chunk.Validate() != nil {
			return
		}
		written, err := c.Marshal(&chunk)
		if err != nil {
			return
		}
		if err := c.Unmarshal(written, &again); err != nil {
			t.Fatalf("written and not readable: %v", err)
		}
		if d := cmp.Diff(chunk, again, cmpopts.EquateEmpty(), cmpopts.EquateNaNs()); d != "" {
			t.Errorf("changed by writing (-first +second):\n%s", d)
		}
	})
}
