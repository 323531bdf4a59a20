package python

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The bounds of the private copy of a bundle.
const (
	maxBundle      = 16 << 30
	maxBundleFiles = 200_000
)

// copyBundle copies a folder into one that exists, so that the code may write into its
// own. Where the file system can, the copies share their blocks until one is written.
func copyBundle(from, to string) error {
	root, err := os.OpenRoot(from)
	if err != nil {
		return fmt.Errorf("copy the bundle: %w", err)
	}
	defer root.Close()
	var bytes int64
	files := 0
	err = fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == "." {
			return err
		}
		if files++; files > maxBundleFiles {
			return fmt.Errorf("more than %d files", maxBundleFiles)
		}
		target := filepath.Join(to, filepath.FromSlash(path))
		switch d.Type() {
		case fs.ModeDir:
			return os.Mkdir(target, 0o700)
		case fs.ModeSymlink:
			return copyLink(root, path, target)
		case 0:
			n, err := copyFile(root, path, target, maxBundle-bytes)
			bytes += n
			return err
		}
		return fmt.Errorf("%s is neither a file nor a folder", path)
	})
	if err != nil {
		return fmt.Errorf("copy the bundle: %w", err)
	}
	return nil
}

// copyFile copies at most so many bytes.
func copyFile(root *os.Root, path, target string, most int64) (int64, error) {
	in, err := root.Open(filepath.FromSlash(path))
	if err != nil {
		return 0, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return 0, err
	}
	if info.Size() > most {
		return 0, fmt.Errorf("more than %d bytes", int64(maxBundle))
	}
	out, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600|info.Mode()&0o100)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(out, in)
	return n, errors.Join(err, out.Close())
}

// copyLink copies a link that stays within the bundle.
func copyLink(root *os.Root, path, target string) error {
	to, err := root.Readlink(filepath.FromSlash(path))
	if err != nil {
		return err
	}
	if filepath.IsAbs(to) || strings.HasPrefix(filepath.Join(filepath.Dir(path), to), "..") {
		return fmt.Errorf("%s links to %s, outside the bundle", path, to)
	}
	return os.Symlink(to, target)
}
