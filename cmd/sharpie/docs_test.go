package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

func deploymentPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/DEPLOYMENT.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// TestDeploymentPageNamesEverySetting compares the tables of docs/DEPLOYMENT.md
// with the flags: a setting that is missing there, or has another default, is
// one that nobody finds.
func TestDeploymentPageNamesEverySetting(t *testing.T) {
	parser, err := newParser(&cli{}, io.Discard, io.Discard, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	commands := map[string]*kong.Node{}
	for _, child := range parser.Model.Children {
		commands[child.Name] = child
	}
	page := deploymentPage(t)
	compareSettings(t, page, "## Settings", "SHARPIE_", append(parser.Model.Flags, commands["serve"].Flags...))
	compareSettings(t, page, "### Settings of a node", "SHARPIE_RUNNER_", commands["runner"].Flags)
}

// compareSettings compares the table below a heading with flags, whose environment
// variables begin with prefix.
func compareSettings(t *testing.T, page, heading, prefix string, flags []*kong.Flag) {
	t.Helper()
	_, section, ok := strings.Cut(page, "\n"+heading+"\n")
	if !ok {
		t.Fatalf("docs/DEPLOYMENT.md has no heading %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n#")
	documented := map[string]string{} // setting → default
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if name, ok := strings.CutPrefix(strings.TrimSpace(cells[0]), "`--"); ok && len(cells) == 3 {
			documented[strings.TrimSuffix(name, "`")] = strings.Trim(strings.TrimSpace(cells[1]), "`")
		}
	}
	for _, flag := range flags {
		if len(flag.Envs) == 0 {
			continue
		}
		if want := prefix + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_")); flag.Envs[0] != want {
			t.Errorf("--%s is %s in the environment, want %s", flag.Name, flag.Envs[0], want)
		}
		def, ok := documented[flag.Name]
		if !ok {
			t.Errorf("docs/DEPLOYMENT.md does not name --%s (default %q) below %q: %s", flag.Name, flag.Default, heading, flag.Help)
		} else if def != flag.Default {
			t.Errorf("docs/DEPLOYMENT.md says that --%s is %q by default, it is %q", flag.Name, def, flag.Default)
		}
		delete(documented, flag.Name)
	}
	for name := range documented {
		t.Errorf("docs/DEPLOYMENT.md names --%s below %q, which the program does not have", name, heading)
	}
}

// TestUnitsOfTheDeploymentPageAreSound has systemd read the units of docs/DEPLOYMENT.md,
// and the program the command lines in them.
func TestUnitsOfTheDeploymentPageAreSound(t *testing.T) {
	units := regexp.MustCompile("(?s)```ini\n(.*?)```").FindAllStringSubmatch(deploymentPage(t), -1)
	if len(units) != 2 {
		t.Fatalf("docs/DEPLOYMENT.md has %d units, want the server's and the node's", len(units))
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	systemd, missing := exec.LookPath("systemd-analyze")
	for i, name := range []string{"sharpie.service", "sharpie-runner.service"} {
		text := units[i][1]
		line := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/sharpie (.*)$`).FindStringSubmatch(text)
		if line == nil {
			t.Fatalf("%s does not start /usr/local/bin/sharpie:\n%s", name, text)
		}
		settings := filepath.Join(t.TempDir(), "sharpie.yaml")
		write(t, settings, "slots: 8\n")
		args := strings.Fields(strings.ReplaceAll(line[1], "/etc/sharpie.yaml", settings))
		parser, err := newParser(&cli{}, io.Discard, io.Discard, func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(args); err != nil {
			t.Errorf("%s: the program does not take %q: %v", name, line[1], err)
		}
		if missing != nil {
			t.Logf("NOT CHECKED: %s by systemd: there is no systemd-analyze", name)
			continue
		}
		unit := filepath.Join(t.TempDir(), name)
		write(t, unit, strings.ReplaceAll(text, "/usr/local/bin/sharpie", program))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if out, err := exec.CommandContext(ctx, systemd, "verify", "--man=no", unit).CombinedOutput(); err != nil || strings.Contains(string(out), name) {
			t.Errorf("systemd-analyze verify %s: %v\n%s", name, err, out)
		}
	}
}
