// Package document turns records of package persistence into BSON documents and
// back, byte for byte the same for both stores. It owns the decisions that BSON
// leaves open: times keep their microseconds (a date X_at and an integer X_at_us),
// maps are written in the order of their keys, so that equal records are equal
// bytes, text is UTF-8 (what is not becomes U+FFFD), and free-form values come back as the types that persistence.Value names.
// It refuses documents that no store could keep: too large, nested too deeply, or
// with a key that BSON cannot hold. It talks to no database.
package document

import (
	"bytes"
	"fmt"
	"reflect"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"sharpie/persistence"
)

// Codec encodes and decodes. It is safe for concurrent use.
type Codec struct {
	registry *bson.Registry
}

// New makes a codec.
func New() *Codec {
	r := bson.NewRegistry()
	r.RegisterTypeEncoder(reflect.TypeFor[time.Time](), bson.ValueEncoderFunc(encodeTime))
	r.RegisterTypeDecoder(reflect.TypeFor[time.Time](), bson.ValueDecoderFunc(decodeTime))
	r.RegisterKindEncoder(reflect.Map, bson.ValueEncoderFunc(encodeMap))
	r.RegisterKindEncoder(reflect.String, bson.ValueEncoderFunc(encodeString))
	r.RegisterTypeDecoder(reflect.TypeFor[any](), bson.ValueDecoderFunc(decodeAny))
	return &Codec{registry: r}
}

// Marshal returns the document of a record (a pointer to a struct of package
// persistence). Lists and maps that are nil are written empty. The error is
// persistence.ErrInvalid.
func (c *Codec) Marshal(record any) ([]byte, error) {
	if chunk, ok := record.(*persistence.StepChunk); ok {
		return c.marshalChunk(chunk)
	}
	raw, err := c.encode(record)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w: %w", record, persistence.ErrInvalid, err)
	}
	doc, err := splitTimes(make([]byte, 0, len(raw)+256), raw, 0)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", record, err)
	}
	return doc, checkSize(record, doc)
}

// Unmarshal fills record from its document.
func (c *Codec) Unmarshal(doc []byte, record any) error {
	raw, err := joinTimes(make([]byte, 0, len(doc)), doc)
	if err != nil {
		return fmt.Errorf("decode %T: %w", record, err)
	}
	d := bson.NewDecoder(bson.NewDocumentReader(bytes.NewReader(raw)))
	d.SetRegistry(c.registry)
	if err := d.Decode(record); err != nil {
		return fmt.Errorf("decode %T: %w", record, err)
	}
	return nil
}

// encode writes a record with its times as BSON timestamps.
func (c *Codec) encode(record any) ([]byte, error) {
	var buf bytes.Buffer
	e := bson.NewEncoder(bson.NewDocumentWriter(&buf))
	e.SetRegistry(c.registry)
	e.NilSliceAsEmpty()
	e.NilMapAsEmpty()
	e.NilByteSliceAsEmpty()
	if err := e.Encode(record); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func checkSize(record any, doc []byte) error {
	if len(doc) > persistence.MaxDocument {
		return fmt.Errorf("%T of %d bytes, at most %d are allowed: %w",
			record, len(doc), persistence.MaxDocument, persistence.ErrInvalid)
	}
	return nil
}
