package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// maxLines is the length at which a file wants a second idea.
const maxLines = 500

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue
		}
		commented := 0
		generated := true
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if ast.IsGenerated(file) {
				continue
			}
			generated = false
			if file.Doc != nil {
				commented++
			}
		}
		if !generated && commented != 1 {
			t.Errorf("package %s has %d package comments, want one that says what it owns and what it refuses", p.name(), commented)
		}
	}
}

func TestNoFileIsTooLong(t *testing.T) {
	sources(t, func(path string) {
		switch filepath.Ext(path) {
		case ".go", ".ts", ".html", ".css", ".mjs", ".py":
		default:
			return
		}
		data, err := os.ReadFile(filepath.Join(root(t), path))
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		if strings.Contains(text[:min(len(text), 500)], "DO NOT EDIT") {
			return
		}
		if lines := strings.Count(text, "\n"); lines > maxLines {
			t.Errorf("%s has %d lines, at most %d are allowed: it wants a second idea, not a second half", path, lines, maxLines)
		}
	})
}

func TestNoTestSleeps(t *testing.T) {
	goFiles(t, func(path string, file *ast.File) {
		if !strings.HasSuffix(path, "_test.go") && !strings.Contains(path, "test/") || imports(file, "testing/synctest") {
			return // sleeping in virtual time takes none
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if f, ok := n.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Benchmark") {
				return false // measures real time
			}
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Sleep" && isName(s.X, "time") {
				t.Errorf("%s sleeps: a test waits for what it needs with a deadline, or runs in virtual time (testing/synctest)", path)
			}
			return true
		})
	})
}

func TestNothingRunsBeforeMain(t *testing.T) {
	goFiles(t, func(path string, file *ast.File) {
		if ast.IsGenerated(file) {
			return
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init function: what a program needs is made in cmd/sharpie and handed on", path)
			}
		}
	})
}

// goFiles parses every Go file of the repository.
func goFiles(t *testing.T, visit func(path string, file *ast.File)) {
	t.Helper()
	sources(t, func(path string) {
		if filepath.Ext(path) != ".go" {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root(t), path), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return
		}
		visit(path, file)
	})
}

func imports(file *ast.File, path string) bool {
	return slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == strconv.Quote(path) })
}

func isName(e ast.Expr, name string) bool {
	i, ok := e.(*ast.Ident)
	return ok && i.Name == name
}
