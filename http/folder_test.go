package http

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// zipped makes a zip file of names and contents; change may spoil an entry's head.
func zipped(t *testing.T, change func(*zip.FileHeader), files ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for i := 0; i < len(files); i += 2 {
		h := &zip.FileHeader{Name: files[i], Method: zip.Deflate}
		if change != nil {
			change(h)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[i+1])); err != nil && !strings.HasSuffix(files[i], "/") {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func namesIn(t *testing.T, files fs.FS) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func TestAFolderComesWithoutWrapperAndClutter(t *testing.T) {
	for name, files := range map[string][]string{
		"plain":        {"config.yaml", "a: 1", "models/m.bin", "m"},
		"in a folder":  {"frozen/", "", "frozen/config.yaml", "a: 1", "frozen/models/m.bin", "m"},
		"with clutter": {"frozen/config.yaml", "a: 1", "__MACOSX/frozen/._config.yaml", "x", "frozen/.DS_Store", "x", "frozen/__pycache__/e.pyc", "x", "frozen/models/m.bin", "m"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := openFolder(zipped(t, nil, files...), 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if names := namesIn(t, got); !slices.Equal(names, []string{"config.yaml", "models/m.bin"}) {
				t.Errorf("the folder has %v, want config.yaml and models/m.bin", names)
			}
			if b, err := fs.ReadFile(got, "config.yaml"); err != nil || string(b) != "a: 1" {
				t.Errorf("config.yaml reads %q, error %v", b, err)
			}
		})
	}
}

func TestAHostileZipIsRefused(t *testing.T) {
	many := make([]string, 0, 2*(folderFiles+1))
	for range folderFiles + 1 {
		many = append(many, "a", "")
	}
	link := func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) }
	encrypted := func(h *zip.FileHeader) { h.Flags |= 1 }
	bomb := strings.Repeat("\x00", 1<<21)
	for name, tt := range map[string]struct {
		data []byte
		says string
	}{
		"no zip":            {[]byte("hello"), "not a zip file"},
		"empty":             {zipped(t, nil), "it is empty"},
		"only clutter":      {zipped(t, nil, ".DS_Store", "x"), "it is empty"},
		"out of it":         {zipped(t, nil, "config.yaml", "a", "../../etc/passwd", "x"), "no path within"},
		"out in the middle": {zipped(t, nil, "a/../../b", "x"), "no path within"},
		"absolute":          {zipped(t, nil, "/etc/passwd", "x"), "no path within"},
		"backslashes":       {zipped(t, nil, `..\..\evil.py`, "x"), "no path within"},
		"a drive":           {zipped(t, nil, `c:evil.py`, "x"), "no path within"},
		"a null byte":       {zipped(t, nil, "config.yaml\x00.png", "x"), "no path within"},
		"a link":            {zipped(t, link, "config.yaml", "/etc/passwd"), "a link or a device"},
		"encrypted":         {zipped(t, encrypted, "config.yaml", "x"), "encrypted"},
		"twice":             {zipped(t, nil, "config.yaml", "a", "config.yaml", "b"), "twice"},
		"twice in cases":    {zipped(t, nil, "config.yaml", "a", "Config.yaml", "b"), "twice"},
		"too deep":          {zipped(t, nil, strings.Repeat("a/", folderDepth)+"b", "x"), "too deep"},
		"too long":          {zipped(t, nil, strings.Repeat("a", folderName+1), "x"), "too long"},
		"too many":          {zipped(t, nil, many...), "at most 5000"},
		"a bomb":            {zipped(t, nil, "config.yaml", bomb), "larger than 1 MiB"},
		"a bomb in parts":   {zipped(t, nil, "a", bomb[:600<<10], "b", bomb[:600<<10]), "larger than 1 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := openFolder(tt.data, 1<<20)
			if !errors.Is(err, errFolder) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want a refusal that says %q", err, tt.says)
			}
		})
	}
}

func TestAZipThatLiesAboutItsSizesIsRefused(t *testing.T) {
	data := zipped(t, nil, "config.yaml", strings.Repeat("a", 5000))
	// The size stands in the directory at the end, after the signature's 24 bytes.
	at := bytes.LastIndex(data, []byte("PK\x01\x02")) + 24
	copy(data[at:], []byte{10, 0, 0, 0})
	if _, err := openFolder(data, 1<<20); !errors.Is(err, errFolder) {
		t.Errorf("got %v, want a refusal", err)
	}
}

func FuzzOpenFolder(f *testing.F) {
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	if to, err := w.Create("a/config.yaml"); err == nil {
		_, _ = to.Write([]byte("a: 1"))
	}
	_ = w.Close()
	f.Add(buf.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		files, err := openFolder(data, 1<<16)
		if err != nil {
			if !errors.Is(err, errFolder) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		var total int
		_ = fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				t.Errorf("%s: %v", path, err)
				return nil
			}
			if d.Type()&^fs.ModeDir != 0 {
				t.Errorf("%s is %v", path, d.Type())
			}
			if b, err := fs.ReadFile(files, path); err == nil {
				total += len(b)
			}
			return nil
		})
		if total > 1<<16 {
			t.Errorf("%d bytes came out, more than allowed", total)
		}
	})
}
