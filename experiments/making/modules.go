package making

import (
	"bufio"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"sharpie/experiments"
)

// importLine is an import at the beginning of a line: what a file takes when it is
// loaded, apart from what it may take later.
var importLine = regexp.MustCompile(`^(?:import|from)\s+([A-Za-z_][A-Za-z0-9_]*)`)

// heavy are the packages whose import is worth having been done ahead. Only these:
// a spare must have nothing of an experiment in it, and a name of the researcher's own
// may be that of any other package.
var heavy = []string{"numpy", "gymnasium", "pettingzoo", "pygame", "torch", "tensorflow", "jax", "scipy", "sklearn",
	"pandas", "cv2", "matplotlib", "stable_baselines3", "mpe2", "minigrid", "PIL"}

// Bounds of what is read for the imports of a bundle.
const (
	importFiles = 200
	importLines = 2000 // of one file
)

// modules lists what a spare process of the definition imports ahead: what its source
// needs, and of the heavy packages those that a file of its folder names.
func modules(d *experiments.Definition, folder string) []string {
	_, out := needs(d.Environment.Source)
	out = slices.Clone(out)
	for _, name := range imported(folder) {
		if slices.Contains(heavy, name) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// imported lists the modules that the Python files below a folder import, by name,
// each once, in alphabetical order. What cannot be read is left out: it is a
// guess about speed alone.
func imported(folder string) []string {
	if folder == "" {
		return nil
	}
	found := map[string]bool{}
	files := 0
	_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // see above
		}
		if filepath.Ext(path) != ".py" || !entry.Type().IsRegular() {
			return nil
		}
		if files++; files > importFiles {
			return filepath.SkipAll
		}
		importsOf(path, found)
		return nil
	})
	out := make([]string, 0, len(found))
	for name := range found {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func importsOf(path string, found map[string]bool) {
	file, err := os.Open(path)
	if err != nil {
		return
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for n := 0; n < importLines && lines.Scan(); n++ {
		if m := importLine.FindSubmatch(lines.Bytes()); m != nil {
			found[string(m[1])] = true
		}
	}
}
