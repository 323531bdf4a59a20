package python

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds how deeply a header of the channel is nested.
const maxDepth = 64

// kind is what a node of a header is.
type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindText
	kindList
	kindObject
)

// node is one JSON value of a header. The zero node is null. Its texts are copies:
// nothing of it points into the bytes that it was read from.
type node struct {
	kind kind
	// yes is the value of a truth value.
	yes bool
	// text is a text, or a number as it was written.
	text string
	// list is a list's items, or the values of an object.
	list []node
	// keys are parallel to an object's list.
	keys []string
}

// get returns the member of an object; null where there is none.
func (n *node) get(key string) *node {
	for i := range n.keys {
		if n.keys[i] == key {
			return &n.list[i]
		}
	}
	return &noNode
}

// noNode is null, and never written to.
var noNode node

// only returns the value of an object with this key alone, or nil.
func (n *node) only(key string) *node {
	if n.kind == kindObject && len(n.keys) == 1 && n.keys[0] == key {
		return &n.list[0]
	}
	return nil
}

// str is a text, or "" for anything else.
func (n *node) str() string {
	if n.kind != kindText {
		return ""
	}
	return n.text
}

// truth is true for true and for a number that is not zero.
func (n *node) truth() bool {
	if n.kind == kindNumber {
		f, err := strconv.ParseFloat(n.text, 64)
		return err == nil && f != 0
	}
	return n.kind == kindBool && n.yes
}

// integer is a number without fraction.
func (n *node) integer() (int64, bool) {
	if n.kind != kindNumber {
		return 0, false
	}
	i, err := strconv.ParseInt(n.text, 10, 64)
	return i, err == nil
}

// size is a number from 0 to most, or an error that names what it is.
func (n *node) size(what string, most int64) (int, error) {
	i, ok := n.integer()
	if !ok || i < 0 || i > most {
		return 0, fmt.Errorf("%s must be a whole number from 0 to %d", what, most)
	}
	return int(i), nil
}

// texts are the texts of a list; what is no text is left out.
func (n *node) texts() []string {
	if n.kind != kindList {
		return nil
	}
	out := make([]string, 0, len(n.list))
	for i := range n.list {
		if n.list[i].kind == kindText {
			out = append(out, n.list[i].text)
		}
	}
	return out
}

// parser reads one JSON document. encoding/json would decode it twice over: once to
// see what an object is, once for what it means.
type parser struct {
	data []byte
	at   int
}

var errJSON = errors.New("the header is no JSON")

// parse reads a whole header.
func parse(data []byte) (node, error) {
	p := parser{data: data}
	n, err := p.value(0)
	if err != nil {
		return node{}, err
	}
	p.space()
	if p.at != len(data) {
		return node{}, p.bad("something follows the value")
	}
	return n, nil
}

func (p *parser) bad(what string) error {
	return fmt.Errorf("%w: %s at byte %d", errJSON, what, p.at)
}

func (p *parser) space() {
	for p.at < len(p.data) {
		switch p.data[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// next is the byte after blanks, which stays where it is; 0 at the end.
func (p *parser) next() byte {
	p.space()
	if p.at == len(p.data) {
		return 0
	}
	return p.data[p.at]
}

func (p *parser) value(depth int) (node, error) {
	if depth > maxDepth {
		return node{}, p.bad("nested too deeply")
	}
	switch c := p.next(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		s, err := p.str()
		return node{kind: kindText, text: s}, err
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case p.word("null"):
		return node{}, nil
	case p.word("true"):
		return node{kind: kindBool, yes: true}, nil
	case p.word("false"):
		return node{kind: kindBool}, nil
	}
	return node{}, p.bad("a value is expected")
}

func (p *parser) word(w string) bool {
	if len(p.data)-p.at < len(w) || string(p.data[p.at:p.at+len(w)]) != w {
		return false
	}
	p.at += len(w)
	return true
}

func (p *parser) number() (node, error) {
	from := p.at
	for p.at < len(p.data) {
		switch c := p.data[p.at]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
			p.at++
			continue
		}
		break
	}
	text := string(p.data[from:p.at])
	if _, err := strconv.ParseFloat(text, 64); err != nil && !errors.Is(err, strconv.ErrRange) {
		return node{}, p.bad("a number is malformed")
	}
	return node{kind: kindNumber, text: text}, nil
}

func (p *parser) array(depth int) (node, error) {
	p.at++ // [
	out := node{kind: kindList}
	if p.next() == ']' {
		p.at++
		return out, nil
	}
	for {
		v, err := p.value(depth + 1)
		if err != nil {
			return node{}, err
		}
		out.list = append(out.list, v)
		switch p.next() {
		case ',':
			p.at++
		case ']':
			p.at++
			return out, nil
		default:
			return node{}, p.bad("a list lacks , or ]")
		}
	}
}

func (p *parser) object(depth int) (node, error) {
	p.at++ // {
	out := node{kind: kindObject}
	if p.next() == '}' {
		p.at++
		return out, nil
	}
	for {
		if p.next() != '"' {
			return node{}, p.bad("a key is expected")
		}
		key, err := p.str()
		if err != nil {
			return node{}, err
		}
		if p.next() != ':' {
			return node{}, p.bad("an object lacks :")
		}
		p.at++
		v, err := p.value(depth + 1)
		if err != nil {
			return node{}, err
		}
		out.keys, out.list = append(out.keys, key), append(out.list, v)
		switch p.next() {
		case ',':
			p.at++
		case '}':
			p.at++
			return out, nil
		default:
			return node{}, p.bad("an object lacks , or }")
		}
	}
}

// str reads a text; the common one, without escapes, is one copy.
func (p *parser) str() (string, error) {
	p.at++ // "
	from := p.at
	for ; p.at < len(p.data); p.at++ {
		switch c := p.data[p.at]; {
		case c == '"':
			s := p.data[from:p.at]
			p.at++
			if !utf8.Valid(s) {
				return "", p.bad("a text is no UTF-8")
			}
			return string(s), nil
		case c == '\\':
			return p.escaped(from)
		}
	}
	return "", p.bad("a text does not end")
}

// escaped reads on at the first escape of a text that began at from.
func (p *parser) escaped(from int) (string, error) {
	out := append([]byte(nil), p.data[from:p.at]...)
	for p.at < len(p.data) {
		c := p.data[p.at]
		p.at++
		switch c {
		case '"':
			if !utf8.Valid(out) {
				return "", p.bad("a text is no UTF-8")
			}
			return string(out), nil
		case '\\':
			var err error
			if out, err = p.escape(out); err != nil {
				return "", err
			}
		default:
			out = append(out, c)
		}
	}
	return "", p.bad("a text does not end")
}

// escape appends what the escape behind a backslash means.
func (p *parser) escape(out []byte) ([]byte, error) {
	if p.at == len(p.data) {
		return nil, p.bad("a text does not end")
	}
	c := p.data[p.at]
	p.at++
	switch c {
	case '"', '\\', '/':
		return append(out, c), nil
	case 'b':
		return append(out, '\b'), nil
	case 'f':
		return append(out, '\f'), nil
	case 'n':
		return append(out, '\n'), nil
	case 'r':
		return append(out, '\r'), nil
	case 't':
		return append(out, '\t'), nil
	case 'u':
		r, ok := p.hex4()
		if !ok {
			return nil, p.bad("an escape is malformed")
		}
		if utf16.IsSurrogate(r) && p.word(`\u`) {
			low, ok := p.hex4()
			if !ok {
				return nil, p.bad("an escape is malformed")
			}
			r = utf16.DecodeRune(r, low)
		}
		return utf8.AppendRune(out, r), nil // half a pair becomes U+FFFD
	}
	return nil, p.bad("an escape is unknown")
}

func (p *parser) hex4() (rune, bool) {
	if len(p.data)-p.at < 4 {
		return 0, false
	}
	v, err := strconv.ParseUint(string(p.data[p.at:p.at+4]), 16, 16)
	p.at += 4
	return rune(v), err == nil
}
