package web

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
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
				parts = append(parts, fmt.Sprintf("%s %v", name, v))
			}
		default:
			text, err := json.Marshal(v)
			if err == nil && len(text) > 2 { // neither {} nor []
				parts = append(parts, name+" "+string(text))
			}
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
