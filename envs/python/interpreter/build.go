package interpreter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	lockPoll   = 100 * time.Millisecond
	keptLines  = 20       // of a build's output, for its error
	maxLogSize = 16 << 20 // bytes of build.log
)

// BuildError says why a build failed.
type BuildError struct {
	Requirement Requirement
	// Lines are the last ones that the tools printed, at most 20.
	Lines []string
	// Log is the file with all of them.
	Log string
	// Command does the same by hand.
	Command string
	// Err is what went wrong: a program's exit code, a deadline.
	Err error
}

// Error has several lines: the cause, what was printed last, what to try.
func (e *BuildError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "building %s failed: %v", e.Requirement, e.Err)
	for _, line := range e.Lines {
		text.WriteString("\n  | " + line)
	}
	fmt.Fprintf(&text, "\nall that was printed is in %s; to try it by hand: %s", e.Log, e.Command)
	return text.String()
}

// Unwrap returns Err.
func (e *BuildError) Unwrap() error { return e.Err }

// Build returns the interpreter of a requirement, and builds it where that is needed.
// progress is called with every line that the tools print, from one goroutine at a
// time; nil: nobody listens. Who asks for what is being built, here or in another
// process, waits for it. A build ends with ctx and at the Builder's timeout. The error
// is a *BuildError, or one that Find gives where nothing can be built.
func (b *Builder) Build(ctx context.Context, r Requirement, progress func(line string)) (Interpreter, error) {
	in, err := b.Find(ctx, r)
	if !errors.Is(err, ErrNotBuilt) {
		return in, err
	}
	if progress == nil {
		progress = func(string) {}
	}
	r, err = r.normalized()
	if err != nil { // Find has said so
		return Interpreter{}, err
	}
	key, err := b.keyOf(ctx, r)
	if err != nil {
		return Interpreter{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, b.timeout, fmt.Errorf("it did not end within %s", b.timeout))
	defer cancel()
	unlock, err := b.lock(ctx, key, progress)
	if err != nil {
		return Interpreter{}, fmt.Errorf("build %s: %w", r, err)
	}
	defer unlock()
	// It may have been built while we waited.
	if in, err := b.Find(ctx, r); !errors.Is(err, ErrNotBuilt) {
		return in, err
	}
	if err := b.build(ctx, r, key, progress); err != nil {
		return Interpreter{}, err
	}
	return b.Find(ctx, r)
}

// lock waits until nobody else builds or removes what has the key.
func (b *Builder) lock(ctx context.Context, key string, progress func(string)) (unlock func(), err error) {
	lock, err := b.lockOf(key)
	if err != nil {
		return nil, err
	}
	unlock = func() {
		if err := lock.Unlock(); err != nil {
			b.log.Warn("an interpreter's lock stays until this process ends", "hash", key, "error", err)
		}
	}
	free, err := lock.TryLock()
	if err != nil {
		return nil, err
	}
	if free {
		return unlock, nil
	}
	progress("it is being built already; waiting for that")
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	return unlock, nil
}

// build builds with the first tool that can, and makes the result exist. The lock is held.
func (b *Builder) build(ctx context.Context, r Requirement, key string, progress func(string)) error {
	folder := b.folder(key)
	if err := b.empty(folder); err != nil {
		return fmt.Errorf("build %s: %w", r, err)
	}
	file, err := os.Create(filepath.Join(folder, logName))
	if err != nil {
		return fmt.Errorf("build %s: %w", r, err)
	}
	defer file.Close()
	out := &output{log: file, progress: progress}
	b.log.Info("building an interpreter", "python", r.String(), "hash", key)
	started := time.Now()

	recipes, err := b.recipes(ctx, r)
	if err != nil {
		return err
	}
	for i, recipe := range recipes {
		out.last = nil
		venv := filepath.Join(folder, venvPrefix+strconv.FormatInt(time.Now().UnixNano(), 10))
		var m *Built
		m, err = b.follow(ctx, recipe, r, venv, out)
		if err == nil {
			m.Hash = key
			if err = b.commit(m); err == nil {
				b.log.Info("an interpreter was built", "python", r.String(), "hash", key, "tool", m.Tool, "bytes", m.Bytes, "took", time.Since(started))
				return nil
			}
		}
		if removing := os.RemoveAll(venv); removing != nil {
			b.log.Warn("what a failed build left could not be removed", "folder", venv, "error", removing)
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
			break
		}
		if i+1 < len(recipes) {
			out.line(fmt.Sprintf("%s failed (%v); trying %s", recipe.tool, err, recipes[i+1].tool))
		}
	}
	b.log.Warn("an interpreter could not be built", "python", r.String(), "hash", key, "error", err, "log", file.Name())
	return &BuildError{Requirement: r, Lines: out.last, Log: file.Name(), Command: recipes[len(recipes)-1].byHand(r), Err: err}
}

// empty makes the folder and removes what earlier builds left there.
func (b *Builder) empty(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	// The manifest goes first: what it names is removed after it.
	if err := os.Remove(filepath.Join(folder, manifestName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(folder, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// commit writes the manifest, from which moment on it exists.
func (b *Builder) commit(m *Built) error {
	m.At = time.Now().UTC()
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(b.folder(m.Hash), manifestName)
	part, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	_, err = part.Write(append(data, '\n'))
	err = errors.Join(err, part.Sync(), part.Close())
	if err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

// output takes the lines of a build: into the log, to who listens, and the last ones
// for an error.
type output struct {
	log      io.Writer
	written  int
	last     []string
	progress func(string)
}

func (o *output) line(text string) {
	text = strings.TrimRight(text, " \t")
	if text == "" {
		return
	}
	if o.last = append(o.last, text); len(o.last) > keptLines {
		o.last = o.last[1:]
	}
	if o.written < maxLogSize {
		n, _ := io.WriteString(o.log, text+"\n") // a full disk fails the build elsewhere, with its own words
		o.written += n
	}
	o.progress(text)
}
