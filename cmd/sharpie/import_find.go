package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sharpie/experiments"
)

// Bounds of what one import takes.
const (
	importFiles = 1000
	importSize  = 1 << 20 // bytes of one file
)

// importItem is one experiment that is to be imported.
type importItem struct {
	// Name is the file's, or the source's.
	Name string `json:"name"`
	YAML []byte `json:"yaml,omitempty"`
	// Source asks for an experiment to be proposed; YAML is empty then.
	Source string `json:"source,omitempty"`
	Link   string `json:"link,omitempty"`
	Title  string `json:"title,omitempty"`
	// With are packages that the source needs besides those that are known.
	With []string `json:"with,omitempty"`
	// Archive is a file with the packed folder, and Hash its hash; empty: none. The
	// server that takes it runs on the same machine.
	Archive string `json:"archive,omitempty"`
	Hash    string `json:"hash,omitempty"`
	// Problem is why it cannot be imported, found out while it was read.
	Problem string `json:"problem,omitempty"`

	folder string // to be packed; empty: none
}

// isSource reports whether an argument is an environment's id and no path.
func isSource(arg string) bool {
	for _, prefix := range []string{"go:", "gymnasium:", "pettingzoo:"} {
		if strings.HasPrefix(arg, prefix) {
			return true
		}
	}
	return false
}

// finder collects items.
type finder struct{ items []importItem }

// findItems reads the named files; of folders that have a config.yaml the whole, as one
// experiment; and below others all such folders and all YAML files.
func findItems(args []string) ([]importItem, error) {
	f := &finder{}
	for _, arg := range args {
		if isSource(arg) {
			f.items = append(f.items, importItem{Name: arg, Source: arg})
			continue
		}
		path, err := filepath.Abs(arg)
		if err == nil {
			err = f.find(path)
		}
		if err != nil {
			return nil, fmt.Errorf("import: %w", err)
		}
	}
	if len(f.items) == 0 {
		return nil, fmt.Errorf("no experiment in %s: want YAML files, folders with a config.yaml, or sources such as gymnasium:CartPole-v1", strings.Join(args, ", "))
	}
	return f.items, nil
}

func (f *finder) find(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == root && !entry.IsDir():
			return f.file(path, filepath.Dir(path))
		case strings.HasPrefix(entry.Name(), ".") && path != root:
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case entry.IsDir():
			if _, err := os.Lstat(filepath.Join(path, "pyvenv.cfg")); err == nil && path != root {
				return filepath.SkipDir
			}
			config, ok := configIn(path)
			if !ok {
				return nil
			}
			if err := f.file(config, path); err != nil {
				return err
			}
			return filepath.SkipDir
		}
		if ext := filepath.Ext(path); ext == ".yaml" || ext == ".yml" {
			return f.file(path, filepath.Dir(path))
		}
		return nil
	})
}

// configIn returns the file that makes a folder an experiment.
func configIn(dir string) (string, bool) {
	for _, name := range []string{"config.yaml", "config.yml"} {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, true
		}
	}
	return "", false
}

// file adds an experiment; its folder is needed where it names Python files.
func (f *finder) file(path, folder string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case len(f.items) == importFiles:
		return fmt.Errorf("more than %d experiments; import fewer at a time", importFiles)
	case info.Size() > importSize:
		return fmt.Errorf("%s has %d bytes; allowed are %d", path, info.Size(), importSize)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	item := importItem{Name: path, YAML: data}
	d, err := experiments.Parse(path, data)
	switch {
	case errors.Is(err, experiments.ErrInvalid):
		item.Problem = err.Error()
	case err != nil:
		return err
	case d.Files():
		item.folder = folder
	}
	f.items = append(f.items, item)
	return nil
}
