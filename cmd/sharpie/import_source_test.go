package main

import (
	"path/filepath"
	"strings"
	"testing"

	"sharpie/envs/python/pythontest"
)

func TestAnIdWhosePackageIsMissingSaysTheCommand(t *testing.T) {
	python := pythontest.Interpreter(t)
	code, out, errs := sharpie(t, "import", "gymnasium:no_such_package:X-v0", "--python", python, "--data", t.TempDir())
	for _, want := range []string{
		"run: sharpie import gymnasium:no_such_package:X-v0 --with 'no-such-package'",
		"missing: the Python module no_such_package; name its package with --with",
	} {
		if code != 1 || !strings.Contains(out, want) || strings.Contains(out, "file: dependencies") {
			t.Errorf("exit code %d, want %q in\n%s%s", code, want, out, errs)
		}
	}
}

func TestWithIsForSources(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "x.yaml"), "environment: {source: \"go:CartPole-v1\"}\n")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"gymnasium:CartPole-v1", "--with=--index-url=http://evil"}, "--with: "},
		{[]string{"go:CartPole-v1", "--with", "numpy"}, "go:CartPole-v1 names its packages under dependencies"},
		{[]string{filepath.Join(dir, "x.yaml"), "--with", "numpy"}, "x.yaml names its packages under dependencies"},
	} {
		code, out, errs := sharpie(t, append([]string{"import", "--data", dir}, test.args...)...)
		if code != 1 || !strings.Contains(errs, test.want) {
			t.Errorf("%q: exit code %d, %q; want %q", test.args, code, out+errs, test.want)
		}
	}
}
