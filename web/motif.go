package web

import "strings"

// motif chooses the drawing that stands for an experiment, by its environment.
func motif(source string) string {
	name := strings.ToLower(source)
	for _, m := range [...]string{"mountaincar", "cartpole", "frozenlake", "spread", "tag"} {
		if strings.Contains(name, m) {
			return m
		}
	}
	return "other"
}
