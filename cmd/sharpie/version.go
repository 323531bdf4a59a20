package main

import (
	"fmt"
	"runtime"

	"sharpie/envs/python"
	"sharpie/envs/python/interpreter"
)

// versionCommand prints what was built, and what it finds here.
type versionCommand struct{}

// Run prints a line for the program, its Go version and platform, one for the Python of
// experiments that name none, and one for what keeps their code from harm.
func (versionCommand) Run(a *app) error {
	standard := "none: "
	if found, err := a.python.builder(a, "", 0).Find(a.ctx, interpreter.Requirement{}); err != nil {
		standard += err.Error()
	} else {
		standard = found.Version + ", " + found.Path
	}
	_, err := fmt.Fprintf(a.stdout, "sharpie %s %s %s/%s\npython %s\nconfinement %s\n",
		a.version, runtime.Version(), runtime.GOOS, runtime.GOARCH, standard, python.Confinement(a.python.confine()))
	return err
}
