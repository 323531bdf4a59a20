package system

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the program under test.
var binary string

// atOnce is how many tests run side by side: they wait more than they compute.
const atOnce = "6"

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		set := false
		flag.Visit(func(f *flag.Flag) { set = set || f.Name == "test.parallel" })
		if !set {
			if err := flag.Set("test.parallel", atOnce); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		binary = os.Getenv("SHARPIE_TEST_BINARY")
		if binary != "" {
			return m.Run()
		}
		dir, err := os.MkdirTemp("", "sharpie-system-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		binary = filepath.Join(dir, "sharpie")
		if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "..").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build sharpie: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}
