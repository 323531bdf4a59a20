package experiments

import (
	"net/url"
	"path"
	"strings"
	"unicode/utf8"
)

// verifyURL wants an absolute http or https address with a host.
func verifyURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "want a full address that begins with https:// or http://"
	}
	if u.User != nil {
		return "the address must not contain a user name or password"
	}
	return ""
}

// verifyPath wants a path that stays inside the experiment's folder.
func verifyPath(s string) string {
	if path.IsAbs(s) || strings.ContainsAny(s, "\\\x00") || s == "" || strings.Contains(s, ":") {
		return "want a path relative to the experiment's folder, with \"/\""
	}
	if c := path.Clean(s); c == "." || c == ".." || strings.HasPrefix(c, "../") {
		return "the path must stay inside the experiment's folder"
	}
	return ""
}

// verifyKey wants the browser's KeyboardEvent.key of a key that a person can hold.
// https://developer.mozilla.org/en-US/docs/Web/API/UI_Events/Keyboard_event_key_values
func verifyKey(s string) string {
	if utf8.RuneCountInString(s) == 1 && s >= " " && s != "\x7f" {
		return ""
	}
	for _, k := range namedKeys() {
		if k == s {
			return ""
		}
	}
	hint := "want one character, such as \"a\" or \" \", or the browser's name of a key, such as ArrowLeft, Enter or Shift"
	switch strings.ToLower(s) {
	case "left", "right", "up", "down":
		return "unknown key; did you mean \"Arrow" + strings.ToUpper(s[:1]) + strings.ToLower(s[1:]) + "\"? " + hint
	case "space", "spacebar":
		return "unknown key; did you mean \" \" (a blank in quotes)? " + hint
	case "esc":
		return "unknown key; did you mean \"Escape\"? " + hint
	}
	if m := nearest(s, namedKeys()); m != "" {
		return "unknown key; did you mean \"" + m + "\"? " + hint
	}
	return "unknown key; " + hint
}

func namedKeys() []string {
	return []string{"ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Enter", "Tab", "Escape", "Backspace", "Delete",
		"Insert", "Home", "End", "PageUp", "PageDown", "Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock",
		"F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12"}
}
