package document

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"sharpie/persistence"
)

// encodeMap writes a map in the order of its keys.
func encodeMap(c bson.EncodeContext, w bson.ValueWriter, v reflect.Value) error {
	if v.Type().Key().Kind() != reflect.String {
		return fmt.Errorf("keys of %s are not strings", v.Type())
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	d, err := w.WriteDocument()
	if err != nil {
		return err
	}
	for _, k := range keys {
		if strings.IndexByte(k.String(), 0) >= 0 {
			return fmt.Errorf("key %q holds a zero byte", k.String())
		}
		vw, err := d.WriteDocumentElement(utf8Text(k.String()))
		if err != nil {
			return err
		}
		if err := encodeElement(c, vw, v.MapIndex(k)); err != nil {
			return fmt.Errorf("%s: %w", k.String(), err)
		}
	}
	return d.WriteDocumentEnd()
}

func encodeString(_ bson.EncodeContext, w bson.ValueWriter, v reflect.Value) error {
	return w.WriteString(utf8Text(v.String()))
}

// utf8Text replaces what readers in other languages would stumble over.
func utf8Text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func encodeElement(c bson.EncodeContext, w bson.ValueWriter, v reflect.Value) error {
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		return w.WriteNull()
	}
	enc, err := c.LookupEncoder(v.Type())
	if err != nil {
		return err
	}
	return enc.EncodeValue(c, w, v)
}

// decodeAny reads a value without a declared type, as persistence.Value has it.
func decodeAny(_ bson.DecodeContext, r bson.ValueReader, v reflect.Value) error {
	value, err := readValue(r)
	if err != nil {
		return err
	}
	if value == nil {
		v.SetZero()
		return nil
	}
	v.Set(reflect.ValueOf(value))
	return nil
}

func readValue(r bson.ValueReader) (any, error) {
	switch t := r.Type(); t {
	case bson.TypeNull:
		return nil, r.ReadNull()
	case bson.TypeDouble:
		return r.ReadDouble()
	case bson.TypeInt64:
		return r.ReadInt64()
	case bson.TypeInt32:
		i, err := r.ReadInt32()
		return int64(i), err
	case bson.TypeBoolean:
		return r.ReadBoolean()
	case bson.TypeString:
		return r.ReadString()
	case bson.TypeBinary:
		b, _, err := r.ReadBinary()
		return b, err
	case bson.TypeTimestamp, bson.TypeDateTime:
		return readTime(r)
	case bson.TypeArray:
		return readList(r)
	case bson.TypeEmbeddedDocument:
		return readDocument(r)
	default:
		return nil, fmt.Errorf("a value of type %s", t)
	}
}

func readList(r bson.ValueReader) (any, error) {
	ar, err := r.ReadArray()
	if err != nil {
		return nil, err
	}
	list := []any{}
	for {
		vr, err := ar.ReadValue()
		if errors.Is(err, bson.ErrEOA) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		v, err := readValue(vr)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
}

func readDocument(r bson.ValueReader) (any, error) {
	dr, err := r.ReadDocument()
	if err != nil {
		return nil, err
	}
	doc := map[string]any{}
	for {
		key, vr, err := dr.ReadElement()
		if errors.Is(err, bson.ErrEOD) {
			break
		}
		if err != nil {
			return nil, err
		}
		if doc[key], err = readValue(vr); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	if a, ok := asArray(doc); ok {
		return a, nil
	}
	return doc, nil
}

// asArray recognizes {dtype, shape, data}.
func asArray(doc map[string]any) (persistence.Array, bool) {
	if len(doc) != 3 {
		return persistence.Array{}, false
	}
	dtype, ok1 := doc["dtype"].(string)
	shape, ok2 := doc["shape"].([]any)
	data, ok3 := doc["data"].([]byte)
	if !ok1 || !ok2 || !ok3 {
		return persistence.Array{}, false
	}
	a := persistence.Array{DType: dtype, Shape: make([]int, len(shape)), Data: data}
	for i, n := range shape {
		dim, ok := n.(int64)
		if !ok {
			return persistence.Array{}, false
		}
		a.Shape[i] = int(dim)
	}
	return a, true
}
