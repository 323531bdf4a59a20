package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
)

// Bounds of what one import takes.
const (
	importFiles = 1000
	importSize  = 1 << 20 // bytes of one file
)

// importCommand adds experiments.
type importCommand struct {
	storeFlags
	Paths []string `arg:"" name:"path" help:"YAML files, or folders that are searched for them." type:"path"`
}

// Help is the longer text of `sharpie import --help`.
func (*importCommand) Help() string {
	return `Each file is checked as a whole: its keys, and that the environment, the policies
and the keys fit together. A file with a problem is not imported, and every problem
is printed with its line. An experiment that did not change keeps its version.
It works while the server runs; sessions go on with the version they began with.

  sharpie import my-experiment.yaml
  sharpie import studies/ --mongo mongodb://localhost:27017/sharpie`
}

// Run reads the files here and has them imported.
func (c *importCommand) Run(a *app) error {
	files, err := findYAML(c.Paths)
	if err != nil {
		return err
	}
	return runTask(a, &c.storeFlags, "import", &importTask{Files: files})
}

// importFile is a file as it was read.
type importFile struct {
	Name string `json:"name"`
	YAML []byte `json:"yaml"`
}

// findYAML reads the named files, and those ending in .yaml or .yml below the
// named folders; hidden ones are left out.
func findYAML(paths []string) ([]importFile, error) {
	var files []importFile
	add := func(path string) error {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return err
		case info.Size() > importSize:
			return fmt.Errorf("%s has %d bytes; allowed are %d", path, info.Size(), importSize)
		case len(files) == importFiles:
			return fmt.Errorf("more than %d files; import fewer at a time", importFiles)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files = append(files, importFile{Name: path, YAML: data})
		return nil
	}
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if path == root && !entry.IsDir() {
				return add(path)
			}
			if hidden := strings.HasPrefix(entry.Name(), "."); hidden && path != root {
				if entry.IsDir() {
					return filepath.SkipDir
				}
				return nil
			}
			if ext := filepath.Ext(path); !entry.IsDir() && (ext == ".yaml" || ext == ".yml") {
				return add(path)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("import: %w", err)
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no .yaml or .yml file in %s", strings.Join(paths, ", "))
	}
	return files, nil
}

// importTask imports files one by one.
type importTask struct {
	Files []importFile `json:"files"`
}

func (t *importTask) do(ctx context.Context, e taskEnv) error {
	in := newImporter(e.store, e.now)
	table := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FILE\tLINK\tVERSION\tRESULT")
	var problems []string
	for _, f := range t.Files {
		stored, fresh, err := in.Import(ctx, f.Name, f.YAML, "command line")
		if err != nil {
			problems = append(problems, err.Error())
			fmt.Fprintf(table, "%s\t-\t-\tnot imported\n", f.Name)
			continue
		}
		result := "unchanged"
		if fresh && stored.Version == 1 {
			result = "new"
		} else if fresh {
			result = "new version"
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\n", f.Name, stored.Link, stored.Version, result)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	if len(problems) > 0 {
		fmt.Fprintf(e.out, "\n%s\n\n", strings.Join(problems, "\n"))
		return fmt.Errorf("%d of %d files were not imported", len(problems), len(t.Files))
	}
	return nil
}
