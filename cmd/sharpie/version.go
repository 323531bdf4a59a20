package main

import (
	"fmt"
	"runtime"
)

// versionCommand prints what was built.
type versionCommand struct{}

// Run prints one line: program, version, Go version, platform.
func (versionCommand) Run(a *app) error {
	_, err := fmt.Fprintf(a.stdout, "sharpie %s %s %s/%s\n", a.version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
