package experiments

import (
	"errors"
	"fmt"
	"strings"
)

// ErrInvalid is behind every error about a definition that cannot be used.
var ErrInvalid = errors.New("experiments: invalid definition")

// maxProblems is how many problems one error lists.
const maxProblems = 20

// Problem is one thing that is wrong with a definition.
type Problem struct {
	// Line and Column are 1-based positions in the file; 0 where unknown.
	Line, Column int
	// Key is the path of the key: "agents[0].keyboard_inputs.ArrowLeft". Empty for
	// a problem of the whole file.
	Key string
	// Text says what is wrong and what is allowed.
	Text string
}

// Error is everything that is wrong with one definition, in the order of the
// file, at most 20 problems. It wraps ErrInvalid.
type Error struct {
	// File is the name that was handed to Parse; empty for Check.
	File     string
	Problems []Problem
	// More counts the problems beyond those listed.
	More int
}

// Error is one line per problem: "file:line:column: key: text".
func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.line(p))
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\n… and %d more", e.More)
	}
	return b.String()
}

// Unwrap returns ErrInvalid.
func (e *Error) Unwrap() error { return ErrInvalid }

func (e *Error) line(p Problem) string {
	var b strings.Builder
	switch {
	case e.File != "" && p.Line > 0:
		fmt.Fprintf(&b, "%s:%d:%d: ", e.File, p.Line, p.Column)
	case e.File != "":
		fmt.Fprintf(&b, "%s: ", e.File)
	case p.Line > 0:
		fmt.Fprintf(&b, "%d:%d: ", p.Line, p.Column)
	}
	if p.Key != "" {
		fmt.Fprintf(&b, "%s: ", p.Key)
	}
	b.WriteString(p.Text)
	return b.String()
}

// problems collects what is wrong.
type problems struct {
	list []Problem
	more int
}

func (p *problems) add(q Problem) {
	if len(p.list) < maxProblems {
		p.list = append(p.list, q)
	} else {
		p.more++
	}
}

// err returns an *Error, or nil where nothing is wrong.
func (p *problems) err(file string) error {
	if len(p.list) == 0 {
		return nil
	}
	return &Error{File: file, Problems: p.list, More: p.more}
}
