package house

import (
	"slices"
	"strings"
	"testing"
)

// rule says what a package, or all below a folder, may import of ours.
type rule struct {
	packages string   // "http", "envs/..."
	allowed  []string // the same
	reason   string
}

// importRules reads the table of docs/ARCHITECTURE.md.
func importRules(t *testing.T) []rule {
	t.Helper()
	var rules []rule
	for _, row := range table(t, document(t, "docs/ARCHITECTURE.md"), "### Who may import whom") {
		if len(row) != 3 {
			t.Fatalf("import table: want 3 columns, got %q", row)
		}
		r := rule{packages: row[0], reason: row[2]}
		if row[1] != "nothing" {
			for _, name := range strings.Split(row[1], ",") {
				r.allowed = append(r.allowed, strings.TrimSpace(name))
			}
		}
		rules = append(rules, r)
	}
	return rules
}

// matches says whether a package is what a pattern names: itself, or with
// "/..." at the end, itself and everything below.
func matches(pattern, name string) bool {
	folder, all := strings.CutSuffix(pattern, "/...")
	return name == folder || all && strings.HasPrefix(name, folder+"/")
}

func TestPackagesImportOnlyWhatTheArchitectureAllows(t *testing.T) {
	rules := importRules(t)
	used := make([]bool, len(rules))
	for _, p := range packages(t) {
		i := mostSpecific(rules, p.name())
		if i < 0 {
			t.Errorf("package %s stands in no row of the import table of docs/ARCHITECTURE.md: add one, with its reason", p.name())
			continue
		}
		used[i] = true
		for _, imported := range p.Imports {
			name, ours := strings.CutPrefix(imported, module+"/")
			if !ours {
				continue
			}
			if !slices.ContainsFunc(rules[i].allowed, func(a string) bool { return matches(a, name) }) {
				t.Errorf("package %s imports %s, but may import only %q: %s", p.name(), name, rules[i].allowed, rules[i].reason)
			}
		}
	}
	for i, r := range rules {
		if !used[i] {
			t.Errorf("the import table names %s, but there is no such package", r.packages)
		}
		if r.reason == "" {
			t.Errorf("the import table gives no reason for %s", r.packages)
		}
	}
}

// mostSpecific returns the index of the row with the longest pattern that
// names the package, an exact one before one with "/...".
func mostSpecific(rules []rule, name string) int {
	best, length := -1, -1
	for i, r := range rules {
		n := 2 * len(strings.TrimSuffix(r.packages, "/..."))
		if !strings.HasSuffix(r.packages, "/...") {
			n++
		}
		if matches(r.packages, name) && n > length {
			best, length = i, n
		}
	}
	return best
}

func TestLibrariesStayWhereTheyBelong(t *testing.T) {
	for _, row := range table(t, document(t, "docs/ARCHITECTURE.md"), "### Libraries with one home") {
		if len(row) != 3 {
			t.Fatalf("library table: want 3 columns, got %q", row)
		}
		library, homes, reason := row[0], strings.Split(row[1], ","), row[2]
		found := false
		for _, p := range packages(t) {
			found = found || slices.ContainsFunc(p.TestImports, func(i string) bool { return matches(library+"/...", i) })
			for _, imported := range p.Imports {
				if !matches(library+"/...", imported) || moreSpecificLibrary(t, library, imported) {
					continue
				}
				found = true
				if !slices.ContainsFunc(homes, func(h string) bool { return matches(strings.TrimSpace(h), p.name()) }) {
					t.Errorf("package %s imports %s, which belongs in %s alone: %s", p.name(), imported, row[1], reason)
				}
			}
		}
		if !found {
			t.Errorf("the library table names %s, but nothing imports it", library)
		}
	}
}

// moreSpecificLibrary says whether another row of the table is about the import.
func moreSpecificLibrary(t *testing.T, library, imported string) bool {
	for _, row := range table(t, document(t, "docs/ARCHITECTURE.md"), "### Libraries with one home") {
		if len(row[0]) > len(library) && matches(row[0]+"/...", imported) {
			return true
		}
	}
	return false
}
