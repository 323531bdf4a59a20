package interpreter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Find returns the interpreter of a requirement, without installing anything. It is
// quick once it has found it: then a few files are looked at. The error wraps
// envs.ErrInvalidArgument, ErrNotBuilt or ErrMissing, and says what to do.
func (b *Builder) Find(ctx context.Context, r Requirement) (Interpreter, error) {
	r, err := r.normalized()
	if err != nil {
		return Interpreter{}, err
	}
	switch {
	case r.Path != "":
		return b.findPath(ctx, r)
	case r.Conda != "":
		return b.findConda(ctx, r)
	case len(r.Dependencies) == 0 && r.Version == "":
		path, says, err := b.standard(ctx)
		if err != nil {
			return Interpreter{}, err
		}
		return b.interpreter(path, says, r.String()), nil
	case len(r.Dependencies) == 0:
		path, says, err := b.ofVersion(ctx, r.Version)
		if err == nil {
			return b.interpreter(path, says, r.String()), nil
		}
		if !errors.Is(err, ErrMissing) {
			return Interpreter{}, err
		}
	}
	return b.findBuilt(ctx, r)
}

// findPath takes the program or folder that the requirement names.
func (b *Builder) findPath(ctx context.Context, r Requirement) (Interpreter, error) {
	path, err := b.program(r.Path)
	if err != nil {
		return Interpreter{}, fmt.Errorf("interpreter: %w", err)
	}
	says, err := b.probe(ctx, path)
	if err != nil {
		return Interpreter{}, fmt.Errorf("interpreter: %w", err)
	}
	if !says.is(r.Version) {
		return Interpreter{}, fmt.Errorf("interpreter: %w", missing("%s is Python %s, and python_version wants %s", r.Path, says.Version, r.Version))
	}
	if err := b.mustHold(ctx, says.Executable, r.Dependencies, shell(says.Executable, "-m", "pip", "install")); err != nil {
		return Interpreter{}, fmt.Errorf("interpreter: %w", err)
	}
	return b.interpreter(says.Executable, says, r.String()), nil
}

// mustHold is an error that names the packages that the interpreter lacks, and the
// command that installs them.
func (b *Builder) mustHold(ctx context.Context, path string, dependencies []string, install string) error {
	lacks, err := b.lacks(ctx, path, dependencies)
	if err != nil || len(lacks) == 0 {
		return err
	}
	words := make([]string, len(lacks))
	for i, l := range lacks {
		words[i], _, _ = strings.Cut(l, " (")
	}
	return missing("%s lacks %s; run: %s %s", path, strings.Join(lacks, ", "), install, shell(words...))
}

// program returns the Python program that a path means: itself, or the one of a
// virtual environment's folder.
func (b *Builder) program(path string) (string, error) {
	path = filepath.Clean(b.home(path))
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		for _, name := range []string{"python", "python3"} {
			in := filepath.Join(path, "bin", name)
			if _, err := os.Lstat(in); err == nil {
				return in, exists(in)
			}
		}
		return "", missing("%s is a folder without bin/python: want a Python program, or the folder of a virtual environment", path)
	}
	if err := exists(path); err != nil {
		return "", err
	}
	if !programPattern.MatchString(filepath.Base(path)) {
		return "", missing("%s is not called python: want a Python program, or the folder of a virtual environment", path)
	}
	return path, nil
}

// standard is the default interpreter.
func (b *Builder) standard(ctx context.Context) (string, python, error) {
	if b.base != "" {
		path, err := b.program(b.base)
		if err != nil {
			return "", python{}, fmt.Errorf("--python: %w", err)
		}
		says, err := b.probe(ctx, path)
		if err != nil {
			return "", python{}, fmt.Errorf("--python: %w", err)
		}
		return says.Executable, says, nil
	}
	var first error
	for _, name := range []string{"python3", "python"} {
		path, ok := b.look(name)
		if !ok {
			continue
		}
		says, err := b.probe(ctx, path)
		if err == nil {
			return says.Executable, says, nil
		}
		if ctx.Err() != nil {
			return "", python{}, err
		}
		if first == nil {
			first = err
		}
	}
	if first != nil {
		return "", python{}, fmt.Errorf("%w; install Python 3.%d or newer, or name one with --python", first, minMinor)
	}
	return "", python{}, missing("there is no python3 on the PATH; install it (Debian: apt-get install python3 python3-venv), or name one with --python")
}

// ofVersion finds a Python of that version on the machine: the default one, those on
// the PATH, those of pyenv.
func (b *Builder) ofVersion(ctx context.Context, version string) (string, python, error) {
	minor := strings.Join(strings.SplitN(version, ".", 3)[:2], ".")
	var candidates []string
	if path, _, err := b.standard(ctx); err == nil {
		candidates = append(candidates, path)
	}
	for _, dir := range filepath.SplitList(b.value("PATH")) {
		if path := filepath.Join(dir, "python"+minor); filepath.IsAbs(path) && runs(path) {
			candidates = append(candidates, path)
		}
	}
	candidates = append(candidates, b.pyenv(minor, version)...)
	var near string
	for _, path := range candidates {
		says, err := b.probe(ctx, path)
		if ctx.Err() != nil {
			return "", python{}, ctx.Err()
		}
		switch {
		case err != nil: // a shim of a version that is not installed
		case says.is(version):
			return says.Executable, says, nil
		case says.is(minor):
			near = fmt.Sprintf(" (%s is Python %s; python_version: %q takes it)", says.Executable, says.Version, minor)
		}
	}
	return "", python{}, missing("there is no Python %s on this machine%s; install it (Debian: apt-get install python%s python%s-venv; pyenv install %s; uv python install %s)",
		version, near, minor, minor, version, version)
}

// pyenv lists the programs of a version that pyenv built, the newest first.
func (b *Builder) pyenv(minor, version string) []string {
	root := b.value("PYENV_ROOT")
	if root == "" {
		root = b.home("~/.pyenv")
	}
	pattern := minor + ".*"
	if version != minor {
		pattern = version
	}
	paths, err := filepath.Glob(filepath.Join(root, "versions", pattern, "bin", "python"))
	if err != nil { // a root with brackets in its name
		return nil
	}
	newestFirst(paths)
	return paths
}

// newestFirst sorts paths …/versions/3.11.7/bin/python.
func newestFirst(paths []string) {
	patch := func(path string) int {
		version := filepath.Base(filepath.Dir(filepath.Dir(path)))
		n, err := strconv.Atoi(version[strings.LastIndexByte(version, '.')+1:])
		if err != nil {
			return -1 // 3.13.0rc1 comes last
		}
		return n
	}
	slices.SortFunc(paths, func(a, b string) int { return patch(b) - patch(a) })
}
