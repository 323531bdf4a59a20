package interpreter

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	probeTimeout = 30 * time.Second // of a Python that only says what it is
	maxProbes    = 1000             // that are remembered
)

//go:embed probe.py
var probeScript string

//go:embed lacks.py
var lacksScript string

// python is what a Python says about itself.
type python struct {
	Version    string `json:"version"`
	Executable string `json:"executable"` // where a shim or a link leads to
	Prefix     string `json:"prefix"`     // the virtual environment's folder
	Base       string `json:"base"`       // that of the Python it was made with
}

// minor is "3.11".
func (p python) minor() string {
	parts := strings.SplitN(p.Version, ".", 3)
	return parts[0] + "." + parts[1]
}

// is says whether it is of the version "3.11" or "3.11.7".
func (p python) is(version string) bool {
	return version == "" || p.Version == version || p.minor() == version
}

// probes remembers what interpreters said, as long as their files are the same:
// starting one takes as long as a step of an episode may.
type probes struct {
	mu      sync.Mutex
	entries map[string]*probed
}

// probed is one interpreter, and what it has been found to meet.
type probed struct {
	mu    sync.Mutex // held while it is asked
	stamp string     // of its files when it answered; empty: it has not
	says  python
	meets map[string]bool // hashes of dependencies that it was found to hold
}

func (p *probes) of(path string) *probed {
	p.mu.Lock()
	defer p.mu.Unlock()
	entry, ok := p.entries[path]
	if !ok {
		if len(p.entries) >= maxProbes {
			clear(p.entries)
		}
		entry = &probed{}
		p.entries[path] = entry
	}
	return entry
}

// stamp changes when a file does, or what a link leads to.
func stamp(paths ...string) string {
	var all []byte
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return ""
		}
		all = strconv.AppendInt(all, info.ModTime().UnixNano(), 36)
		all = strconv.AppendInt(append(all, ' '), info.Size(), 36)
		all = append(all, ' ')
	}
	return string(all)
}

// probe returns what the interpreter at the path says about itself. The error wraps
// ErrMissing where there is none that runs, or none that is new enough.
func (b *Builder) probe(ctx context.Context, path string) (python, error) {
	entry := b.probes.of(path)
	entry.mu.Lock()
	defer entry.mu.Unlock()
	return b.probeLocked(ctx, entry, path)
}

func (b *Builder) probeLocked(ctx context.Context, entry *probed, path string) (python, error) {
	if entry.stamp != "" && entry.stamp == stamp(path, entry.says.Executable) {
		return entry.says, nil
	}
	entry.stamp, entry.meets = "", nil
	if err := exists(path); err != nil {
		return python{}, err
	}
	var says python
	if err := b.ask(ctx, &says, path, probeScript); err != nil {
		return python{}, fmt.Errorf("%w: %s does not run: %w", ErrMissing, path, err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(says.Version, "%d.%d.", &major, &minor); err != nil || !filepath.IsAbs(says.Executable) {
		return python{}, fmt.Errorf("%w: %s is no Python: it calls itself %s at %s", ErrMissing, path, quoted(says.Version), quoted(says.Executable))
	}
	if major != 3 || minor < minMinor {
		return python{}, fmt.Errorf("%w: %s is Python %s, too old: 3.%d or newer is needed", ErrMissing, path, says.Version, minMinor)
	}
	entry.says, entry.stamp = says, stamp(path, says.Executable)
	return says, nil
}

// lacks returns which of the dependencies the interpreter does not hold.
func (b *Builder) lacks(ctx context.Context, path string, dependencies []string) ([]string, error) {
	if len(dependencies) == 0 {
		return nil, nil
	}
	entry := b.probes.of(path)
	entry.mu.Lock()
	defer entry.mu.Unlock()
	if _, err := b.probeLocked(ctx, entry, path); err != nil {
		return nil, err
	}
	hash := Requirement{Dependencies: dependencies}.Hash()
	if entry.meets[hash] {
		return nil, nil
	}
	var missing []string
	if err := b.ask(ctx, &missing, path, lacksScript, dependencies...); err != nil {
		return nil, fmt.Errorf("%w: %s does not say what it holds: %w", ErrMissing, path, err)
	}
	if len(missing) == 0 { // a no is asked again: somebody installs it meanwhile
		if entry.meets == nil || len(entry.meets) >= maxProbes {
			entry.meets = make(map[string]bool)
		}
		entry.meets[hash] = true
	}
	return missing, nil
}

// ask runs a script that answers with one line of JSON, whatever else is printed.
func (b *Builder) ask(ctx context.Context, into any, path, script string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	// -E and -s: neither PYTHONPATH nor a person's own packages count.
	out, err := answer(ctx, b.environ(), "/", path, append([]string{"-E", "-s", "-c", script}, args...)...)
	if err != nil {
		return err
	}
	const mark = "\nsharpie-python:"
	i := bytes.LastIndex(out, []byte(mark))
	if i < 0 {
		return fmt.Errorf("it printed %s", quoted(string(out)))
	}
	line, _, _ := bytes.Cut(out[i+len(mark):], []byte("\n"))
	if err := json.Unmarshal(line, into); err != nil {
		return fmt.Errorf("it printed %s: %w", quoted(string(line)), err)
	}
	return nil
}

// exists says what is wrong with a path that is no program.
func exists(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		if target, readErr := os.Readlink(path); readErr == nil {
			return fmt.Errorf("%w: %s leads to %s, which is gone", ErrMissing, path, target)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: there is no %s", ErrMissing, path)
		}
		return fmt.Errorf("%w: %w", ErrMissing, err)
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return fmt.Errorf("%w: %s is not a program", ErrMissing, path)
	}
	return nil
}
