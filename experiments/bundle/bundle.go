// Package bundle packs the folder of files that an experiment ships into one
// archive, addressed by the hash of its content, and unpacks archives into a cache
// on the machines that run experiments.
//
// A folder packs to the same hash wherever and whenever it is packed: names are
// sorted, times and owners left out, modes reduced to "executable or not". The
// whole folder travels, since researchers' files open what lies beside them; left
// out is what belongs to a machine and not to the experiment (see LeftOut).
//
// The package refuses archives that Pack could not have made: names that lead out
// of the folder, links, devices, names that come twice, more than the bounds allow.
// It runs nothing of what it unpacks.
package bundle

import (
	"encoding/hex"
	"errors"
	"path"
	"strings"
	"unicode/utf8"
)

// Bounds of a bundle.
const (
	// MaxFiles is how many files and folders a bundle has at most.
	MaxFiles = 20_000
	// MaxSize is how large the files of a bundle are together, in bytes.
	MaxSize = 256 << 20
	// venvMark is in the folder of every virtual environment.
	venvMark = "pyvenv.cfg"
	// maxName bounds one path, in bytes.
	maxName = 1024
	// maxTar bounds the archive before compression: the files, and for each at most
	// one header of its own, one for a long name, and padding.
	maxTar = MaxSize + MaxFiles*(5*512+maxName) + 1<<20
)

var (
	// ErrFolder is behind every refusal of a folder by Pack; the text names the file.
	ErrFolder = errors.New("bundle: the folder cannot be packed")
	// ErrCorrupt is behind every refusal of an archive: it is broken, hostile, or not
	// what its hash says.
	ErrCorrupt = errors.New("bundle: corrupt archive")
)

// Packed is a folder as it travels.
type Packed struct {
	// Hash is the SHA-256 of the archive before compression, 64 hexadecimal digits.
	Hash string
	// Data is the archive: tar, compressed with zstd.
	Data []byte
	// Files counts files and folders.
	Files int
	// Size is the sum of the files, in bytes.
	Size int64
}

// LeftOut reports whether a file or folder of that name is never part of a bundle:
// hidden ones (.git, .DS_Store, .venv) and what Python compiled.
func LeftOut(name string) bool {
	return strings.HasPrefix(name, ".") || name == "__pycache__" || strings.HasSuffix(name, ".pyc")
}

// ValidHash reports whether the text is a hash as Pack makes them.
func ValidHash(hash string) bool {
	if len(hash) != 64 || strings.ToLower(hash) != hash {
		return false
	}
	_, err := hex.DecodeString(hash)
	return err == nil
}

// goodName says what is wrong with a path inside a bundle; empty is nothing. Paths
// use slashes and are clean.
func goodName(name string) string {
	switch {
	case name == "" || name == ".":
		return "the name is empty"
	case len(name) > maxName:
		return "the name is longer than 1024 bytes"
	case !utf8.ValidString(name):
		return "the name is not UTF-8"
	case path.IsAbs(name) || path.Clean(name) != name || strings.HasPrefix(name, "../") || name == "..":
		return "the name is not a clean path inside the folder"
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }):
		return "the name has a backslash or a control character"
	}
	for part := range strings.SplitSeq(name, "/") {
		if LeftOut(part) || part == venvMark && part != name {
			return "it is nothing that a bundle has"
		}
	}
	return ""
}
