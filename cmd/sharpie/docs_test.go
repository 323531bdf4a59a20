package main

import (
	"io"
	"os"
	"strings"
	"testing"
)

// TestDeploymentPageNamesEverySetting compares the table of docs/DEPLOYMENT.md
// with the flags: a setting that is missing there, or has another default, is
// one that nobody finds.
func TestDeploymentPageNamesEverySetting(t *testing.T) {
	page, err := os.ReadFile("../../docs/DEPLOYMENT.md")
	if err != nil {
		t.Fatal(err)
	}
	parser, err := newParser(&cli{}, io.Discard, io.Discard, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{} // setting → default
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if name, ok := strings.CutPrefix(strings.TrimSpace(cells[0]), "`--"); ok && len(cells) == 3 {
			documented[strings.TrimSuffix(name, "`")] = strings.Trim(strings.TrimSpace(cells[1]), "`")
		}
	}
	flags := parser.Model.Flags
	for _, child := range parser.Model.Children {
		if child.Name == "serve" {
			flags = append(flags, child.Flags...)
		}
	}
	for _, flag := range flags {
		if len(flag.Envs) == 0 {
			continue
		}
		if want := "SHARPIE_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_")); flag.Envs[0] != want {
			t.Errorf("--%s is %s in the environment, want %s", flag.Name, flag.Envs[0], want)
		}
		def, ok := documented[flag.Name]
		if !ok {
			t.Errorf("docs/DEPLOYMENT.md does not name --%s (default %q): %s", flag.Name, flag.Default, flag.Help)
		} else if def != flag.Default {
			t.Errorf("docs/DEPLOYMENT.md says that --%s is %q by default, it is %q", flag.Name, def, flag.Default)
		}
		delete(documented, flag.Name)
	}
	for name := range documented {
		t.Errorf("docs/DEPLOYMENT.md names --%s, which the program does not have", name)
	}
}
