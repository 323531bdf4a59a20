package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// module is the module's path.
const module = "sharpie"

// pkg is what `go list -json` says about one of our packages.
type pkg struct {
	ImportPath  string
	Dir         string
	Doc         string
	GoFiles     []string
	TestGoFiles []string
	Imports     []string
	TestImports []string
}

// name is the package's path below the module: "persistence/mongo".
func (p pkg) name() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

// root is the repository's folder.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

var list = sync.OnceValues(func() ([]byte, error) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,GoFiles,TestGoFiles,Imports,TestImports", "./...")
	cmd.Dir = "../.."
	cmd.Stderr = os.Stderr
	return cmd.Output()
})

// packages lists all packages of the module.
func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := list()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		all = append(all, p)
	}
}

// document reads a file of the repository.
func document(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root(t), path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// table returns the rows of the first Markdown table below a heading, without
// its head, cells trimmed and without back quotes.
func table(t *testing.T, text, heading string) [][]string {
	t.Helper()
	_, section, found := strings.Cut(text, "\n"+heading+"\n")
	if !found {
		t.Fatalf("there is no heading %q", heading)
	}
	var rows [][]string
	inside := false
	for line := range strings.Lines(section) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			if inside || strings.HasPrefix(line, "#") {
				break
			}
			continue
		}
		inside = true
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.ReplaceAll(strings.TrimSpace(cells[i]), "`", "")
		}
		rows = append(rows, cells)
	}
	if len(rows) < 3 {
		t.Fatalf("there is no table below %q", heading)
	}
	return rows[2:]
}

// sources calls visit for every file that people wrote, by its path below root.
func sources(t *testing.T, visit func(path string)) {
	t.Helper()
	base := root(t)
	err := filepath.WalkDir(base, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(base, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			switch entry.Name() {
			case ".git", ".cache", "node_modules", "bin", "data", "dist", "gen", "testdata", "screenshots", "test-results":
				return filepath.SkipDir
			}
			return nil
		}
		visit(filepath.ToSlash(below))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
