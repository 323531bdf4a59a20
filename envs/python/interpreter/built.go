package interpreter

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

const (
	manifestName = "built.json"
	logName      = "build.log"
	venvPrefix   = "venv-"
	keyLength    = 16 // hexadecimal digits
)

var (
	keyPattern  = regexp.MustCompile(`^[0-9a-f]{16}$`)
	venvPattern = regexp.MustCompile(`^venv-[0-9]{1,20}$`)
)

// Built is an interpreter that was built, or whose build did not end.
type Built struct {
	// Hash names it for Remove: 16 hexadecimal digits.
	Hash string `json:"-"`
	// Requirement is what it was built for; zero where its build did not end.
	Requirement Requirement `json:"requirement"`
	// Version is what it says itself: "3.11.7".
	Version string `json:"version"`
	// Base is the program of the Python that it was made with.
	Base string `json:"base"`
	// Tool made it: "uv" or "pip".
	Tool string `json:"tool"`
	// Venv is the name of its folder.
	Venv string `json:"venv"`
	// At is when its build ended, UTC.
	At time.Time `json:"at"`
	// Bytes are what it takes of the disk.
	Bytes int64 `json:"bytes"`
	// Problem is why it cannot be used; empty where it can.
	Problem string `json:"-"`
}

// key is the name of the folder that a requirement is built in. base is the minor
// version of the Python that it is made with, where the requirement names none.
func key(r Requirement, base string) string {
	if r.Version != "" {
		base = ""
	}
	sum := sha256.Sum256([]byte(r.Hash() + " " + base))
	return hex.EncodeToString(sum[:])[:keyLength]
}

// keyOf asks the default interpreter for its version where the key depends on it.
func (b *Builder) keyOf(ctx context.Context, r Requirement) (string, error) {
	if r.Version != "" {
		return key(r, ""), nil
	}
	_, says, err := b.standard(ctx)
	if err != nil {
		return "", err
	}
	return key(r, says.minor()), nil
}

func (b *Builder) folder(key string) string { return filepath.Join(b.dir, key) }

// lockOf returns the lock of a key, not locked.
func (b *Builder) lockOf(key string) (*flock.Flock, error) {
	locks := filepath.Join(b.dir, ".locks")
	if err := os.MkdirAll(locks, 0o755); err != nil {
		return nil, err
	}
	return flock.New(filepath.Join(locks, key+".lock")), nil
}

// manifest reads what a build wrote at its end; fs.ErrNotExist where none ended.
func (b *Builder) manifest(key string) (*Built, error) {
	data, err := os.ReadFile(filepath.Join(b.folder(key), manifestName))
	if err != nil {
		return nil, err
	}
	m := &Built{Hash: key}
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("%s: %w", manifestName, err)
	}
	if !venvPattern.MatchString(m.Venv) {
		return nil, fmt.Errorf("%s names the folder %s", manifestName, quoted(m.Venv))
	}
	return m, nil
}

// path is the program of what was built.
func (b *Builder) path(m *Built) string {
	return filepath.Join(b.folder(m.Hash), m.Venv, "bin", "python")
}

// findBuilt returns what was built for the requirement.
func (b *Builder) findBuilt(ctx context.Context, r Requirement) (Interpreter, error) {
	key, err := b.keyOf(ctx, r)
	if err != nil {
		return Interpreter{}, err
	}
	m, err := b.manifest(key)
	if errors.Is(err, fs.ErrNotExist) {
		if err := b.canBuild(ctx, r); err != nil {
			return Interpreter{}, err
		}
		return Interpreter{}, fmt.Errorf("%w: %s; run: %s", ErrNotBuilt, r, b.buildCommand(r))
	}
	if err != nil {
		return Interpreter{}, fmt.Errorf("%w, or broken: %s: %w; run: %s", ErrNotBuilt, r, err, b.buildCommand(r))
	}
	says, err := b.probe(ctx, b.path(m))
	if err != nil {
		if ctx.Err() != nil {
			return Interpreter{}, err
		}
		return Interpreter{}, fmt.Errorf("%w, or broken: %s was, with %s: %s; run: %s", ErrNotBuilt, r, m.Base, reason(err), b.buildCommand(r))
	}
	return b.interpreter(b.path(m), says, r.String()), nil
}

// reason is an error without the sentinel before it.
func reason(err error) string {
	return strings.TrimPrefix(err.Error(), ErrMissing.Error()+": ")
}

// List returns all that was built, the newest first, and what is left of builds that
// did not end.
func (b *Builder) List(ctx context.Context) ([]Built, error) {
	entries, err := os.ReadDir(b.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the interpreters: %w", err)
	}
	var all []Built
	for _, e := range entries {
		if !e.IsDir() || !keyPattern.MatchString(e.Name()) {
			continue
		}
		built, err := b.describe(ctx, e.Name())
		if err != nil {
			return nil, fmt.Errorf("list the interpreters: %w", err)
		}
		all = append(all, built)
	}
	slices.SortFunc(all, func(a, b Built) int { return b.At.Compare(a.At) })
	return all, nil
}

// describe says what is in one folder.
func (b *Builder) describe(ctx context.Context, key string) (Built, error) {
	m, err := b.manifest(key)
	if err == nil {
		if _, err := b.probe(ctx, b.path(m)); err != nil {
			m.Problem = reason(err)
		}
		return *m, ctx.Err()
	}
	built := Built{Hash: key, Problem: err.Error()}
	if !errors.Is(err, fs.ErrNotExist) {
		return built, nil
	}
	lock, err := b.lockOf(key)
	if err != nil {
		return Built{}, err
	}
	free, err := lock.TryLock()
	if err != nil {
		return Built{}, err
	}
	built.Problem = "it is being built"
	if free {
		built.Problem = "its build did not end well; see " + filepath.Join(b.folder(key), logName)
		err = lock.Unlock()
	}
	return built, err
}

// Remove deletes what was built under a hash as List gives it, or under the only one
// that begins so. Workers that run on it may fail; the next Find says that it is not
// built. The error wraps ErrUnknown or ErrBusy.
func (b *Builder) Remove(ctx context.Context, hash string) error {
	key, err := b.keyFrom(hash)
	if err != nil {
		return err
	}
	lock, err := b.lockOf(key)
	if err != nil {
		return fmt.Errorf("remove %s: %w", key, err)
	}
	free, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("remove %s: %w", key, err)
	}
	if !free {
		return fmt.Errorf("remove %s: %w", key, ErrBusy)
	}
	defer lock.Unlock() //nolint:errcheck // the process's end unlocks it too
	// First what makes it exist, so that a half-removed one is not found.
	if err := os.Remove(filepath.Join(b.folder(key), manifestName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", key, err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.RemoveAll(b.folder(key)); err != nil {
		return fmt.Errorf("remove %s: %w", key, err)
	}
	b.log.Info("an interpreter was removed", "hash", key)
	return nil
}

// keyFrom returns the only key in the folder that begins with the text.
func (b *Builder) keyFrom(hash string) (string, error) {
	if len(hash) < 4 || len(hash) > keyLength || strings.Trim(hash, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%w: %s; want 4 to %d hexadecimal digits", ErrUnknown, quoted(hash), keyLength)
	}
	entries, err := os.ReadDir(b.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("remove %s: %w", hash, err)
	}
	var found []string
	for _, e := range entries {
		if keyPattern.MatchString(e.Name()) && strings.HasPrefix(e.Name(), hash) {
			found = append(found, e.Name())
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("%w: %s", ErrUnknown, hash)
	case 1:
		return found[0], nil
	default:
		return "", fmt.Errorf("%w: %s is the beginning of %s", ErrUnknown, hash, strings.Join(found, " and "))
	}
}
