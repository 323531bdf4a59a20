package experiments

import (
	"regexp"
)

// kind is the type of a value in an experiment file.
type kind int

const (
	kindString   kind = iota // one line of text
	kindMarkdown             // text of several lines
	kindBool
	kindInt
	kindNumber
	kindDuration // "90s", or a number of seconds
	kindEnum
	kindList
	kindNamed // a list of objects with "name", or a map from name to object
	kindObject
	kindMap // any keys, all values of one kind
	kindFree
	kindKeys  // keyboard_inputs
	kindInput // what a key stands for: a number, a text, or a list of them
	// kindDisplay is keyboard_input_display: by key an object, or a text, its label.
	kindDisplay
)

// String names the kind in messages.
func (k kind) String() string {
	switch k {
	case kindString:
		return "a text"
	case kindMarkdown:
		return "a text (Markdown)"
	case kindBool:
		return "true or false"
	case kindInt:
		return "a whole number"
	case kindNumber:
		return "a number"
	case kindDuration:
		return "a duration such as 90s or 2m, or a number of seconds"
	case kindEnum:
		return "one of the allowed words"
	case kindList:
		return "a list"
	case kindNamed:
		return "a list, or a map by name"
	case kindObject, kindMap, kindKeys, kindDisplay:
		return "a map of keys and values"
	case kindInput:
		return "a number, a text, or a list of them"
	}
	return "any value"
}

// spec is what one value may be. The table of schema.go is made of specs; the
// parser, the defaults and the JSON schema all read it.
type spec struct {
	kind kind
	// doc is one or two sentences for researchers.
	doc string
	// def is the default as it would stand in the file; nil: the key is simply absent.
	def any
	// min and max bound numbers, durations (seconds), and the length of lists.
	min, max float64
	enum     []string
	// pattern restricts a text; hint says in words what it allows.
	pattern *regexp.Regexp
	hint    string
	// fields are the keys of an object, in the order of the documentation.
	fields []field
	// items is the spec of the elements of a list, a map or a named list.
	items *spec
	// nullable: null is a value that the documentation names; it means absent, as it
	// does for every key that may be left out.
	nullable bool
	// literal: a number is taken as it is written, because people forget the quotes.
	literal bool
	// verify is a further check of a text; it returns what is wrong, or "".
	verify func(string) string
}

// field is one key of an object.
type field struct {
	key      string
	required bool
	spec
}

// field returns the field of that key.
func (s *spec) field(key string) *field {
	for i := range s.fields {
		if s.fields[i].key == key {
			return &s.fields[i]
		}
	}
	return nil
}

// keys returns the keys of an object.
func (s *spec) keys() []string {
	out := make([]string, len(s.fields))
	for i := range s.fields {
		out[i] = s.fields[i].key
	}
	return out
}

func text(doc string) spec { return spec{kind: kindString, doc: doc, max: 500} }
func markdown(doc string) spec {
	return spec{kind: kindMarkdown, doc: doc + " Markdown.", max: 64 << 10}
}
func boolean(def bool, doc string) spec { return spec{kind: kindBool, doc: doc, def: def} }
func integer(def, min, max int64, doc string) spec {
	return spec{kind: kindInt, doc: doc, def: def, min: float64(min), max: float64(max)}
}
func number(def, min, max float64, doc string) spec {
	return spec{kind: kindNumber, doc: doc, def: def, min: min, max: max}
}
func duration(def string, min, max float64, doc string) spec {
	return spec{kind: kindDuration, doc: doc, def: def, min: min, max: max}
}
func enum(def, doc string, words ...string) spec {
	return spec{kind: kindEnum, doc: doc, def: def, enum: words}
}
func list(max float64, items spec, doc string) spec {
	return spec{kind: kindList, doc: doc, max: max, items: &items}
}
func mapOf(max float64, items spec, doc string) spec {
	return spec{kind: kindMap, doc: doc, max: max, items: &items}
}
func free(doc string) spec {
	return mapOf(500, spec{kind: kindFree}, doc)
}
func matching(s spec, pattern *regexp.Regexp, hint string) spec {
	s.pattern, s.hint = pattern, hint
	return s
}
func verified(s spec, verify func(string) string) spec {
	s.verify = verify
	return s
}

func literal(s spec) spec {
	s.literal = true
	return s
}
