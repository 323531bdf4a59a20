package http

import (
	"fmt"
	"strings"

	"sharpie/experiments"
	"sharpie/web"
)

// symbols are what keys show that say nothing themselves.
var symbols = map[string]string{
	"ArrowUp": "↑", "ArrowDown": "↓", "ArrowLeft": "←", "ArrowRight": "→", " ": "Space", "Escape": "Esc", "Backspace": "⌫", "Delete": "Del", "Control": "Ctrl",
}

// keysOf returns the controls of a seat as pages show them. What the definition
// does not say is made of the key, and of the value that it stands for.
func keysOf(a experiments.Agent) []web.KeyView {
	var out []web.KeyView
	for _, b := range a.KeyboardInputs.Bindings {
		d := a.KeyboardInputDisplay[b.Key]
		if d.Symbol == "" {
			d.Symbol = symbolOf(b.Key)
		}
		if d.Label == "" {
			d.Label = labelOf(b.Value, a.InputsType)
		}
		out = append(out, web.KeyView{Key: b.Key, Symbol: d.Symbol, Label: d.Label})
	}
	return out
}

func symbolOf(key string) string {
	if s, ok := symbols[key]; ok {
		return s
	}
	if len([]rune(key)) == 1 {
		return strings.ToUpper(key)
	}
	return key
}

// labelOf says what a value does where nobody gave it a name: a text is its own.
func labelOf(value any, kind experiments.InputsType) string {
	if s, ok := value.(string); ok && s != "" {
		return s
	}
	switch kind {
	case experiments.InputReward:
		return fmt.Sprintf("reward %v", value)
	case experiments.InputOther:
		return fmt.Sprintf("sends %v", value)
	default:
		return fmt.Sprintf("action %v", value)
	}
}

// nameOf is what people call the role of an agent.
func nameOf(a experiments.Agent) string {
	if a.Name != "" {
		return a.Name
	}
	return string(a.Role)
}
