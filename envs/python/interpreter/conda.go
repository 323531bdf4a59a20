package interpreter

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// condaTimeout is for the list of environments: conda takes a second to begin.
const condaTimeout = time.Minute

// findConda takes the conda environment that the requirement names.
func (b *Builder) findConda(ctx context.Context, r Requirement) (Interpreter, error) {
	prefix, tool, err := b.condaPrefix(ctx, r)
	if err != nil {
		return Interpreter{}, fmt.Errorf("conda_environment: %w", err)
	}
	path := filepath.Join(prefix, "bin", "python")
	if _, err := os.Lstat(path); err != nil {
		return Interpreter{}, fmt.Errorf("conda_environment: %w", missing("%s holds no Python; run: %s", r.Conda,
			shell(tool, "install", "-n", r.Conda, "python="+r.wantedVersion())))
	}
	says, err := b.probe(ctx, path)
	if err != nil {
		return Interpreter{}, fmt.Errorf("conda_environment: %w", err)
	}
	if !says.is(r.Version) {
		return Interpreter{}, fmt.Errorf("conda_environment: %w", missing("%s has Python %s, and python_version wants %s", r.Conda, says.Version, r.Version))
	}
	if err := b.mustHold(ctx, path, r.Dependencies, shell(path, "-m", "pip", "install")); err != nil {
		return Interpreter{}, fmt.Errorf("conda_environment: %w", err)
	}
	in := b.interpreter(path, says, r.String())
	in.Env = append(in.Env, "CONDA_PREFIX="+prefix, "CONDA_DEFAULT_ENV="+r.Conda)
	return in, nil
}

// wantedVersion is the version to make a new environment with.
func (r Requirement) wantedVersion() string {
	if r.Version != "" {
		return r.Version
	}
	return "3.11"
}

// condaPrefix returns the folder of an environment, and the tool that lists it.
func (b *Builder) condaPrefix(ctx context.Context, r Requirement) (prefix, tool string, err error) {
	tool = b.conda()
	b.condaMu.Lock()
	defer b.condaMu.Unlock()
	if prefix, ok := b.prefixes[r.Conda]; ok {
		if _, err := os.Stat(prefix); err == nil {
			return prefix, tool, nil
		}
		delete(b.prefixes, r.Conda)
	}
	if tool == "" {
		return "", "", missing("there is no conda, mamba or micromamba on this machine; install one, then run: %s",
			shell("conda", "create", "-n", r.Conda, "python="+r.wantedVersion()))
	}
	ctx, cancel := context.WithTimeout(ctx, condaTimeout)
	defer cancel()
	out, err := answer(ctx, b.environ(), "/", tool, "env", "list", "--json")
	if err != nil {
		return "", tool, missing("%s does not list its environments: %w", tool, err)
	}
	var list struct {
		Envs []string `json:"envs"`
	}
	if err := json.Unmarshal(out, &list); err != nil {
		return "", tool, missing("%s env list --json printed %s: %w", tool, quoted(string(out)), err)
	}
	for _, prefix := range list.Envs {
		if condaName(prefix) == r.Conda && filepath.IsAbs(prefix) {
			b.prefixes[r.Conda] = prefix
			return prefix, tool, nil
		}
	}
	return "", tool, missing("there is no conda environment %s; run: %s", r.Conda,
		shell(tool, "create", "-n", r.Conda, "python="+r.wantedVersion()))
}

// condaName is the name of the environment in a folder: that of the folder in envs/,
// and "base" for the installation itself.
func condaName(prefix string) string {
	if filepath.Base(filepath.Dir(prefix)) == "envs" {
		return filepath.Base(prefix)
	}
	if info, err := os.Stat(filepath.Join(prefix, "condabin")); err == nil && info.IsDir() {
		return "base"
	}
	return ""
}

// conda is the program that knows the environments; empty where there is none.
func (b *Builder) conda() string {
	for _, name := range []string{"CONDA_EXE", "MAMBA_EXE"} {
		if path := b.value(name); filepath.IsAbs(path) && runs(path) {
			return path
		}
	}
	for _, name := range []string{"conda", "mamba", "micromamba"} {
		if path, ok := b.look(name); ok {
			return path
		}
	}
	for _, folder := range []string{"~/miniforge3", "~/miniconda3", "~/mambaforge", "~/anaconda3", "/opt/conda", "/opt/miniforge3", "/opt/miniconda3", "/opt/anaconda3"} {
		if path := filepath.Join(b.home(folder), "bin", "conda"); runs(path) {
			return path
		}
	}
	return ""
}
