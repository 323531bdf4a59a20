package experiments_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"sharpie/experiments"
)

const documentation = "../docs/EXPERIMENTS.md"

func readDocumentation(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(documentation)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestDocumentationListsEveryKey(t *testing.T) {
	const begin, end = "<!-- keys: begin -->\n", "<!-- keys: end -->"
	page := readDocumentation(t)
	head, rest, ok := strings.Cut(page, begin)
	old, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the keys", documentation)
	}
	keys := keyTables(t)
	if *update {
		if err := os.WriteFile(documentation, []byte(head+begin+keys+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != keys {
		t.Errorf("%s does not list the keys as they are; write them again with: go test ./experiments -run Documentation -update", documentation)
	}
}

func TestExamplesOfTheDocumentationParse(t *testing.T) {
	n := 0
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readDocumentation(t), -1) {
		if !strings.Contains(block[1], "environment:") {
			continue
		}
		n++
		if _, err := experiments.Parse(fmt.Sprintf("example %d", n), []byte(block[1])); err != nil {
			t.Error(err)
		}
	}
	if n < 2 {
		t.Errorf("found %d examples, want at least 2", n)
	}
}

// property is what the documentation needs of a schema.
type property struct {
	Type                 any
	Description          string
	Default              any
	Enum                 []string
	Minimum, Maximum     *float64
	AnyOf, OneOf         []property
	Items                *property
	Required             []string
	Properties           ordered
	AdditionalProperties json.RawMessage
}

// ordered is an object's members in their order.
type ordered []named

type named struct {
	key string
	property
}

func (o *ordered) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(strings.NewReader(string(b)))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		n := named{key: key.(string)}
		if err := dec.Decode(&n.property); err != nil {
			return err
		}
		*o = append(*o, n)
	}
	return nil
}

func (o ordered) get(key string) property {
	for _, n := range o {
		if n.key == key {
			return n.property
		}
	}
	return property{}
}

func keyTables(t *testing.T) string {
	t.Helper()
	var s property
	if err := json.Unmarshal(experiments.JSONSchema(), &s); err != nil {
		t.Fatal(err)
	}
	agent := *s.Properties.get("agents").Items
	var display property
	if err := json.Unmarshal(agent.Properties.get("keyboard_input_display").AdditionalProperties, &display); err != nil {
		t.Fatal(err)
	}
	display = display.AnyOf[0] // the other is the label alone
	var b strings.Builder
	for _, table := range []struct {
		title string
		of    property
	}{
		{"The file", s}, {"`environment`", s.Properties.get("environment")},
		{"`policies`, each; `policy`", s.Properties.get("policy")}, {"`agents`, each", agent},
		{"`keyboard_input_display`, each key", display}, {"`experiment`", s.Properties.get("experiment")},
	} {
		fmt.Fprintf(&b, "\n### %s\n\n| key | value | default | meaning |\n|---|---|---|---|\n", table.title)
		for _, p := range table.of.Properties {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", p.key, p.value(), p.otherwise(table.of.Required, p.key), strings.ReplaceAll(p.Description, "|", "\\|"))
		}
	}
	return b.String() + "\n"
}

// value says what may stand there.
func (p property) value() string {
	number := func(f float64) string { return strings.TrimSuffix(fmt.Sprintf("%.2f", f), ".00") }
	switch {
	case len(p.Enum) > 0:
		return "`" + strings.Join(p.Enum, "`, `") + "`"
	case len(p.OneOf) > 0:
		return "list, or map by name"
	case len(p.AnyOf) > 0:
		return fmt.Sprintf("duration, %ss to %ss", number(*p.AnyOf[0].Minimum), number(*p.AnyOf[0].Maximum))
	case p.Type == "array":
		return "list of " + p.Items.value()
	case p.Type == "object":
		return "map"
	case p.Type == "boolean":
		return "`true`, `false`"
	case p.Type == "integer" && p.Maximum == nil:
		return fmt.Sprintf("whole number from %s", number(*p.Minimum))
	case p.Type == "integer":
		return fmt.Sprintf("whole number, %s to %s", number(*p.Minimum), number(*p.Maximum))
	case p.Type == "number":
		return fmt.Sprintf("number, %s to %s", number(*p.Minimum), number(*p.Maximum))
	case p.Type == "string":
		return "text"
	}
	return "text or `null`"
}

func (p property) otherwise(required []string, key string) string {
	for _, r := range required {
		if r == key {
			return "**required**"
		}
	}
	if p.Default == nil {
		return ""
	}
	return fmt.Sprintf("`%v`", p.Default)
}
