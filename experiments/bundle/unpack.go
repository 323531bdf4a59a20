package bundle

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Unpack writes the files of an archive into dir, which must exist and be empty,
// and looks whether they are those of the hash. Files and folders are read-only in
// the end. An error leaves a part in dir; it wraps ErrCorrupt where the archive is
// to blame.
func Unpack(data []byte, hash, dir string) error {
	if !ValidHash(hash) {
		return fmt.Errorf("%w: %q is no hash", ErrCorrupt, hash)
	}
	unzip, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
	if err != nil {
		return fmt.Errorf("unpack %s: %w", hash, err)
	}
	defer unzip.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", hash, err)
	}
	sum := sha256.New()
	u := &unpacker{root: root, seen: map[string]bool{"": true}}
	stream := io.TeeReader(&bounded{from: unzip, left: maxTar}, sum)
	err = u.all(stream)
	if err == nil {
		// what follows the last file belongs to the hash, too
		_, err = io.Copy(io.Discard, stream)
		err = blame(err)
	}
	if err == nil && hex.EncodeToString(sum.Sum(nil)) != hash {
		err = fmt.Errorf("%w: its hash is %x", ErrCorrupt, sum.Sum(nil))
	}
	if err == nil {
		err = u.seal()
	}
	if err := errors.Join(err, root.Close()); err != nil {
		return fmt.Errorf("unpack %s: %w", hash, err)
	}
	return nil
}

var errTooLarge = fmt.Errorf("it is larger than %d MiB unpacked", MaxSize>>20)

// bounded ends with errTooLarge, where io.LimitReader would end as if all were read.
type bounded struct {
	from io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

// blame says that the archive is at fault. The streams here are in memory: they
// fail for no other reason.
func blame(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}

// unpacker writes one archive.
type unpacker struct {
	root  *os.Root
	seen  map[string]bool // name → is a folder
	dirs  []string
	files int
	size  int64
}

func (u *unpacker) all(stream io.Reader) error {
	archive := tar.NewReader(stream)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return blame(err)
		}
		if err := u.entry(h, archive); err != nil {
			return err
		}
	}
}

func (u *unpacker) entry(h *tar.Header, content io.Reader) error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("%w: %q: %s", ErrCorrupt, h.Name, fmt.Sprintf(format, args...))
	}
	name, folder := h.Name, h.Typeflag == tar.TypeDir
	if folder {
		name = strings.TrimSuffix(name, "/")
	}
	if h.Typeflag != tar.TypeReg && !folder {
		return refuse("neither a file nor a folder (type %q)", h.Typeflag)
	}
	if problem := goodName(name); problem != "" {
		return refuse("%s", problem)
	}
	if _, twice := u.seen[name]; twice {
		return refuse("the name comes twice")
	}
	parent := path.Dir(name)
	if parent == "." {
		parent = ""
	}
	if isFolder := u.seen[parent]; !isFolder {
		return refuse("its folder did not come before it")
	}
	if u.files++; u.files > MaxFiles {
		return refuse("more than %d files", MaxFiles)
	}
	u.seen[name] = folder
	if folder {
		u.dirs = append(u.dirs, name)
		return u.root.Mkdir(name, 0o755)
	}
	if h.Size < 0 || h.Size > MaxSize-u.size {
		return refuse("%v", errTooLarge)
	}
	u.size += h.Size
	mode := os.FileMode(0o444)
	if h.Mode&0o111 != 0 {
		mode = 0o555
	}
	return u.file(name, mode, content)
}

func (u *unpacker) file(name string, mode os.FileMode, content io.Reader) error {
	f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(writeOnly{f}, source{content})
	if err == nil {
		err = f.Chmod(mode) // whatever the umask left
	}
	return errors.Join(err, f.Close())
}

// seal makes the folders read-only, the inner ones first.
func (u *unpacker) seal() error {
	for i := len(u.dirs) - 1; i >= 0; i-- {
		if err := u.root.Chmod(u.dirs[i], 0o555); err != nil {
			return err
		}
	}
	return u.root.Chmod(".", 0o555)
}

// source blames the archive for errors of reading, so that those of writing (a full
// disk) stay what they are.
type source struct{ from io.Reader }

func (s source) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = blame(err)
	}
	return n, err
}

// writeOnly hides the file's ReadFrom, so that io.Copy goes through source.
type writeOnly struct{ to io.Writer }

func (w writeOnly) Write(p []byte) (int, error) { return w.to.Write(p) }

// Names lists the files of an archive, without folders, in its order. The archive is
// not compared with a hash.
func Names(data []byte) ([]string, error) {
	unzip, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
	if err != nil {
		return nil, fmt.Errorf("list bundle: %w", err)
	}
	defer unzip.Close()
	archive := tar.NewReader(&bounded{from: unzip, left: maxTar})
	var names []string
	for {
		h, err := archive.Next()
		switch {
		case errors.Is(err, io.EOF):
			return names, nil
		case err != nil:
			return nil, fmt.Errorf("list bundle: %w", blame(err))
		case len(names) == MaxFiles:
			return nil, fmt.Errorf("list bundle: %w: more than %d files", ErrCorrupt, MaxFiles)
		case h.Typeflag == tar.TypeReg:
			names = append(names, h.Name)
		}
	}
}
