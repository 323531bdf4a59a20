package experiments

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// MaxFileSize bounds an experiment file, in bytes.
const MaxFileSize = 1 << 20

// Parse reads an experiment file: one YAML document in UTF-8, at most 1 MiB,
// strict. It fills in every default and resolves the names of policies. file is
// the name for messages. What is wrong comes back as one *Error with every
// problem found (at most 20 are listed), which wraps ErrInvalid.
//
// Anchors and aliases may be used; merge keys ("<<") and tags of other types may not.
func Parse(file string, data []byte) (*Definition, error) {
	d, _, err := parse(file, data)
	return d, err
}

// parse returns the place of every key besides.
func parse(file string, data []byte) (*Definition, places, error) {
	root, err := load(file, data)
	if err != nil {
		return nil, places{}, err
	}
	d := &decoder{places: newPlaces()}
	tree, _ := d.value(root, schema(), "")
	if err := d.err(file); err != nil {
		return nil, places{}, err
	}
	object := tree.(map[string]any)
	d.resolve(object)
	if err := d.err(file); err != nil {
		return nil, places{}, err
	}
	def, err := fromTree(object)
	if err != nil {
		return nil, places{}, fmt.Errorf("parse %s: %w", file, err)
	}
	return def, d.places, nil
}

// load returns the root node of the file's only document.
func load(file string, data []byte) (*yaml.Node, error) {
	if len(data) > MaxFileSize {
		return nil, whole(file, 0, 0, fmt.Sprintf("the file has %d bytes; at most %d are allowed", len(data), MaxFileSize))
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		line, column := badByte(data)
		return nil, whole(file, line, column, "the file is not UTF-8 text; save it as UTF-8")
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	var doc, more yaml.Node
	if err := loader.Load(&doc); err != nil {
		return nil, syntax(file, err)
	}
	if err := loader.Load(&more); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, syntax(file, err)
		}
		return nil, whole(file, more.Line, more.Column, "a second document begins here; an experiment file holds one")
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, whole(file, 0, 0, "the file is empty")
	}
	return doc.Content[0], nil
}

// syntax turns an error of the YAML library into one of ours.
func syntax(file string, err error) error {
	if errors.Is(err, io.EOF) {
		return whole(file, 0, 0, "the file is empty")
	}
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		return whole(file, 0, 0, "not YAML: "+shorten(err.Error(), 200))
	}
	text := le.Message
	if le.ContextMsg != "" {
		text += " " + le.ContextMsg
	}
	if strings.Contains(text, "cannot start any token") {
		text += " (indent with blanks, not with tabs)"
	}
	return whole(file, le.Mark.Line, le.Mark.Column, "not YAML: "+shorten(text, 200))
}

func whole(file string, line, column int, text string) error {
	return &Error{File: file, Problems: []Problem{{Line: line, Column: column, Text: text}}}
}

// badByte returns the position of the first byte that is not UTF-8.
func badByte(data []byte) (line, column int) {
	line, column = 1, 1
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		if r == utf8.RuneError && n == 1 {
			break
		}
		if column++; r == '\n' {
			line, column = line+1, 1
		}
		data = data[n:]
	}
	return line, column
}

// fromTree turns a checked tree into a Definition, by way of the canonical form,
// so that a parsed definition equals a stored one.
func fromTree(tree map[string]any) (*Definition, error) {
	b, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	d, err := FromCanonical(b)
	if err != nil {
		return nil, err
	}
	if b, err = d.Canonical(); err != nil {
		return nil, err
	}
	return FromCanonical(b)
}
