package document

import (
	"reflect"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Schema returns the $jsonSchema of a record's documents, from its struct: the
// fields that are always there, and the BSON type of each. Fields that it does not
// name are allowed, so that an analyst may add notes.
func Schema[T any]() bson.D { return structSchema(reflect.TypeFor[T]()) }

func structSchema(t reflect.Type) bson.D {
	required, properties := bson.A{}, bson.D{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("bson"), ",")
		optional := strings.Contains(options, "omitempty")
		if !optional {
			required = append(required, name)
		}
		properties = append(properties, bson.E{Key: name, Value: typeSchema(f.Type)})
		switch f.Type {
		case reflect.TypeFor[time.Time]():
			required = append(required, name+microseconds)
			fallthrough
		case reflect.TypeFor[*time.Time]():
			properties = append(properties, bson.E{Key: name + microseconds, Value: bsonType("long")})
		}
	}
	schema := bsonType("object")
	if len(required) > 0 {
		schema = append(schema, bson.E{Key: "required", Value: required})
	}
	return append(schema, bson.E{Key: "properties", Value: properties})
}

func typeSchema(t reflect.Type) bson.D {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return bsonType("date")
	case t == reflect.TypeFor[[]byte]():
		return bsonType("binData")
	}
	switch t.Kind() {
	case reflect.Pointer:
		s := typeSchema(t.Elem())
		s[0].Value = bson.A{s[0].Value, "null"}
		return s
	case reflect.String:
		return bsonType("string")
	case reflect.Bool:
		return bsonType("bool")
	case reflect.Float64:
		return bsonType("double")
	case reflect.Int, reflect.Int64:
		return bson.D{{Key: "bsonType", Value: bson.A{"int", "long"}}}
	case reflect.Struct:
		return structSchema(t)
	case reflect.Map:
		return bsonType("object")
	case reflect.Slice:
		s := bsonType("array")
		if t.Elem().Kind() != reflect.Interface {
			s = append(s, bson.E{Key: "items", Value: typeSchema(t.Elem())})
		}
		return s
	default: // an interface: any value
		return bson.D{}
	}
}

func bsonType(name string) bson.D { return bson.D{{Key: "bsonType", Value: name}} }
