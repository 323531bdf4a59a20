package interpreter

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// numpy is a requirement that has to be built.
func numpy() Requirement { return Requirement{Dependencies: []string{"numpy"}} }

func TestABuildIsKeptListedAndRemoved(t *testing.T) {
	ctx := patient(t)
	b := newBench(t, "SHARPIE_MONGO=secret", "PIP_INDEX_URL=https://lab/simple", "PIP_TARGET=/elsewhere", "PYTHONPATH=/elsewhere")
	b.python(t, "python3", "3.12.1", `echo "Collecting $8"; env`)
	if _, err := b.Find(ctx, numpy()); !errors.Is(err, ErrNotBuilt) {
		t.Fatalf("found before it was built: %v", err)
	}
	var said []string
	in, err := b.Build(ctx, numpy(), func(line string) { said = append(said, line) })
	if err != nil {
		t.Fatal(err)
	}
	output := strings.Join(said, "\n")
	for text, want := range map[string]bool{
		"Collecting numpy": true, "-m pip install --no-input": true, "PIP_INDEX_URL=https://lab/simple": true, "PIP_USER=0": true,
		"secret": false, "PIP_TARGET": false, "PYTHONPATH": false,
	} {
		if strings.Contains(output, text) != want {
			t.Errorf("%q in what was printed: %v, want %v:\n%s", text, !want, want, output)
		}
	}
	log, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(filepath.Dir(in.Path))), logName))
	if err != nil || strings.TrimSpace(string(log)) != output {
		t.Errorf("the log has %q, %v; want what was printed", log, err)
	}
	if again, err := b.Build(ctx, numpy(), func(line string) { t.Errorf("built again: %s", line) }); err != nil || again.Path != in.Path {
		t.Errorf("the second time: %+v, %v", again, err)
	}
	// Another process sees it too.
	other := New(Config{Dir: b.Dir, Environ: b.env})
	if found, err := other.Find(ctx, numpy()); err != nil || found.Path != in.Path {
		t.Errorf("another builder found %+v, %v", found, err)
	}
	list, err := b.List(ctx)
	if err != nil || len(list) != 1 || list[0].Problem != "" || list[0].Version != "3.12.1" || list[0].Bytes == 0 || list[0].Tool != "pip" {
		t.Fatalf("the list is %+v, %v", list, err)
	}
	for _, hash := range []string{"", "../..", "abc", "zzzz", "00000000000000000"} {
		if err := b.Remove(ctx, hash); !errors.Is(err, ErrUnknown) {
			t.Errorf("Remove(%q) = %v", hash, err)
		}
	}
	if err := b.Remove(ctx, list[0].Hash[:8]); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Find(ctx, numpy()); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("found after it was removed: %v", err)
	}
}

func TestABrokenOneIsSaidAndBuiltAnew(t *testing.T) {
	ctx := patient(t)
	b := newBench(t)
	b.python(t, "python3", "3.12.1", "")
	in, err := b.Build(ctx, numpy(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(in.Path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/no/such/python3.12", in.Path); err != nil {
		t.Fatal(err)
	}
	_, err = b.Find(ctx, numpy())
	if !errors.Is(err, ErrNotBuilt) || !strings.Contains(err.Error(), "/no/such/python3.12, which is gone; run: sharpie python build") {
		t.Errorf("Find() = %v", err)
	}
	if list, err := b.List(ctx); err != nil || len(list) != 1 || !strings.Contains(list[0].Problem, "is gone") {
		t.Errorf("the list is %+v, %v", list, err)
	}
	if _, err := b.Build(ctx, numpy(), nil); err != nil {
		t.Errorf("it was not built anew: %v", err)
	}
}

func TestAFailedBuildShowsWhatPipSaid(t *testing.T) {
	ctx := patient(t)
	b := newBench(t)
	b.python(t, "python3", "3.12.1", `echo "ERROR: No matching distribution found for $8" >&2; exit 1`)
	_, err := b.Build(ctx, numpy(), nil)
	var failed *BuildError
	if !errors.As(err, &failed) {
		t.Fatalf("Build() = %v", err)
	}
	for _, want := range []string{"exit status 1", "No matching distribution found for numpy", failed.Log, "-m venv try && try/bin/python -m pip install"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(b.Dir, "*", "venv-*")); err != nil || len(left) != 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	if list, err := b.List(ctx); err != nil || len(list) != 1 || !strings.Contains(list[0].Problem, "did not end well") {
		t.Errorf("the list is %+v, %v", list, err)
	}
}

func TestABuildHasADeadline(t *testing.T) {
	b := newBench(t)
	b.timeout = 300 * time.Millisecond
	b.python(t, "python3", "3.12.1", "sleep 600")
	_, err := b.Build(patient(t), numpy(), nil)
	if err == nil || !strings.Contains(err.Error(), "did not end within 300ms") {
		t.Errorf("Build() = %v", err)
	}
}

func TestUvComesFirstAndPipAfterIt(t *testing.T) {
	ctx := patient(t)
	b := newBench(t, "PIP_INDEX_URL=https://lab/simple", "PIP_NO_INDEX=1", "PIP_FIND_LINKS=/a /b")
	base := b.python(t, "python3", "3.12.1", "")
	uv := filepath.Join(b.Bin, "uv")
	script(t, uv, `env; if [ "$1" = venv ]; then mkdir -p "$5/bin" && cp "$4" "$5/bin/python"; fi`+"\n")
	var said []string
	if _, err := b.Build(ctx, numpy(), func(line string) { said = append(said, line) }); err != nil {
		t.Fatal(err)
	}
	output := strings.Join(said, "\n")
	for _, want := range []string{uv + " venv --no-project --python " + base, "--no-index numpy", "UV_DEFAULT_INDEX=https://lab/simple", "UV_FIND_LINKS=/a,/b"} {
		if !strings.Contains(output, want) {
			t.Errorf("%q is missing in:\n%s", want, output)
		}
	}
	// A version that only uv can get.
	script(t, uv, `if [ "$1" = venv ]; then mkdir -p "$5/bin" && cp "`+fakePython(t, filepath.Join(b.Home, "uv", "python"), "3.14.0", "")+`" "$5/bin/python"; fi`+"\n")
	if in, err := b.Build(ctx, Requirement{Version: "3.14"}, nil); err != nil || in.Version != "3.14.0" {
		t.Errorf("Build() = %+v, %v", in, err)
	}
	script(t, uv, "echo uv has no index >&2; exit 2\n")
	said = nil
	in, err := b.Build(ctx, Requirement{Dependencies: []string{"scipy"}}, func(line string) { said = append(said, line) })
	if err != nil || !strings.Contains(strings.Join(said, "\n"), "uv venv: exit status 2); trying pip") {
		t.Errorf("Build() = %+v, %v; it said %q", in, err, said)
	}
}

func TestWhoWantsTheSameWaitsForTheSameBuild(t *testing.T) {
	ctx := patient(t)
	b := newBench(t)
	builds := filepath.Join(b.Home, "builds")
	b.python(t, "python3", "3.12.1", `echo x >>`+builds)
	var wg sync.WaitGroup
	paths := make([]string, 6)
	for i := range paths {
		wg.Go(func() {
			own := New(Config{Dir: b.Dir, Environ: b.env}) // as another process has it
			in, err := own.Build(ctx, numpy(), nil)
			if err != nil {
				t.Error(err)
			}
			paths[i] = in.Path
		})
	}
	wg.Wait()
	if n := lines(builds); n != 1 {
		t.Errorf("it was built %d times for %d who wanted it", n, len(paths))
	}
	for _, path := range paths {
		if path != paths[0] {
			t.Errorf("they got %v", paths)
		}
	}
}

// TestBuilderProcess is the process that TestAKilledBuildLeavesNothingToUse kills.
func TestBuilderProcess(t *testing.T) {
	dir := os.Getenv("TEST_BUILDER_DIR")
	if dir == "" {
		t.Skip("a part of another test")
	}
	b := New(Config{Dir: dir, Environ: []string{"PATH=" + os.Getenv("TEST_BUILDER_PATH"), "HOME=" + dir}})
	_, err := b.Build(context.Background(), numpy(), func(line string) { fmt.Println("said: " + line) })
	t.Errorf("the build ended: %v", err)
}

func TestAKilledBuildLeavesNothingToUse(t *testing.T) {
	ctx := patient(t)
	b := newBench(t)
	b.python(t, "python3", "3.12.1", `echo installing; exec sleep 600`)
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestBuilderProcess$")
	cmd.Env = append(os.Environ(), "TEST_BUILDER_DIR="+b.Dir, "TEST_BUILDER_PATH="+b.value("PATH"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		if scanner.Text() == "said: installing" {
			break
		}
	}
	if list, err := b.List(ctx); err != nil || len(list) != 1 || list[0].Problem != "it is being built" {
		t.Errorf("meanwhile the list is %+v, %v", list, err)
	} else if err := b.Remove(ctx, list[0].Hash); !errors.Is(err, ErrBusy) {
		t.Errorf("Remove() = %v, want %v", err, ErrBusy)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	if _, err := b.Find(ctx, numpy()); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("what was left was found: %v", err)
	}
	b.python(t, "python3", "3.12.1", "")
	if _, err := b.Build(ctx, numpy(), nil); err != nil {
		t.Errorf("it cannot be built after that: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(b.Dir, "*", "venv-*")); err != nil || len(left) != 1 {
		t.Errorf("of two builds there are %v, %v", left, err)
	}
}

// TestARealBuild makes a real virtual environment with a real pip, and installs a
// package of its own from a folder.
func TestARealBuild(t *testing.T) {
	base, err := exec.LookPath("python3")
	if err == nil {
		err = exec.Command(base, "-c", "import ensurepip, venv").Run()
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no python3 with venv: %v", err)
		}
		t.Skip("no python3 with venv: a real build was not checked")
	}
	ctx := patient(t)
	wheels := t.TempDir()
	wheel(t, wheels, "sharpie_test_package", "1.5")
	b := New(Config{
		Dir: filepath.Join(t.TempDir(), "with a blank"), Default: base,
		Environ: []string{"PATH=/usr/bin:/bin", "HOME=" + t.TempDir(), "PIP_NO_INDEX=1", "PIP_FIND_LINKS=" + wheels},
	})
	r := Requirement{Dependencies: []string{"Sharpie.Test.Package[extra]>=1,<2"}}
	in, err := b.Build(ctx, r, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(in.Path, "-c", "import sharpie_test_package, sys; print(sharpie_test_package.answer, sys.prefix != sys.base_prefix)").CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "42 True" {
		t.Errorf("it printed %s, %v", out, err)
	}
	if _, err := b.Find(ctx, Requirement{Path: in.Path, Dependencies: []string{"sharpie-test-package>=2", "pip"}}); !errors.Is(err, ErrMissing) ||
		!strings.Contains(err.Error(), "lacks sharpie-test-package>=2") || strings.Contains(err.Error(), "lacks pip") {
		t.Errorf("taken as it is, for a newer package: %v", err)
	}
}

// wheel writes a package with one module whose answer is 42.
func wheel(t *testing.T, dir, name, version string) {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, name+"-"+version+"-py3-none-any.whl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	archive := zip.NewWriter(file)
	info := name + "-" + version + ".dist-info/"
	for _, f := range []struct{ path, text string }{
		{name + ".py", "answer = 42\n"},
		{info + "METADATA", "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\nProvides-Extra: extra\n"},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{info + "RECORD", name + ".py,,\n" + info + "METADATA,,\n" + info + "WHEEL,,\n" + info + "RECORD,,\n"},
	} {
		w, err := archive.Create(f.path)
		if err == nil {
			_, err = w.Write([]byte(f.text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
}
