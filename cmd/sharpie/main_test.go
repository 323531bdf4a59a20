package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sharpie runs the program with these arguments, with an empty data folder.
func sharpie(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return sharpieWith(t, "", args...)
}

func sharpieWith(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

// shows checks that a text has all that it should say.
func shows(t *testing.T, what, text string, wants []string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("the %s does not show %q:\n%s", what, want, text)
		}
	}
}

func TestWrongUseNamesWhatIsAllowed(t *testing.T) {
	data := t.TempDir()
	file := filepath.Join(data, "file")
	write(t, file, "")
	for _, test := range []struct {
		name string
		args []string
		want []string
	}{
		{"no command", nil, []string{"serve", "import", "Try: sharpie --help"}},
		{"unknown command", []string{"server"}, []string{"server", `"serve"`}},
		{"unknown flag", []string{"serve", "--adr", ":1"}, []string{"--adr", "--addr", "Try: sharpie serve --help"}},
		{"log format", []string{"version", "--log-format", "xml"}, []string{"--log-format", "xml", "text", "json"}},
		{"log level", []string{"version", "--log-level", "loud"}, []string{"--log-level", "debug", "info", "warn", "error"}},
		{"address", []string{"serve", "--addr", "localhost"}, []string{"--addr", `"localhost"`, "HOST:PORT"}},
		{"slots", []string{"serve", "--slots=-1"}, []string{"--slots", "-1", "0 to 10000"}},
		{"slots that are no number", []string{"serve", "--slots", "many"}, []string{"--slots", "many"}},
		{"grace", []string{"serve", "--drain-grace", "3h"}, []string{"--drain-grace", "3h", "0s to 1h"}},
		{"grace without unit", []string{"serve", "--drain-grace", "30"}, []string{"--drain-grace", "duration"}},
		{"mongo", []string{"serve", "--mongo", "localhost:27017"}, []string{"--mongo", "mongodb://"}},
		{"public URL", []string{"serve", "--public-url", "lab.example"}, []string{"--public-url", "https://"}},
		{"public URL below a path", []string{"serve", "--public-url", "https://host/lab"}, []string{"--public-url", "without a path"}},
		{"proxy", []string{"serve", "--trusted-proxies", "proxy"}, []string{"--trusted-proxies", `"proxy"`, "10.0.0.0/8"}},
		{"data folder", []string{"serve", "--data", file}, []string{"--data", "is a file"}},
		{"two registrations", []string{"serve", "--open-registration", "--registration-key", "x"}, []string{"--open-registration", "--registration-key"}},
		{"several at once", []string{"serve", "--slots=-1", "--addr", "x"}, []string{"--slots", "--addr"}},
		{"verify nothing", []string{"verify"}, []string{"episode", "--experiment"}},
		{"import nothing", []string{"import"}, []string{"<path>"}},
		{"config that is not there", []string{"version", "--config", filepath.Join(data, "none.yaml")}, []string{"--config", "none.yaml"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, out, errs := sharpie(t, test.args...)
			if code != 2 {
				t.Errorf("exit code %d, want 2; it printed %q and %q", code, out, errs)
			}
			shows(t, "message", errs, test.want)
		})
	}
}

func TestHelpTeaches(t *testing.T) {
	for _, test := range []struct {
		args []string
		want []string
	}{
		{[]string{"--help"}, []string{"sharpie serve", "sharpie import", "SHARPIE_DATA", "--config"}},
		{[]string{"serve", "--help"}, []string{"--addr", "SHARPIE_ADDR", ":8080", "sharpie serve --mongo", "Ctrl-C"}},
		{[]string{"import", "--help"}, []string{"sharpie import", "while the server runs"}},
		{[]string{"export", "--help"}, []string{"jsonl", "csv", "sharpie export"}},
		{[]string{"verify", "--help"}, []string{"seed", "sharpie verify"}},
		{[]string{"user", "add", "--help"}, []string{"--admin", "--password-stdin"}},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			code, out, errs := sharpie(t, test.args...)
			if code != 0 || errs != "" {
				t.Errorf("exit code %d, stderr %q", code, errs)
			}
			shows(t, "help", out, test.want)
		})
	}
}

func TestVersionAndSchema(t *testing.T) {
	code, out, _ := sharpie(t, "version", "--confine", "never")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || len(lines) != 3 || !strings.HasPrefix(lines[0], "sharpie ") || !strings.HasPrefix(lines[1], "python ") ||
		lines[2] != "confinement unconfined: the settings say so" {
		t.Errorf("version: exit code %d, printed %q", code, out)
	}
	if code, out, _ := sharpie(t, "version", "--python", "/nowhere/python"); code != 0 || !strings.Contains(out, "python none: ") || !strings.Contains(out, "/nowhere/python") {
		t.Errorf("version without Python: exit code %d, printed %q", code, out)
	}
	if code, out, _ := sharpie(t, "schema"); code != 0 || !strings.Contains(out, `"target_fps"`) {
		t.Errorf("schema: exit code %d, printed %.200q", code, out)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// parseServe returns what `sharpie serve` would work with.
func parseServe(t *testing.T, args ...string) (serveCommand, error) {
	t.Helper()
	var line cli
	parser, err := newParser(&line, &bytes.Buffer{}, &bytes.Buffer{}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(append([]string{"serve"}, args...))
	return line.Serve, err
}

// testApp is an app whose commands print into out.
func testApp(ctx context.Context, out *bytes.Buffer) *app {
	var line cli
	return &app{ctx: ctx, stdin: strings.NewReader(""), stdout: out, stderr: out, log: line.logger(out), now: clock, version: "test"}
}
