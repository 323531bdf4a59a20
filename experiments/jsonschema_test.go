package experiments_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"sharpie/experiments"
)

var update = flag.Bool("update", false, "write generated files again")

const schemaFile = "experiment.schema.json"

func TestCommittedSchemaIsUpToDate(t *testing.T) {
	got := experiments.JSONSchema()
	if *update {
		if err := os.WriteFile(schemaFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the table gives; write it again with: go test ./experiments -run Schema -update", schemaFile)
	}
}

// compiled returns a validator of the schema.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(experiments.JSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("urn:sharpie:experiment", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("urn:sharpie:experiment")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON reads YAML as an editor does.
func asJSON(t *testing.T, file []byte) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(file, &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if v, err = jsonschema.UnmarshalJSON(bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSchemaAcceptsTheDemos(t *testing.T) {
	s := compiled(t)
	for _, src := range experiments.Demos() {
		if err := s.Validate(asJSON(t, src.YAML)); err != nil {
			t.Errorf("an editor would mark %s: %v", src.Name, err)
		}
	}
}

func TestSchemaRefusesWhatParseRefuses(t *testing.T) {
	s := compiled(t)
	for old, bad := range map[string]string{
		"participant: true": "participants: true",
		"name: Car":         "name: Car\n  target_fps: 500",
		"link: car":         "link: My Car",
		"ArrowLeft: 0":      "Left: 0",
		"ArrowRight: 2":     "ArrowRight: {a: 1}",
		"  name: Car\n":     "",
		"experiment:":       "policies: [{name: x, sources: y}]\nexperiment:",
		"default: 1\n":      "default: 1\n    inputs_type: none\n",
		"source: go:M":      "filepaths: [a.py]\n  source: go:M",
	} {
		file := []byte(strings.Replace(small, old, bad, 1))
		if err := s.Validate(asJSON(t, file)); err == nil {
			t.Errorf("an editor would not mark the file with %q", bad)
		}
		if _, err := experiments.Parse("x.yaml", file); err == nil {
			t.Errorf("Parse takes the file with %q", bad)
		}
	}
}

// A field of Definition that the table lacks could never be set; a key that
// Definition lacks would be refused after the table took it.
func TestTableAndDefinitionHaveTheSameKeys(t *testing.T) {
	var s map[string]any
	if err := json.Unmarshal(experiments.JSONSchema(), &s); err != nil {
		t.Fatal(err)
	}
	properties := func(s map[string]any, path ...string) map[string]any {
		for _, p := range path {
			s = s[p].(map[string]any)
		}
		return s["properties"].(map[string]any)
	}
	policy := properties(s, "properties", "policy")
	top := properties(s)
	delete(top, "policy") // becomes one of policies
	for name, c := range map[string]struct {
		keys map[string]any
		of   any
	}{
		"the file":    {top, experiments.Definition{}},
		"environment": {properties(s, "properties", "environment"), experiments.Environment{}},
		"policy":      {policy, experiments.Policy{}},
		"agent":       {properties(s, "properties", "agents", "items"), experiments.Agent{}},
		"experiment":  {properties(s, "properties", "experiment"), experiments.Experiment{}},
	} {
		var fields, keys []string
		for i := range reflect.TypeOf(c.of).NumField() {
			tag, _, _ := strings.Cut(reflect.TypeOf(c.of).Field(i).Tag.Get("json"), ",")
			fields = append(fields, tag)
		}
		for k := range c.keys {
			keys = append(keys, k)
		}
		slices.Sort(fields)
		slices.Sort(keys)
		if !slices.Equal(fields, keys) {
			t.Errorf("%s: the type has %q, the table %q", name, fields, keys)
		}
	}
}
