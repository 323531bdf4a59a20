package experiments_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sharpie/experiments"
	"sharpie/persistence/embedded"
)

func canonical(t *testing.T, file string) []byte {
	t.Helper()
	d, err := experiments.Parse("x.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	b, err := d.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFromCanonicalRefusesWhatItWouldLose(t *testing.T) {
	good := string(canonical(t, small))
	for _, c := range []struct{ name, json string }{
		{"a setting of a newer version", strings.Replace(good, `"link":`, `"lucky_number":7,"link":`, 1)},
		{"a key of a newer version", strings.Replace(good, `"key":"ArrowLeft"`, `"key":"ArrowLeft","sticky":true`, 1)},
		{"another type", strings.Replace(good, `"countdown":5`, `"countdown":true`, 1)},
		{"a negative duration", strings.Replace(good, `"countdown":5`, `"countdown":-5`, 1)},
		{"two values", good + good},
		{"half a value", good[:len(good)/2]},
		{"nothing", ""},
	} {
		if c.json == good {
			t.Fatalf("%s: nothing was changed", c.name)
		}
		if _, err := experiments.FromCanonical([]byte(c.json)); !errors.Is(err, experiments.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", c.name, err)
		}
	}
}

func TestFromCanonicalFillsWhatAnOlderVersionDidNotKnow(t *testing.T) {
	old := bytes.Replace(canonical(t, small), []byte(`"step_timeout":5,`), nil, 1)
	d, err := experiments.FromCanonical(old)
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Experiment.StepTimeout.Std(); got != 5*time.Second {
		t.Errorf("step_timeout is %v, want the default 5s", got)
	}
}

func TestDurationForms(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "2m": 2 * time.Minute, "1h30m": 90 * time.Minute, "500ms": 500 * time.Millisecond,
		"0": 0, "1.5": 1500 * time.Millisecond, " 3 ": 3 * time.Second, "168h": 168 * time.Hour,
	} {
		d, err := experiments.ParseDuration(text)
		if err != nil || d.Std() != want {
			t.Errorf("%q is %v, %v; want %v", text, d, err, want)
		}
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var again experiments.Duration
		if err := json.Unmarshal(b, &again); err != nil || again != d {
			t.Errorf("%q becomes %s and then %v, %v", text, b, again, err)
		}
	}
	for _, text := range []string{"", "-1s", "169h", "NaN", "Inf", "1e300", "soon", "5 minutes", "1d"} {
		if d, err := experiments.ParseDuration(text); !errors.Is(err, experiments.ErrInvalid) {
			t.Errorf("%q is %v, %v; want ErrInvalid", text, d, err)
		}
	}
}

// Keys of maps are the author's, and stores have signs of their own.
func TestOddKeysSurviveTheStore(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	store, err := embedded.Open(ctx, filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	file := strings.Replace(small, "ArrowLeft: 0", `".": 0
      "$": 0
      "é": 0`, 1)
	file = strings.Replace(file, "    keyboard_inputs:", `    keyboard_input_display: {".": {label: Dot}, "$": {label: Dollar}, "é": {label: E}}
    keyboard_inputs:`, 1)
	file = strings.Replace(file, "  source:", "  kwargs: {\"a.b\": {\"$set\": 1}, list: [[1, 2.5], []]}\n  source:", 1)
	want, err := experiments.Parse("x.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := experiments.Import(ctx, store, experiments.Source{Name: "x.yaml", YAML: []byte(file)}, "ada", time.Now()); err != nil {
		t.Fatal(err)
	}
	e, err := store.LatestExperiment(ctx, "car")
	if err != nil {
		t.Fatal(err)
	}
	got, err := experiments.FromDocument(e.Definition)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changed in the store:\n%s", diff)
	}
}
