package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"sharpie/envs/python/pythontest"
	"sharpie/experiments"
)

// TestThePythonMayBeNamedFromHere: what runs it works in another folder.
func TestThePythonMayBeNamedFromHere(t *testing.T) {
	python := pythontest.Interpreter(t)
	t.Chdir(filepath.Dir(filepath.Dir(python)))
	for _, path := range []string{"bin/python", "."} {
		code, out, errs := sharpie(t, "import", "gymnasium:CartPole-v1", "--check", "--python", path, "--data", t.TempDir())
		if code != 0 || !strings.Contains(out, "ready") || strings.Contains(errs, "WARN") {
			t.Errorf("--python %s: exit code %d\n%s%s", path, code, out, errs)
		}
	}
}

func TestAdminIsToldOfInterpreters(t *testing.T) {
	python := pythontest.Interpreter(t)
	var log bytes.Buffer
	a := testApp(t.Context(), &log)
	a.python = pythonFlags{Interpreter: programPath(python), Confine: "never"}
	metrics := prometheus.NewRegistry()
	w, err := a.python.open(a, t.TempDir(), noStore{}, metrics)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close() //nolint:errcheck // nothing runs in it
	d := &experiments.Definition{Environment: experiments.Environment{Source: "gymnasium:CartPole-v1"}}
	if text, ok := w.readiness(t.Context(), d); !ok || !strings.HasPrefix(text, "Python 3.") {
		t.Errorf("with its packages: %q, ready %t", text, ok)
	}
	d.Dependencies = []string{"no-such-package"}
	if text, ok := w.readiness(t.Context(), d); ok || !strings.Contains(text, "sharpie python build") {
		t.Errorf("without its packages: %q, ready %t; want the command to run", text, ok)
	}
	if text := w.confinement(d); !strings.HasPrefix(text, "unconfined: ") {
		t.Errorf("with --confine never: %q", text)
	}
	families, err := metrics.Gather()
	if err != nil || !slices.ContainsFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == "sharpie_python_spares" }) {
		t.Errorf("no gauge of spares (%v)", err)
	}
}
