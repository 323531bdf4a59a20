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

// runnerSlots is one runner with its slots.
type runnerSlots struct {
	Runner string
	Labels []string
	Slots  []SlotRow
	Free   int
}

// Busy lists the slots with a session.
func (r runnerSlots) Busy() []SlotRow {
	return slices.DeleteFunc(slices.Clone(r.Slots), func(s SlotRow) bool { return s.Session == "" })
}

// groupSlots gathers slots by runner, in the order in which they come.
func groupSlots(slots []SlotRow) []*runnerSlots {
	var out []*runnerSlots
	for _, s := range slots {
		i := slices.IndexFunc(out, func(r *runnerSlots) bool { return r.Runner == s.Runner })
		if i < 0 {
			i = len(out)
			out = append(out, &runnerSlots{Runner: s.Runner, Labels: s.Labels})
		}
		out[i].Slots = append(out[i].Slots, s)
		if s.Session == "" {
			out[i].Free++
		}
	}
	return out
}
