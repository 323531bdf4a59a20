package experiments

import (
	"bytes"
	"encoding/json"
)

// durationPattern is what ParseDuration takes as a text.
const durationPattern = `^([0-9]+(\.[0-9]+)?(h|m|s|ms|us|µs))+$|^[0-9]+(\.[0-9]+)?$`

// JSONSchema returns a JSON schema (draft 2020-12) of experiment files, for
// editors: completion, descriptions and most of what Parse refuses. It is made
// from the table that Parse uses. What concerns several keys at once, such as the
// names of policies, is for Parse alone.
func JSONSchema() []byte {
	s := append(members{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"$id", "urn:sharpie:experiment"},
		{"title", "SHARPIE experiment"},
	}, schema().json()...)
	b, err := json.Marshal(s)
	if err != nil {
		panic("experiments: the table has no JSON form: " + err.Error())
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		panic("experiments: " + err.Error())
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// members is a JSON object that keeps its order.
type members []member

type member struct {
	key   string
	value any
}

// MarshalJSON writes the members in order.
func (m members) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, x := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := enc.Encode(x.key); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := enc.Encode(x.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// json is the schema of one value.
func (s *spec) json() members {
	var out members
	if s.doc != "" {
		out = append(out, member{"description", s.doc})
	}
	out = append(out, s.jsonType()...)
	if s.def != nil {
		out = append(out, member{"default", s.def})
	}
	return out
}

func (s *spec) jsonType() members {
	switch s.kind {
	case kindString, kindMarkdown:
		return s.jsonText()
	case kindBool:
		return members{{"type", "boolean"}}
	case kindInt:
		// no maximum where no JSON number names it exactly
		if s.max >= 1<<53 {
			return members{{"type", "integer"}, {"minimum", s.min}}
		}
		return members{{"type", "integer"}, {"minimum", s.min}, {"maximum", s.max}}
	case kindNumber:
		return members{{"type", "number"}, {"minimum", s.min}, {"maximum", s.max}}
	case kindDuration:
		return members{{"anyOf", []any{
			members{{"type", "number"}, {"minimum", s.min}, {"maximum", s.max}},
			members{{"type", "string"}, {"pattern", durationPattern}},
		}}}
	case kindEnum:
		return members{{"enum", s.enum}}
	case kindList:
		return s.jsonList()
	case kindNamed:
		return members{{"oneOf", []any{s.jsonList(),
			members{{"type", "object"}, {"maxProperties", s.max}, {"additionalProperties", s.items.without("name").json()}}}}}
	case kindObject:
		return s.jsonObject()
	case kindMap:
		return members{{"type", "object"}, {"maxProperties", s.max}, {"additionalProperties", s.items.json()}}
	case kindDisplay:
		label := s.items.field("label").spec
		return members{{"type", "object"}, {"maxProperties", s.max}, {"additionalProperties", members{{"anyOf", []any{s.items.json(), label.json()}}}}}
	case kindKeys:
		value := (&spec{kind: kindInput}).json()
		return members{{"type", "object"},
			{"properties", members{{"default", append(members{{"description", "What no key stands for. Default: 0."}}, value...)}}},
			{"propertyNames", members{{"anyOf", []any{members{{"maxLength", 1}}, members{{"enum", append(namedKeys(), "default")}}}}}},
			{"additionalProperties", value}}
	case kindInput:
		one := []any{members{{"type", "number"}}, members{{"type", "string"}}}
		return members{{"anyOf", append(one, members{{"type", "array"}, {"maxItems", 64}, {"items", members{{"anyOf", one}}}})}}
	}
	return members{}
}

func (s *spec) jsonText() members {
	out := members{{"type", "string"}}
	if s.nullable {
		out = members{{"type", []string{"string", "null"}}}
	}
	if s.max > 0 {
		out = append(out, member{"maxLength", s.max})
	}
	if s.pattern != nil {
		out = append(out, member{"pattern", s.pattern.String()})
	}
	return out
}

func (s *spec) jsonList() members {
	out := members{{"type", "array"}, {"items", s.items.json()}}
	if s.min > 0 {
		out = append(out, member{"minItems", s.min})
	}
	return append(out, member{"maxItems", s.max})
}

func (s *spec) jsonObject() members {
	properties, required := members{}, []string{}
	for i := range s.fields {
		f := &s.fields[i]
		properties = append(properties, member{f.key, f.spec.json()})
		if f.required {
			required = append(required, f.key)
		}
	}
	out := members{{"type", "object"}, {"properties", properties}}
	if len(required) > 0 {
		out = append(out, member{"required", required})
	}
	return append(out, member{"additionalProperties", false})
}

// without returns an object's spec without one of its keys.
func (s *spec) without(key string) *spec {
	out := *s
	out.fields = nil
	for _, f := range s.fields {
		if f.key != key {
			out.fields = append(out.fields, f)
		}
	}
	return &out
}
