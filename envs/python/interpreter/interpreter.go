package interpreter

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

var (
	// ErrNotBuilt says that the interpreter has to be built first; the error around it
	// names the command to run.
	ErrNotBuilt = errors.New("this Python is not built yet")
	// ErrMissing says that this machine lacks the interpreter, or the interpreter the
	// packages; the error around it says how to get them.
	ErrMissing = errors.New("this Python is missing")
	// ErrUnknown says that nothing was built under a hash.
	ErrUnknown = errors.New("nothing was built under this hash")
	// ErrBusy says that somebody is building it now.
	ErrBusy = errors.New("it is being built now")
)

// DefaultTimeout is how long a build may take where Config says nothing.
const DefaultTimeout = 30 * time.Minute

// Interpreter is a Python that was found and that runs.
type Interpreter struct {
	// Path is its program, absolute, behind every shim.
	Path string
	// Version is what it says itself: "3.11.7".
	Version string
	// Name says for people which it is: "the default Python", "Python 3.11 with numpy".
	Name string
	// Env are variables that its programs want in addition to those of every program,
	// as NAME=VALUE: PATH with its own folder first, VIRTUAL_ENV, CONDA_PREFIX.
	Env []string
	// Folders are what has to be readable where it is confined: its own, and that of
	// the Python that it was made with.
	Folders []string
}

// Config is what a Builder works with.
type Config struct {
	// Dir is the folder of built interpreters; it is made where it is missing.
	Dir string
	// Default is a Python program, or a virtual environment's folder, for
	// requirements that name none; empty: python3 on the PATH.
	Default string
	// Environ is the environment in which interpreters and tools are looked for and
	// run, after all but a known few variables were taken out; nil: this process's.
	Environ []string
	// Timeout of one build; 0: DefaultTimeout.
	Timeout time.Duration
	// Logger; nil: nothing is logged.
	Logger *slog.Logger
}

// Builder finds interpreters and builds them. Its methods may be called at the same
// time, also by several processes on the same folder.
type Builder struct {
	dir     string
	base    string
	env     []string
	timeout time.Duration
	log     *slog.Logger
	probes  probes

	condaMu  sync.Mutex
	prefixes map[string]string // conda environments found so far
}

// New makes a Builder. It touches nothing until something is asked of it.
func New(c Config) *Builder {
	b := &Builder{dir: c.Dir, base: c.Default, timeout: c.Timeout, log: c.Logger}
	if abs, err := filepath.Abs(c.Dir); err == nil {
		b.dir = abs
	}
	env := c.Environ
	if env == nil {
		env = os.Environ()
	}
	b.env = cleanEnviron(env)
	if b.timeout <= 0 {
		b.timeout = DefaultTimeout
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	b.probes.entries = make(map[string]*probed)
	b.prefixes = make(map[string]string)
	return b
}

// interpreter describes a Python that answered.
func (b *Builder) interpreter(path string, says python, name string) Interpreter {
	in := Interpreter{Path: path, Version: says.Version, Name: name}
	bin := filepath.Dir(path)
	search := filepath.SplitList(b.value("PATH"))
	search = slices.DeleteFunc(search, func(dir string) bool { return dir == bin || !filepath.IsAbs(dir) })
	in.Env = []string{"PATH=" + strings.Join(append([]string{bin}, search...), string(filepath.ListSeparator))}
	if says.Prefix != says.Base {
		in.Env = append(in.Env, "VIRTUAL_ENV="+says.Prefix)
	}
	for _, folder := range []string{says.Prefix, says.Base, filepath.Dir(bin)} {
		if filepath.IsAbs(folder) && !slices.Contains(in.Folders, folder) {
			in.Folders = append(in.Folders, folder)
		}
	}
	return in
}

// buildCommand is the command that builds the requirement here, to be pasted.
func (b *Builder) buildCommand(r Requirement) string {
	words := append([]string{"sharpie", "python", "build"}, r.arguments()...)
	return shell(append(words, b.flags()...)...)
}

// flags are those of the command line that lead to this folder and this default.
func (b *Builder) flags() []string {
	var flags []string
	here, err := filepath.Abs(filepath.Join("data", filepath.Base(b.dir)))
	if err != nil || here != b.dir {
		flags = append(flags, "--data", filepath.Dir(b.dir))
	}
	if b.base != "" {
		flags = append(flags, "--python", b.base)
	}
	return flags
}

func missing(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrMissing, fmt.Errorf(format, args...))
}
