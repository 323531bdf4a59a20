// Package pythontest finds the Python of the tests: a virtual environment with
// Gymnasium, PettingZoo, mpe2 and numpy, which `make python` builds from pinned
// packages. It installs nothing and starts nothing; only tests import it.
package pythontest

import (
	"os"
	"path/filepath"
	"testing"
)

// Env is the variable that names the interpreter to test with. Empty: the one
// that `make python` builds.
const Env = "SHARPIE_TEST_PYTHON"

// Interpreter returns the absolute path of the interpreter of the tests: Env, else
// .cache/python/bin/python under the root of the repository. Where there is none
// the test is skipped with a line that says what was not checked; where CI is set
// it fails.
func Interpreter(t testing.TB) string {
	t.Helper()
	path, ok := find(".")
	if !ok {
		const missing = "no Python with Gymnasium: researchers' Python was not checked (run: make python; or set " + Env + " to a bin/python)"
		if inCI() {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	return path
}

// inCI says whether a continuous integration runs the tests, which skips nothing.
func inCI() bool {
	ci := os.Getenv("CI")
	return ci == "true" || ci == "1"
}

// find returns the path of the interpreter; dir is where the search for the root
// of the repository begins.
func find(dir string) (path string, ok bool) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", false
	}
	path = os.Getenv(Env)
	if path == "" {
		root, ok := repository(dir)
		if !ok {
			return "", false
		}
		// The stamp is written last: without it the installation broke off.
		if _, err := os.Stat(filepath.Join(root, ".cache", "python", "ready")); err != nil {
			return "", false
		}
		path = filepath.Join(root, ".cache", "python", "bin", "python")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	info, err := os.Stat(path)
	return path, err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// repository returns the closest folder from dir upwards that holds a go.mod.
func repository(dir string) (string, bool) {
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}
