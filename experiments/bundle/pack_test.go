package bundle_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sharpie/experiments/bundle"
)

// folder makes a folder of files; a name that ends in "/" is an empty folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		parent := filepath.Dir(path)
		if strings.HasSuffix(name, "/") {
			parent = path
		}
		if err := os.MkdirAll(parent, 0o755); err != nil {
			t.Fatal(err)
		}
		if parent == path {
			continue
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// contents lists what is in a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if e.IsDir() {
			out[name+"/"] = ""
			return nil
		}
		b, err := os.ReadFile(path)
		out[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func pack(t *testing.T, dir string) bundle.Packed {
	t.Helper()
	p, err := bundle.Pack(dir)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func unpack(t *testing.T, p bundle.Packed) string {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() { writable(dir) })
	if err := bundle.Unpack(p.Data, p.Hash, dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// writable lets the test's own cleanup remove a sealed folder.
func writable(dir string) {
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			return os.Chmod(path, 0o755)
		}
		return nil
	})
}

var gallery = map[string]string{
	"config.yaml": "x", "environment.py": "environment = 1", "tools/human expert.py": "y",
	"saved_models/model.pkl": "\x80\x04", "ünï/ö.txt": "", "empty/": "", "pyvenv.cfg": "of the folder itself",
}

func TestWhatIsPackedComesOutAgain(t *testing.T) {
	dir := folder(t, gallery)
	if err := os.Chmod(filepath.Join(dir, "environment.py"), 0o700); err != nil {
		t.Fatal(err)
	}
	p := pack(t, dir)
	if p.Files != 10 || p.Size != 39 || !bundle.ValidHash(p.Hash) {
		t.Errorf("%d files and folders, %d bytes, hash %q", p.Files, p.Size, p.Hash)
	}
	out := unpack(t, p)
	if diff := cmp.Diff(contents(t, dir), contents(t, out)); diff != "" {
		t.Errorf("what came out differs:\n%s", diff)
	}
	for name, want := range map[string]fs.FileMode{"environment.py": 0o555, "config.yaml": 0o444, "tools": 0o555, ".": 0o555} {
		info, err := os.Stat(filepath.Join(out, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v (%v), want %v", name, info.Mode().Perm(), err, want)
		}
	}
	if again := pack(t, out); again.Hash != p.Hash {
		t.Error("the unpacked folder has another hash")
	}
}

func TestTheHashIsOfNamesAndContentsAlone(t *testing.T) {
	base := pack(t, folder(t, gallery)).Hash
	same := folder(t, gallery)
	old := time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC)
	if err := errors.Join(os.Chtimes(filepath.Join(same, "config.yaml"), old, old), os.Chmod(filepath.Join(same, "config.yaml"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".git/config", ".DS_Store", "tools/__pycache__/a.pyc", "a.pyc", "env/pyvenv.cfg", "env/lib/numpy.py", ".venv/x"} {
		path := filepath.Join(same, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("z"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if got := pack(t, same).Hash; got != base {
		t.Error("times, modes and files that are left out changed the hash")
	}
	if got, err := bundle.Hash(same); err != nil || got != base {
		t.Errorf("Hash gives %q (%v), Pack %q", got, err, base)
	}
	for what, change := range map[string]func(dir string) error{
		"content": func(dir string) error { return os.WriteFile(filepath.Join(dir, "config.yaml"), []byte("y"), 0o644) },
		"name": func(dir string) error {
			return os.Rename(filepath.Join(dir, "config.yaml"), filepath.Join(dir, "c.yaml"))
		},
		"executable": func(dir string) error { return os.Chmod(filepath.Join(dir, "config.yaml"), 0o755) },
		"folder":     func(dir string) error { return os.Mkdir(filepath.Join(dir, "more"), 0o755) },
	} {
		dir := folder(t, gallery)
		if err := change(dir); err != nil {
			t.Fatal(err)
		}
		if pack(t, dir).Hash == base {
			t.Errorf("another %s, and the same hash", what)
		}
	}
}

func TestLinks(t *testing.T) {
	outside := folder(t, map[string]string{"secret": "s"})
	for _, test := range []struct {
		name, link, to string
		want           string // part of the error; empty: packed
	}{
		{"to a file", "copy.py", "environment.py", ""},
		{"to a folder", "copy", "tools", ""},
		{"out, absolute", "key", filepath.Join(outside, "secret"), "link key leads out of the folder"},
		{"out, relative", "tools/key", "../../../secret", "tools/key leads"},
		{"nowhere", "tools/gone", "nothing", "link tools/gone leads nowhere"},
		{"to the folder it is in", "tools/loop", "..", "link tools/loop leads to a folder that it is in"},
		{"to itself", "loop", "loop", "link loop leads nowhere"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := folder(t, gallery)
			if err := os.Symlink(test.to, filepath.Join(dir, test.link)); err != nil {
				t.Fatal(err)
			}
			p, err := bundle.Pack(dir)
			if test.want != "" {
				if !errors.Is(err, bundle.ErrFolder) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %q", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			out := contents(t, unpack(t, p))
			if test.link == "copy" && out["copy/human expert.py"] != "y" || test.link == "copy.py" && out["copy.py"] != "environment = 1" {
				names := []string{}
				for n := range out {
					names = append(names, n)
				}
				sort.Strings(names)
				t.Errorf("the link was packed as %q", names)
			}
		})
	}
}

func TestFoldersThatCannotBePacked(t *testing.T) {
	many := t.TempDir()
	for i := range bundle.MaxFiles + 1 {
		if err := os.WriteFile(filepath.Join(many, "f"+strings.Repeat("x", i%7)+string(rune('a'+i%26))+itoa(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	large := t.TempDir()
	if err := os.WriteFile(filepath.Join(large, "weights.pt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(large, "weights.pt"), bundle.MaxSize+1); err != nil {
		t.Fatal(err)
	}
	odd := folder(t, map[string]string{"a\nb.py": ""})
	file := filepath.Join(folder(t, gallery), "config.yaml")
	for _, test := range []struct{ name, dir, want string }{
		{"many files", many, "more than 20000 files"},
		{"large files", large, "weights.pt"},
		{"odd name", odd, `"a\nb.py"`},
		{"a file", file, "is not a folder"},
		{"nothing", filepath.Join(large, "none"), "none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := bundle.Pack(test.dir); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func itoa(i int) string {
	out := ""
	for ; i > 0; i /= 10 {
		out = string(rune('0'+i%10)) + out
	}
	return out
}
