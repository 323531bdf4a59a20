package python

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// workerProgram is the worker: a file that starts it, and the package that it is.
//
//go:embed run.py sharpie_worker/*.py
var workerProgram embed.FS

// The names of the two in the folder that workers are started from.
const (
	startFile     = "run.py"
	packageFolder = "sharpie_worker"
)

// writeProgram writes the worker into a folder that exists, and returns the path of the
// file that starts it. start is another program in place of ours; nil is ours.
func writeProgram(folder string, start []byte) (string, error) {
	file := filepath.Join(folder, startFile)
	if start != nil {
		return file, os.WriteFile(file, start, 0o600)
	}
	err := fs.WalkDir(workerProgram, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == "." {
			return err
		}
		target := filepath.Join(folder, filepath.FromSlash(path))
		if d.IsDir() {
			return os.Mkdir(target, 0o700)
		}
		data, err := workerProgram.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o600)
	})
	if err != nil {
		return "", fmt.Errorf("write the worker: %w", err)
	}
	return file, nil
}
