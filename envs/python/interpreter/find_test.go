package interpreter

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFindTakesWhatIsThere(t *testing.T) {
	b := newBench(t)
	standard := b.python(t, "python3", "3.12.1", "")
	b.python(t, "python3.9", "3.9.18", "")
	script(t, filepath.Join(b.Bin, "python3.13"), "echo 'pyenv: python3.13: command not found' >&2; exit 127\n")
	pyenv := filepath.Join(b.Home, ".pyenv", "versions")
	fakePython(t, filepath.Join(pyenv, "3.13.2", "bin", "python"), "3.13.2", "")
	newest := fakePython(t, filepath.Join(pyenv, "3.13.10", "bin", "python"), "3.13.10", "")
	venv := fakePython(t, filepath.Join(b.Home, "lab", "bin", "python"), "3.10.4", "")
	zoo := fakePython(t, filepath.Join(b.Home, "miniforge3", "envs", "zoo", "bin", "python"), "3.11.2", "")
	if err := os.MkdirAll(filepath.Join(b.Home, "miniforge3", "condabin"), 0o755); err != nil {
		t.Fatal(err)
	}
	root := fakePython(t, filepath.Join(b.Home, "miniforge3", "bin", "python"), "3.12.9", "")
	script(t, filepath.Join(b.Home, "miniforge3", "bin", "conda"),
		`[ "$*" = "env list --json" ] && echo '{"envs": ["`+b.Home+`/miniforge3", "`+b.Home+`/miniforge3/envs/zoo"]}'`+"\n")

	for _, test := range []struct {
		r             Requirement
		path, version string
		env           string
	}{
		{Requirement{}, standard, "3.12.1", "PATH=" + b.Bin},
		{Requirement{Version: "3.12"}, standard, "3.12.1", ""},
		{Requirement{Version: "3.9"}, filepath.Join(b.Bin, "python3.9"), "3.9.18", ""},
		{Requirement{Version: "3.13"}, newest, "3.13.10", ""},
		{Requirement{Version: "3.13.2"}, filepath.Join(pyenv, "3.13.2", "bin", "python"), "3.13.2", ""},
		{Requirement{Path: "~/lab"}, venv, "3.10.4", "PATH=" + filepath.Dir(venv)},
		{Requirement{Path: venv, Version: "3.10", Dependencies: []string{"numpy"}}, venv, "3.10.4", ""},
		{Requirement{Conda: "zoo"}, zoo, "3.11.2", "CONDA_PREFIX=" + filepath.Dir(filepath.Dir(zoo))},
		{Requirement{Conda: "base"}, root, "3.12.9", "CONDA_DEFAULT_ENV=base"},
	} {
		in, err := b.Find(patient(t), test.r)
		if err != nil || in.Path != test.path || in.Version != test.version || in.Name != test.r.String() {
			t.Errorf("%s: found %+v, %v; want Python %s at %s", test.r, in, err, test.version, test.path)
		}
		if !slices.ContainsFunc(in.Env, func(e string) bool { return strings.HasPrefix(e, test.env) }) {
			t.Errorf("%s: its programs get %q, want %s in it", test.r, in.Env, test.env)
		}
	}
}

func TestWhatIsMissingSaysWhatToDo(t *testing.T) {
	b := newBench(t)
	b.python(t, "python3", "3.12.1", "")
	old := b.python(t, "python3.6", "3.6.15", "")
	ancient := script(t, filepath.Join(b.Bin, "python2"), "printf '\\nsharpie-python:{\"version\": \"2.7.18\", \"executable\": \"/usr/bin/python2\"}\\n'\n")
	shell := script(t, filepath.Join(b.Bin, "bash"), "exit 0\n")
	broken := script(t, filepath.Join(b.Bin, "python3.10"), "echo 'libpython3.10.so: cannot open' >&2; exit 127\n")
	mute := script(t, filepath.Join(b.Bin, "python3.11"), "echo Hello\n")
	picky := script(t, filepath.Join(b.Bin, "python3.8"), `case "$4" in *lacks*) printf '\nsharpie-python:["numpy>=9 (it has 1.0)"]\n';; *) printf '\nsharpie-python:{"version": "3.8.1", "executable": "%s"}\n' "$0";; esac`+"\n")
	script(t, filepath.Join(b.Bin, "conda"), `echo '{"envs": ["/opt/conda", "/opt/conda/envs/other"]}'`+"\n")
	gone := filepath.Join(b.Home, "gone", "bin", "python")
	if err := os.MkdirAll(filepath.Dir(gone), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/no/such/python3.9", gone); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		r    Requirement
		want string
		is   error
	}{
		{"no such program", Requirement{Path: "/no/such/python"}, "there is no /no/such/python", ErrMissing},
		{"an empty folder", Requirement{Path: b.Home}, "without bin/python", ErrMissing},
		{"its base is gone", Requirement{Path: "~/gone"}, "leads to /no/such/python3.9, which is gone", ErrMissing},
		{"another program", Requirement{Path: shell}, "is not called python", ErrMissing},
		{"it does not run", Requirement{Path: broken}, "libpython3.10.so: cannot open", ErrMissing},
		{"it is no Python", Requirement{Path: mute}, `it printed "Hello\n"`, ErrMissing},
		{"it is too old", Requirement{Path: old}, "Python 3.6.15, too old: 3.8 or newer is needed", ErrMissing},
		{"it is Python 2", Requirement{Path: ancient}, "Python 2.7.18, too old", ErrMissing},
		{"another version", Requirement{Path: picky, Version: "3.9"}, "python_version wants 3.9", ErrMissing},
		{"it lacks a package", Requirement{Path: picky, Dependencies: []string{"numpy>=9"}}, picky + " lacks numpy>=9 (it has 1.0); run: " + picky + " -m pip install 'numpy>=9'", ErrMissing},
		{"no such version", Requirement{Version: "3.14"}, "there is no Python 3.14 on this machine", ErrMissing},
		{"another patch", Requirement{Version: "3.12.2"}, `is Python 3.12.1; python_version: "3.12" takes it`, ErrMissing},
		{"no conda environment", Requirement{Conda: "zoo", Version: "3.10"}, "conda create -n zoo python=3.10", ErrMissing},
		{"not built", Requirement{Dependencies: []string{"numpy", "gymnasium[classic-control]"}},
			"sharpie python build --with 'gymnasium[classic-control]' --with numpy --data " + filepath.Dir(b.Dir), ErrNotBuilt},
		{"cannot be built", Requirement{Version: "3.14", Dependencies: []string{"numpy"}}, "then run: sharpie python build --version 3.14 --with numpy", ErrMissing},
	} {
		t.Run(test.name, func(t *testing.T) {
			in, err := b.Find(patient(t), test.r)
			if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Find() = %+v, %v; want an error that says %q", in, err, test.want)
			}
		})
	}
	if _, err := os.Stat(b.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Find made the folder of built interpreters: %v", err)
	}

	bare := newBench(t)
	for want, r := range map[string]Requirement{
		"there is no python3 on the PATH":                            {},
		"no conda, mamba or micromamba on this machine; install one": {Conda: "zoo"},
	} {
		if _, err := bare.Find(patient(t), r); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s on a bare machine: %v, want %q", r, err, want)
		}
	}
}

func TestAnInterpreterIsAskedOnceUntilItChanges(t *testing.T) {
	b := newBench(t)
	path := b.python(t, "python3", "3.12.1", "")
	find := func(want string) {
		t.Helper()
		if in, err := b.Find(patient(t), Requirement{}); err != nil || in.Version != want {
			t.Fatalf("found %+v, %v; want Python %s", in, err, want)
		}
	}
	for range 3 {
		find("3.12.1")
	}
	if n := lines(filepath.Join(b.Bin, "count")); n != 1 {
		t.Errorf("it was started %d times to be found 3 times", n)
	}
	b.python(t, "python3", "3.12.10", "")
	if err := os.Chtimes(path, time.Now(), time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	find("3.12.10")
}

func TestTheDefaultIsTheOneThatIsNamed(t *testing.T) {
	b := newBench(t)
	b.python(t, "python3", "3.12.1", "")
	lab := fakePython(t, filepath.Join(b.Home, "lab", "bin", "python"), "3.10.4", "")
	b.base = "~/lab"
	if in, err := b.Find(patient(t), Requirement{}); err != nil || in.Path != lab {
		t.Errorf("found %+v, %v; want %s", in, err, lab)
	}
	b.base = "~/nowhere"
	if in, err := b.Find(patient(t), Requirement{}); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "--python") {
		t.Errorf("found %+v, %v; want an error about --python", in, err)
	}
}
