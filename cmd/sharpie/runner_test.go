package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sharpie/actors/link"
)

// aKey is a key as far as a node can see.
var aKey, _, _ = link.NewKey()

func TestWrongUseOfANodeNamesWhatIsAllowed(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, "")
	good := []string{"runner", "--join", "https://lab.example/sharpie", "--key", aKey, "--data", filepath.Join(dir, "data")}
	with := func(more ...string) []string { return append(good[:len(good):len(good)], more...) }
	for _, test := range []struct {
		name string
		args []string
		env  string // NAME=VALUE
		want []string
	}{
		{"nothing", []string{"runner"}, "", []string{"--join", "Try: sharpie runner --help"}},
		{"no key", []string{"runner", "--join", "https://lab"}, "", []string{"--key-file FILE", "SHARPIE_RUNNER_KEY"}},
		{"two keys", with("--key-file", file), "", []string{"--key and --key-file"}},
		{"two keys, one of the environment", []string{"runner", "--join", "https://lab", "--key-file", file}, "SHARPIE_RUNNER_KEY=" + aKey, []string{"SHARPIE_RUNNER_KEY is --key"}},
		{"a password for a key", with("--key", "secret"), "", []string{"--key:", "shk_"}},
		{"half a key", with("--key", aKey[:30]), "", []string{"--key:", "shk_"}},
		{"address without a scheme", with("--join", "lab.example:8080"), "", []string{"--join", `"lab.example:8080"`, "https://"}},
		{"address of another kind", with("--join", "ftp://lab.example"), "", []string{"--join", "neither https:// nor http://"}},
		{"address without a host", with("--join", "https:///sharpie"), "", []string{"--join", "https://HOST"}},
		{"address with a password", with("--join", "https://ada:hush@lab.example"), "", []string{"--join", "@lab.example", "a user"}},
		{"address with a question", with("--join", "https://lab.example/?x=1"), "", []string{"--join", "'?'"}},
		{"slots", with("--slots", "0"), "", []string{"--slots 0", "1 to 1024"}},
		{"slots of the environment", with(), "SHARPIE_RUNNER_SLOTS=many", []string{"--slots", "many"}},
		{"grace", with("--drain-grace", "25h"), "", []string{"--drain-grace", "0s to 24h"}},
		{"cache", with("--cache-size", "1KiB"), "", []string{"--cache-size", "64MiB to 16TiB"}},
		{"label", with("--label", "a b"), "", []string{"--label", `"a b"`, "1 to 64"}},
		{"long label", with("--label", strings.Repeat("x", 65)), "", []string{"--label", "1 to 64"}},
		{"many labels", with("--label", strings.Repeat("x,", 33)+"x"), "", []string{"--label", "34 labels", "at most 32"}},
		{"labels of the environment", with(), "SHARPIE_RUNNER_LABEL=gpu,-", []string{"--label", `"-"`}},
		{"name", with("--name", "a/b"), "", []string{"--name", `"a/b"`, "1 to 63"}},
		{"data folder", with("--data", file), "", []string{"--data", "is a file"}},
		{"several at once", with("--slots", "0", "--name", "/"), "", []string{"--slots", "--name"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if name, value, ok := strings.Cut(test.env, "="); ok {
				t.Setenv(name, value)
			}
			code, out, errs := sharpie(t, test.args...)
			if code != 2 {
				t.Errorf("exit code %d, want 2; it printed %q and %q", code, out, errs)
			}
			shows(t, "message", errs, test.want)
			if strings.Contains(errs, "hush") || strings.Contains(errs, aKey[len(aKey)-20:]) {
				t.Errorf("the message has a secret in it:\n%s", errs)
			}
		})
	}
}

func TestANodeSaysWhatIsWrongWithItsFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		write(t, path, text)
		return path
	}
	key := file("key", aKey+"\n")
	busy := filepath.Join(dir, "busy")
	lock, err := lockNodeData(busy)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	for _, test := range []struct {
		name string
		args []string
		want []string
	}{
		{"no key file", []string{"--key-file", filepath.Join(dir, "none")}, []string{"--key-file", "none", "no such file"}},
		{"a folder", []string{"--key-file", dir}, []string{"--key-file", "is a directory"}},
		{"an empty key file", []string{"--key-file", file("empty", "\n"+aKey)}, []string{"--key-file", "first line", "is empty", "shk_"}},
		{"another file", []string{"--key-file", file("other", "password: hush\n")}, []string{"--key-file", "other", "no runner key"}},
		{"no authority", []string{"--key-file", key, "--ca", filepath.Join(dir, "none.pem")}, []string{"--ca", "none.pem"}},
		{"an authority that is no PEM", []string{"--key-file", key, "--ca", file("ca.pem", "certificate")}, []string{"--ca", "ca.pem", "-----BEGIN CERTIFICATE-----"}},
		{"a folder in use", []string{"--key-file", key, "--data", busy}, []string{"--data", "another runner node works in", "busy"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := append([]string{"runner", "--join", "http://127.0.0.1:1", "--data", filepath.Join(dir, "data")}, test.args...)
			code, out, errs := sharpie(t, args...)
			if code != 1 {
				t.Errorf("exit code %d, want 1; it printed %q and %q", code, out, errs)
			}
			shows(t, "message", errs, test.want)
			if strings.Contains(errs, "hush") {
				t.Errorf("the message has a secret in it:\n%s", errs)
			}
		})
	}
}

func TestAKeyThatEverybodyCanReadIsWarnedOf(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	for mode, warned := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true} {
		if err := os.WriteFile(key, []byte(aKey+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(key, mode); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		c := runnerCommand{KeyFile: key}
		got, err := c.key(testApp(t.Context(), &out))
		if err != nil || got != aKey {
			t.Errorf("mode %o: %q, %v", mode, got, err)
		}
		if strings.Contains(out.String(), "chmod 600 "+key) != warned {
			t.Errorf("mode %o: warned is %t, want %t:\n%s", mode, !warned, warned, out.String())
		}
	}
}

// A node that never reaches its server goes on trying, and leaves when it is asked to.
func TestANodeWithoutItsServerLeavesWhenAsked(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	var out, errs bytes.Buffer
	args := []string{"runner", "--join", "http://127.0.0.1:1", "--key", aKey, "--data", filepath.Join(t.TempDir(), "data"), "--confine", "never"}
	if code := run(ctx, args, strings.NewReader(""), &out, &errs); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if said := errs.String(); !strings.Contains(said, "127.0.0.1:1 cannot be reached") || !strings.Contains(said, "trying again") {
		t.Errorf("it does not say whom it cannot reach:\n%s", said)
	}
}

func TestTheHelpOfANodeTeaches(t *testing.T) {
	code, out, errs := sharpie(t, "runner", "--help")
	if code != 0 || errs != "" {
		t.Errorf("exit code %d, stderr %q", code, errs)
	}
	shows(t, "help", out, []string{"--join", "SHARPIE_RUNNER_KEY", "--key-file", "HTTPS_PROXY", "--ca", "runner-key add NAME", "SHARPIE_RUNNER_LABEL", "3 where the server"})
}
