package interpreter

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// recipe is one way to make a virtual environment.
type recipe struct {
	tool string // "uv" or "pip"
	uv   string // its program
	base string // the Python to make it with: a program, or for uv a version
	// offline says that packages come from the person's own folders alone.
	offline bool
}

// canBuild is an error where neither a Python nor uv is there to build with.
func (b *Builder) canBuild(ctx context.Context, r Requirement) error {
	_, err := b.recipes(ctx, r)
	return err
}

// recipes lists the ways to build a requirement here, the quickest first. uv comes
// before pip, which reads settings that uv does not know.
func (b *Builder) recipes(ctx context.Context, r Requirement) ([]recipe, error) {
	var (
		all  []recipe
		base string
		err  error
	)
	if r.Version == "" {
		base, _, err = b.standard(ctx)
	} else {
		base, _, err = b.ofVersion(ctx, r.Version)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if uv, ok := b.look("uv"); ok && err == nil {
		all = append(all, recipe{tool: "uv", uv: uv, base: base, offline: b.offline()})
	} else if ok && r.Version != "" {
		all = append(all, recipe{tool: "uv", uv: uv, base: r.Version, offline: b.offline()})
	}
	if err == nil {
		all = append(all, recipe{tool: "pip", base: base})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("python_version: %w; then run: %s", err, b.buildCommand(r))
	}
	return all, nil
}

// follow makes the virtual environment, installs, and sees whether it runs.
func (b *Builder) follow(ctx context.Context, rc recipe, r Requirement, venv string, out *output) (*Built, error) {
	env := b.environ("PIP_USER=0", "PIP_NO_INPUT=1", "PIP_DISABLE_PIP_VERSION_CHECK=1")
	if rc.tool == "uv" {
		env = b.environ(b.uvSettings()...)
	}
	for _, words := range rc.commands(r, venv) {
		out.line("$ " + shell(words...))
		if err := stream(ctx, env, filepath.Dir(venv), out.line, words[0], words[1:]...); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(words[0])+" "+words[1], err)
		}
	}
	path := filepath.Join(venv, "bin", "python")
	says, err := b.probe(ctx, path)
	if err != nil {
		return nil, err
	}
	if !says.is(r.Version) {
		return nil, fmt.Errorf("%s made Python %s, and %s is wanted", rc.tool, says.Version, r.Version)
	}
	if lacks, err := b.lacks(ctx, path, r.Dependencies); err != nil {
		return nil, err
	} else if len(lacks) > 0 {
		return nil, fmt.Errorf("%s did not install %s", rc.tool, strings.Join(lacks, ", "))
	}
	base := rc.base
	if target, err := filepath.EvalSymlinks(path); err == nil {
		base = target
	}
	return &Built{Requirement: r, Version: says.Version, Base: base, Tool: rc.tool, Venv: filepath.Base(venv), Bytes: size(venv)}, nil
}

// commands are what to run, in order.
func (rc recipe) commands(r Requirement, venv string) [][]string {
	python := filepath.Join(venv, "bin", "python")
	var all [][]string
	if rc.tool == "uv" {
		all = append(all, []string{rc.uv, "venv", "--no-project", "--python", rc.base, venv})
		if len(r.Dependencies) > 0 {
			install := []string{rc.uv, "pip", "install", "--python", python}
			if rc.offline {
				install = append(install, "--no-index")
			}
			all = append(all, append(install, r.Dependencies...))
		}
		return all
	}
	all = append(all, []string{rc.base, "-m", "venv", venv})
	if len(r.Dependencies) > 0 {
		all = append(all, append([]string{python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"}, r.Dependencies...))
	}
	return all
}

// byHand is a line for the shell that does the same in a folder named try.
func (rc recipe) byHand(r Requirement) string {
	var lines []string
	for _, words := range rc.commands(r, "try") {
		lines = append(lines, shell(words...))
	}
	return strings.Join(lines, " && ")
}

// uvSettings hands a person's settings of pip on to uv, which has its own names for
// them; what is set under uv's names stays.
func (b *Builder) uvSettings() []string {
	settings := []string{"UV_NO_PROGRESS=1"}
	add := func(uv, pip, separator string) {
		if value := b.value(pip); value != "" && b.value(uv) == "" {
			settings = append(settings, uv+"="+strings.Join(strings.Fields(value), separator))
		}
	}
	if b.value("UV_INDEX_URL") == "" {
		add("UV_DEFAULT_INDEX", "PIP_INDEX_URL", " ")
	}
	if b.value("UV_EXTRA_INDEX_URL") == "" {
		add("UV_INDEX", "PIP_EXTRA_INDEX_URL", " ")
	}
	add("UV_FIND_LINKS", "PIP_FIND_LINKS", ",")
	add("UV_CONSTRAINT", "PIP_CONSTRAINT", " ")
	if cert := b.value("PIP_CERT"); cert != "" && b.value("SSL_CERT_FILE") == "" {
		settings = append(settings, "SSL_CERT_FILE="+cert)
	}
	return settings
}

// offline says whether pip is told to ask no index, which uv takes as a flag alone.
func (b *Builder) offline() bool {
	return slices.Contains([]string{"1", "true", "yes", "on", "t", "y"}, strings.ToLower(b.value("PIP_NO_INDEX")))
}

// size is the sum of the sizes of the files below a folder, in bytes; what cannot be
// read counts nothing.
func size(folder string) int64 {
	var sum int64
	_ = filepath.WalkDir(folder, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) || err != nil || !info.Mode().IsRegular() {
			return nil
		}
		sum += info.Size()
		return nil
	})
	return sum
}
