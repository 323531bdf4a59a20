package python

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"sharpie/envs"
)

// Interpreter is a Python that runs experiments.
type Interpreter struct {
	// Path of the executable, absolute, or a name in the PATH of this process.
	Path string
	// Version such as "3.11.7", for people; empty: what the worker says.
	Version string
	// Env is more of the environment, KEY=VALUE, as conda needs it.
	Env []string
	// Name is what people call it ("conda:pong"); empty: its path.
	Name string
}

// key tells interpreters apart.
func (i Interpreter) key() string { return i.Path + "\x00" + strings.Join(i.Env, "\x00") }

// probeLimit is how long an interpreter may take to say where it is.
const probeLimit = 30 * time.Second

// probeCode compiles the worker, so that no start has to, and prints the folders that an
// interpreter reads.
const probeCode = `import json, sys
try:
    import compileall
    compileall.compile_dir(sys.argv[1], quiet=2)
except Exception:
    pass  # it only starts later
print(json.dumps([sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix] + [p for p in sys.path if p]))`

// interpreters remembers what the interpreters of a pool said of themselves.
type interpreters struct {
	// program is the worker's package, which each interpreter compiles once.
	program string
	// run runs a command that ends when the pool or this program does.
	run func(*exec.Cmd) error

	mu    sync.Mutex
	known map[string][]string
}

// folders returns the absolute folders that an interpreter reads from. The error is a
// *envs.Fault that says what is wrong with it.
func (in *interpreters) folders(ctx context.Context, i Interpreter) ([]string, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if f, ok := in.known[i.key()]; ok {
		return f, nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, i.Path, "-s", "-c", probeCode, in.program)
	cmd.Env = environment(i, nil)
	cmd.Dir = "/"
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &limited{&stdout, 1 << 20}, &limited{&stderr, 8 << 10}
	if err := in.run(cmd); err != nil {
		if errors.Is(err, errPoolClosed) {
			return nil, err
		}
		if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, ctx.Err()
		}
		return nil, badInterpreter(i, fmt.Sprintf("does not run: %v", err), stderr.String())
	}
	line := bytes.TrimSpace(stdout.Bytes())
	line = line[bytes.LastIndexByte(line, '\n')+1:]
	var said []string
	if err := json.Unmarshal(line, &said); err != nil {
		return nil, badInterpreter(i, "does not run Python code: it printed no list", stderr.String())
	}
	var out []string
	for _, f := range said {
		if info, err := os.Stat(f); err != nil || !info.IsDir() || !filepath.IsAbs(f) {
			continue
		}
		for _, f := range []string{filepath.Clean(f), resolved(f)} {
			if !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	if in.known == nil {
		in.known = map[string][]string{}
	}
	in.known[i.key()] = out
	return out, nil
}

// resolved is a path without symbolic links, or the path itself.
func resolved(path string) string {
	if r, err := filepath.EvalSymlinks(path); err == nil {
		return r
	}
	return filepath.Clean(path)
}

// find makes the path absolute, or says what is missing.
func (i Interpreter) find() (Interpreter, error) {
	if i.Path == "" {
		return i, badInterpreter(i, "has no path", "")
	}
	path, err := exec.LookPath(i.Path)
	if err != nil {
		return i, badInterpreter(i, "cannot be run: there is no such program, or it may not be executed", "")
	}
	// symbolic links stay: a venv is known by the link that is its python
	i.Path, err = filepath.Abs(path)
	return i, err
}

func badInterpreter(i Interpreter, what, log string) error {
	return &envs.Fault{
		State: envs.BadLoad, Phase: "load",
		Message: fmt.Sprintf("interpreter: %s %s", i, what), Log: log,
	}
}

// String is the name and the path.
func (i Interpreter) String() string {
	switch i.Name {
	case "", i.Path:
		return i.Path
	}
	return i.Name + " (" + i.Path + ")"
}

// environment is all that a process gets to see of the environment: nothing of ours
// but what is listed here, and no keys. Hashes of texts are the same in every process,
// since a spare is started before anybody knows a seed.
func environment(i Interpreter, more []string) []string {
	out := []string{
		"PATH=" + filepath.Dir(i.Path) + ":/usr/local/bin:/usr/bin:/bin",
		"LANG=C.UTF-8",
		"LC_ALL=C.UTF-8",
		"PYTHONHASHSEED=0",
		"PYTHONDONTWRITEBYTECODE=1",
		"PYTHONUNBUFFERED=1",
		"PYTHONNOUSERSITE=1",
		"PYGAME_HIDE_SUPPORT_PROMPT=1",
		"SDL_VIDEODRIVER=dummy",
		"SDL_AUDIODRIVER=dummy",
		"MPLBACKEND=Agg",
	}
	for _, kv := range slices.Concat(i.Env, more) {
		key, _, ok := strings.Cut(kv, "=")
		if !ok || key == "" {
			continue
		}
		out = slices.DeleteFunc(out, func(old string) bool { return strings.HasPrefix(old, key+"=") })
		out = append(out, kv)
	}
	return out
}

// limited keeps the first bytes of what is written.
type limited struct {
	to   *bytes.Buffer
	most int
}

func (l *limited) Write(p []byte) (int, error) {
	if room := l.most - l.to.Len(); room > 0 {
		l.to.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
