package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// A key that is made where no server looks would open nothing.
func TestKeysAreMadeWhereAServerKeepsItsData(t *testing.T) {
	data := filepath.Join(t.TempDir(), "mistyped")
	for _, args := range [][]string{{"runner-key", "add", "lab"}, {"runner-key", "list"}, {"runner-key", "revoke", "lab"}} {
		code, out, errs := sharpie(t, append(args, "--data", data)...)
		if code == 0 || out != "" {
			t.Errorf("%v ended with %d and printed %q", args, code, out)
		}
		shows(t, "error", errs, []string{"no SHARPIE data", data, "--data"})
		if _, err := os.Stat(data); !os.IsNotExist(err) {
			t.Errorf("%v made the folder", args)
		}
	}
}

func TestAKeyIsRevokedByItsNameWhereOnlyOneHasIt(t *testing.T) {
	data := t.TempDir()
	if code, _, errs := sharpieWith(t, "correct horse battery\n", "user", "add", "Ann", "--password-stdin", "--data", data); code != 0 {
		t.Fatalf("no store was made: %s", errs)
	}
	add := func(name string) string {
		t.Helper()
		code, out, errs := sharpie(t, "runner-key", "add", name, "--data", data)
		if code != 0 {
			t.Fatalf("add: %s", errs)
		}
		shows(t, "answer", out, []string{"--key-file runner.key", "--key shk_", "not shown again"})
		return regexp.MustCompile(`shk_([a-z0-9]{8})_`).FindStringSubmatch(out)[1]
	}
	add("box")
	lab := add("lab")
	if code, out, _ := sharpie(t, "runner-key", "revoke", "box", "--data", data); code != 0 {
		t.Errorf("revoke by name ended with %d: %s", code, out)
	}
	add("lab")
	code, _, errs := sharpie(t, "runner-key", "revoke", "lab", "--data", data)
	if code == 0 {
		t.Error("one of two keys of a name was revoked")
	}
	shows(t, "error", errs, []string{`2 keys have the name "lab"`, "runner-key list"})
	if code, _, errs := sharpie(t, "runner-key", "revoke", lab, "--data", data); code != 0 {
		t.Errorf("revoke by the public part ended with %d: %s", code, errs)
	}
	if code, _, errs := sharpie(t, "runner-key", "revoke", "lab", "--data", data); code != 0 {
		t.Errorf("the one that is left has the name alone: %d, %s", code, errs)
	}
	code, _, errs = sharpie(t, "runner-key", "revoke", "nobody", "--data", data)
	if code == 0 {
		t.Error("a key that is not there was revoked")
	}
	shows(t, "error", errs, []string{"no such key"})
}
