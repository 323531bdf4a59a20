package bundle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// DefaultMaxBytes bounds a Cache that says nothing else.
	DefaultMaxBytes = 4 << 30
	// DefaultFetchTimeout ends a fetch, whoever waits for it.
	DefaultFetchTimeout = 5 * time.Minute
	// partial marks folders that are being unpacked or removed.
	partial = ".partial-"
)

// Cache keeps unpacked bundles in a folder that belongs to one process at a time.
// It is safe for concurrent use. Its zero value wants Dir and Fetch.
type Cache struct {
	// Dir is made where it does not exist.
	Dir string
	// Fetch gets an archive by its hash; nil: only what Add put there is found.
	Fetch func(ctx context.Context, hash string) ([]byte, error)
	// MaxBytes bounds the files together; 0 is DefaultMaxBytes. What is held, and
	// what was asked for last, stays even beyond it.
	MaxBytes int64
	// FetchTimeout bounds one fetch; 0 is DefaultFetchTimeout.
	FetchTimeout time.Duration

	mu      sync.Mutex
	ready   bool
	entries map[string]*entry
	flights map[string]*flight
}

// entry is one bundle in the folder.
type entry struct {
	size    int64
	used    time.Time
	holds   int
	checked bool // its files were compared with its hash in this process
}

// flight is a bundle on its way, which any number of callers wait for.
type flight struct {
	done    chan struct{}
	err     error
	waiting int
	cancel  context.CancelFunc
	// abandoned: it was cancelled because nobody waited.
	abandoned bool
}

// Folder returns the folder of a bundle: whole, compared with the hash once in each
// process, read-only. It may be removed once other bundles need the room; who
// works in it for long wants Hold.
func (c *Cache) Folder(ctx context.Context, hash string) (string, error) {
	dir, release, err := c.Hold(ctx, hash)
	if err != nil {
		return "", err
	}
	release()
	return dir, nil
}

// Hold is Folder, and the folder stays until release is called, once or more often.
func (c *Cache) Hold(ctx context.Context, hash string) (dir string, release func(), err error) {
	return c.hold(ctx, hash, c.fetch)
}

// Add puts an archive into the cache without fetching it, and looks whether it is
// what its hash says. It returns its folder.
func (c *Cache) Add(ctx context.Context, hash string, data []byte) (string, error) {
	dir, release, err := c.hold(ctx, hash, func(context.Context, string) ([]byte, error) { return data, nil })
	if err != nil {
		return "", err
	}
	release()
	return dir, nil
}

type fetcher func(ctx context.Context, hash string) ([]byte, error)

func (c *Cache) fetch(ctx context.Context, hash string) ([]byte, error) {
	if c.Fetch == nil {
		return nil, fmt.Errorf("bundle %s: not here", hash)
	}
	return c.Fetch(ctx, hash)
}

func (c *Cache) hold(ctx context.Context, hash string, get fetcher) (string, func(), error) {
	if !ValidHash(hash) {
		return "", nil, fmt.Errorf("bundle: %q is no hash (64 hexadecimal digits)", hash)
	}
	for {
		dir, release, err := c.once(ctx, hash, get)
		// A flight that ended because nobody waited any more, just as we joined it.
		if errors.Is(err, errAbandoned) && ctx.Err() == nil {
			continue
		}
		return dir, release, err
	}
}

var errAbandoned = errors.New("nobody waited for it any more")

// once takes the bundle, or waits for one flight of it.
func (c *Cache) once(ctx context.Context, hash string, get fetcher) (string, func(), error) {
	c.mu.Lock()
	if err := c.open(); err != nil {
		c.mu.Unlock()
		return "", nil, fmt.Errorf("bundle cache %s: %w", c.Dir, err)
	}
	if e := c.entries[hash]; e != nil && e.checked && c.flights[hash] == nil {
		if _, err := os.Lstat(c.path(hash)); err == nil {
			defer c.mu.Unlock()
			return c.path(hash), c.take(hash, e), nil
		}
		delete(c.entries, hash) // somebody removed it
	}
	f := c.join(ctx, hash, get)
	c.mu.Unlock()

	select {
	case <-f.done:
	case <-ctx.Done():
		c.mu.Lock()
		if f.waiting--; f.waiting == 0 {
			f.abandoned = true
			f.cancel()
		}
		c.mu.Unlock()
		return "", nil, fmt.Errorf("bundle %s: %w", hash, ctx.Err())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f.waiting--
	if f.err != nil {
		return "", nil, f.err
	}
	e := c.entries[hash]
	if e == nil {
		return "", nil, fmt.Errorf("bundle %s: it was removed at once: the cache %s is too small", hash, c.Dir)
	}
	release := c.take(hash, e)
	return c.path(hash), release, nil
}

// take notes a use; the caller holds mu.
func (c *Cache) take(hash string, e *entry) func() {
	e.holds++
	e.used = time.Now()
	_ = os.Chtimes(c.path(hash), e.used, e.used) // best effort: remembered for the next process
	var once sync.Once
	return func() {
		once.Do(func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			e.holds--
		})
	}
}

// join returns the flight of the bundle, and starts one where there is none; the
// caller holds mu.
func (c *Cache) join(ctx context.Context, hash string, get fetcher) *flight {
	f := c.flights[hash]
	if f == nil {
		// The first caller's end is not the others': the flight ends when nobody waits.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cmp.Or(c.FetchTimeout, DefaultFetchTimeout))
		f = &flight{done: make(chan struct{}), cancel: cancel}
		c.flights[hash] = f
		known := c.entries[hash] != nil
		go func() {
			defer cancel()
			size, err := c.bring(ctx, hash, known, get)
			c.mu.Lock()
			defer c.mu.Unlock()
			delete(c.flights, hash)
			if f.err = err; err != nil && f.abandoned {
				f.err = errAbandoned
			}
			if err == nil {
				c.entries[hash] = &entry{size: size, used: time.Now(), checked: true}
				c.evict(hash)
			} else {
				delete(c.entries, hash)
			}
			close(f.done)
		}()
	}
	f.waiting++
	return f
}

// bring makes the folder of a bundle whole: it looks at the one that is there, else
// fetches it, and once more where what came is corrupt.
func (c *Cache) bring(ctx context.Context, hash string, known bool, get fetcher) (int64, error) {
	if known {
		if got, err := Hash(c.path(hash)); err == nil && got == hash {
			return sizeOf(c.path(hash))
		}
		if err := c.remove(hash); err != nil {
			return 0, fmt.Errorf("bundle %s: remove what is broken: %w", hash, err)
		}
	}
	for again := false; ; again = true {
		data, err := get(ctx, hash)
		if err != nil {
			return 0, fmt.Errorf("fetch bundle %s: %w", hash, err)
		}
		size, err := c.unpack(hash, data)
		if err == nil || again || !errors.Is(err, ErrCorrupt) {
			return size, err
		}
	}
}

// unpack makes the folder at once: under its name it is whole, or not there. It is
// not flushed to the disk file by file: what a crash of the machine tears, the hash
// finds, since each process looks once.
func (c *Cache) unpack(hash string, data []byte) (int64, error) {
	tmp, err := os.MkdirTemp(c.Dir, partial)
	if err != nil {
		return 0, fmt.Errorf("unpack bundle: %w", err)
	}
	if err := Unpack(data, hash, tmp); err != nil {
		return 0, errors.Join(err, removeAll(tmp))
	}
	size, err := sizeOf(tmp)
	if err == nil {
		err = rename(tmp, c.path(hash))
	}
	if err != nil {
		return 0, errors.Join(fmt.Errorf("unpack bundle %s: %w", hash, err), removeAll(tmp))
	}
	return size, nil
}

// rename moves a read-only folder: its parent entry ("..") is written to as well,
// which wants a right that the seal took away.
func rename(from, to string) error {
	if err := os.Chmod(from, 0o755); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return os.Chmod(to, 0o555)
}

func (c *Cache) path(hash string) string { return filepath.Join(c.Dir, hash) }

// open looks at what a former process left; the caller holds mu.
func (c *Cache) open() error {
	if c.ready {
		return nil
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return err
	}
	list, err := os.ReadDir(c.Dir)
	if err != nil {
		return err
	}
	c.entries, c.flights = map[string]*entry{}, map[string]*flight{}
	for _, e := range list {
		name := filepath.Join(c.Dir, e.Name())
		if strings.HasPrefix(e.Name(), partial) {
			if err := removeAll(name); err != nil {
				return err
			}
			continue
		}
		info, err := e.Info()
		if err != nil || !e.IsDir() || !ValidHash(e.Name()) {
			continue
		}
		size, err := sizeOf(name)
		if err != nil {
			return err
		}
		c.entries[e.Name()] = &entry{size: size, used: info.ModTime()}
	}
	c.ready = true
	return nil
}

// evict removes what was not used for longest until the rest fits; the caller
// holds mu. What cannot be removed stays, and is tried again next time.
func (c *Cache) evict(keep string) {
	limit := c.MaxBytes
	if limit == 0 {
		limit = DefaultMaxBytes
	}
	var total int64
	var idle []string
	for hash, e := range c.entries {
		total += e.size
		if hash != keep && e.holds == 0 && c.flights[hash] == nil {
			idle = append(idle, hash)
		}
	}
	slices.SortFunc(idle, func(a, b string) int { return c.entries[a].used.Compare(c.entries[b].used) })
	for _, hash := range idle {
		if total <= limit {
			return
		}
		if c.remove(hash) == nil {
			total -= c.entries[hash].size
			delete(c.entries, hash)
		}
	}
}

// remove takes the folder away at once, and then its files.
func (c *Cache) remove(hash string) error {
	if _, err := os.Lstat(c.path(hash)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	gone := filepath.Join(c.Dir, partial+"gone-"+hash)
	if err := os.Chmod(c.path(hash), 0o755); err != nil {
		return err
	}
	if err := removeAll(gone); err != nil {
		return err
	}
	if err := os.Rename(c.path(hash), gone); err != nil {
		return err
	}
	return removeAll(gone)
}

// removeAll removes read-only folders, too.
func removeAll(dir string) error {
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			return os.Chmod(name, 0o755)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, os.RemoveAll(dir))
}

func sizeOf(dir string) (int64, error) {
	var size int64
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}
