package interpreter

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// script writes a program of the shell.
func script(t testing.TB, path, body string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// fakePython writes a program that answers like a Python of that version, makes
// virtual environments by copying itself, and does for pip what the lines say. It
// appends a line to FOLDER/count for each time that it is asked who it is.
func fakePython(t testing.TB, path, version, pip string) string {
	t.Helper()
	if pip == "" {
		pip = `echo "Collecting $8"`
	}
	return script(t, path, `
case "$1" in
-E)
	case "$4" in
	*lacks*) printf '\nsharpie-python:[]\n' ;;
	*)
		echo asked >>"`+filepath.Dir(path)+`/count"
		printf 'noise of a .pth file\nsharpie-python:{"version": "`+version+`", "executable": "%s", "prefix": "/fake", "base": "/fake"}\n' "$0"
		;;
	esac ;;
-m)
	case "$2" in
	venv) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
	pip) `+pip+` ;;
	esac ;;
*) exit 2 ;;
esac
`)
}

// bench is a builder whose PATH has the folder Bin and what a shell needs, with an
// empty home.
type bench struct {
	*Builder
	Bin, Home, Dir string
}

func newBench(t testing.TB, more ...string) *bench {
	t.Helper()
	root := t.TempDir()
	b := &bench{Bin: filepath.Join(root, "bin"), Home: filepath.Join(root, "home"), Dir: filepath.Join(root, "python")}
	tools := filepath.Join(root, "tools")
	for _, dir := range []string{b.Bin, b.Home, tools} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, tool := range []string{"mkdir", "cp", "sleep", "env", "cat"} { // and no Python
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(tools, tool)); err != nil {
			t.Fatal(err)
		}
	}
	b.Builder = New(Config{Dir: b.Dir, Environ: append([]string{"PATH=" + b.Bin + ":" + tools, "HOME=" + b.Home}, more...)})
	return b
}

func (b *bench) python(t testing.TB, name, version, pip string) string {
	t.Helper()
	return fakePython(t, filepath.Join(b.Bin, name), version, pip)
}

// patient is a context that ends long before the tests do.
func patient(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// lines counts the lines of a file; 0 where there is none.
func lines(path string) int {
	data, _ := os.ReadFile(path)
	return strings.Count(string(data), "\n")
}
