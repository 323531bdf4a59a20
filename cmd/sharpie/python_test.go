package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestPythonIsBuiltListedAndRemoved(t *testing.T) {
	data := t.TempDir()
	if code, out, errs := sharpie(t, "python", "list", "--data", data); code != 0 || !strings.Contains(out, "none was built") {
		t.Errorf("list: exit code %d\n%s%s", code, out, errs)
	}
	// The version that is there needs no building: it is taken as it is.
	config := filepath.Join(t.TempDir(), "config.yaml")
	write(t, config, "use_case: x\nenvironment: {name: y}\n")
	if code, out, errs := sharpie(t, "python", "build", filepath.Dir(config), "--data", data); code != 0 || !strings.Contains(out, "the default Python: Python 3.") {
		t.Errorf("build: exit code %d\n%s%s", code, out, errs)
	}
	if code, _, errs := sharpie(t, "python", "remove", "0123abcd", "--data", data); code != 1 || !strings.Contains(errs, "nothing was built under this hash: 0123abcd") {
		t.Errorf("remove: exit code %d, %q", code, errs)
	}
}

func TestPythonBuildRefusesWhatCannotBeMeant(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		write(t, path, text)
		return path
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "nothing to build"},
		{[]string{"--with=--index-url=http://evil"}, "options of pip are not allowed"},
		{[]string{"git+https://evil/x"}, "addresses are not allowed"},
		{[]string{"./evil"}, "paths are not allowed"},
		{[]string{"--version", "3.6"}, "3.8 or newer"},
		{[]string{dir}, "config.yaml"},
		{[]string{"/no/such/config.yaml"}, "no such file"},
		{[]string{file("number.yaml", "python_version: 3.10\n")}, `python_version: want a text in quotes`},
		{[]string{file("option.yaml", "dependencies: [numpy, '-e .']\n")}, "dependencies[1]"},
		{[]string{file("list.yaml", "dependencies: [{a: b}]\n")}, "dependencies[0]"},
		{[]string{file("broken.yaml", "a: [\n")}, "want an experiment's YAML"},
		{[]string{file("path.yaml", "interpreter: venv\n")}, "relative to a folder"},
	} {
		code, _, errs := sharpie(t, append([]string{"python", "build", "--data", dir}, test.args...)...)
		if code != 1 || !strings.Contains(errs, test.want) {
			t.Errorf("%q: exit code %d, %q; want %q", test.args, code, errs, test.want)
		}
	}
}
