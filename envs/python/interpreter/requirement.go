package interpreter

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"sharpie/envs"
)

// Bounds of a requirement.
const (
	maxDependencies = 200
	maxDependency   = 200  // bytes of one
	maxPath         = 4096 // bytes
	minMinor        = 8    // of Python 3, the oldest that the worker runs on
)

// Requirement is what an experiment says about its Python. Zero: nothing, the default
// interpreter is meant.
type Requirement struct {
	// Path is a Python program or a virtual environment's folder, absolute or from ~.
	Path string
	// Conda is the name of a conda environment.
	Conda string
	// Version is "3.11" or "3.11.7".
	Version string
	// Dependencies are requirements as pip takes them, without options, addresses and paths.
	Dependencies []string
}

var (
	versionPattern = regexp.MustCompile(`^3\.[0-9]{1,2}(\.[0-9]{1,3})?$`)
	condaPattern   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}$`)
	programPattern = regexp.MustCompile(`^(python|pypy)[0-9.]*t?$`)
)

// Check returns an error that wraps envs.ErrInvalidArgument and names the first field
// that cannot be meant, with what is allowed; nil where all can.
func (r Requirement) Check() error {
	_, err := r.normalized()
	return err
}

// Hash is the same for two requirements that mean the same, on this platform:
// 64 hexadecimal digits.
func (r Requirement) Hash() string {
	if n, err := r.normalized(); err == nil {
		r = n
	}
	text, err := json.Marshal(struct {
		Platform string
		Requirement
	}{runtime.GOOS + "/" + runtime.GOARCH, r})
	if err != nil { // strings always marshal
		panic(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// String names the requirement for people: "Python 3.11 with gymnasium, numpy".
func (r Requirement) String() string {
	name := "the default Python"
	switch {
	case r.Path != "":
		name = r.Path
	case r.Conda != "":
		name = "the conda environment " + r.Conda
	case r.Version != "":
		name = "Python " + r.Version
	}
	switch n := len(r.Dependencies); {
	case n > 8:
		name += fmt.Sprintf(" with %s and %d more packages", strings.Join(r.Dependencies[:7], ", "), n-7)
	case n > 0:
		name += " with " + strings.Join(r.Dependencies, ", ")
	}
	return name
}

// arguments are what `sharpie python build` wants for the requirement.
func (r Requirement) arguments() []string {
	var args []string
	if r.Version != "" {
		args = append(args, "--version", r.Version)
	}
	for _, d := range r.Dependencies {
		args = append(args, "--with", d)
	}
	return args
}

// normalized is the requirement in the one form that its hash is made of: sorted,
// without blanks and repetitions.
func (r Requirement) normalized() (Requirement, error) {
	n := Requirement{
		Path: strings.TrimSpace(r.Path), Conda: strings.TrimSpace(r.Conda), Version: strings.TrimSpace(r.Version),
	}
	if n.Path != "" && n.Conda != "" {
		return n, invalid("interpreter and conda_environment exclude each other: give one")
	}
	if err := checkPath(n.Path); err != nil {
		return n, err
	}
	if n.Conda != "" && !condaPattern.MatchString(n.Conda) {
		return n, invalid("conda_environment %s: want the name of a conda environment; its folder is named with interpreter", quoted(n.Conda))
	}
	if err := checkVersion(n.Version); err != nil {
		return n, err
	}
	if len(r.Dependencies) > maxDependencies {
		return n, invalid("dependencies: there are %d, at most %d are allowed", len(r.Dependencies), maxDependencies)
	}
	for i, d := range r.Dependencies {
		clean, problem := cleanDependency(d)
		if problem != "" {
			return n, invalid("dependencies[%d] %s: %s", i, quoted(d), problem)
		}
		n.Dependencies = append(n.Dependencies, clean)
	}
	slices.Sort(n.Dependencies)
	n.Dependencies = slices.Compact(n.Dependencies)
	return n, nil
}

func checkPath(path string) error {
	switch {
	case path == "":
		return nil
	case len(path) > maxPath:
		return invalid("interpreter has %d bytes, at most %d are allowed", len(path), maxPath)
	case hasControl(path):
		return invalid("interpreter %s: line breaks and control characters are not allowed", quoted(path))
	case path != "~" && !strings.HasPrefix(path, "~/") && !filepath.IsAbs(path):
		return invalid("interpreter %s is relative to a folder that a runner does not have: want a path from / or ~/, or python_version and dependencies", quoted(path))
	}
	return nil
}

func checkVersion(version string) error {
	if version == "" {
		return nil
	}
	if !versionPattern.MatchString(version) {
		return invalid(`python_version %s: want a version of Python 3 such as "3.11" or "3.11.7"`, quoted(version))
	}
	minor, err := strconv.Atoi(strings.Split(version, ".")[1])
	if err != nil { // the pattern has digits there
		return invalid("python_version %s: %w", quoted(version), err)
	}
	if version == "3.1" {
		return invalid(`python_version 3.1 is too old: 3.%d or newer is needed; if 3.10 was meant, write it in quotes: "3.10"`, minMinor)
	}
	if minor < minMinor {
		return invalid("python_version %s is too old: 3.%d or newer is needed", version, minMinor)
	}
	return nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %w", envs.ErrInvalidArgument, fmt.Errorf(format, args...))
}

// quoted is a hostile text for one line of an error, cut at 80 characters.
func quoted(text string) string {
	if runes := []rune(text); len(runes) > 80 {
		text = string(runes[:80]) + "…"
	}
	return strconv.Quote(text)
}

func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == 0x7f || c == 0x85 || c == 0x2028 || c == 0x2029 })
}
