package bundle_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"sharpie/experiments/bundle"
)

func compress(t testing.TB, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(data, nil)
}

// archive is a hostile bundle with the right hash.
func archive(t testing.TB, headers ...tar.Header) (data []byte, hash string) {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write(make([]byte, h.Size)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b.Bytes())
	return compress(t, b.Bytes()), hex.EncodeToString(sum[:])
}

func TestHostileArchivesAreRefused(t *testing.T) {
	reg := func(name string) tar.Header { return tar.Header{Typeflag: tar.TypeReg, Name: name, Size: 1} }
	dir := func(name string) tar.Header { return tar.Header{Typeflag: tar.TypeDir, Name: name} }
	for _, test := range []struct {
		name    string
		entries []tar.Header
		want    string
	}{
		{"parent", []tar.Header{reg("../evil")}, "clean path"},
		{"parent inside", []tar.Header{dir("a/"), reg("a/../../evil")}, "clean path"},
		{"absolute", []tar.Header{reg("/tmp/evil")}, "clean path"},
		{"dot", []tar.Header{dir("./")}, "empty"},
		{"backslash", []tar.Header{reg(`..\evil`)}, "backslash"},
		{"symbolic link", []tar.Header{{Typeflag: tar.TypeSymlink, Name: "a", Linkname: "/etc"}}, "neither a file nor a folder"},
		{"hard link", []tar.Header{reg("a"), {Typeflag: tar.TypeLink, Name: "b", Linkname: "a"}}, "neither a file nor a folder"},
		{"device", []tar.Header{{Typeflag: tar.TypeChar, Name: "null", Devmajor: 1, Devminor: 3}}, "neither a file nor a folder"},
		{"pipe", []tar.Header{{Typeflag: tar.TypeFifo, Name: "p"}}, "neither a file nor a folder"},
		{"twice", []tar.Header{reg("a"), reg("a")}, "comes twice"},
		{"folder twice", []tar.Header{dir("a/"), dir("a/")}, "comes twice"},
		{"file as folder", []tar.Header{reg("a"), reg("a/b")}, "folder did not come before"},
		{"no folder", []tar.Header{reg("a/b")}, "folder did not come before"},
		{"hidden", []tar.Header{reg(".bashrc")}, "nothing that a bundle has"},
		{"compiled", []tar.Header{dir("__pycache__/")}, "nothing that a bundle has"},
		{"long name", []tar.Header{reg(strings.Repeat("a", 1100))}, "longer than"},
	} {
		t.Run(test.name, func(t *testing.T) {
			data, hash := archive(t, test.entries...)
			parent := t.TempDir()
			into := filepath.Join(parent, "into")
			if err := os.Mkdir(into, 0o755); err != nil {
				t.Fatal(err)
			}
			err := bundle.Unpack(data, hash, into)
			if !errors.Is(err, bundle.ErrCorrupt) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if list, _ := os.ReadDir(parent); len(list) != 1 {
				t.Errorf("something was written beside the folder: %v", list)
			}
		})
	}
}

func TestBrokenArchivesAreRefused(t *testing.T) {
	good := pack(t, folder(t, gallery))
	flipped := bytes.Clone(good.Data)
	flipped[len(flipped)/2] ^= 1
	raw, err := zstd.NewReader(bytes.NewReader(good.Data))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(raw)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		data []byte
		hash string
	}{
		"another hash":           {good.Data, strings.Repeat("a", 64)},
		"no hash":                {good.Data, "../" + good.Hash},
		"a bit":                  {flipped, good.Hash},
		"half":                   {good.Data[:len(good.Data)/2], good.Hash},
		"nothing":                {nil, good.Hash},
		"not compressed":         {plain, good.Hash},
		"something behind":       {compress(t, append(plain, 1)), good.Hash},
		"a second tar behind it": {append(bytes.Clone(good.Data), good.Data...), good.Hash},
	} {
		t.Run(name, func(t *testing.T) {
			if err := bundle.Unpack(test.data, test.hash, t.TempDir()); !errors.Is(err, bundle.ErrCorrupt) {
				t.Errorf("got %v, want ErrCorrupt", err)
			}
		})
	}
}

// TestABombIsRefused: some KiB that would become more than the bound.
func TestABombIsRefused(t *testing.T) {
	for name, size := range map[string]int64{"one large file": bundle.MaxSize + 1, "a header that lies": 1 << 50} {
		var b bytes.Buffer
		z, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		w := tar.NewWriter(z)
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "zeros", Size: size, Mode: 0o644, Format: tar.FormatPAX}); err != nil {
			t.Fatal(err)
		}
		_ = z.Close()
		dir := t.TempDir()
		if err := bundle.Unpack(b.Bytes(), strings.Repeat("a", 64), dir); !errors.Is(err, bundle.ErrCorrupt) || !strings.Contains(err.Error(), "larger than") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// behind the end of the tar
	zeros := compress(t, make([]byte, 400<<20))
	if err := bundle.Unpack(zeros, strings.Repeat("a", 64), t.TempDir()); !errors.Is(err, bundle.ErrCorrupt) || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("zeros: %v", err)
	}
}

// FuzzUnpack: whatever is unpacked, nothing is written outside of the folder, and
// what is accepted is what Pack would make of it.
func FuzzUnpack(f *testing.F) {
	seed, _ := archive(f, tar.Header{Typeflag: tar.TypeDir, Name: "a/"}, tar.Header{Typeflag: tar.TypeReg, Name: "a/b", Size: 3})
	f.Add(seed, true)
	link, _ := archive(f, tar.Header{Typeflag: tar.TypeSymlink, Name: "a", Linkname: ".."}, tar.Header{Typeflag: tar.TypeReg, Name: "a/b", Size: 3})
	f.Add(link, true)
	var plain bytes.Buffer
	w := tar.NewWriter(&plain)
	_ = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "../x", Size: 1, Mode: 0o777})
	_, _ = w.Write([]byte("x"))
	_ = w.Close()
	f.Add(plain.Bytes(), false)
	f.Fuzz(func(t *testing.T, data []byte, compressed bool) {
		hash := strings.Repeat("0", 64)
		if !compressed { // the fuzzer changes the tar itself, and its hash is right
			sum := sha256.Sum256(data)
			hash = hex.EncodeToString(sum[:])
			data = compress(t, data)
		}
		parent := t.TempDir()
		into := filepath.Join(parent, "into")
		if err := os.Mkdir(into, 0o755); err != nil {
			t.Fatal(err)
		}
		err := bundle.Unpack(data, hash, into)
		writable(into)
		if list, _ := os.ReadDir(parent); len(list) != 1 {
			t.Fatalf("something was written beside the folder: %v", list)
		}
		if err != nil {
			return
		}
		if _, err := bundle.Pack(into); err != nil {
			t.Fatalf("what was unpacked cannot be packed: %v", err)
		}
	})
}
