package http

import (
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Bounds of what people type, in characters.
const (
	nameMin, nameMax         = 3, 40
	passwordMin, passwordMax = 8, 200
	roomMax                  = 64
	reasonMax                = 200
	keyMax                   = 200
)

// cleanName returns a login name in one normal form.
func cleanName(s string) string { return norm.NFC.String(strings.TrimSpace(s)) }

// CheckName returns what is wrong with a login name, in a sentence, or "".
func CheckName(name string) string {
	switch n := utf8.RuneCountInString(name); {
	case n < nameMin || n > nameMax:
		return fmt.Sprintf("A name has %d to %d characters.", nameMin, nameMax)
	case !utf8.ValidString(name):
		return "The name has broken characters."
	}
	for i, r := range name {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r):
		case i == 0:
			return "A name begins with a letter or a digit."
		case unicode.IsMark(r), strings.ContainsRune("._-@+", r):
		default:
			return fmt.Sprintf("A name has letters, digits, and . _ - @ + only; %q is none of these.", string(r))
		}
	}
	return ""
}

// checkPassword returns why something can be no password at all, in a sentence, or
// "". checkNewPassword refuses more: those that exist go on to work.
func checkPassword(password string) string {
	switch n := utf8.RuneCountInString(password); {
	case n < passwordMin:
		return fmt.Sprintf("A password has at least %d characters.", passwordMin)
	case n > passwordMax:
		return fmt.Sprintf("A password has at most %d characters.", passwordMax)
	case !utf8.ValidString(password):
		return "The password has broken characters."
	}
	return ""
}

// cleanRoom returns a room's name in one normal form, and what is wrong with it.
func cleanRoom(s string) (room, problem string) {
	room = norm.NFC.String(strings.Join(strings.Fields(s), " "))
	if utf8.RuneCountInString(room) > roomMax {
		return "", fmt.Sprintf("A room's name has at most %d characters.", roomMax)
	}
	if !utf8.ValidString(room) || strings.ContainsFunc(room, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", "A room's name has printable characters only."
	}
	return room, ""
}

// cleanText trims a line of text that is stored as it is, to max characters.
func cleanText(s string, max int) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) > max {
		s = string([]rune(s)[:max])
	}
	return s
}

// safeNext returns the path to go to after a form, "" where next is not a path
// of this site. Browsers read "//host", "/\host" and paths with control
// characters as other sites; none of these gets through.
func safeNext(next string) string {
	if len(next) > 500 || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") {
		return ""
	}
	if strings.ContainsFunc(next, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f || r == utf8.RuneError }) {
		return ""
	}
	p, query, _ := strings.Cut(next, "?")
	p = path.Clean(p)
	if strings.HasPrefix(p, "//") {
		return ""
	}
	if query != "" {
		p += "?" + query
	}
	return p
}
