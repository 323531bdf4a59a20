package python

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Confine says whether code is confined.
type Confine int

// The ways to confine.
const (
	// Auto uses bubblewrap where it works, and says so where it does not.
	Auto Confine = iota
	// Never runs code with all rights of this process's user.
	Never
)

// etc is what of /etc programs need to run at all: libraries, names, certificates, fonts.
var etc = [...]string{"ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "passwd", "group",
	"nsswitch.conf", "localtime", "timezone", "ssl", "ca-certificates", "pki", "fonts", "mime.types",
	"hosts", "host.conf", "resolv.conf", "services", "protocols", "OpenCL", "vulkan"}

// sandbox is bubblewrap as it is on this machine.
type sandbox struct {
	// bwrap is its path; empty: code runs unconfined, because of reason.
	bwrap, reason string
	// hide are folders that no code may see, wherever they lie.
	hide []string
}

// Confinement is what Pool.Confinement of a pool with that Config.Confine would say. It
// runs bubblewrap once, to see.
func Confinement(how Confine) string { return newSandbox(how, nil).String() }

// newSandbox tries bubblewrap by running something in it.
func newSandbox(how Confine, hide []string) *sandbox {
	s := &sandbox{hide: hide}
	if how == Never {
		s.reason = "the settings say so"
		return s
	}
	path, err := exec.LookPath("bwrap")
	if err != nil {
		s.reason = "bwrap is not installed"
		return s
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	args := append(s.base(false), "--", "/usr/bin/env", "true")
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{"PATH=/usr/bin:/bin"}
	cmd.WaitDelay = time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &limited{&stderr, 1 << 10}
	if err := cmd.Run(); err != nil {
		why := strings.TrimSpace(stderr.String())
		if why == "" {
			why = err.Error()
		}
		s.reason = "bwrap does not work here: " + strings.ReplaceAll(why, "\n", "; ")
		return s
	}
	s.bwrap = path
	return s
}

// String is "bubblewrap", or why there is none.
func (s *sandbox) String() string {
	if s.bwrap == "" {
		return "unconfined: " + s.reason
	}
	return "bubblewrap"
}

// base are the arguments for a world with the system's programs and nothing else.
func (s *sandbox) base(network bool) []string {
	args := []string{"--unshare-user-try", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try",
		"--die-with-parent", "--hostname", "sharpie", "--ro-bind", "/usr", "/usr"}
	if !network {
		args = append(args, "--unshare-net")
	}
	for _, name := range [...]string{"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"} {
		if to, err := os.Readlink(name); err == nil {
			args = append(args, "--symlink", to, name)
		} else {
			args = append(args, "--ro-bind-try", name, name)
		}
	}
	for _, name := range etc {
		args = append(args, "--ro-bind-try", "/etc/"+name, "/etc/"+name)
	}
	args = append(args, "--ro-bind-try", "/nix/store", "/nix/store", "--ro-bind-try", "/sys", "/sys",
		"--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/var/tmp", "--dir", "/run")
	for _, pattern := range [...]string{"/dev/nvidia*", "/dev/dri", "/dev/kfd"} {
		found, _ := filepath.Glob(pattern) // the pattern is well-formed
		for _, device := range found {
			args = append(args, "--dev-bind-try", device, device)
		}
	}
	return args
}

// command wraps the command of a worker. folders are what the interpreter reads, dir is
// the only folder that it may write to; file starts the worker, and lies in a folder of
// its own.
func (s *sandbox) command(i Interpreter, folders []string, file, dir, cwd string, network bool, command []string) []string {
	args := append([]string{s.bwrap}, s.base(network)...)
	var bound []string
	for _, f := range folders {
		if f == "/" || system(f) || slices.ContainsFunc(bound, func(b string) bool { return within(f, b) }) {
			continue
		}
		bound = append(bound, f)
		args = append(args, "--ro-bind-try", f, f)
	}
	args = append(args, links(i.Path, append(bound, "/usr"))...)
	for _, h := range s.hide {
		if slices.ContainsFunc(bound, func(b string) bool { return within(h, b) || h == b }) {
			args = append(args, "--tmpfs", h)
			for _, f := range folders {
				if within(f, h) {
					args = append(args, "--ro-bind-try", f, f)
				}
			}
		}
	}
	home := filepath.Dir(file)
	args = append(args, "--ro-bind", home, home, "--bind", dir, dir, "--chdir", cwd, "--")
	return append(args, command...)
}

// system reports whether a path is one that base has bound.
func system(path string) bool {
	return slices.ContainsFunc([]string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store"},
		func(dir string) bool { return within(path, dir) })
}

// within reports whether path is dir or below it.
func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// links are arguments for the symbolic links between an interpreter's path and its
// program that lie in none of the folders.
func links(path string, folders []string) []string {
	var args []string
	for range 16 {
		to, err := os.Readlink(path)
		if err != nil {
			if _, missing := os.Stat(path); missing == nil && !slices.ContainsFunc(folders, func(f string) bool { return within(path, f) }) {
				args = append(args, "--ro-bind", path, path)
			}
			break
		}
		if !slices.ContainsFunc(folders, func(f string) bool { return within(path, f) }) {
			args = append(args, "--symlink", to, path)
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return args
}

// checkHidden refuses to hide what the code needs: it would end in confusion.
func checkHidden(hide []string) ([]string, error) {
	var out []string
	for _, h := range hide {
		if h == "" {
			continue
		}
		abs, err := filepath.Abs(h)
		if err != nil {
			return nil, fmt.Errorf("hide %s: %w", h, err)
		}
		if abs == "/" || within("/usr", abs) {
			return nil, errors.New("hide: the system's own folders cannot be hidden")
		}
		if info, err := os.Stat(abs); err == nil && info.IsDir() {
			out = append(out, resolved(abs))
		}
	}
	return out, nil
}
