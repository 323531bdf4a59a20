package house

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheCastIsTheSameInCodeAndDocs compares the tables of actors/doc.go with
// their mirror in docs/ARCHITECTURE.md.
func TestTheCastIsTheSameInCodeAndDocs(t *testing.T) {
	comment := strings.ReplaceAll(document(t, "actors/doc.go"), "\n//\t|", "\n|")
	comment = strings.ReplaceAll(comment, "\n//\n|", "\n|")
	page := document(t, "docs/ARCHITECTURE.md")
	for _, heading := range []string{"Who owns what", "Who tells whom", "Who supervises whom"} {
		code := table(t, comment, "// # "+heading)
		docs := table(t, page, "### "+heading)
		if diff := cmp.Diff(code, docs); diff != "" {
			t.Errorf("%q: actors/doc.go (-) and docs/ARCHITECTURE.md (+) differ:\n%s", heading, diff)
		}
	}
}

// TestEveryMessageOfTheActorsIsInTheTable reads actors/mail.go: a message that
// stands in no row has no sender and no receiver that anybody could look up, and a
// row that names no message is about code that is gone.
func TestEveryMessageOfTheActorsIsInTheTable(t *testing.T) {
	declared := map[string]bool{}
	goFiles(t, func(path string, file *ast.File) {
		if filepath.ToSlash(filepath.Dir(path)) != "actors" || strings.HasSuffix(path, "_test.go") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.TypeSpec); ok {
				declared[s.Name.Name] = declared[s.Name.Name] || path == "actors/mail.go"
			}
			return true
		})
	})
	named := map[string]bool{}
	for _, row := range table(t, document(t, "docs/ARCHITECTURE.md"), "### Who tells whom") {
		if strings.Contains(row[2], "messages.") {
			continue // protobuf: package messages
		}
		for _, name := range strings.Split(row[2], ", ") {
			named[name] = true
			if _, ok := declared[name]; !ok {
				t.Errorf("the table names the message %q from %s to %s, but package actors has no such type", name, row[0], row[1])
			}
		}
	}
	for name, message := range declared {
		if message && !named[name] && !carried(t, name) {
			t.Errorf("actors/mail.go has the message %q, which stands in no row of the table", name)
		}
	}
}

// carried says whether a type of mail.go is part of another message there.
func carried(t *testing.T, name string) bool {
	t.Helper()
	return len(regexp.MustCompile(`(\[\]\*?|\*|\s)`+name+`\b`).FindAllString(document(t, "actors/mail.go"), -1)) > 1
}

// TestEveryDecisionIsListed compares docs/adr with the list of ARCHITECTURE.md.
func TestEveryDecisionIsListed(t *testing.T) {
	page := document(t, "docs/ARCHITECTURE.md")
	entries, err := os.ReadDir(filepath.Join(root(t), "docs", "adr"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.Contains(page, "(adr/"+e.Name()+")") {
			t.Errorf("docs/ARCHITECTURE.md does not list docs/adr/%s", e.Name())
		}
	}
}

// TestLinksOfTheDocsLeadSomewhere follows every relative link, and in the pages
// that say where things live every path in back quotes.
func TestLinksOfTheDocsLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	quoted := regexp.MustCompile("`((?:actors|agents|cmd|docs|envs|experiments|http|persistence|web)/[a-zA-Z0-9_./-]*)`")
	sources(t, func(path string) {
		if filepath.Ext(path) != ".md" {
			return
		}
		text := document(t, path)
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if !exists(t, filepath.Join(filepath.Dir(path), m[1])) {
				t.Errorf("%s links to %s, which is not there", path, m[1])
			}
		}
		if path != "README.md" && path != "docs/ARCHITECTURE.md" {
			return
		}
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			if name := strings.TrimSuffix(m[1], "..."); !exists(t, name) {
				t.Errorf("%s names `%s`, which is not there", path, m[1])
			}
		}
	})
}

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Stat(filepath.Join(root(t), path))
	return err == nil
}
