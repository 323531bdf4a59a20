package experiments

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

const (
	// maxDepth bounds nesting, and ends an alias that contains itself.
	maxDepth = 24
	// maxKeys bounds the keys of one map.
	maxKeys = 1000
	// maxKeyLength bounds a key, in bytes.
	maxKeyLength = 200
	// maxNodes bounds the values of a file after its aliases are followed, which
	// is what ends a "billion laughs".
	maxNodes = 50_000
)

// mark is a place in the file.
type mark struct{ line, column int }

// places knows where everything stands in the file.
type places struct {
	marks map[string]mark // key path → place of its value
	// written: how the file calls what a definition calls "policies[i]".
	written map[string]string
}

func newPlaces() places {
	return places{marks: map[string]mark{}, written: map[string]string{}}
}

// inFile returns the file's own path for a path of the definition.
func (p places) inFile(path string) string {
	head, tail := path, ""
	if i := strings.IndexByte(path, '.'); i >= 0 {
		head, tail = path[:i], path[i:]
	}
	if w, ok := p.written[head]; ok {
		return w + tail
	}
	return path
}

// decoder compares a YAML tree with the table, and collects everything wrong.
type decoder struct {
	problems
	places
	nodes  int
	depth  int
	exceed bool // a limit was hit; the rest of the file is not looked at
}

func (d *decoder) fail(n *yaml.Node, path, format string, args ...any) (any, bool) {
	d.add(Problem{Line: n.Line, Column: n.Column, Key: path, Text: fmt.Sprintf(format, args...)})
	return nil, false
}

// at reports a problem of a path: at its value, or at the nearest ancestor's.
func (d *decoder) at(path, format string, args ...any) {
	p := Problem{Key: path, Text: fmt.Sprintf(format, args...)}
	for {
		if m, ok := d.marks[path]; ok {
			p.Line, p.Column = m.line, m.column
			break
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			break
		}
		path = path[:i]
	}
	d.add(p)
}

// value returns the JSON-like value of a node: map[string]any, []any, string,
// bool, int64, float64 or nil. false: a problem was reported.
func (d *decoder) value(n *yaml.Node, s *spec, path string) (any, bool) {
	if d.exceed {
		return nil, false
	}
	d.depth++
	defer func() { d.depth-- }()
	d.nodes++
	if d.depth > maxDepth || d.nodes > maxNodes {
		d.exceed = true
		return d.fail(n, path, "too deep or too large: at most %d levels and %d values, aliases counted each time", maxDepth, maxNodes)
	}
	d.marks[path] = mark{n.Line, n.Column}
	if n.Kind == yaml.AliasNode {
		return d.value(n.Alias, s, path)
	}
	if n.Kind == yaml.ScalarNode {
		return d.scalar(n, s, path)
	}
	if tag := n.ShortTag(); tag != "!!map" && tag != "!!seq" {
		return d.fail(n, path, "the tag %s is not allowed", tag)
	}
	switch {
	case n.Kind == yaml.MappingNode && s.kind == kindObject:
		return d.object(n, s, path)
	case n.Kind == yaml.MappingNode && (s.kind == kindMap || s.kind == kindFree):
		return d.anyMap(n, s, path)
	case n.Kind == yaml.MappingNode && s.kind == kindKeys:
		return d.keyMap(n, path)
	case n.Kind == yaml.MappingNode && s.kind == kindDisplay:
		return d.display(n, s, path)
	case n.Kind == yaml.MappingNode && s.kind == kindNamed:
		return d.namedMap(n, s, path)
	case n.Kind == yaml.SequenceNode && (s.kind == kindList || s.kind == kindNamed || s.kind == kindFree || s.kind == kindInput):
		return d.list(n, s, path)
	}
	return d.fail(n, path, "want %s, got %s", s.kind, shape(n))
}

// pairs returns the keys and values of a mapping whose keys are distinct texts.
// false: a problem was reported.
func (d *decoder) pairs(n *yaml.Node, path string) (keys []string, nodes, values []*yaml.Node, good bool) {
	if len(n.Content) > 2*maxKeys {
		d.fail(n, path, "%d keys; at most %d are allowed", len(n.Content)/2, maxKeys)
		return nil, nil, nil, false
	}
	good = true
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		if bad := keyProblem(k, seen); bad != "" {
			at := path
			if k.Kind == yaml.ScalarNode {
				at = join(path, short(k.Value))
			}
			d.fail(k, at, "%s", bad)
			good = false
			continue
		}
		seen[k.Value] = true
		keys, nodes, values = append(keys, k.Value), append(nodes, k), append(values, n.Content[i+1])
	}
	return keys, nodes, values, good
}

// keyProblem says why a node is no key of a map with the given keys.
func keyProblem(k *yaml.Node, seen map[string]bool) string {
	switch tag := k.ShortTag(); {
	case k.Kind != yaml.ScalarNode || tag == "!!null" || !strings.HasPrefix(tag, "!!"):
		return "a key must be a text"
	case tag == "!!merge":
		return "merge keys (<<) are not supported; write the keys out, or use an alias for the whole value"
	case len(k.Value) > maxKeyLength || k.Value == "" || badText(k.Value, false) != "":
		return fmt.Sprintf("a key must have 1 to %d printable characters", maxKeyLength)
	case seen[k.Value]:
		return "this key is given twice"
	}
	return ""
}

func (d *decoder) object(n *yaml.Node, s *spec, path string) (any, bool) {
	out := map[string]any{}
	keys, nodes, values, good := d.pairs(n, path)
	for i, key := range keys {
		f := s.field(key)
		if f == nil {
			d.fail(nodes[i], join(path, key), "unknown key%s; allowed here: %s", didYouMean(key, s.keys()), strings.Join(s.keys(), ", "))
			good = false
			continue
		}
		if !f.required && isNothing(values[i], &f.spec) {
			continue // as if the key were not there: galleries write out what they do not use
		}
		v, ok := d.value(values[i], &f.spec, join(path, key))
		if good = good && ok; ok {
			out[key] = v
		}
	}
	for i := range s.fields {
		f := &s.fields[i]
		if f.required && !slices.Contains(keys, f.key) {
			d.fail(n, path, "missing key %s", f.key)
			good = false
		}
		if _, ok := out[f.key]; !ok && f.def != nil {
			out[f.key] = f.defaultValue()
		}
	}
	return out, good
}

// defaultValue is the default as a JSON-like value.
func (s *spec) defaultValue() any {
	if s.kind == kindDuration {
		v, err := ParseDuration(s.def.(string))
		if err != nil {
			panic("experiments: bad default in the table: " + err.Error())
		}
		return v.Std().Seconds()
	}
	return s.def
}

func (d *decoder) anyMap(n *yaml.Node, s *spec, path string) (any, bool) {
	out := map[string]any{}
	keys, _, values, good := d.pairs(n, path)
	if s.max > 0 && float64(len(keys)) > s.max {
		return d.fail(n, path, "%d keys; at most %v are allowed", len(keys), s.max)
	}
	items := s
	if s.items != nil {
		items = s.items
	}
	for i, key := range keys {
		v, ok := d.value(values[i], items, join(path, key))
		if good = good && ok; ok {
			out[key] = v
		}
	}
	return out, good
}

func (d *decoder) list(n *yaml.Node, s *spec, path string) (any, bool) {
	out, good := []any{}, true
	if s.max > 0 && float64(len(n.Content)) > s.max {
		return d.fail(n, path, "%d entries; at most %v are allowed", len(n.Content), s.max)
	}
	if float64(len(n.Content)) < s.min {
		return d.fail(n, path, "%d entries; at least %v must be there", len(n.Content), s.min)
	}
	items := s
	switch {
	case s.items != nil:
		items = s.items
	case s.kind == kindInput:
		items = &spec{kind: kindInput}
	}
	for i, c := range n.Content {
		if s.kind == kindInput && c.Kind == yaml.SequenceNode {
			d.fail(c, index(path, i), "want a number or a text, got a list within a list")
			good = false
			continue
		}
		v, ok := d.value(c, items, index(path, i))
		if good = good && ok; ok {
			out = append(out, v)
		}
	}
	return out, good
}

// namedMap reads {name: object} as a list of objects.
func (d *decoder) namedMap(n *yaml.Node, s *spec, path string) (any, bool) {
	out := []any{}
	keys, nodes, values, good := d.pairs(n, path)
	if float64(len(keys)) > s.max {
		return d.fail(n, path, "%d entries; at most %v are allowed", len(keys), s.max)
	}
	unnamed := s.items.without("name")
	for i, key := range keys {
		name, ok := d.scalarText(nodes[i], &s.items.field("name").spec, join(path, key), key)
		v, ok2 := d.value(values[i], unnamed, join(path, key))
		if good = good && ok && ok2; ok && ok2 {
			v.(map[string]any)["name"] = name
			d.marks[index(path, len(out))] = d.marks[join(path, key)]
			out = append(out, v)
		}
	}
	return out, good
}

// keyMap reads keyboard_inputs in the author's order.
func (d *decoder) keyMap(n *yaml.Node, path string) (any, bool) {
	var bindings []any
	def := any(int64(0))
	keys, nodes, values, good := d.pairs(n, path)
	if len(keys) > 61 {
		return d.fail(n, path, "%d keys; at most 60 are allowed", len(keys))
	}
	for i, key := range keys {
		if bad := verifyKey(key); bad != "" && key != "default" {
			d.fail(nodes[i], join(path, key), "%s", bad)
			good = false
			continue
		}
		if key == "default" && isNull(values[i]) {
			continue
		}
		v, ok := d.value(values[i], &spec{kind: kindInput, max: 64}, join(path, key))
		good = good && ok
		if key == "default" {
			def = v
		} else {
			bindings = append(bindings, map[string]any{"key": key, "value": v})
		}
	}
	return keyMapTree(bindings, def), good
}

// display reads how keys are shown: an object for each, or only its label. What is
// said of "default" is left out: it is no key.
func (d *decoder) display(n *yaml.Node, s *spec, path string) (any, bool) {
	out := map[string]any{}
	keys, _, values, good := d.pairs(n, path)
	if float64(len(keys)) > s.max {
		return d.fail(n, path, "%d keys; at most %v are allowed", len(keys), s.max)
	}
	for i, key := range keys {
		at, node := join(path, key), values[i]
		switch {
		case key == "default" || isNull(node):
			continue
		case node.Kind == yaml.ScalarNode:
			d.marks[at] = mark{node.Line, node.Column}
			label, ok := d.value(node, &s.items.field("label").spec, at)
			if good = good && ok; ok {
				out[key] = map[string]any{"label": label}
			}
		default:
			v, ok := d.value(node, s.items, at)
			if good = good && ok; ok {
				out[key] = v
			}
		}
	}
	return out, good
}

func keyMapTree(bindings []any, def any) map[string]any {
	if bindings == nil {
		bindings = []any{}
	}
	return map[string]any{"bindings": bindings, "default": def}
}

// isNothing reports whether the author wrote a key down and gave it no value: null,
// or an empty text where a text is wanted.
func isNothing(n *yaml.Node, s *spec) bool {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	empty := n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" && n.Value == ""
	return isNull(n) || empty && (s.kind == kindString || s.kind == kindMarkdown)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func shape(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	}
	return short(n.Value)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func short(s string) string { return shorten(s, 60) }

func shorten(s string, n int) string {
	if utf8.RuneCountInString(s) > n {
		return string([]rune(s)[:n]) + "…"
	}
	return s
}

func didYouMean(word string, words []string) string {
	if m := nearest(word, words); m != "" {
		return fmt.Sprintf("; did you mean %q?", m)
	}
	return ""
}

func oneOf(words []string) string {
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func quoteAll(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = strconv.Quote(w)
	}
	return strings.Join(out, ", ")
}

func sortedKeys(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
