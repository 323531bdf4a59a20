package document

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"sharpie/persistence"
)

// indexes are the keys of a list's elements, as far as chunks mostly need them.
var indexes = func() (keys [persistence.MaxChunkSteps]string) {
	for i := range keys {
		keys[i] = strconv.Itoa(i)
	}
	return keys
}()

func index(i int) string {
	if i < len(indexes) {
		return indexes[i]
	}
	return strconv.Itoa(i)
}

func (c *Codec) appendValues(b []byte, key string, values []persistence.Value, omitEmpty bool) ([]byte, error) {
	if omitEmpty && len(values) == 0 {
		return b, nil
	}
	b, err := c.appendList(b, key, values, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return b, nil
}

// appendValue appends any value of a space.
func (c *Codec) appendValue(b []byte, key string, v persistence.Value, depth int) ([]byte, error) {
	if depth > persistence.MaxDepth {
		return nil, fmt.Errorf("nested more than %d deep: %w", persistence.MaxDepth, persistence.ErrInvalid)
	}
	switch v := v.(type) {
	case nil:
		return bsoncore.AppendNullElement(b, key), nil
	case int64:
		return bsoncore.AppendInt64Element(b, key, v), nil
	case int:
		return appendInt(b, key, v), nil
	case float64:
		return bsoncore.AppendDoubleElement(b, key, v), nil
	case bool:
		return bsoncore.AppendBooleanElement(b, key, v), nil
	case string:
		return appendText(b, key, v), nil
	case persistence.Array:
		return appendArray(b, key, v), nil
	case []any:
		return c.appendList(b, key, v, depth)
	case map[string]any:
		return c.appendMap(b, key, v, depth)
	default:
		return c.appendOther(b, key, v, depth)
	}
}

func (c *Codec) appendList(b []byte, key string, list []any, depth int) ([]byte, error) {
	start, b := bsoncore.AppendArrayElementStart(b, key)
	var err error
	for i, v := range list {
		if b, err = c.appendValue(b, index(i), v, depth+1); err != nil {
			return nil, fmt.Errorf("%d: %w", i, err)
		}
	}
	return end(b, start), nil
}

func (c *Codec) appendMap(b []byte, key string, m map[string]any, depth int) ([]byte, error) {
	keys := make([]string, 0, len(m))
	for k := range m {
		if strings.IndexByte(k, 0) >= 0 {
			return nil, fmt.Errorf("key %q holds a zero byte: %w", k, persistence.ErrInvalid)
		}
		keys = append(keys, k)
	}
	slices.Sort(keys)
	start, b := bsoncore.AppendDocumentElementStart(b, key)
	var err error
	for _, k := range keys {
		if b, err = c.appendValue(b, utf8Text(k), m[k], depth+1); err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
	}
	return end(b, start), nil
}

// appendOther leaves rarer types to the library.
func (c *Codec) appendOther(b []byte, key string, v any, depth int) ([]byte, error) {
	raw, err := c.encode(map[string]any{"v": v})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", persistence.ErrInvalid, err)
	}
	doc, err := splitTimes(nil, raw, depth)
	if err != nil {
		return nil, err
	}
	value := bsoncore.Document(doc).Lookup("v")
	return append(bsoncore.AppendHeader(b, value.Type, key), value.Data...), nil
}

func appendArray(b []byte, key string, a persistence.Array) []byte {
	doc, b := bsoncore.AppendDocumentElementStart(b, key)
	b = appendText(b, "dtype", a.DType)
	b = appendColumn(b, "shape", a.Shape, appendInt)
	return end(appendBinary(b, "data", a.Data), doc)
}

func appendText(b []byte, key, s string) []byte {
	return bsoncore.AppendStringElement(b, key, utf8Text(s))
}

func appendBinary(b []byte, key string, data []byte) []byte {
	return bsoncore.AppendBinaryElement(b, key, binaryGeneric, data)
}

// appendInt writes 32 bits where they do, as the library does.
func appendInt(b []byte, key string, i int) []byte {
	if i >= math.MinInt32 && i <= math.MaxInt32 {
		return bsoncore.AppendInt32Element(b, key, int32(i))
	}
	return bsoncore.AppendInt64Element(b, key, int64(i))
}

// binaryGeneric is the subtype of plain bytes.
const binaryGeneric = 0
