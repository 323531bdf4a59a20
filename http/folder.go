package http

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Bounds of a folder beside Limits.Folder, which bounds its size both packed and
// unpacked.
const (
	folderFiles = 5_000
	folderDepth = 16  // names in a path
	folderName  = 240 // bytes of a path
)

// errFolder: what is wrong with a zip file, for the administrator.
var errFolder = errors.New("http: not a folder that can be imported")

// openFolder reads a zip file of at most limit bytes, unpacked. It refuses what
// could reach out of the folder, what is no plain file, and what claims one size
// and has another. The files come without what file managers add, and without a
// single folder around everything.
func openFolder(data []byte, limit int) (fs.FS, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("%w: this is not a zip file", errFolder)
	}
	if len(r.File) > folderFiles {
		return nil, fmt.Errorf("%w: it has %d files, at most %d are allowed", errFolder, len(r.File), folderFiles)
	}
	var kept []*zip.File
	seen := map[string]bool{}
	for _, f := range r.File {
		if strings.HasSuffix(f.Name, "/") && f.UncompressedSize64 == 0 || clutter(f.Name) {
			continue
		}
		if err := checkEntry(f); err != nil {
			return nil, err
		}
		// One name in two cases is one file on some machines.
		if key := strings.ToLower(f.Name); seen[key] {
			return nil, fmt.Errorf("%w: %q is in it twice", errFolder, f.Name)
		} else {
			seen[key] = true
		}
		kept = append(kept, f)
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("%w: it is empty", errFolder)
	}
	return repack(kept, wrapper(kept), int64(limit))
}

// checkEntry refuses names that lead elsewhere, and what is no plain file.
func checkEntry(f *zip.File) error {
	switch {
	case !fs.ValidPath(f.Name) || strings.ContainsAny(f.Name, "\\:\x00"):
		return fmt.Errorf("%w: %q is no path within the folder", errFolder, f.Name)
	case len(f.Name) > folderName || strings.Count(f.Name, "/") >= folderDepth:
		return fmt.Errorf("%w: the path %q is too long or too deep", errFolder, f.Name)
	case !f.Mode().IsRegular():
		return fmt.Errorf("%w: %q is a link or a device, not a file", errFolder, f.Name)
	case f.Flags&0x1 != 0:
		return fmt.Errorf("%w: %q is encrypted", errFolder, f.Name)
	}
	return nil
}

// clutter is what file managers and Python leave in folders.
func clutter(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		switch part {
		case "__MACOSX", ".DS_Store", "Thumbs.db", "__pycache__", ".git":
			return true
		}
	}
	return false
}

// wrapper is the folder that is around every file, with its slash; empty where
// there is none.
func wrapper(files []*zip.File) string {
	first, _, found := strings.Cut(files[0].Name, "/")
	if !found {
		return ""
	}
	for _, f := range files {
		if !strings.HasPrefix(f.Name, first+"/") {
			return ""
		}
	}
	return first + "/"
}

// repack makes a plain archive of the files, without the prefix, so that what is
// handed on was read once, whole, within the limit.
func repack(files []*zip.File, prefix string, limit int64) (fs.FS, error) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	left := limit
	for _, f := range files {
		n, err := copyEntry(w, f, strings.TrimPrefix(f.Name, prefix), left)
		if err != nil {
			return nil, err
		}
		if left -= n; left < 0 {
			return nil, fmt.Errorf("%w: its files are larger than %d MiB together", errFolder, limit>>20)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("%w: %w", errFolder, err)
	}
	r, err := zip.NewReader(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFolder, err)
	}
	return r, nil
}

// copyEntry copies one file, and at most one byte more than is left.
func copyEntry(w *zip.Writer, f *zip.File, name string, left int64) (int64, error) {
	from, err := f.Open()
	if err != nil {
		return 0, fmt.Errorf("%w: %q cannot be unpacked: %w", errFolder, f.Name, err)
	}
	defer func() { _ = from.Close() }()
	to, err := w.CreateHeader(&zip.FileHeader{Name: path.Clean(name), Method: zip.Store, Modified: f.Modified})
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errFolder, err)
	}
	n, err := io.Copy(to, io.LimitReader(from, left+1))
	if err != nil {
		return n, fmt.Errorf("%w: %q cannot be unpacked: %w", errFolder, f.Name, err)
	}
	return n, nil
}
