package interpreter

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// kept are the variables that the programs run here see: what a person's pip, uv,
// conda and pyenv need to work as they do in a terminal, and nothing of SHARPIE's.
// A name that ends with * stands for all that begin so.
var kept = []string{
	"PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR", "XDG_*",
	"PIP_*", "UV_*", "NETRC", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
	"http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
	"CONDA_EXE", "CONDARC", "CONDA_ENVS_PATH", "CONDA_ENVS_DIRS", "MAMBA_EXE", "MAMBA_ROOT_PREFIX", "PYENV_ROOT",
	"LD_LIBRARY_PATH", "CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS", "CUDA_HOME", "SOURCE_DATE_EPOCH",
}

// dropped are those among them that would have packages installed somewhere else, or
// something else installed.
var dropped = []string{
	"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_DRY_RUN", "PIP_REQUIREMENT", "PIP_EDITABLE",
	"PIP_REQUIRE_VIRTUALENV", "PIP_REQ", "PIP_REPORT", "PIP_LOG", "PIP_QUIET", "PIP_NO_DEPS", "PIP_REQUIRE_HASHES",
	"UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_TARGET", "UV_PREFIX", "UV_PROJECT", "UV_WORKING_DIRECTORY", "UV_ENV_FILE",
	"UV_REQUIRE_HASHES", "UV_VENV_CLEAR", "UV_VENV_SEED",
}

// environ is the environment of the programs run here.
func (b *Builder) environ(more ...string) []string {
	return append(slices.Clone(b.env), more...)
}

func cleanEnviron(all []string) []string {
	var clean []string
	for _, entry := range all {
		name, _, _ := strings.Cut(entry, "=")
		if slices.Contains(dropped, name) || !slices.ContainsFunc(kept, func(k string) bool {
			prefix, open := strings.CutSuffix(k, "*")
			return name == k || open && strings.HasPrefix(name, prefix)
		}) {
			continue
		}
		clean = append(clean, entry)
	}
	return clean
}

// value is a variable of the clean environment; empty where it is not set.
func (b *Builder) value(name string) string {
	for i := len(b.env) - 1; i >= 0; i-- {
		if v, ok := strings.CutPrefix(b.env[i], name+"="); ok {
			return v
		}
	}
	return ""
}

// look finds a program on the PATH of the environment.
func (b *Builder) look(name string) (string, bool) {
	for _, dir := range filepath.SplitList(b.value("PATH")) {
		if path := filepath.Join(dir, name); filepath.IsAbs(path) && runs(path) {
			return path, true
		}
	}
	return "", false
}

// home is the path below the home folder that a path from ~ means.
func (b *Builder) home(path string) string {
	rest, ok := strings.CutPrefix(path, "~")
	if !ok {
		return path
	}
	return filepath.Join(b.value("HOME"), rest)
}

// runs says whether the path is a program.
func runs(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
