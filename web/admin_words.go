package web

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// shortID is the end of a long id, which tells ids apart; the start is time.
func shortID(id string) string {
	if len(id) <= 14 {
		return id
	}
	return "…" + id[len(id)-8:]
}

// detailLine writes an event's details, where they are a JSON object, as
// "from queued, phase running"; what is empty or zero is left out.
func detailLine(detail string) string {
	var fields map[string]any
	if err := json.Unmarshal([]byte(detail), &fields); err != nil {
		return detail // it is a text already
	}
	var parts []string
	for name, value := range fields {
		switch v := value.(type) {
		case nil:
		case string:
			if v != "" {
				parts = append(parts, name+" "+v)
			}
		case bool:
			if v {
				parts = append(parts, name)
			}
		case float64:
			if v != 0 {
				parts = append(parts, numberDetail(name, v))
			}
		default:
			if text := plainJSON(v); len(text) > 2 { // neither {} nor []
				parts = append(parts, name+" "+text)
			}
		}
	}
	slices.Sort(parts)
	line := []rune(strings.Join(parts, ", "))
	if len(line) > maxDetail {
		line = append(line[:maxDetail-1], '…')
	}
	return string(line)
}

// maxDetail bounds what a table shows of an event, characters.
const maxDetail = 400

// numberDetail writes a number as people do, and what is in µs as a time.
func numberDetail(name string, v float64) string {
	if base, ok := strings.CutSuffix(name, "_us"); ok {
		return base + " " + (time.Duration(v) * time.Microsecond).Round(time.Millisecond).String()
	}
	return name + " " + strconv.FormatFloat(v, 'f', -1, 64)
}

// plainJSON is JSON for people: < and > as they are.
func plainJSON(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return ""
	}
	return strings.TrimSpace(b.String())
}
