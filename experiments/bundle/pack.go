package bundle

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// Pack packs the whole folder dir. A link to a file or folder inside of dir is
// packed as what it leads to. An error wraps ErrFolder and names the file: a link
// that leads nowhere, out of the folder or into itself, something that is neither
// file nor folder, or what is more than the bounds allow.
func Pack(dir string) (Packed, error) {
	var data bytes.Buffer
	// One goroutine and the default level: an archive is packed once, and small.
	zip, err := zstd.NewWriter(&data, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return Packed{}, fmt.Errorf("pack %s: %w", dir, err)
	}
	p, err := writeTar(dir, zip)
	if err := errors.Join(err, zip.Close()); err != nil {
		return Packed{}, fmt.Errorf("pack %s: %w", dir, err)
	}
	return Packed{Hash: p.sum(), Data: data.Bytes(), Files: p.files, Size: p.size}, nil
}

// Hash returns the hash that Pack would give to the folder, without packing it.
func Hash(dir string) (string, error) {
	p, err := writeTar(dir, io.Discard)
	if err != nil {
		return "", fmt.Errorf("hash %s: %w", dir, err)
	}
	return p.sum(), nil
}

// packer writes one folder as a tar.
type packer struct {
	root  string // without links
	tar   *tar.Writer
	hash  hash.Hash
	files int
	size  int64
}

func (p *packer) sum() string { return hex.EncodeToString(p.hash.Sum(nil)) }

func writeTar(dir string, to io.Writer) (*packer, error) {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	if root, err = filepath.Abs(root); err != nil {
		return nil, err
	}
	if info, err := os.Stat(root); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%w: %s is not a folder", ErrFolder, dir)
	}
	p := &packer{root: root, hash: sha256.New()}
	p.tar = tar.NewWriter(io.MultiWriter(to, p.hash))
	if err := p.folder("", root); err != nil {
		return nil, err
	}
	return p, p.tar.Close()
}

// folder packs what is in the folder real, which is called name in the bundle.
func (p *packer) folder(name, real string) error {
	entries, err := os.ReadDir(real) // sorted by name
	if err != nil {
		return err
	}
	for _, e := range entries {
		if LeftOut(e.Name()) {
			continue
		}
		if err := p.entry(path.Join(name, e.Name()), filepath.Join(real, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// entry packs one file or folder.
func (p *packer) entry(name, real string) error {
	if problem := goodName(name); problem != "" {
		return fmt.Errorf("%w: %q: %s", ErrFolder, name, problem)
	}
	info, err := os.Lstat(real)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if real, info, err = p.follow(name, real); err != nil {
			return err
		}
	}
	switch {
	case info.IsDir() && isVenv(real):
		return nil
	case info.IsDir():
		if err := p.header(name+"/", info); err != nil {
			return err
		}
		return p.folder(name, real)
	case info.Mode().IsRegular():
		if err := p.header(name, info); err != nil {
			return err
		}
		return p.content(name, real, info.Size())
	}
	return fmt.Errorf("%w: %s is neither a file nor a folder (%v)", ErrFolder, name, info.Mode().Type())
}

// follow returns where a link leads: inside of the folder, and not to a folder that
// the link itself is in.
func (p *packer) follow(name, link string) (string, fs.FileInfo, error) {
	real, err := filepath.EvalSymlinks(link)
	if err != nil {
		return "", nil, fmt.Errorf("%w: the link %s leads nowhere: %w", ErrFolder, name, err)
	}
	if !within(p.root, real) {
		return "", nil, fmt.Errorf("%w: the link %s leads out of the folder, to %s; copy the file instead", ErrFolder, name, real)
	}
	info, err := os.Stat(real)
	if err != nil {
		return "", nil, err
	}
	if info.IsDir() && within(real, filepath.Dir(link)) {
		return "", nil, fmt.Errorf("%w: the link %s leads to a folder that it is in itself", ErrFolder, name)
	}
	return real, info, nil
}

func within(dir, file string) bool {
	rel, err := filepath.Rel(dir, file)
	return err == nil && filepath.IsLocal(rel)
}

// isVenv: a virtual environment belongs to the machine. Its packages are named
// under dependencies.
func isVenv(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, venvMark))
	return err == nil
}

func (p *packer) header(name string, info fs.FileInfo) error {
	if p.files++; p.files > MaxFiles {
		return fmt.Errorf("%w: it has more than %d files and folders, %s among them; move what the experiment does not need elsewhere", ErrFolder, MaxFiles, name)
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o444, Format: tar.FormatPAX}
	switch {
	case info.IsDir():
		h.Typeflag, h.Mode = tar.TypeDir, 0o555
	default:
		h.Size = info.Size()
		if info.Mode()&0o111 != 0 {
			h.Mode = 0o555
		}
		if p.size += h.Size; p.size > MaxSize {
			return fmt.Errorf("%w: its files are larger than %d MiB together; the limit was passed at %s (%d bytes)", ErrFolder, MaxSize>>20, name, h.Size)
		}
	}
	return p.tar.WriteHeader(h)
}

func (p *packer) content(name, real string, size int64) error {
	f, err := os.Open(real)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.CopyN(p.tar, f, size)
	if err == nil {
		var one [1]byte
		if m, _ := f.Read(one[:]); m == 0 {
			return nil
		}
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %s changed while it was packed (%d bytes, then another size); try again", ErrFolder, name, n)
	}
	return err
}
