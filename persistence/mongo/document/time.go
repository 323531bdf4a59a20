package document

import (
	"fmt"
	"reflect"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"sharpie/persistence"
)

// microseconds is appended to the name of a date for its exact companion.
const microseconds = "_us"

// A field codec writes one value under one key, and a time needs two. So times
// pass through the library as BSON timestamps, a type that records have no other
// use for, holding µs since 1970; splitTimes and joinTimes translate between
// these and the stored pair.

func encodeTime(_ bson.EncodeContext, w bson.ValueWriter, v reflect.Value) error {
	us := uint64(v.Interface().(time.Time).UnixMicro())
	return w.WriteTimestamp(uint32(us>>32), uint32(us))
}

func decodeTime(_ bson.DecodeContext, r bson.ValueReader, v reflect.Value) error {
	t, err := readTime(r)
	if err != nil {
		return err
	}
	v.Set(reflect.ValueOf(t))
	return nil
}

func readTime(r bson.ValueReader) (time.Time, error) {
	switch r.Type() {
	case bson.TypeTimestamp:
		high, low, err := r.ReadTimestamp()
		return time.UnixMicro(int64(uint64(high)<<32 | uint64(low))).UTC(), err
	case bson.TypeDateTime: // one that has lost its companion
		ms, err := r.ReadDateTime()
		return time.UnixMilli(ms).UTC(), err
	case bson.TypeNull:
		return time.Time{}, r.ReadNull()
	default:
		return time.Time{}, fmt.Errorf("a date is expected, not %s", r.Type())
	}
}

// AppendTime appends a time as it is stored: the date key and the integer key_us.
func AppendTime(dst []byte, key string, t time.Time) []byte {
	return appendMicros(dst, key, t.UnixMicro())
}

func appendMicros(dst []byte, key string, us int64) []byte {
	dst = bsoncore.AppendDateTimeElement(dst, key, floorDiv(us, 1000))
	return bsoncore.AppendInt64Element(dst, key+microseconds, us)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// splitTimes appends src to dst, each timestamp as a date and its microseconds.
// It also is the place that counts how deep documents nest.
func splitTimes(dst, src []byte, depth int) ([]byte, error) {
	if depth > persistence.MaxDepth {
		return nil, fmt.Errorf("nested more than %d deep: %w", persistence.MaxDepth, persistence.ErrInvalid)
	}
	start, dst := bsoncore.ReserveLength(dst)
	rest := src[4 : len(src)-1]
	for len(rest) > 0 {
		el, tail, ok := bsoncore.ReadElement(rest)
		if !ok {
			return nil, fmt.Errorf("broken BSON: %w", persistence.ErrInvalid)
		}
		rest = tail
		switch v := el.Value(); v.Type {
		case bsoncore.TypeTimestamp:
			high, low := v.Timestamp()
			dst = appendMicros(dst, el.Key(), int64(uint64(high)<<32|uint64(low)))
		case bsoncore.TypeEmbeddedDocument, bsoncore.TypeArray:
			dst = bsoncore.AppendHeader(dst, v.Type, el.Key())
			var err error
			if dst, err = splitTimes(dst, v.Data, depth+1); err != nil {
				return nil, err
			}
		default:
			dst = append(dst, el...)
		}
	}
	dst = append(dst, 0)
	return bsoncore.UpdateLength(dst, start, int32(len(dst))-start), nil
}

// joinTimes appends src to dst, each date that has its microseconds beside it as
// a timestamp.
func joinTimes(dst, src []byte) ([]byte, error) {
	if len(src) < 5 {
		return nil, fmt.Errorf("a document of %d bytes", len(src))
	}
	start, dst := bsoncore.ReserveLength(dst)
	rest := src[4 : len(src)-1]
	for len(rest) > 0 {
		el, tail, ok := bsoncore.ReadElement(rest)
		if !ok {
			return nil, fmt.Errorf("broken BSON")
		}
		rest = tail
		switch v := el.Value(); v.Type {
		case bsoncore.TypeDateTime:
			us, ok := bsoncore.Document(src).Lookup(el.Key() + microseconds).AsInt64OK()
			if !ok {
				dst = append(dst, el...)
				continue
			}
			dst = bsoncore.AppendTimestampElement(dst, el.Key(), uint32(uint64(us)>>32), uint32(us))
		case bsoncore.TypeEmbeddedDocument, bsoncore.TypeArray:
			dst = bsoncore.AppendHeader(dst, v.Type, el.Key())
			var err error
			if dst, err = joinTimes(dst, v.Data); err != nil {
				return nil, err
			}
		default:
			dst = append(dst, el...)
		}
	}
	dst = append(dst, 0)
	return bsoncore.UpdateLength(dst, start, int32(len(dst))-start), nil
}
