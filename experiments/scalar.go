package experiments

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// scalar reads a leaf.
func (d *decoder) scalar(n *yaml.Node, s *spec, path string) (any, bool) {
	tag := n.ShortTag()
	switch tag {
	case "!!str", "!!timestamp":
		return d.textual(n, s, path)
	case "!!bool":
		if s.kind != kindBool && s.kind != kindFree {
			break
		}
		return n.Value == "true" || n.Value == "True" || n.Value == "TRUE", true
	case "!!int", "!!float":
		switch s.kind {
		case kindInt, kindNumber, kindDuration, kindFree, kindInput:
			return d.numeric(n, s, path)
		case kindString, kindMarkdown, kindEnum:
			if s.literal {
				return d.scalarText(n, s, path, n.Value)
			}
			return d.fail(n, path, "want %s, got the number %s; write it in quotes: \"%s\"", s.kind, short(n.Value), short(n.Value))
		}
	case "!!null":
		if s.kind == kindFree || s.nullable {
			return nil, true
		}
		return d.fail(n, path, "want %s, got nothing; leave the key out if you mean none", s.kind)
	default:
		return d.fail(n, path, "the tag %s is not allowed", tag)
	}
	return d.fail(n, path, "want %s, got %s", s.kind, shape(n))
}

func (d *decoder) textual(n *yaml.Node, s *spec, path string) (any, bool) {
	switch s.kind {
	case kindString, kindMarkdown:
		return d.scalarText(n, s, path, n.Value)
	case kindFree, kindInput:
		return d.scalarText(n, &spec{kind: kindMarkdown, max: 64 << 10}, path, n.Value)
	case kindEnum:
		if !slices.Contains(s.enum, n.Value) {
			return d.fail(n, path, "want %s, got %q%s", oneOf(s.enum), short(n.Value), didYouMean(n.Value, s.enum))
		}
		return n.Value, true
	case kindDuration:
		v, err := ParseDuration(n.Value)
		if err != nil {
			return d.fail(n, path, "want %s from %s to %s, got %q", s.kind, inSeconds(s.min), inSeconds(s.max), short(n.Value))
		}
		return d.bounded(n, s, path, v.Std().Seconds())
	case kindBool:
		switch strings.ToLower(n.Value) {
		case "yes", "on", "y":
			return d.fail(n, path, "want true or false, got %s; write true", short(n.Value))
		case "no", "off", "n":
			return d.fail(n, path, "want true or false, got %s; write false", short(n.Value))
		}
	}
	return d.fail(n, path, "want %s, got the text %q", s.kind, short(n.Value))
}

func (d *decoder) scalarText(n *yaml.Node, s *spec, path, text string) (any, bool) {
	if bad := badText(text, s.kind == kindMarkdown); bad != "" {
		return d.fail(n, path, "%s", bad)
	}
	if count := utf8.RuneCountInString(text); s.max > 0 && float64(count) > s.max {
		return d.fail(n, path, "%d characters; at most %v are allowed", count, s.max)
	}
	if s.pattern != nil && !s.pattern.MatchString(text) {
		return d.fail(n, path, "want %s; got %q", s.hint, short(text))
	}
	if s.verify != nil {
		if bad := s.verify(text); bad != "" {
			return d.fail(n, path, "%s; got %q", bad, short(text))
		}
	}
	return text, true
}

func (d *decoder) numeric(n *yaml.Node, s *spec, path string) (any, bool) {
	var i int64
	if n.ShortTag() == "!!int" {
		if err := n.Decode(&i); err != nil {
			return d.fail(n, path, "the number %s is out of range", short(n.Value))
		}
		return d.bounded(n, s, path, i)
	}
	var f float64
	if err := n.Decode(&f); err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return d.fail(n, path, "want a finite number, got %s", short(n.Value))
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return d.bounded(n, s, path, int64(f))
	}
	if s.kind == kindInt && f != math.Trunc(f) {
		return d.fail(n, path, "want a whole number, got %s", short(n.Value))
	}
	return d.bounded(n, s, path, f)
}

// bounded wants v, an int64 or float64, within the spec's range.
func (d *decoder) bounded(n *yaml.Node, s *spec, path string, v any) (any, bool) {
	if s.kind == kindFree || s.kind == kindInput {
		return v, true
	}
	if f := toFloat(v); f < s.min || f > s.max {
		if s.kind == kindDuration {
			return d.fail(n, path, "want %s to %s, got %s", inSeconds(s.min), inSeconds(s.max), short(n.Value))
		}
		return d.fail(n, path, "want %v to %v, got %s", plainNumber(s.min), plainNumber(s.max), short(n.Value))
	}
	return v, true
}

// badText says what is wrong with the characters of a text.
func badText(s string, lines bool) string {
	for _, r := range s {
		if lines && (r == '\n' || r == '\t' || r == '\r') {
			continue
		}
		if r == '\n' {
			return "want one line, got several"
		}
		if unicode.IsControl(r) || r == utf8.RuneError {
			return fmt.Sprintf("the character U+%04X is not allowed", r)
		}
	}
	return ""
}

func inSeconds(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) + "s" }

func plainNumber(f float64) string {
	if f >= 1<<62 {
		return "9223372036854775807"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
