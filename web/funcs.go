package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// ownPicture matches the pictures that a text may show: on this server, or
// within the text. "//host" and "/\host" lead elsewhere.
var ownPicture = regexp.MustCompile(`^(/[^/\\]|data:image/(png|jpeg|gif|webp);base64,)`)

// funcs is what templates can call.
func funcs(assets manifest) template.FuncMap {
	md := newMarkdown()
	return template.FuncMap{
		"asset":    assets.url,
		"preloads": assets.preloads,
		"markdown": md.html,
		"motif":    motif,
		"dict":     dict,
		"plural":   plural,
		"ago":      ago,
		"until":    until,
		"utc":      utc,
		"stamp":    stamp,
		"ms":       milliseconds,
		"trip":     roundTrip,
		"words":    strings.Fields,
		"phase":    phaseWord,
		"seat":     seatWord,
		"weblink":  webLink,
		"order":    orderErrors,
		"controls": controlsOf,
		"within":   within,
		"short":    shortID,
		"detail":   detailLine,
		"json":     jsonText,
		"list":     listText,
		"fault":    faultWord,
		"during":   faultPhase,
		"walls":    unconfined,
		"size":     sizeText,
		"add":      func(a, b int) int { return a + b },
	}
}

// or returns the first text that is not empty.
func or(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// listText joins names: "Ann", "Ann and Bo", "Ann, Bo and Cy".
func listText(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// jsonText is a value for the page's own scripts, to stand in an attribute.
func jsonText(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

var errDict = errors.New("dict takes pairs of a name and a value")

// dict gives a shared template part several values.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errDict
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, errDict
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// plural writes "1 round" and "3 rounds".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// span writes a length of time in its largest unit.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return plural(int(d.Hours()/24), "day", "days")
	}
}

// ago writes how long t is before now; a date where now is unknown.
func ago(now, t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	if now.IsZero() {
		return t.UTC().Format("2 January 2006")
	}
	d := now.Sub(t)
	if d < time.Second {
		return "just now"
	}
	return span(d) + " ago"
}

// until writes how long it is from now to t.
func until(now, t time.Time) string {
	if t.IsZero() || now.IsZero() {
		return ""
	}
	d := t.Sub(now)
	if d <= 0 {
		return "now"
	}
	return "in " + span(d.Round(time.Second))
}

// utc writes a time for people; stamp for machines.
func utc(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2 Jan 2006, 15:04:05 UTC")
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func milliseconds(d time.Duration) string {
	if d <= 0 {
		return "–"
	}
	return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
}

// roundTrip writes a short time more exactly: within one building it is below 1 ms.
func roundTrip(d time.Duration) string {
	if d <= 0 || d >= 10*time.Millisecond {
		return milliseconds(d)
	}
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// phaseWord and seatWord name states as people say them.
func phaseWord(phase string) string {
	switch phase {
	case "waiting":
		return "waiting for people"
	case "ready":
		return "about to start"
	case "queued":
		return "waiting for a runner"
	case "running":
		return "playing"
	case "between":
		return "between rounds"
	default:
		return phase
	}
}

func seatWord(state string) string {
	switch state {
	case "free":
		return "free"
	case "taken":
		return "taken, not here yet"
	case "here":
		return "here"
	case "away":
		return "away"
	case "ai":
		return "program"
	default:
		return state
	}
}

// webLink passes an absolute http or https address and nothing else.
func webLink(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	return u.String()
}

// within says whether a page belongs to a section of the site.
func within(path, section string, exact bool) bool {
	path, _, _ = strings.Cut(path, "?")
	return path == section || !exact && strings.HasPrefix(path, section+"/")
}

// fieldError is one line of a form's error summary.
type fieldError struct{ Field, Text string }

// orderErrors lists errors in the order of the form's fields, the form's own first.
func orderErrors(errs FieldErrors, fields ...string) []fieldError {
	var out []fieldError
	for _, f := range append([]string{""}, fields...) {
		if text := errs[f]; text != "" {
			out = append(out, fieldError{f, text})
		}
	}
	return out
}
