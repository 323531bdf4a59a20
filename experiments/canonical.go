package experiments

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"sharpie/persistence"
)

// Canonical returns the definition as JSON: fields in the order of the types,
// keys of maps sorted, durations in seconds. Equal definitions give equal bytes.
func (d *Definition) Canonical() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d); err != nil {
		return nil, fmt.Errorf("canonical form of %s: %w", d.Experiment.Link, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// FromCanonical reads what Canonical wrote. Settings that were not known when it
// was written get their defaults; settings that are not known here are refused,
// because leaving one out would be another experiment. Numbers in kwargs,
// metadata and keyboard_inputs are int64 where they are whole, else float64.
func FromCanonical(b []byte) (*Definition, error) {
	d := new(Definition)
	if err := defaultsOf("experiment", &d.Experiment); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	dec.DisallowUnknownFields()
	if err := dec.Decode(d); err != nil {
		return nil, fmt.Errorf("%w: canonical form: %w", ErrInvalid, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: canonical form: more than one JSON value", ErrInvalid)
	}
	maps := []map[string]any{d.Environment.Kwargs, d.Environment.Metadata}
	for _, p := range d.Policies {
		maps = append(maps, p.Kwargs)
	}
	for _, m := range maps {
		if _, err := plainNumbers(m); err != nil {
			return nil, fmt.Errorf("%w: canonical form: %w", ErrInvalid, err)
		}
	}
	return d, nil
}

// defaultsOf fills v with the defaults of a top-level object of the table.
func defaultsOf(key string, v any) error {
	tree := map[string]any{}
	for _, f := range schema().field(key).fields {
		if f.def != nil {
			tree[f.key] = f.defaultValue()
		}
	}
	b, err := json.Marshal(tree)
	if err != nil {
		return fmt.Errorf("defaults of %s: %w", key, err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("defaults of %s: %w", key, err)
	}
	return nil
}

// Document returns the definition as a nested document of JSON types, as it is
// stored with each version.
func (d *Definition) Document() (persistence.Document, error) {
	b, err := d.Canonical()
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var doc map[string]any
	if err := dec.Decode(&doc); err != nil {
		return nil, fmt.Errorf("document of %s: %w", d.Experiment.Link, err)
	}
	if _, err := plainNumbers(doc); err != nil {
		return nil, fmt.Errorf("document of %s: %w", d.Experiment.Link, err)
	}
	return doc, nil
}

// FromDocument reads what Document returned, also after a store kept it.
func FromDocument(doc persistence.Document) (*Definition, error) {
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("%w: stored definition: %w", ErrInvalid, err)
	}
	return FromCanonical(b)
}
