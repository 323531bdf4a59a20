package bundle_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"sharpie/experiments/bundle"
)

// depot is where a cache fetches from.
type depot struct {
	archives map[string][]byte
	fetched  atomic.Int32
	gate     chan struct{} // nil: open
}

func (d *depot) fetch(ctx context.Context, hash string) ([]byte, error) {
	d.fetched.Add(1)
	if d.gate != nil {
		select {
		case <-d.gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	data, ok := d.archives[hash]
	if !ok {
		return nil, errors.New("no such bundle")
	}
	return data, nil
}

// stock packs folders with a file of so many bytes each.
func stock(t *testing.T, sizes ...int) (*depot, []string) {
	t.Helper()
	d := &depot{archives: map[string][]byte{}}
	var hashes []string
	for i, n := range sizes {
		p := pack(t, folder(t, map[string]string{"tools/data": strings.Repeat(string(rune('a'+i)), n)}))
		d.archives[p.Hash] = p.Data
		hashes = append(hashes, p.Hash)
	}
	return d, hashes
}

func cacheDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "cache")
	t.Cleanup(func() { writable(dir) })
	return dir
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestABundleIsFetchedOnce(t *testing.T) {
	d, hashes := stock(t, 10)
	d.gate = make(chan struct{})
	c := &bundle.Cache{Dir: cacheDir(t), Fetch: d.fetch}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			dir, err := c.Folder(t.Context(), hashes[0])
			if err != nil {
				t.Error(err)
			} else if b, err := os.ReadFile(filepath.Join(dir, "tools/data")); err != nil || len(b) != 10 {
				t.Errorf("the folder is not whole: %d bytes, %v", len(b), err)
			}
		})
	}
	close(d.gate)
	all.Wait()
	again := &bundle.Cache{Dir: c.Dir, Fetch: d.fetch}
	must[string](t)(again.Folder(t.Context(), hashes[0]))
	if n := d.fetched.Load(); n != 1 {
		t.Errorf("fetched %d times, want once", n)
	}
}

func TestACorruptFolderIsFetchedAgain(t *testing.T) {
	d, hashes := stock(t, 10)
	dir := cacheDir(t)
	for what, harm := range map[string]func(bundle string) error{
		"changed": func(b string) error { return os.WriteFile(filepath.Join(b, "tools/data"), []byte("zzzzzzzzzz"), 0o644) },
		"missing": func(b string) error { return os.Remove(filepath.Join(b, "tools/data")) },
		"added":   func(b string) error { return os.WriteFile(filepath.Join(b, "tools/new.py"), nil, 0o644) },
		"removed": func(b string) error { return os.RemoveAll(b) },
	} {
		former := &bundle.Cache{Dir: dir, Fetch: d.fetch}
		folder := must[string](t)(former.Folder(t.Context(), hashes[0]))
		writable(folder)
		_ = os.Chmod(filepath.Join(folder, "tools/data"), 0o644)
		if err := harm(folder); err != nil {
			t.Fatal(err)
		}
		c := &bundle.Cache{Dir: dir, Fetch: d.fetch}
		folder = must[string](t)(c.Folder(t.Context(), hashes[0]))
		if b, _ := os.ReadFile(filepath.Join(folder, "tools/data")); string(b) != "aaaaaaaaaa" {
			t.Errorf("%s: the file is %q", what, b)
		}
		if _, err := os.Stat(filepath.Join(folder, "tools/new.py")); err == nil {
			t.Errorf("%s: the new file is still there", what)
		}
	}
}

func TestACorruptArchiveIsFetchedOnceMoreAndRefused(t *testing.T) {
	d, hashes := stock(t, 10)
	good := d.archives[hashes[0]]
	c := &bundle.Cache{Dir: cacheDir(t), Fetch: func(ctx context.Context, hash string) ([]byte, error) {
		if d.fetched.Add(1) == 1 {
			return good[:len(good)/2], nil
		}
		return good, nil
	}}
	must[string](t)(c.Folder(t.Context(), hashes[0]))

	d.archives[hashes[0]] = []byte("nonsense")
	bad := &bundle.Cache{Dir: cacheDir(t), Fetch: d.fetch}
	d.fetched.Store(0)
	_, err := bad.Folder(t.Context(), hashes[0])
	if !errors.Is(err, bundle.ErrCorrupt) || d.fetched.Load() != 2 {
		t.Errorf("fetched %d times, %v", d.fetched.Load(), err)
	}
	if list, _ := os.ReadDir(bad.Dir); len(list) != 0 {
		t.Errorf("something was left: %v", list)
	}
	if _, err := bad.Folder(t.Context(), "../../etc"); err == nil || !strings.Contains(err.Error(), "no hash") {
		t.Errorf("a path as a hash: %v", err)
	}
	if _, err := bad.Folder(t.Context(), strings.Repeat("0", 64)); err == nil || !strings.Contains(err.Error(), "no such bundle") {
		t.Errorf("unknown: %v", err)
	}
}

func TestTheCacheKeepsWhatIsUsed(t *testing.T) {
	d, hashes := stock(t, 400, 400, 400, 400)
	c := &bundle.Cache{Dir: cacheDir(t), Fetch: d.fetch, MaxBytes: 1000}
	_, release, err := c.Hold(t.Context(), hashes[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hashes[1:] {
		must[string](t)(c.Folder(t.Context(), h))
	}
	there := func() (out []bool) {
		for _, h := range hashes {
			_, err := os.Stat(filepath.Join(c.Dir, h))
			out = append(out, err == nil)
		}
		return out
	}
	if got := there(); !got[0] || got[1] || got[2] || !got[3] {
		t.Errorf("kept %v; want the held one and the last one", got)
	}
	release()
	release()
	must[string](t)(c.Folder(t.Context(), hashes[2]))
	if got := there(); got[0] || !got[2] || !got[3] {
		t.Errorf("kept %v; want the last two", got)
	}
}

func TestWhoGivesUpDoesNotStopTheOthers(t *testing.T) {
	d, hashes := stock(t, 10)
	d.gate = make(chan struct{})
	c := &bundle.Cache{Dir: cacheDir(t), Fetch: d.fetch}
	ctx, cancel := context.WithCancel(t.Context())
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { _, err := c.Folder(ctx, hashes[0]); first <- err }()
	go func() { _, err := c.Folder(t.Context(), hashes[0]); second <- err }()
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up got %v", err)
	}
	close(d.gate)
	if err := <-second; err != nil {
		t.Errorf("the other got %v", err)
	}
}

func TestAddNeedsNoFetch(t *testing.T) {
	p := pack(t, folder(t, gallery))
	c := &bundle.Cache{Dir: cacheDir(t)}
	if _, err := c.Folder(t.Context(), p.Hash); err == nil {
		t.Error("a bundle that nobody has was found")
	}
	if _, err := c.Add(t.Context(), p.Hash, p.Data[:10]); !errors.Is(err, bundle.ErrCorrupt) {
		t.Errorf("half an archive: %v", err)
	}
	dir := must[string](t)(c.Add(t.Context(), p.Hash, p.Data))
	if got := must[string](t)(c.Folder(t.Context(), p.Hash)); got != dir {
		t.Errorf("added in %s, found in %s", dir, got)
	}
}
