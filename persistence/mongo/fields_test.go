package mongo

import (
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// field is one stored field: its dotted name and what DATA.md calls its type.
type field struct{ name, kind string }

// fields lists what a schema declares, nested fields after the one they are in.
func fields(prefix string, schema bson.D) (list []field) {
	required, _ := lookup(schema, "required").(bson.A)
	properties, _ := lookup(schema, "properties").(bson.D)
	for _, p := range properties {
		s := p.Value.(bson.D)
		kind := kindOf(s)
		if !slices.Contains(required, any(p.Key)) && !strings.HasSuffix(p.Key, "_at_us") {
			kind += ", may be absent"
		}
		list = append(list, field{prefix + p.Key, kind})
		if items, ok := lookup(s, "items").(bson.D); ok {
			s = items
		}
		list = append(list, fields(prefix+p.Key+".", s)...)
	}
	return list
}

func kindOf(s bson.D) string {
	switch t := lookup(s, "bsonType").(type) {
	case nil:
		return "value"
	case bson.A:
		if t[1] == "long" {
			return "integer"
		}
		return words[t[0].(string)] + " or null"
	case string:
		if t != "array" {
			return words[t]
		}
		items, ok := lookup(s, "items").(bson.D)
		if !ok {
			return "list of value"
		}
		return "list of " + kindOf(items)
	}
	return "?"
}

// words are DATA.md's names of BSON types.
var words = map[string]string{"string": "text", "bool": "bool", "double": "float", "date": "time", "binData": "bytes", "object": "object"}

func lookup(d bson.D, key string) any {
	for _, e := range d {
		if e.Key == key {
			return e.Value
		}
	}
	return nil
}
